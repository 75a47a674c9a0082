#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned people = 40;
constexpr ending in_order{.code = 0};

/// A node whose wave is drawn, and what somebody does to the files of its draw.
class DamagedDraw : public testing::Test {
protected:
  void SetUp() override {
    const auto seeded = seed(node_.where(), people);
    ASSERT_EQ(seeded.how.code, 0) << seeded.err;
    tokens_ = applicant_tokens(node_.where(), people);
    ASSERT_EQ(tokens_.size(), people);
    officer_ = operator_token(node_.where());
    ASSERT_TRUE(node_.start()) << node_.log();
    programme_client client{node_.port()};
    const auto made = client.call(create_wave(officer_, 10));
    ASSERT_EQ(made.status, 201) << made.told();
    wave_ = static_cast<unsigned>(made.number("number").value_or(0));
    for (const auto& token : tokens_) ASSERT_EQ(client.call(join_wave(token, wave_)).status, 201);
    for (const auto* what : {"close", "commit", "draw"}) ASSERT_EQ(order(what).status, 200) << what;
  }

  answer order(const std::string& what) {
    return programme_client{node_.port()}.call(order_wave(officer_, wave_, what));
  }
  answer get(const std::string& below, const std::string& token = {}) {
    return programme_client{node_.port()}.get(below, token);
  }
  std::string summary() const { return fmt::format("/v1/waves/{}/draw", wave_); }
  std::string entries() const { return summary() + "/entries.csv"; }
  std::string own() const { return fmt::format("/v1/me/waves/{}", wave_); }
  fs::path file(const std::string& name) const {
    return node_.where().data / "draws" / fmt::format("wave-{}", wave_) / name;
  }

  /// Asks until the check that a look has asked for is done. On one connection: each of thousands
  /// would keep a port for a minute.
  answer get_checked(const std::string& below) {
    programme_client client{node_.port()};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (true) {
      auto got = client.get(below);
      const bool is_under_way = got.status == 503 && got.problem() == "draw_unchecked";
      if (!is_under_way || std::chrono::steady_clock::now() > end) return got;
      EXPECT_TRUE(got.headers.contains("retry-after"));
      std::this_thread::yield();
    }
  }

  /// Asks for the entries until they are there.
  void wait_until_mended() {
    programme_client client{node_.port()};
    const auto end = std::chrono::steady_clock::now() + patience;
    while (client.get(entries()).status != 200 && std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
  }

  void expect_damaged(const answer& got, const std::string& name) {
    EXPECT_EQ(got.status, 503);
    EXPECT_EQ(got.problem(), "draw_damaged") << got.told();
    EXPECT_NE(got.text("detail").find(fmt::format("wave-{}/{}", wave_, name)), std::string::npos)
        << got.told();
    EXPECT_TRUE(got.headers.contains("retry-after"));
  }

  /// Takes the place of somebody who is in and gives it to somebody who is not.
  /// @returns what the file held before
  std::string exchange_two_outcomes() {
    auto whole = content_of(file("verdicts.bin"));
    constexpr std::size_t header = 64, each = 4;
    const std::string accepted(each, '\0');
    std::size_t in = 0, out = 0;
    for (auto at = header; at < whole.size(); at += each)
      (whole.compare(at, each, accepted) == 0 ? in : out) = at;
    auto altered = whole;
    altered.replace(in, each, whole, out, each);
    altered.replace(out, each, accepted);
    EXPECT_NE(altered, whole);
    put("verdicts.bin", altered);
    return whole;
  }
  /// In a file of its own, as an editor leaves it.
  void put(const std::string& name, const std::string& bytes) {
    const auto beside = file("beside");
    std::ofstream{beside, std::ios::binary} << bytes;
    fs::rename(beside, file(name));
  }

  boost::json::array warnings_of_a_backup(const std::string& name) {
    const auto body =
        boost::json::serialize(boost::json::object{{"target", (place_.path() / name).string()}});
    const auto got = programme_client{node_.port()}.post("/v1/operator/backups", officer_, body);
    EXPECT_EQ(got.status, 201) << got.told();
    return got.status == 201 ? got.json().at("warnings").as_array() : boost::json::array{};
  }

  scratch place_;
  node node_{home{place_.path()}};
  std::vector<std::string> tokens_;
  std::string officer_;
  unsigned wave_ = 0;
};

TEST_F(DamagedDraw, WithASummaryThatWasAlteredTellsNothingOfIt) {
  ASSERT_EQ(order("announce").status, 200);
  EXPECT_TRUE(warnings_of_a_backup("before").empty());
  ASSERT_EQ(node_.interrupt(), in_order) << node_.log();
  auto altered = content_of(file("drawn.json"));
  const std::string round = "\"beacon_round\":1";
  ASSERT_NE(altered.find(round), std::string::npos);
  altered.replace(altered.find(round), round.size(), "\"beacon_round\":2");
  put("drawn.json", altered);
  ASSERT_TRUE(node_.start()) << node_.log();
  expect_damaged(get(summary()), "drawn.json");
  expect_damaged(get(entries()), "drawn.json");
  const auto mine = get(own(), tokens_[0]);
  EXPECT_EQ(mine.status, 200) << mine.told();
  EXPECT_TRUE(mine.text("state") == "accepted" || mine.text("state") == "not_selected");
  EXPECT_EQ(mine.body.find("ticket"), std::string::npos) << "that stands in the files alone";
  const auto warnings = warnings_of_a_backup("after");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].as_string().find("drawn.json"), std::string::npos);
}

TEST_F(DamagedDraw, WithAFileCutUnderTheNodeTellsNobodyHisOutcome) {
  ASSERT_EQ(order("announce").status, 200);
  EXPECT_EQ(get(own(), tokens_[0]).status, 200);
  EXPECT_EQ(get("/v1/me", tokens_[0]).status, 200);
  const auto whole = content_of(file("verdicts.bin"));
  fs::resize_file(file("verdicts.bin"), 0);
  expect_damaged(get(own(), tokens_[0]), "verdicts.bin");
  put("verdicts.bin", whole);
  wait_until_mended();
  EXPECT_NE(get(own(), tokens_[0]).text("ticket"), "");
  fs::resize_file(file("verdicts.bin"), 0);
  expect_damaged(get("/v1/me", tokens_[0]), "verdicts.bin");
}

TEST_F(DamagedDraw, ShowsNoOutcomeBeforeItsAnnouncementThatWasNotComputedAgain) {
  const auto published = get(entries());
  ASSERT_EQ(published.status, 200) << "this node has drawn it";
  ASSERT_EQ(node_.interrupt(), in_order) << node_.log();
  const auto whole = exchange_two_outcomes();
  ASSERT_TRUE(node_.start()) << node_.log();
  EXPECT_EQ(get(summary()).status, 200) << "of this the journal has the digest";
  expect_damaged(get_checked(entries()), "");
  for (const auto& token : tokens_) EXPECT_EQ(get(own(), token).text("state"), "in_selection");
  EXPECT_EQ(order("announce").problem(), "draw_damaged");
  EXPECT_EQ(warnings_of_a_backup("altered").size(), 1u);
  put("verdicts.bin", whole);
  const auto announced = order("announce");
  EXPECT_EQ(announced.status, 200) << announced.told();
  EXPECT_EQ(get_checked(entries()).body, published.body);
  EXPECT_TRUE(warnings_of_a_backup("mended").empty());
}

TEST_F(DamagedDraw, PublishesNoEntryAndNoProofThatWasNotCommittedTo) {
  ASSERT_EQ(order("announce").status, 200);
  const auto published = get(entries());
  ASSERT_EQ(published.status, 200);
  const auto proof = [&](const std::string& token) {
    return boost::json::serialize(get(own(), token).json().at("proof"));
  };
  std::vector<std::string> proofs;
  for (const auto& token : tokens_) proofs.push_back(proof(token));
  ASSERT_EQ(node_.interrupt(), in_order) << node_.log();
  const auto whole = content_of(file("roster.bin"));
  auto altered = whole;
  constexpr std::size_t in_a_family = 64 + 20 * 32 + 16;  // of the 21st: no outcome follows from it
  altered[in_a_family] = static_cast<char>(altered[in_a_family] ^ 1);
  put("roster.bin", altered);
  ASSERT_TRUE(node_.start()) << node_.log();
  expect_damaged(get_checked(entries()), "");
  int refused = 0;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const auto got = get(own(), tokens_[i]);
    if (got.status == 200)
      EXPECT_EQ(boost::json::serialize(got.json().at("proof")), proofs[i]);
    else
      expect_damaged(got, "");
    refused += got.status != 200;
  }
  EXPECT_GT(refused, 0) << "those whose proof has that entry's leaf in it";
  EXPECT_LE(refused, 16);
  for (const auto& token : tokens_)
    EXPECT_EQ(get("/v1/me", token).status, 200) << "his account is more than that";
  put("roster.bin", whole);
  wait_until_mended();
  EXPECT_EQ(get(entries()).body, published.body);
  for (std::size_t i = 0; i < tokens_.size(); ++i) EXPECT_EQ(proof(tokens_[i]), proofs[i]);
}

TEST_F(DamagedDraw, TellsNobodyAnOutcomeThatIsNotWhatTheJournalSaysOfHim) {
  ASSERT_EQ(order("announce").status, 200);
  std::map<std::string, std::string> before;
  int accepted = 0;
  for (const auto& token : tokens_) {
    before[token] = get(own(), token).text("state");
    accepted += before[token] == "accepted";
  }
  EXPECT_EQ(accepted, 10);
  ASSERT_EQ(node_.interrupt(), in_order) << node_.log();
  exchange_two_outcomes();
  ASSERT_TRUE(node_.start()) << node_.log();
  for (const auto& token : tokens_) {
    const auto got = get(own(), token);
    if (got.status == 200)
      EXPECT_EQ(got.text("state"), before[token]) << got.told();
    else
      expect_damaged(got, "verdicts.bin");
  }
  expect_damaged(get_checked(entries()), "");
  // Now that it is known, everybody is told what the journal and his proof say, and no more.
  for (const auto& token : tokens_) {
    const auto got = get(own(), token);
    ASSERT_EQ(got.status, 200) << got.told();
    EXPECT_EQ(got.text("state"), before[token]);
    EXPECT_EQ(got.text("outcome"), before[token]);
    EXPECT_TRUE(got.json().at("proof").is_object());
    EXPECT_FALSE(got.json().as_object().contains("reason"));
    EXPECT_FALSE(got.json().as_object().contains("order"));
  }
}

}  // namespace
}  // namespace gelombang::system_testing
