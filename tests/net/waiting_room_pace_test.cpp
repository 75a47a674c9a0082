// How fast a line goes, and what part of it comes back: the arithmetic.
#include <gtest/gtest.h>

#include "net/waiting_room/pace.hpp"
#include "net/waiting_room/returns.hpp"

namespace gelombang::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using which = returns::which;

constexpr instant noon{milliseconds{1'800'000'000'000}};

/// So many are told each second to come back in ten, and of them so many do.
void minute_of(returns& back, which time, int told, int came) {
  for (auto now = noon; now < noon + minutes{1}; now += seconds{1}) {
    for (int nth = 0; nth < told; ++nth) back.told(time, 10, now);
    for (int nth = 0; nth < came && now >= noon + seconds{10}; ++nth) back.came(time);
    back.settle(now);
  }
}

TEST(WaitingReturns, ArePresumedUntilTheyAreKnown) {
  returns back{noon};
  EXPECT_DOUBLE_EQ(back.share(), 0.7);
  for (int nth = 0; nth < 3; ++nth) back.told(which::first, 1, noon);
  for (int second = 0; second < 9; ++second) back.settle(noon + seconds{second});
  EXPECT_NEAR(back.share(), 0.6, 0.05) << "three who stay away are no share";
}

TEST(WaitingReturns, AreThePartOfThoseWhoWereDue) {
  returns back{noon};
  minute_of(back, which::first, 100, 40);
  EXPECT_NEAR(back.share(), 0.4, 0.02);
  returns none{noon};
  minute_of(none, which::first, 1'000, 0);
  EXPECT_DOUBLE_EQ(none.share(), returns::share_least);
  returns all{noon};
  minute_of(all, which::first, 1'000, 1'100);
  EXPECT_DOUBLE_EQ(all.share(), 1.0);
}

TEST(WaitingReturns, NobodyIsMissedBeforeHisTime) {
  returns back{noon};
  for (int nth = 0; nth < 10'000; ++nth) back.told(which::first, 100, noon);
  for (int second = 0; second < 100; ++second) back.settle(noon + seconds{second});
  EXPECT_DOUBLE_EQ(back.share(), 0.7);
  for (int second = 100; second < 110; ++second) back.settle(noon + seconds{second});
  EXPECT_DOUBLE_EQ(back.share(), returns::share_least);
}

TEST(WaitingReturns, AClockThatIsPutAheadOrBackSaysNothingOfPeople) {
  for (auto away : {minutes{60}, minutes{-60}}) {
    returns back{noon};
    for (int nth = 0; nth < 10'000; ++nth) back.told(which::first, 5, noon);
    back.settle(noon + away);
    back.settle(noon + away + seconds{5});
    EXPECT_DOUBLE_EQ(back.share(), 0.7) << away.count();
    back.settle(noon + seconds{9});
    EXPECT_DOUBLE_EQ(back.share(), 0.7) << away.count();
  }
}

/// Steps of 20 ms over a second.
std::uint64_t after_a_second(line_pace& pace, line_pace::facts known, instant from) {
  for (int nth = 1; nth <= 50; ++nth)
    known.serving = pace.step(known, from + nth * milliseconds{20});
  return known.serving;
}

TEST(WaitingPace, CallsAsManyMoreAsDoNotCome) {
  line_pace pace{minutes{10}, noon};
  const line_pace::facts known{.rate = 100, .show_up = 0.4, .serving = 1'000, .next = 100'000};
  EXPECT_NEAR(static_cast<double>(after_a_second(pace, known, noon)), 1'250, 1);
  EXPECT_DOUBLE_EQ(pace.places_per_second(), 250);
}

TEST(WaitingPace, CallsNobodyWhoIsNotThereYetAndSavesNoCalls) {
  line_pace pace{minutes{10}, noon};
  line_pace::facts known{.rate = 100, .show_up = 1, .serving = 50, .next = 50};
  EXPECT_EQ(after_a_second(pace, known, noon), 50u);
  known.next = 100'000;
  EXPECT_NEAR(static_cast<double>(after_a_second(pace, known, noon + seconds{1})), 150, 1);
}

TEST(WaitingPace, APauseOrAClockThatIsPutAheadCallsOneSecondsWorth) {
  line_pace pace{minutes{10}, noon};
  const line_pace::facts known{.rate = 100, .show_up = 1, .serving = 0, .next = 100'000};
  EXPECT_EQ(pace.step(known, noon + minutes{600}), 100u);
  EXPECT_EQ(pace.step(known, noon), 0u) << "and one that is put back, nobody";
}

TEST(WaitingPace, LeavesToThoseOfBeforeARestartWhatTheyTake) {
  line_pace pace{minutes{10}, noon};
  line_pace::facts known{.rate = 100, .show_up = 1, .serving = 0, .next = 100'000, .others = 1};
  EXPECT_NEAR(static_cast<double>(after_a_second(pace, known, noon)), 50, 2);
  known.others = 4;
  line_pace taken{minutes{10}, noon};
  EXPECT_EQ(after_a_second(taken, known, noon), 0u);
}

TEST(WaitingPace, StopsWhereManyAreTurnedBack) {
  line_pace pace{minutes{10}, noon};
  line_pace::facts known{.rate = 100, .show_up = 1, .serving = 0, .next = 1'000'000};
  known.turned_back = 2;  // as many a second as are let in
  for (int second = 0; second < 5; ++second) {
    known.serving = after_a_second(pace, known, noon + seconds{second});
  }
  const auto before = known.serving;
  EXPECT_EQ(after_a_second(pace, known, noon + seconds{5}), before);
}

TEST(WaitingPace, ForgetsTurnsAfterTheirTime) {
  line_pace pace{minutes{1}, noon};
  line_pace::facts known{.rate = 10, .show_up = 1, .serving = 0, .next = 1'000'000};
  for (int second = 0; second < 60; ++second) {
    known.serving = after_a_second(pace, known, noon + seconds{second});
    EXPECT_EQ(pace.expired_below(), 0u) << second;
  }
  for (int second = 60; second < 100; ++second) {
    known.serving = after_a_second(pace, known, noon + seconds{second});
  }
  // Called ten a second: those of forty seconds have had their minute.
  EXPECT_LE(pace.expired_below(), 400u);
  EXPECT_GE(pace.expired_below(), 360u);
}

}  // namespace
}  // namespace gelombang::net
