#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/system/kill/model.hpp"
#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned people = 300;
constexpr ending in_order{.code = 0};
constexpr ending wrong_configuration{.code = 2};
constexpr ending environment_failed{.code = 3};

/// A node over seeded people, with a wave open.
class ServeTest : public testing::Test {
protected:
  void SetUp() override {
    const auto seeded = seed(node_.where(), people);
    ASSERT_EQ(seeded.how.code, 0) << seeded.err;
    tokens_ = applicant_tokens(node_.where(), people);
    ASSERT_EQ(tokens_.size(), people);
    officer_ = operator_token(node_.where());
    ASSERT_TRUE(node_.start()) << node_.log();
    wave_ = open_wave(node_);
    ASSERT_GT(wave_, 0u);
  }

  /// A wave that opens as soon as it is made. @returns its number, or 0.
  unsigned open_wave(const node& at) {
    programme_client client{at.port()};
    const auto answer = client.call(create_wave(officer_, 10));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return static_cast<unsigned>(answer.number("number").value_or(0));
  }

  std::optional<receipt> receipt_of(programme_client& client, unsigned person) {
    return receipt_in(client.get(fmt::format("/v1/me/waves/{}", wave_), tokens_[person]),
                      "receipt");
  }

  /// Joins without a pause until `stop`, and keeps what is acknowledged. The last person is left
  /// for the test itself.
  void join_until(const std::atomic<bool>& stop, std::atomic<unsigned>& joined) {
    programme_client client{node_.port(), 2};
    while (!stop && joined + 1 < people) {
      const auto got = client.call(join_wave(tokens_[joined], wave_));
      if (got.status != 201) return;
      acknowledged_.push_back(*receipt_in(got));
      ++joined;
    }
  }

  /// @returns how many of the acknowledged joins a node does not show.
  unsigned missing_at(const node& at, std::size_t first_ones) {
    programme_client client{at.port()};
    unsigned missing = 0;
    for (unsigned i = 0; i < first_ones; ++i)
      if (receipt_of(client, i) != acknowledged_[i]) ++missing;
    return missing;
  }

  scratch place_;
  node node_{home{place_.path()},
             {"storage.checkpoint_interval_seconds=1", "storage.segment_bytes_max=1048576",
              "log.level=\"warn\""}};
  mailbox letters_{node_.where().mail};
  std::vector<std::string> tokens_;
  std::string officer_;
  unsigned wave_ = 0;
  std::vector<receipt> acknowledged_;
};

TEST_F(ServeTest, ASecondStartFindsEverything) {
  programme_client before{node_.port()};
  const auto joined = before.call(join_wave(tokens_[0], wave_));
  ASSERT_EQ(joined.status, 201) << joined.told();
  const auto wave = before.get(fmt::format("/v1/waves/{}", wave_));
  ASSERT_EQ(node_.interrupt(), in_order) << node_.log();

  ASSERT_TRUE(node_.start()) << node_.log();
  programme_client after{node_.port()};
  EXPECT_EQ(receipt_of(after, 0), receipt_in(joined));
  const auto found = after.get(fmt::format("/v1/waves/{}", wave_));
  EXPECT_EQ(found.text("opens_at"), wave.text("opens_at"));
  EXPECT_EQ(found.text("state"), "open");
  EXPECT_EQ(found.number("joined"), 1);
}

TEST_F(ServeTest, AWaveTakesJoinsInEveryShardTheMomentItIsAnswered) {
  programme_client client{node_.port()};
  const auto made = open_wave(node_);
  for (const auto& token : tokens_) {
    const auto joined = client.call(join_wave(token, made));
    ASSERT_EQ(joined.status, 201) << joined.told();
  }
}

TEST_F(ServeTest, AnOperatorsRepeatsAfterAKillGetTheirAnswersAndNoSecondWave) {
  auto create = create_wave(officer_, 10);
  create.key = "made-once";
  auto close = order_wave(officer_, wave_, "close");
  close.key = "closed-once";
  std::optional<std::int64_t> made;
  {
    programme_client before{node_.port()};
    const auto first = before.call(create);
    ASSERT_EQ(first.status, 201) << first.told();
    made = first.number("number");
    const auto closed = before.call(close);
    ASSERT_EQ(closed.status, 200) << closed.told();
  }
  node_.kill();
  ASSERT_TRUE(node_.start()) << node_.log();
  programme_client after{node_.port()};
  const auto again = after.call(create);
  EXPECT_EQ(again.status, 201) << again.told();
  EXPECT_EQ(again.number("number"), made);
  const auto closed = after.call(close);
  EXPECT_EQ(closed.status, 200) << closed.told();
  EXPECT_EQ(closed.text("state"), "closed");
  auto other = create_wave(officer_, 11);
  other.key = create.key;
  EXPECT_EQ(after.call(other).problem(), "idempotency_conflict");
  close.key = "closed-twice";
  EXPECT_EQ(after.call(close).problem(), "wave_out_of_order");
  EXPECT_EQ(after.get("/v1/waves/current").number("number"), made);
  EXPECT_EQ(after.get(fmt::format("/v1/waves/{}", *made + 1)).status, 404);
}

TEST_F(ServeTest, WhoHasJoinedIsToldToWait) {
  programme_client client{node_.port()};
  EXPECT_EQ(client.get("/v1/me", tokens_[0]).text("next"), "join_a_wave");
  ASSERT_EQ(client.call(join_wave(tokens_[0], wave_)).status, 201);
  EXPECT_EQ(client.get("/v1/me", tokens_[0]).text("next"), "wait_for_result");
}

TEST_F(ServeTest, EndsInOrderWhileRequestsAreRunning) {
  constexpr std::chrono::seconds ends_within{5};
  constexpr unsigned under_way = 20;
  std::atomic<bool> stop{false};
  std::atomic<unsigned> joined{0};
  std::thread load{[&] { join_until(stop, joined); }};
  while (joined < under_way) std::this_thread::yield();
  const auto how = node_.interrupt(ends_within);
  stop = true;
  load.join();
  ASSERT_EQ(how, in_order) << node_.log();
  ASSERT_TRUE(node_.start()) << node_.log();
  EXPECT_EQ(missing_at(node_, acknowledged_.size()), 0u);
}

TEST_F(ServeTest, OneDataDirectoryIsOneNodes) {
  node second{node_.where()};
  EXPECT_FALSE(second.start());
  EXPECT_EQ(second.wait(), environment_failed);
  EXPECT_NE(second.log().find(node_.where().data.string()), std::string::npos) << second.log();
}

TEST_F(ServeTest, ABackupUnderLoadIsAsGoodAsTheNode) {
  constexpr unsigned before_backup = 50;
  std::atomic<bool> stop{false};
  std::atomic<unsigned> joined{0};
  std::thread load{[&] { join_until(stop, joined); }};
  while (joined < before_backup) std::this_thread::yield();
  const auto copy = place_.path() / "backup";
  const unsigned at_least = joined;
  const auto made = run(
      command({"backup", "--url", node_.url(), "--token", officer_, "--target", copy.string()}));
  stop = true;
  load.join();
  ASSERT_EQ(made.how, in_order) << made.out << made.err;
  const auto audited = audit(copy);
  EXPECT_EQ(audited.how, in_order) << audited.out << audited.err;

  auto where = node_.where();
  where.data = place_.path() / "restored";
  const auto restored =
      run(command({"restore", "--from", copy.string(), "--data-dir", where.data.string()}));
  ASSERT_EQ(restored.how, in_order) << restored.err;
  auto with_another_key = where;
  with_another_key.key = place_.path() / "another.key";
  node stranger{with_another_key};
  EXPECT_FALSE(stranger.start());
  EXPECT_EQ(stranger.wait(), wrong_configuration);
  node other{where};
  ASSERT_TRUE(other.start()) << other.log();
  EXPECT_EQ(missing_at(other, at_least), 0u);
  programme_client client{other.port()};
  EXPECT_EQ(client.call(join_wave(tokens_[people - 1], wave_)).status, 201);
}

TEST_F(ServeTest, TheSameJoinTwiceAtOnceIsOne) {
  constexpr unsigned pairs = 40;
  for (unsigned i = 0; i < pairs; ++i) {
    const auto what = join_wave(tokens_[i], wave_, fmt::format("key-{}", i));
    std::array<answer, 2> got;
    std::thread other{[&] { got[1] = programme_client{node_.port(), 2}.call(what); }};
    got[0] = programme_client{node_.port(), 3}.call(what);
    other.join();
    EXPECT_EQ(got[0].status, 201) << got[0].told();
    EXPECT_EQ(got[1].status, 201) << got[1].told();
    EXPECT_EQ(got[0].body, got[1].body);
  }
  ASSERT_EQ(node_.interrupt(), in_order);
  ASSERT_TRUE(node_.start()) << node_.log();
  programme_client client{node_.port()};
  EXPECT_EQ(client.get(fmt::format("/v1/waves/{}", wave_)).number("joined"), pairs);
  const auto again = client.call(join_wave(tokens_[0], wave_, "key-0"));
  EXPECT_EQ(again.status, 201) << again.told();
}

TEST_F(ServeTest, TheSameVerificationTwiceAtOnceIsOne) {
  programme_client client{node_.port()};
  const std::string email = "budi@contoh.id";
  ASSERT_EQ(client.call(enter_email(email)).status, 202);
  const auto code = letters_.wait_for_code(email, patience);
  ASSERT_TRUE(code);
  const auto what = verify_email(email, *code, "a long passphrase", "the-key");
  std::array<answer, 2> got;
  std::thread other{[&] { got[1] = programme_client{node_.port(), 2}.call(what); }};
  got[0] = client.call(what);
  other.join();
  ASSERT_EQ(got[0].status, 200) << got[0].told();
  EXPECT_EQ(got[0].body, got[1].body);
  node_.kill();
  ASSERT_TRUE(node_.start()) << node_.log();
  EXPECT_EQ(programme_client{node_.port()}.call(what).body, got[0].body);
}

TEST_F(ServeTest, ADoubleClickGetsTheSameReceipt) {
  programme_client client{node_.port()};
  const auto first = client.call(join_wave(tokens_[0], wave_));
  const auto second = client.call(join_wave(tokens_[0], wave_));
  EXPECT_EQ(first.status, 201) << first.told();
  EXPECT_EQ(second.status, 200) << second.told();
  EXPECT_EQ(first.body, second.body);
}

TEST_F(ServeTest, ManyWavesAtOnceDoNotMakeTwoEntriesOfOne) {
  constexpr unsigned more_waves = 6;
  programme_client client{node_.port()};
  const auto first = client.call(join_wave(tokens_[0], wave_));
  ASSERT_EQ(first.status, 201) << first.told();
  for (unsigned i = 0; i < more_waves; ++i) ASSERT_GT(open_wave(node_), 0u);
  // A start puts everybody to sleep; who wakes up knows the newest waves only.
  node_.kill();
  ASSERT_TRUE(node_.start()) << node_.log();
  programme_client after{node_.port()};
  const auto again = after.call(join_wave(tokens_[0], wave_));
  EXPECT_EQ(again.status, 200) << again.told();
  EXPECT_EQ(receipt_in(again), receipt_in(first));
  EXPECT_EQ(after.get(fmt::format("/v1/waves/{}", wave_)).number("joined"), 1);
}

TEST_F(ServeTest, DamageInTheMiddleStopsTheStartAndNamesThePlace) {
  constexpr unsigned some = 100;
  programme_client client{node_.port()};
  for (unsigned i = 0; i < some; ++i) client.call(join_wave(tokens_[i], wave_));
  node_.kill();
  // The bytes of the wave's plan: the journal's first, and long before its last.
  fs::path largest;
  for (const auto& file : fs::directory_iterator{node_.where().data / "journal"})
    if (file.path().extension() != ".lock" && file.is_regular_file() &&
        content_of(file.path()).find("normal-2023") != std::string::npos)
      largest = file.path();
  ASSERT_FALSE(largest.empty());
  const auto at = content_of(largest).find("normal-2023");
  std::fstream{largest, std::ios::in | std::ios::out | std::ios::binary}.seekp(
      static_cast<std::streamoff>(at))
      << 'N';
  EXPECT_FALSE(node_.start());
  EXPECT_EQ(node_.wait(), environment_failed);
  const auto place = node_.log().find(largest.filename().string() + ":");
  ASSERT_NE(place, std::string::npos) << node_.log();
  EXPECT_EQ(audit(node_.where().data).how.code, 1);
}

TEST(Serve, AValueThatCantBeIsNamed) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> wrong_ones{
      {"waves.minimum_per_region", {"waves.quota=5", "waves.minimum_per_region=6"}},
      {"waves.minimum_per_region", {"waves.quota=5"}},
      {"runtime.memory_ahead_bytes", {"runtime.memory_ahead_bytes=1000000000000000"}},
  };
  for (const auto& [key, values] : wrong_ones) {
    scratch place;
    node wrong{home{place.path()}, values};
    EXPECT_FALSE(wrong.start());
    EXPECT_EQ(wrong.wait(), wrong_configuration);
    EXPECT_NE(wrong.log().find(key), std::string::npos) << wrong.log();
  }
}

TEST(Serve, AWrongKeyOfTheConfigurationIsNamed) {
  scratch place;
  node wrong{home{place.path()}, {"waves.kuota=1"}};
  EXPECT_FALSE(wrong.start());
  EXPECT_EQ(wrong.wait(), wrong_configuration);
  EXPECT_NE(wrong.log().find("waves.kuota"), std::string::npos) << wrong.log();
}

}  // namespace
}  // namespace gelombang::system_testing
