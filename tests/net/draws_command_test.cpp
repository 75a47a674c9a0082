#include "net/command/draws.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>
#include <functional>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/draw.hpp"
#include "tests/actors/wave/small_draw.hpp"
#include "tests/net/capture.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A draw as it is published: the summary at the commitment, and both files after the draw.
class DrawCommand : public ::testing::Test {
protected:
  void SetUp() override {
    const auto given = draw::testing::parameters_for_three({7}, 2, "our secret");
    const auto at = where_.path() / "draw";
    const auto committed = draw::commit(at, draw::testing::roster_of_three(), given, 1);
    ASSERT_TRUE(committed);
    write("committed", draw::to_json(*committed));
    ASSERT_TRUE(draw::draw_files::open(at).value().export_entries(path_of("entries_committed"), 1));
    const auto drawn = draw::run(at, "\x03\x16", "our secret", 1);
    ASSERT_TRUE(drawn);
    write("summary", draw::to_json(*drawn));
    ASSERT_TRUE(draw::draw_files::open(at).value().export_entries(path_of("entries"), 1));
  }

  std::string path_of(const std::string& name) const { return (where_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{path_of(name)} << text;
  }

  std::string content(const std::string& name) const {
    std::ifstream in{path_of(name)};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// Writes the summary of the commitment with something else in it.
  void with_commitment(const std::function<void(boost::json::object&)>& change) const {
    auto json = boost::json::parse(content("committed"));
    change(json.as_object());
    write("committed", boost::json::serialize(json));
  }

  int verify(const std::string& summary, const std::string& committed = {}) {
    const testing::capture out, complaints;
    const auto code = verify_draw({.summary = path_of(summary),
                                   .entries = path_of("entries"),
                                   .committed = committed.empty() ? "" : path_of(committed),
                                   .entry = {}},
                                  out.file(), complaints.file());
    said_ = out.text();
    complaint_ = complaints.text();
    return code;
  }

  const storage::testing::temporary_directory where_;
  std::string said_, complaint_;
};

TEST_F(DrawCommand, SaysWhichWaveAndWhichRandomness) {
  EXPECT_EQ(verify("summary"), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("wave 7"));
  EXPECT_THAT(said_, HasSubstr("beacon drand, round 4321, value 0316"));
  EXPECT_THAT(said_, HasSubstr("the summary's word"));
}

TEST_F(DrawCommand, ComparesWithTheCommitment) {
  EXPECT_EQ(verify("summary", "committed"), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("as committed in"));
}

TEST_F(DrawCommand, NamesWhatItHasNotChecked) {
  EXPECT_EQ(verify("summary"), 0) << complaint_;
  for (const auto* taken_on_trust :
       {"not checked", "roster root", "quota", "minimum per region", "shares", "weights",
        "beacon source and round", "beacon value", "region, groups, family and family room"})
    EXPECT_THAT(said_, HasSubstr(taken_on_trust));
  EXPECT_EQ(verify("summary", "committed"), 0) << complaint_;
  EXPECT_THAT(said_, Not(HasSubstr("weights are")));
  EXPECT_THAT(said_, Not(HasSubstr("the summary's word")));
  EXPECT_THAT(said_, HasSubstr("region, groups, family and family room"));
  EXPECT_THAT(said_, HasSubstr("beacon value"));
}

TEST_F(DrawCommand, ThatAWaveWasCancelledIsTheSummarysWordAlone) {
  const std::string on_trust = "that it was cancelled, when and why";
  write("entries", content("entries_committed"));
  EXPECT_EQ(verify("committed"), 0) << complaint_;
  EXPECT_THAT(said_, Not(HasSubstr(on_trust)));
  with_commitment([](auto& summary) { summary["state"] = "cancelled"; });
  EXPECT_EQ(verify("committed"), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("the summary says that it was CANCELLED"));
  EXPECT_THAT(said_, HasSubstr(on_trust));
}

TEST_F(DrawCommand, TwoMembersOfTheSameNameAreRefused) {
  for (const auto* twice : {R"("quota":2,"quota":2)", R"("quota":2,"a":{"\":b":1,"\":b":2})",
                            R"("quota":2,"a":[{"b":1,"b":1}])"}) {
    SetUp();
    auto text = content("summary");
    const std::string once = R"("quota":2)";
    text.replace(text.find(once), once.size(), twice);
    write("summary", text);
    EXPECT_EQ(verify("summary"), 1) << twice;
    EXPECT_THAT(complaint_, HasSubstr("two members of the same name"));
  }
  SetUp();
  auto text = content("summary");
  text.insert(1, R"("a \": b":[{"b":1},{"b":1,"c":":"}],)");
  write("summary", text);
  EXPECT_EQ(verify("summary"), 0) << complaint_;
}

TEST_F(DrawCommand, NamesWhatWasNotCommittedTo) {
  const std::pair<const char*, boost::json::value> changes[] = {
      {"wave", 8},
      {"beacon_source", "dice"},
      {"beacon_round", 4322},
      {"operator_secret_hash", boost::json::string(64, 'a')},
      {"roster_root", boost::json::string(64, 'b')},
      {"quota", 3},
      {"minimum_per_region", 1},
      {"groups", boost::json::array{boost::json::object{
                     {"name", "disability"}, {"bit", 1}, {"share_permille", 5}}}}};
  for (const auto& [member, value] : changes) {
    SetUp();
    with_commitment([&](auto& summary) { summary[member] = value; });
    EXPECT_EQ(verify("summary", "committed"), 1) << member;
    EXPECT_THAT(complaint_, HasSubstr(std::string{member} + " is "));
    EXPECT_THAT(complaint_, HasSubstr("committed"));
  }
  SetUp();
  with_commitment(
      [](auto& summary) { summary["regions"].as_array()[0].as_object()["weight"] = 11; });
  EXPECT_EQ(verify("summary", "committed"), 1);
  EXPECT_THAT(complaint_, HasSubstr("region 3201: weight is 10, committed 11"));
}

TEST_F(DrawCommand, ADrawnSummaryIsNoCommitment) {
  EXPECT_EQ(verify("summary", "summary"), 2);
  EXPECT_THAT(complaint_, HasSubstr("before the draw"));
}

TEST_F(DrawCommand, AFileThatIsNotThereIsNamedWithItsOption) {
  EXPECT_EQ(verify("nope"), 3);
  EXPECT_THAT(complaint_, HasSubstr("--summary " + path_of("nope") + ": No such file"));
  EXPECT_EQ(verify("summary", "nope"), 3);
  EXPECT_THAT(complaint_, HasSubstr("--committed " + path_of("nope") + ": No such file"));
  write("entries", "");
  std::filesystem::remove(path_of("entries"));
  EXPECT_EQ(verify("summary"), 3);
  EXPECT_THAT(complaint_, HasSubstr("--entries " + path_of("entries") + ": No such file"));
}

/// The three options that name a file, and the name that each has here.
constexpr std::pair<const char*, const char*> options[] = {
    {"--summary", "summary"}, {"--entries", "entries"}, {"--committed", "committed"}};

TEST_F(DrawCommand, APipeOrADirectoryIsToldInWordsAndIsNotWaitedFor) {
  for (const auto& [option, name] : options) {
    SetUp();
    std::filesystem::remove(path_of(name));
    ASSERT_EQ(::mkfifo(path_of(name).c_str(), 0600), 0);
    EXPECT_EQ(verify("summary", "committed"), 3) << name;
    EXPECT_THAT(complaint_, HasSubstr(std::string{option} + " " + path_of(name) + ": is a pipe"));
    EXPECT_THAT(complaint_, HasSubstr("save it to a file"));
    std::filesystem::remove(path_of(name));
    std::filesystem::create_directory(path_of(name));
    EXPECT_EQ(verify("summary", "committed"), 3) << name;
    EXPECT_THAT(complaint_, HasSubstr(std::string{option} + " " + path_of(name) + ": is a direc"));
    std::filesystem::remove(path_of(name));
  }
}

TEST_F(DrawCommand, AFileThatIsNotThereIsToldWhereItIsPublished) {
  for (const auto& [option, name] : options) {
    SetUp();
    std::filesystem::remove(path_of(name));
    EXPECT_EQ(verify("summary", "committed"), 3) << name;
    EXPECT_THAT(complaint_, HasSubstr("GET /v1/waves/N/draw")) << option;
  }
}

TEST_F(DrawCommand, AnEmptyFileIsToldToBeDownloadedAgain) {
  for (const auto& [option, name] : options) {
    SetUp();
    write(name, "");
    EXPECT_EQ(verify("summary", "committed"), 1) << name;
    EXPECT_THAT(complaint_, HasSubstr(std::string{option} + " " + path_of(name) + ": is empty"));
    EXPECT_THAT(complaint_, HasSubstr("download it again"));
  }
}

TEST_F(DrawCommand, AByteOrderMarkIsToldByItsName) {
  for (const auto& [option, name] : options) {
    SetUp();
    write(name, "\xef\xbb\xbf" + content(name));
    EXPECT_EQ(verify("summary", "committed"), 1) << name;
    EXPECT_THAT(complaint_, HasSubstr(std::string{option} + " " + path_of(name) + ": begins with"));
    EXPECT_THAT(complaint_, HasSubstr("byte order mark"));
    EXPECT_THAT(complaint_, HasSubstr("download it again"));
  }
}

TEST_F(DrawCommand, AFileThatWasCutIsToldSoWhereverItWasCut) {
  for (const auto& [option, name] : options) {
    SetUp();
    const auto whole = content(name);
    // What lacks only its last line end is whole.
    for (std::size_t bytes = 1; bytes + 1 < whole.size(); bytes += 7) {
      write(name, whole.substr(0, bytes));
      EXPECT_EQ(verify("summary", "committed"), 1) << name << " " << bytes;
      EXPECT_THAT(complaint_, HasSubstr("download it again")) << name << " " << bytes;
      EXPECT_THAT(complaint_, HasSubstr(option)) << name << " " << bytes;
    }
  }
}

TEST_F(DrawCommand, AWholeFileThatDoesNotHoldIsNotTakenForACutOne) {
  auto text = content("summary");
  const std::string once = R"("quota":2)";
  text.replace(text.find(once), once.size(), R"("quota":1)");
  write("summary", text);
  EXPECT_EQ(verify("summary"), 1);
  EXPECT_THAT(complaint_, Not(HasSubstr("download")));
}

TEST_F(DrawCommand, WhatAnyoneWroteDoesNotReachTheTerminalRaw) {
  with_commitment([](auto& summary) { summary["beacon_source"] = "\x1b[2Jdrand"; });
  EXPECT_EQ(verify("summary", "committed"), 1);
  EXPECT_THAT(complaint_, HasSubstr("committed ?[2Jdrand"));
  SetUp();
  with_commitment([](auto& summary) {
    summary["beacon_source"] =
        "\xc2\x9b"
        "2Jdr\xe2\x80\xae"
        "dna";
  });
  EXPECT_EQ(verify("summary", "committed"), 1);
  EXPECT_THAT(complaint_, HasSubstr("committed ?2Jdr?dna"));
}

}  // namespace
}  // namespace gelombang::command
