#include "actors/programme/time.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gelombang {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

constexpr date friday_20_november{std::chrono::year{2026}, std::chrono::November,
                                  std::chrono::day{20}};

TEST(Time, IsWrittenInJakartasTimeWithMillisecondsOnlyWhenThereAreSome) {
  auto noon = wib_time(friday_20_november, 12h);
  EXPECT_EQ(format_time(noon), "2026-11-20T12:00:00+07:00");
  EXPECT_EQ(format_time(noon + 7ms), "2026-11-20T12:00:00.007+07:00");
  EXPECT_EQ(format_time(noon - 1ms), "2026-11-20T11:59:59.999+07:00");
  EXPECT_EQ(format_time(instant{}), "1970-01-01T07:00:00+07:00");
}

TEST(Time, IsReadWithAnyOffset) {
  auto noon = wib_time(friday_20_november, 12h);
  EXPECT_EQ(parse_time("2026-11-20T12:00:00+07:00"), noon);
  EXPECT_EQ(parse_time("2026-11-20T05:00:00Z"), noon);
  EXPECT_EQ(parse_time("2026-11-20t05:00:00z"), noon);
  EXPECT_EQ(parse_time("2026-11-19T23:30:00-05:30"), noon);
  EXPECT_EQ(parse_time("2026-11-20T05:00:00.5Z"), noon + 500ms);
  EXPECT_EQ(parse_time("2026-11-20T05:00:00.123456789Z"), noon + 123ms);
}

TEST(Time, RefusesWhatIsNoTime) {
  for (auto text : {"",
                    "2026",
                    "2026-11-20",
                    "2026-11-20T12:00:00",
                    "2026-11-20T12:00:00+7:00",
                    "2026-11-20T12:00:00+0700",
                    "2026-11-20T24:00:00Z",
                    "2026-11-20T23:60:00Z",
                    "2026-11-20T23:59:60Z",
                    "2026-02-29T00:00:00Z",
                    "2026-13-01T00:00:00Z",
                    "2026-00-01T00:00:00Z",
                    "2026-01-00T00:00:00Z",
                    "2026-11-20T12:00:00.Z",
                    "2026-11-20T12:00:00.0123456789Z",
                    "2026-11-20T12:00:00Z ",
                    " 2026-11-20T12:00:00Z",
                    "2026-11-20T12:00:00+24:00",
                    "2026-11-20T12:00:00+07:60",
                    "1899-12-31T00:00:00Z",
                    "+026-11-20T12:00:00Z",
                    "2026-11-20T-1:00:00Z",
                    "2026-11-2012:00:00Z"}) {
    EXPECT_FALSE(parse_time(text)) << text;
  }
}

TEST(Time, ReadsBackWhatItWrites) {
  std::mt19937_64 random{1};
  auto from = parse_time("1901-01-01T00:00:00Z")->time_since_epoch().count();
  auto to = parse_time("9999-01-01T00:00:00Z")->time_since_epoch().count();
  std::uniform_int_distribution<std::int64_t> any{from, to};
  for (int i = 0; i < 20'000; ++i) {
    instant at{std::chrono::milliseconds{any(random)}};
    ASSERT_EQ(parse_time(format_time(at)), at) << format_time(at);
  }
}

TEST(Dates, AreReadAndWritten) {
  EXPECT_EQ(format_date(friday_20_november), "2026-11-20");
  EXPECT_EQ(parse_date("2026-11-20"), friday_20_november);
  EXPECT_TRUE(parse_date("2024-02-29"));
  for (auto text : {"", "2026-11-2", "2026-11-31", "2023-02-29", "26-11-20", "2026/11/20",
                    "2026-11-20 ", "1899-01-01", "20261120"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(Dates, ChangeAtMidnightInJakarta) {
  auto midnight = wib_time(friday_20_november, 0h);
  EXPECT_EQ(date_in_wib(midnight), friday_20_november);
  EXPECT_EQ(date_in_wib(midnight - 1ms), *parse_date("2026-11-19"));
}

TEST(Age, GrowsOnTheBirthday) {
  auto birth = *parse_date("2008-11-20");
  EXPECT_EQ(age_on(birth, *parse_date("2026-11-19")), 17);
  EXPECT_EQ(age_on(birth, *parse_date("2026-11-20")), 18);
  EXPECT_EQ(age_on(birth, *parse_date("2026-11-21")), 18);
  EXPECT_EQ(age_on(birth, birth), 0);
  EXPECT_EQ(age_on(birth, *parse_date("2008-11-19")), -1);
}

TEST(Age, OfALeapDaysChildGrowsOnTheFirstOfMarch) {
  auto birth = *parse_date("2004-02-29");
  EXPECT_EQ(age_on(birth, *parse_date("2022-02-28")), 17);
  EXPECT_EQ(age_on(birth, *parse_date("2022-03-01")), 18);
  EXPECT_EQ(age_on(birth, *parse_date("2024-02-29")), 20);
}

TEST(Schedule, OpensEverySecondFridayAndClosesOnTheMondayAfter) {
  regular_schedule schedule{.anchor = friday_20_november};
  auto opens = wib_time(friday_20_november, 12h);
  auto window = next_regular_window(opens - 1ms, schedule);
  EXPECT_EQ(format_time(window.opens_at), "2026-11-20T12:00:00+07:00");
  EXPECT_EQ(format_time(window.closes_at), "2026-11-23T23:59:00+07:00");
  auto next = next_regular_window(opens, schedule);
  EXPECT_EQ(format_time(next.opens_at), "2026-12-04T12:00:00+07:00");
  EXPECT_EQ(format_time(next.closes_at), "2026-12-07T23:59:00+07:00");
}

TEST(Schedule, RunsInBothDirectionsFromItsAnchor) {
  regular_schedule schedule{.anchor = friday_20_november};
  std::mt19937_64 random{2};
  std::uniform_int_distribution<std::int64_t> any{-4'000'000'000'000, 4'000'000'000'000};
  for (int i = 0; i < 5'000; ++i) {
    instant after{std::chrono::milliseconds{any(random)}};
    auto window = next_regular_window(after, schedule);
    ASSERT_GT(window.opens_at, after);
    ASSERT_LE(window.opens_at - after, days{14});
    auto from_anchor = window.opens_at - wib_time(friday_20_november, 12h);
    ASSERT_EQ(from_anchor % days{14}, 0ms);
    ASSERT_EQ(window.closes_at - window.opens_at, 3 * 24h + 11h + 59min);
  }
}

}  // namespace
}  // namespace gelombang
