#include "net/cpu_budget.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace gelombang::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using time_point = cpu_budget::time_point;

const time_point start{1h};
constexpr nanoseconds burst = 200ms;

/// Half of a core of two.
cpu_budget a_quarter_of_two() {
  return {{.share_permille = 250, .cores = 2, .burst = burst}, start};
}

TEST(CpuBudget, LetsBeginAtOnceWhileThereIsCredit) {
  auto one = a_quarter_of_two();
  EXPECT_EQ(one.pause(start), 0ns);
  one.charge(200ms, start);
  EXPECT_EQ(one.pause(start), 0ns) << "the last of it";
  one.charge(1ns, start);
  EXPECT_EQ(one.pause(start), 2ns);
}

TEST(CpuBudget, PausesUntilWhatWasOverdrawnHasComeIn) {
  auto one = a_quarter_of_two();
  one.charge(300ms, start);
  EXPECT_EQ(one.pause(start), 200ms);
  EXPECT_EQ(one.pause(start + 150ms), 50ms);
  EXPECT_EQ(one.pause(start + 200ms), 0ns);
}

TEST(CpuBudget, SavesUpTheBurstAndNoMore) {
  auto one = a_quarter_of_two();
  const auto later = start + 24h;
  one.charge(burst + 100ms, later);
  EXPECT_EQ(one.pause(later), 200ms);
}

TEST(CpuBudget, GivesBackWhatWasNotUsedUpToTheBurst) {
  auto one = a_quarter_of_two();
  one.charge(1s, start);
  one.charge(-900ms, start);
  EXPECT_EQ(one.pause_behind(100ms, start), 0ns);
  one.charge(-10s, start);
  EXPECT_EQ(one.pause_behind(burst, start), 0ns);
  EXPECT_EQ(one.pause_behind(burst + 1ms, start), 2ms);
}

TEST(CpuBudget, TellsHowLongForWhomMuchIsToBeDoneBefore) {
  auto one = a_quarter_of_two();
  EXPECT_EQ(one.pause_behind(700ms, start), 1s);
  EXPECT_EQ(one.pause(start), 0ns);
}

TEST(CpuBudget, GainsNothingFromATimeThatGoesBack) {
  auto one = a_quarter_of_two();
  one.charge(300ms, start + 1s);
  EXPECT_EQ(one.pause(start), 200ms);
  one.charge(0ns, start);
  EXPECT_EQ(one.pause(start + 1s), 200ms);
}

TEST(CpuBudget, OfOneThousandthIsKeptOverHours) {
  cpu_budget one{{.share_permille = 1, .cores = 1}, start};
  one.charge(3600ms, start);
  EXPECT_EQ(one.pause(start), 1h);
  EXPECT_EQ(one.pause(start + 1h), 0ns);
}

/// What began when, and how long it used a core.
struct piece {
  time_point begun;
  nanoseconds used;
};

/// So many threads that always have work, each of a length of chance, with pauses in between in
/// which nobody has any.
std::vector<piece> worked(cpu_budget& budget, int threads, nanoseconds end, unsigned seed) {
  std::mt19937 random{seed};
  std::uniform_int_distribution<int> milliseconds{20, 120};
  std::vector<time_point> free(threads, start);
  std::vector<piece> done;
  for (;;) {
    auto& next = *std::min_element(free.begin(), free.end());
    if (next >= start + end) return done;
    if (random() % 100 == 0) std::fill(free.begin(), free.end(), next + 3s);
    if (const auto pause = budget.pause(next); pause > 0ns) {
      next += pause;
      continue;
    }
    const nanoseconds used = std::chrono::milliseconds{milliseconds(random)};
    budget.charge(70ms, next);
    done.push_back({next, used});
    // Charged with the difference when it ends; here that is told at once, for the next to begin
    // may only be another thread.
    budget.charge(used - 70ms, next);
    next += used;
  }
}

TEST(CpuBudget, IsKeptBetweenAnyTwoMomentsByAnyNumberOfThreads) {
  for (const int threads : {1, 2, 4, 16}) {
    auto budget = a_quarter_of_two();
    const auto done = worked(budget, threads, 120s, static_cast<unsigned>(threads));
    constexpr nanoseconds longest = 120ms;
    for (auto from = done.begin(); from != done.end(); ++from) {
      nanoseconds used{0};
      for (auto to = from; to != done.end(); ++to) {
        used += to->used;
        ASSERT_LE(used, burst + (to->begun - from->begun) / 2 + longest) << threads << " threads";
      }
    }
  }
}

TEST(CpuBudget, IsUsedUpByWhoAlwaysHasWork) {
  for (const std::uint32_t share : {100u, 250u, 500u}) {
    cpu_budget budget{{.share_permille = share, .cores = 4, .burst = burst}, start};
    std::vector<time_point> free(4, start);
    nanoseconds used{0};
    for (;;) {
      auto& next = *std::min_element(free.begin(), free.end());
      if (next >= start + 100s) break;
      if (const auto pause = budget.pause(next); pause > 0ns) {
        next += pause;
        continue;
      }
      budget.charge(70ms, next);
      used += 70ms;
      next += 70ms;
    }
    const auto allowed = 100s * 4 * share / 1000;
    EXPECT_GE(used, allowed - 1s) << share;
    EXPECT_LE(used, allowed + burst + 70ms) << share;
  }
}

}  // namespace
}  // namespace gelombang::net
