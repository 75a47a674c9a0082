#include "net/command/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::HasSubstr;

const instant start = std::chrono::sys_days{std::chrono::year{2025} / 4 / 11};

class AheadClock : public testing::Test {
protected:
  std::unique_ptr<ahead_clock> open(instant begins = start) {
    auto opened = ahead_clock::open(room_.path(), begins);
    EXPECT_TRUE(opened) << opened.error();
    return opened ? std::move(*opened) : nullptr;
  }
  void write(std::string_view text) {
    std::ofstream{clock_file(room_.path()), std::ios::binary} << text;
  }

  storage::testing::temporary_directory room_;
};

TEST_F(AheadClock, BeginsAtItsStartAndRuns) {
  const auto one = open();
  const auto first = one->now();
  EXPECT_GE(first, start);
  EXPECT_LT(first, start + hours{1});
  while (one->now() == first) continue;
  EXPECT_GT(one->now(), first);
}

TEST_F(AheadClock, IsPutAheadAndNeverBack) {
  const auto one = open();
  ASSERT_TRUE(one->put_ahead_to(start + days{14}));
  EXPECT_GE(one->now(), start + days{14});
  const auto shown = one->put_ahead_to(start + days{3});
  ASSERT_TRUE(shown);
  EXPECT_GE(*shown, start + days{14});
}

TEST_F(AheadClock, KnowsWhereItWasWhateverItsStartIs) {
  ASSERT_TRUE(open()->put_ahead_to(start + days{14}));
  EXPECT_GE(open()->now(), start + days{14});
  EXPECT_LT(open(start + days{1000})->now(), start + days{15});
}

TEST_F(AheadClock, DoesNotGoBackWithTheSystems) {
  // Written by a node whose system was a day ahead of what it is now.
  const auto shown = std::chrono::floor<std::chrono::milliseconds>(
      std::chrono::system_clock::now() + days{1} + hours{5});
  write("18000000 " + std::to_string(shown.time_since_epoch().count()) + "\n");
  EXPECT_GE(open()->now(), shown);
}

TEST_F(AheadClock, HasAnEnd) {
  const auto one = open();
  EXPECT_FALSE(one->put_ahead_to(ahead_clock::latest + std::chrono::milliseconds{1}));
  EXPECT_LT(one->now(), start + hours{1});
  EXPECT_TRUE(one->put_ahead_to(ahead_clock::latest));
}

TEST_F(AheadClock, RefusesAFileThatIsNone) {
  for (const char* wrong : {"", "\n", "12\n", "12 x\n", "12 13", "12 13\n\n", "12  13\n", "a 13\n",
                            "99999999999999999999 1\n"}) {
    write(wrong);
    const auto opened = ahead_clock::open(room_.path(), start);
    ASSERT_FALSE(opened) << wrong;
    EXPECT_THAT(opened.error(), HasSubstr("CLOCK"));
  }
}

TEST(ManualClock, IsNotForTheExampleOfANodeThatFacesThePublic) {
  const std::string example = GELOMBANG_SOURCE_DIR "/config/production.toml";
  auto as_it_is = load_settings(example, {});
  ASSERT_TRUE(as_it_is) << as_it_is.error();
  EXPECT_FALSE(as_it_is->clock.is_manual);
  const std::vector<std::string> steps{"clock.kind=manual", "listen.address=127.0.0.1",
                                       "listen.tls_certificate=", "listen.tls_key="};
  std::vector<std::string> overrides;
  for (const auto& step : steps) {
    overrides.push_back(step);
    const auto with = load_settings(example, overrides);
    if (!with) continue;  // a certificate without its key
    const auto may = may_have_its_clock(*with, false);
    ASSERT_FALSE(may) << step;
    EXPECT_THAT(may.error(), HasSubstr("clock.kind"));
  }
  overrides.emplace_back("mail.kind=off");
  const auto rehearsal = load_settings(example, overrides);
  ASSERT_TRUE(rehearsal) << rehearsal.error();
  EXPECT_TRUE(may_have_its_clock(*rehearsal, false));
}

TEST(ManualClock, HasAStartThatIsATime) {
  EXPECT_FALSE(load_settings("", {"clock.start=tomorrow"}));
  EXPECT_FALSE(load_settings("", {"clock.kind=sundial"}));
  const auto given = load_settings("", {"clock.start=\"2025-04-11T07:00:00+07:00\""});
  ASSERT_TRUE(given) << given.error();
  EXPECT_EQ(given->clock.start, start);
}

}  // namespace
}  // namespace gelombang::command
