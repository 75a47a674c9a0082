#include "net/password_pace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace gelombang::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using time_point = password_pace::time_point;

const time_point start{1h};

password_pace::settings of_threads(std::size_t threads) {
  return {.budget = {.share_permille = 250, .cores = 2, .burst = password_pace::burst_usual},
          .threads = threads,
          .patience = 2s,
          .first_guess = 100ms};
}

TEST(PasswordPace, LetsNobodyWaitOnAnIdleNode) {
  password_pace one{of_threads(1), start};
  EXPECT_EQ(one.wait(0, start), 0ns);
  EXPECT_EQ(one.pause(start), 0ns);
  EXPECT_TRUE(one.is_in_time(0, start));
}

TEST(PasswordPace, GuessesUntilItHasMeasured) {
  password_pace one{of_threads(1), start};
  // 200 ms are saved up, the rest of 2.2 s comes in at half a core.
  EXPECT_EQ(one.wait(22, start), 4s);
  EXPECT_FALSE(one.is_in_time(22, start));
  const auto begun = one.begin(1, start);
  one.end(begun, 20ms, start + 20ms);
  EXPECT_LT(one.wait(22, start + 20ms), 600ms);
  EXPECT_TRUE(one.is_in_time(22, start + 20ms));
}

TEST(PasswordPace, CountsWhatIsUnderWay) {
  auto with = of_threads(2);
  with.budget.share_permille = 1000;
  password_pace one{with, start};
  one.begin(1, start);
  EXPECT_EQ(one.wait(0, start), 0ns) << "another thread is idle";
  one.begin(1, start);
  EXPECT_EQ(one.wait(0, start), 50ms);
  EXPECT_EQ(one.wait(3, start), 200ms);
}

TEST(PasswordPace, SeesAMachineThatHasNoTimeForItBeforeAHashHasEnded) {
  auto with = of_threads(1);
  with.budget.share_permille = 1000;
  password_pace one{with, start};
  one.begin(1, start);
  EXPECT_TRUE(one.is_in_time(1, start));
  EXPECT_FALSE(one.is_in_time(0, start + 3s));
}

TEST(PasswordPace, TriesAgainAfterAMachineHadNoTime) {
  password_pace one{of_threads(1), start};
  one.end(one.begin(1, start), 80ms, start + 30s);
  auto now = start + 30s;
  EXPECT_TRUE(one.is_in_time(0, now)) << "nobody is before him";
  EXPECT_FALSE(one.is_in_time(1, now));
  for (int i = 0; i < 60; ++i, now += 1s) one.end(one.begin(1, now), 80ms, now + 80ms);
  one.begin(1, now);
  EXPECT_LT(one.wait(4, now), 1s);
}

TEST(PasswordPace, HandsOutOneDearHashOrManyCheapOnes) {
  password_pace one{of_threads(2), start};
  EXPECT_EQ(one.batch_of(0), 0u);
  EXPECT_EQ(one.batch_of(100), 1u);
  one.end(one.begin(1, start), 50us, start + 50us);
  EXPECT_EQ(one.batch_of(1), 1u);
  EXPECT_EQ(one.batch_of(10), 5u) << "the other thread gets as many";
  EXPECT_EQ(one.batch_of(1000), 20u) << "a millisecond's";
  auto none = of_threads(0);
  EXPECT_EQ((password_pace{none, start}).batch_of(1), 1u);
}

TEST(PasswordPace, GivesUpWhoHasWaitedTwiceAsLongAsAnybodyWasToldToExpect) {
  password_pace one{of_threads(1), start};
  EXPECT_FALSE(one.is_too_late(start, start + 3999ms));
  EXPECT_TRUE(one.is_too_late(start, start + 4s));
}

/// A pool with this pace, on a machine where each hash takes 60 to 100 ms: whoever comes is queued
/// or refused as `password_pool` does it, at a time that is counted and not waited for.
class pool {
public:
  explicit pool(password_pace::settings with) : pace(with, start), threads_(with.threads) {}

  void offer(time_point now) {
    advance(now);
    ++offered;
    if (!pace.is_in_time(queue_.size(), now)) {
      ++refused;
      return;
    }
    queue_.push_back(now);
    advance(now);
  }

  /// Lives through everything up to `now`.
  void advance(time_point now) {
    for (;;) {
      hand_out();
      auto next = now;
      for (const auto& one : threads_)
        if (one.batch) next = std::min(next, one.ends);
      if (!queue_.empty() && idle())
        next = std::min(next, now_ + std::max<nanoseconds>(pace.pause(now_), 1ns));
      now_ = std::max(now_, next);
      bool ended = false;
      for (auto& one : threads_) {
        if (!one.batch || one.ends > now_) continue;
        pace.end(*one.batch, one.ends - one.batch->begun, now_);
        one.batch.reset();
        ended = true;
      }
      if (now_ >= now && !ended) return;
    }
  }

  nanoseconds used{0}, longest_wait{0};
  int offered = 0, refused = 0, done = 0;
  password_pace pace;

private:
  struct thread {
    std::optional<password_pace::batch> batch;
    time_point ends{};
  };

  bool idle() const {
    return std::any_of(threads_.begin(), threads_.end(),
                       [](const thread& one) { return !one.batch; });
  }

  void hand_out() {
    for (auto& one : threads_) {
      if (one.batch || queue_.empty() || pace.pause(now_) > 0ns) continue;
      longest_wait = std::max<nanoseconds>(longest_wait, now_ - queue_.front());
      queue_.pop_front();
      const nanoseconds cost = std::chrono::milliseconds{60 + random_() % 41};
      one.batch = pace.begin(1, now_);
      one.ends = now_ + cost;
      used += cost;
      ++done;
    }
  }

  time_point now_ = start;
  std::deque<time_point> queue_;
  std::vector<thread> threads_;
  std::mt19937 random_{7};
};

/// 6.25 hashes a second are half a core; offered `times` as many for a minute.
pool after_a_storm(std::size_t threads, double times) {
  pool one{of_threads(threads)};
  const auto between = nanoseconds{static_cast<std::int64_t>(1e9 / (6.25 * times))};
  for (auto now = start; now < start + 60s; now += between) one.offer(now);
  one.advance(start + 60s);
  return one;
}

TEST(PasswordPace, KeepsTheShareHoweverManyCome) {
  for (const std::size_t threads : {1, 2, 8})
    for (const double times : {1., 1.2, 2., 5., 10., 20.}) {
      const auto one = after_a_storm(threads, times);
      EXPECT_LE(one.used, 30s + 200ms + 200ms) << threads << " threads, " << times << " times";
      EXPECT_GE(one.used, 28s) << threads << " threads, " << times << " times";
    }
}

TEST(PasswordPace, TakesInOnlyWhomItCanServeInTime) {
  for (const std::size_t threads : {1, 2, 8})
    for (const double times : {2., 20.}) {
      const auto one = after_a_storm(threads, times);
      EXPECT_LE(one.longest_wait, 2500ms) << threads << " threads, " << times << " times";
      EXPECT_NEAR(one.refused, one.offered - one.done, 20) << "the rest waits";
    }
}

TEST(PasswordPace, RefusesNobodyWhileThereIsTimeForAll) {
  const auto one = after_a_storm(1, 0.8);
  EXPECT_EQ(one.refused, 0);
  EXPECT_LT(one.longest_wait, 1s);
}

TEST(PasswordPace, DoesAtMostTheBurstMoreAfterAPause) {
  pool one{of_threads(2)};
  auto now = start;
  for (int storm = 0; storm < 5; ++storm) {
    const auto before = one.used;
    const auto begun = now;
    for (; now < begun + 4s; now += 10ms) one.offer(now);
    one.advance(now);
    EXPECT_LE(one.used - before, 2s + 200ms + 200ms);
    now += 30s;
    one.advance(now);
  }
}

}  // namespace
}  // namespace gelombang::net
