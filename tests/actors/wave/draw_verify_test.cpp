#include "actors/wave/draw/verify.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>

#include "actors/wave/draw/draw.hpp"
#include "tests/actors/wave/draw_reference.hpp"

namespace gelombang::draw {
namespace {

using namespace gelombang::draw::testing;

/// A published draw with something of everything in it.
class DrawVerify : public ::testing::Test {
protected:
  void SetUp() override {
    sample_ = make_sample(50, 400);
    sample_.given.quota = 150;
    // Shares above the groups' part of the people, so that they decide something.
    sample_.given.groups = {{"disability", 1, 700}, {"returned_migrant", 0, 100}};
    for (auto& region : sample_.given.weights) region.weight = region.region.value;
    ASSERT_TRUE(commit(directory_ / "draw", sample_.roster, sample_.given, 2));
    publish();
    committed_summary_ = summary_;
    committed_entries_ = entries_;
    ASSERT_TRUE(run(directory_ / "draw", sample_.beacon, sample_.secret, 2));
    publish();
  }

  void publish() {
    auto files = draw_files::open(directory_ / "draw").value();
    summary_ = to_json(files.published());
    ASSERT_TRUE(files.export_entries(directory_ / "entries.csv", 2));
    entries_ = read_file(directory_ / "entries.csv");
  }

  /// What `verify` says of these two texts: "agrees" or the disagreement.
  std::string verdict_on(const std::string& summary, const std::string& entries,
                         const std::optional<entry_id>& entry = std::nullopt,
                         unsigned threads = 2) {
    write_file(directory_ / "summary.json", summary);
    write_file(directory_ / "entries.csv", entries);
    auto result = verify(directory_ / "summary.json", directory_ / "entries.csv", entry, threads);
    if (result) return "agrees";
    EXPECT_EQ(result.error().what, verify_failure::kind::disagrees);
    return result.error().detail;
  }

  /// Says what `verify` finds when `change` was made to the summary.
  std::string with_summary(const std::function<void(boost::json::object&)>& change) {
    auto json = boost::json::parse(summary_);
    change(json.as_object());
    return verdict_on(boost::json::serialize(json), entries_);
  }

  std::string with_region(const std::function<void(boost::json::object&)>& change) {
    return with_summary(
        [&](boost::json::object& json) { change(json["regions"].as_array()[0].as_object()); });
  }

  /// The entries with the first line that has `column` equal to `value` changed.
  std::string with_entries(std::size_t line, std::size_t column, const std::string& value) {
    std::vector<std::string> lines;
    std::string rest = entries_;
    for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
      lines.push_back(rest.substr(0, end));
    }
    std::size_t start = 0;
    for (std::size_t i = 0; i < column; ++i) start = lines[line].find(',', start) + 1;
    auto end = std::min(lines[line].find(',', start), lines[line].size());
    lines[line].replace(start, end - start, value);
    std::string text;
    for (const auto& one : lines) text += one + "\n";
    return verdict_on(summary_, text);
  }

  temporary_directory directory_;
  sample sample_;
  std::string summary_, entries_, committed_summary_, committed_entries_;
};

bool names(const std::string& found, std::string_view what) {
  return found.find(what) != std::string::npos;
}

TEST_F(DrawVerify, ConfirmsWhatWasPublishedOnAnyNumberOfThreads) {
  for (unsigned threads : {1u, 2u, 3u, 7u}) {
    EXPECT_EQ(verdict_on(summary_, entries_, std::nullopt, threads), "agrees");
  }
}

TEST_F(DrawVerify, ConfirmsACommitmentBeforeTheDraw) {
  EXPECT_EQ(verdict_on(committed_summary_, committed_entries_), "agrees");
  EXPECT_TRUE(names(verdict_on(committed_summary_, entries_), "the summary is not drawn"));
  EXPECT_TRUE(names(verdict_on(summary_, committed_entries_), "the summary is drawn"));
}

TEST_F(DrawVerify, ConfirmsTheSameWithOtherLineEnds) {
  std::string windows;
  for (auto c : entries_) windows += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(verdict_on(summary_, windows), "agrees");
  EXPECT_EQ(verdict_on(summary_, entries_.substr(0, entries_.size() - 1)), "agrees");
}

TEST_F(DrawVerify, ConfirmsADrawOfNobody) {
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), {}, sample_.given, 2));
  auto drawn = run(directory.path(), sample_.beacon, sample_.secret, 2);
  ASSERT_TRUE(drawn);
  EXPECT_EQ(verdict_on(to_json(*drawn), std::string(entries_header)), "agrees");
}

TEST_F(DrawVerify, NamesEveryMemberOfTheSummaryThatWasTouched) {
  auto flip = [](boost::json::value& hex) {
    auto text = std::string(hex.as_string());
    text[5] = text[5] == '0' ? '1' : '0';
    hex = text;
  };
  struct mutation {
    const char* expected;
    std::function<void(boost::json::object&)> change;
  };
  for (const auto& [expected, change] : std::vector<mutation>{
           {"wave", [](auto& json) { json["wave"] = 0; }},
           {"algorithm", [](auto& json) { json["algorithm"] = "gelombang/draw/2"; }},
           {"entries is", [](auto& json) { json["entries"] = 401; }},
           {"roster_root", [&](auto& json) { flip(json["roster_root"]); }},
           {"seats", [](auto& json) { json["quota"] = 149; }},
           {"seats", [](auto& json) { json["minimum_per_region"] = 60; }},
           {"outcome", [](auto& json) { json["groups"].as_array().clear(); }},
           {"outcome",
            [](auto& json) { json["groups"].as_array()[0].as_object()["share_permille"] = 100; }},
           {"outcome", [](auto& json) { json["groups"].as_array()[0].as_object()["bit"] = 2; }},
           {"beacon_source", [](auto& json) { json["beacon_source"] = 7; }},
           {"beacon_round", [](auto& json) { json["beacon_round"] = -1; }},
           {"seed", [&](auto& json) { flip(json["beacon_value"]); }},
           {"operator_secret_hash", [&](auto& json) { flip(json["operator_secret_hash"]); }},
           {"operator_secret_hash", [&](auto& json) { flip(json["operator_secret"]); }},
           {"seed", [&](auto& json) { flip(json["seed"]); }},
           {"regions", [](auto& json) { json["regions"].as_array().pop_back(); }},
       }) {
    auto found = with_summary(change);
    EXPECT_TRUE(names(found, expected)) << expected << " expected in: " << found;
  }
}

TEST_F(DrawVerify, NamesEveryFigureOfARegionThatWasTouched) {
  auto one_more = [](const char* name) {
    return [name](boost::json::object& region) { region[name] = region[name].as_int64() + 1; };
  };
  for (auto name : {"applicants", "usable", "seats", "accepted"}) {
    auto found = with_region(one_more(name));
    EXPECT_TRUE(names(found, name) && names(found, "region 1101")) << found;
  }
  auto heavier = with_region([](auto& region) { region["weight"] = 900'000'000; });
  EXPECT_TRUE(names(heavier, "seats")) << heavier;
  auto cutoff = with_region([](auto& region) { region["cutoff"] = nullptr; });
  EXPECT_TRUE(names(cutoff, "cutoff")) << cutoff;
  auto code = with_region([](auto& region) { region["region"] = "1102"; });
  EXPECT_TRUE(names(code, "region")) << code;
}

TEST_F(DrawVerify, NamesEveryMemberThatIsMissing) {
  for (auto name : {"wave", "algorithm", "entries", "roster_root", "quota", "minimum_per_region",
                    "groups", "beacon_source", "beacon_round", "beacon_value",
                    "operator_secret_hash", "operator_secret", "seed", "regions"}) {
    auto found = with_summary([&](auto& json) { json.erase(name); });
    EXPECT_TRUE(names(found, std::string(name) + " is missing")) << found;
  }
  for (auto name : {"region", "weight", "applicants", "usable", "seats", "accepted", "cutoff"}) {
    auto found = with_region([&](auto& region) { region.erase(name); });
    EXPECT_TRUE(names(found, "regions[0]." + std::string(name) + " is missing")) << found;
  }
}

TEST_F(DrawVerify, NamesTheLineAndTheColumnThatWasTouched) {
  EXPECT_TRUE(names(with_entries(0, 0, "id"), "line 1"));
  for (std::size_t line : {1u, 200u, 400u}) {
    auto number = "line " + std::to_string(line + 1);
    auto touched = [&](std::size_t column, const std::string& value) {
      return with_entries(line, column, value);
    };
    EXPECT_TRUE(names(touched(0, std::string(32, 'x')), number + ": entry_id"));
    EXPECT_TRUE(names(touched(0, std::string(32, 'f')), line == 400 ? "roster_root" : "above"));
    EXPECT_TRUE(names(touched(1, "9999"), "roster_root"));
    EXPECT_TRUE(names(touched(2, "64"), "roster_root"));
    EXPECT_TRUE(names(touched(3, "0123456789abcdef"), "roster_root"));
    EXPECT_TRUE(names(touched(4, "9"), number + ": family_room"));
    auto ticket = touched(5, std::string(64, '0'));
    EXPECT_TRUE(names(ticket, number) && names(ticket, "ticket")) << ticket;
    EXPECT_TRUE(names(touched(5, ""), number));
    EXPECT_TRUE(names(touched(6, "won"), number + ": outcome"));
    auto order = touched(7, "77777");
    EXPECT_TRUE(names(order, number)) << order;
  }
}

TEST_F(DrawVerify, NamesAnOutcomeThatWasSwapped) {
  auto at = entries_.find(",reserve,");
  ASSERT_NE(at, std::string::npos);
  auto end = entries_.find('\n', at);
  auto swapped = entries_;
  swapped.replace(at, end - at, ",accepted,");
  auto found = verdict_on(summary_, swapped);
  EXPECT_TRUE(names(found, "outcome is accepted, computed reserve")) << found;
  swapped = entries_;
  swapped.replace(at, end - at, ",family_full,");
  found = verdict_on(summary_, swapped);
  EXPECT_TRUE(names(found, "outcome is family_full, computed reserve")) << found;
}

TEST_F(DrawVerify, NoticesALineLeftOutAddedOrMoved) {
  auto first = entries_.find('\n') + 1;
  auto second = entries_.find('\n', first) + 1;
  auto third = entries_.find('\n', second) + 1;
  auto line = entries_.substr(first, second - first);
  auto next = entries_.substr(second, third - second);
  auto without = entries_.substr(0, first) + entries_.substr(second);
  EXPECT_TRUE(names(verdict_on(summary_, without), "entries is 400, computed 399"));
  auto twice = entries_.substr(0, first) + line + entries_.substr(first);
  EXPECT_TRUE(names(verdict_on(summary_, twice), "entries is 400, computed 401"));
  auto moved = entries_.substr(0, first) + next + line + entries_.substr(third);
  EXPECT_TRUE(names(verdict_on(summary_, moved), "line 3"));
  auto blank = entries_ + "\n";
  EXPECT_TRUE(names(verdict_on(summary_, blank), "line 402"));
  EXPECT_TRUE(names(verdict_on(summary_, ""), "line 1"));
}

TEST_F(DrawVerify, ReportsOnOneEntry) {
  auto files = draw_files::open(directory_ / "draw").value();
  for (std::uint32_t index = 0; index < 400; index += 57) {
    const auto& entry = files.roster()[index];
    write_file(directory_ / "summary.json", summary_);
    write_file(directory_ / "entries.csv", entries_);
    auto result = verify(directory_ / "summary.json", directory_ / "entries.csv", entry.id, 2);
    ASSERT_TRUE(result) << result.error().detail;
    const auto& report = result->entry.value();
    EXPECT_EQ(report.index, index);
    EXPECT_EQ(report.entry, entry);
    EXPECT_EQ(report.drawn->ticket, files.ticket(index));
    EXPECT_EQ(report.drawn->own, files.verdict_of(index));
    EXPECT_EQ(report.cutoff, files.region(entry.region).cutoff);
    EXPECT_EQ(report.proof, files.proof(index));
    EXPECT_EQ(root_by_proof(leaf_of(entry), index, 400, report.proof),
              files.published().roster_root);
    auto text = describe(*result);
    EXPECT_TRUE(names(text, to_string(entry.id)) && names(text, to_hex(report.drawn->ticket)) &&
                names(text, "leads to the root"))
        << text;
  }
  auto unknown = verdict_on(summary_, entries_, entry_id{1, 2, 3});
  EXPECT_TRUE(names(unknown, "is not in the roster")) << unknown;
}

TEST_F(DrawVerify, TellsAFileThatIsNotThereFromOneThatIsWrong) {
  auto result = verify(directory_ / "nothing.json", directory_ / "entries.csv", {}, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, verify_failure::kind::unreadable);
  EXPECT_TRUE(names(result.error().detail, "nothing.json"));
  result = verify(directory_.path(), directory_ / "entries.csv", {}, 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, verify_failure::kind::unreadable);
}

TEST_F(DrawVerify, TakesAnySummaryWithoutHarm) {
  std::mt19937_64 random{51};
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    auto text = summary_.substr(0, i % 3 == 0 ? random() % summary_.size() : summary_.size());
    for (auto changes = random() % 4; changes > 0 && !text.empty(); --changes) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    refused += !read_summary(text).has_value();
  }
  EXPECT_GT(refused, 1000);
  EXPECT_FALSE(read_summary(std::string(summary_bytes_max + 1, ' ')));
  EXPECT_FALSE(read_summary(std::string(100'000, '[')));
  EXPECT_FALSE(read_summary("[]"));
  EXPECT_FALSE(read_summary("{}"));
}

}  // namespace
}  // namespace gelombang::draw
