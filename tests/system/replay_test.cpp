#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/system/support/node.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr ending in_order{.code = 0};
constexpr ending wrong_usage{.code = 2};
constexpr ending environment_failed{.code = 3};
/// 43,000 accounts and 23,289 joins of 22 waves: half a minute of a debug build on two
/// cores. `load-tests/nation.sh --scale 0.01` is the same with a release build.
constexpr const char* small_scale = "0.0005";

const std::vector<std::string> rehearsal{
    "clock.kind=\"manual\"",
    "clock.start=\"2025-04-01T00:00:00+07:00\"",
    "mail.kind=\"off\"",
    "passwords.passes=1",
    "passwords.memory_kib=8",
    "passwords.cpu_share_permille=1000",
    "passwords.wait_milliseconds_max=60000",
    "front_door.password_queue_max=10000",
    "front_door.attempts_by_address_max=4000000000",
    "front_door.answer_seconds_max=30",
    "overload.enabled=false",
    "waiting_room.mode=\"off\"",
    "storage.checkpoint_interval_seconds=2",
    "log.level=\"warn\"",
};

class ReplayTest : public testing::Test {
protected:
  void SetUp() override { fs::create_directory(room_.path() / "node"); }

  std::vector<std::string> replay_of(const std::string& scale, std::uint16_t port) const {
    return {GELOMBANG_LOAD_PROGRAM,
            "replay",
            "--url",
            fmt::format("http://127.0.0.1:{}", port),
            "--key-file",
            here_.key.string(),
            "--state",
            (room_.path() / "replay").string(),
            "--timetable",
            std::string{GELOMBANG_SOURCE_DIR} + "/load-tests/replay/timetable.toml",
            "--scale",
            scale,
            "--connections",
            "64",
            "--depth",
            "4",
            "--verify-with",
            GELOMBANG_PROGRAM,
            "--out",
            (room_.path() / "result.json").string()};
  }

  boost::json::value progress() const {
    boost::system::error_code fault;
    auto read = boost::json::parse(content_of(room_.path() / "replay/progress.json"), fault);
    return fault ? boost::json::value{} : read;
  }

  /// Waits until the replay has come that far, or has ended.
  bool has_come_to(std::int64_t step, std::int64_t part) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
      if (const auto now = progress(); now.is_object()) {
        const auto at = now.at("step").to_number<std::int64_t>();
        if (at > step || (at == step && now.at("part").to_number<std::int64_t>() >= part))
          return true;
      }
      std::this_thread::yield();
    }
    return false;
  }

  scratch room_;
  home here_{room_.path() / "node"};
};

TEST_F(ReplayTest, GoesOnAfterEveryInterruptionAndItsAuditIsClean) {
  node first{here_, rehearsal};
  ASSERT_TRUE(first.start()) << first.log();
  const auto command = replay_of(small_scale, first.port());
  {
    process told_to_end{command, room_.path() / "generator.err"};
    ASSERT_TRUE(has_come_to(3, 2));
    told_to_end.send(SIGINT);
    EXPECT_EQ(told_to_end.wait(patience), environment_failed);
  }
  EXPECT_NE(content_of(room_.path() / "generator.err").find("the same command goes on"),
            std::string::npos);
  {
    process killed{command, room_.path() / "generator.err"};
    ASSERT_TRUE(has_come_to(9, 0));
    killed.kill();
  }
  process last{command, room_.path() / "generator.err"};
  ASSERT_TRUE(has_come_to(20, 0));
  first.kill();
  node second{here_, rehearsal, first.port()};
  ASSERT_TRUE(second.start()) << second.log();
  ASSERT_TRUE(has_come_to(40, 0));
  second.kill();
  node third{here_, rehearsal, first.port()};
  ASSERT_TRUE(third.start()) << third.log();
  ASSERT_EQ(last.wait(std::chrono::minutes{4}), in_order)
      << last.output() << content_of(room_.path() / "generator.err");
  EXPECT_NE(last.output().find("The audit is clean"), std::string::npos) << last.output();
  const auto result = boost::json::parse(content_of(room_.path() / "result.json"));
  EXPECT_EQ(result.at("people").as_int64(), 43'000);
  EXPECT_EQ(result.at("interruptions").as_int64(), 2);
  EXPECT_EQ(result.at("waves").as_array().size(), 22u);
  std::int64_t accepted = 0;
  for (const auto& one : result.at("waves").as_array()) {
    accepted += one.at("accepted").as_int64();
    EXPECT_GT(one.at("verify_seconds").to_number<double>(), 0);
  }
  EXPECT_EQ(accepted, 5'700);
  // What is complete is told again and changes nothing.
  const auto again = system_testing::run(command);
  EXPECT_EQ(again.how, in_order) << again.err;
  third.interrupt();
  EXPECT_EQ(audit(here_.data).how, in_order);
}

TEST_F(ReplayTest, SaysWhatItCannotDo) {
  node with_the_systems_clock{here_, {"mail.kind=\"off\""}};
  ASSERT_TRUE(with_the_systems_clock.start()) << with_the_systems_clock.log();
  const auto port = with_the_systems_clock.port();
  const auto refused = system_testing::run(replay_of(small_scale, port));
  EXPECT_EQ(refused.how, environment_failed);
  EXPECT_NE(refused.err.find("/v1/operator/clock"), std::string::npos) << refused.err;
  // What has begun as one goes on as no other.
  const auto other = system_testing::run(replay_of("0.0003", port));
  EXPECT_EQ(other.how, environment_failed);
  EXPECT_NE(other.err.find("another seed, scale or timetable"), std::string::npos) << other.err;
  for (const char* scale : {"0", "2", "0.0000001", "x"}) {
    fs::remove_all(room_.path() / "replay");
    const auto wrong = system_testing::run(replay_of(scale, port));
    EXPECT_EQ(wrong.how, environment_failed) << scale;
    EXPECT_NE(wrong.err.find("scale"), std::string::npos) << wrong.err;
  }
  auto without_key = replay_of(small_scale, port);
  *std::find(without_key.begin(), without_key.end(), here_.key.string()) = "/no/such.key";
  EXPECT_EQ(system_testing::run(without_key).how, wrong_usage);
}

}  // namespace
}  // namespace gelombang::system_testing
