// The counting behind the limits on callers, on a clock of its own.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "net/sliding_windows.hpp"

namespace gelombang::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t seed = 0x5eed;
const instant start{milliseconds{1'800'000'000'000}};

/// A table in which all have the same limit.
class limited {
public:
  explicit limited(std::uint32_t count_max, std::size_t keys_max = 1024)
      : windows_(seconds{10}, keys_max, seed), count_max_(count_max) {}

  sliding_windows::taken look(std::uint64_t key, instant now) {
    return windows_.take(windows_.place_of(key), count_max_, windows_.moment_of(now));
  }
  bool take(std::uint64_t key, instant now) { return look(key, now).is_within; }
  void give_back(std::uint64_t key, instant now) {
    windows_.give_back(windows_.place_of(key), windows_.moment_of(now));
  }
  std::size_t bytes() const { return windows_.bytes(); }

private:
  sliding_windows windows_;
  std::uint32_t count_max_;
};

TEST(SlidingWindows, AllowTheLimitAndNoMore) {
  limited table{3};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.take(7, start));
  EXPECT_FALSE(table.take(7, start));
  EXPECT_TRUE(table.take(8, start)) << "another key has its own";
}

/// The promise: whoever asks however he likes has in no window, wherever it begins, more than the
/// limit; and whoever stays below four fifths of it is never refused.
TEST(SlidingWindows, NoWindowHoldsMoreThanTheLimit) {
  constexpr std::uint32_t count_max = 20;
  std::mt19937_64 random{1};
  for (int run = 0; run < 200; ++run) {
    limited table{count_max};
    auto now = start + milliseconds{random() % 10'000};
    std::deque<instant> within;
    const auto pause_max = 1 + random() % 2'000;
    for (int asked = 0; asked < 500; ++asked) {
      // Bursts, and pauses up to some windows.
      if (random() % 4 == 0) now += milliseconds{random() % pause_max};
      if (random() % 64 == 0) now += milliseconds{random() % 30'000};
      while (!within.empty() && within.front() <= now - seconds{10}) within.pop_front();
      if (!table.take(1, now)) continue;
      within.push_back(now);
      ASSERT_LE(within.size(), count_max) << "run " << run;
    }
  }
}

TEST(SlidingWindows, WhoeverStaysBelowFourFifthsIsNeverRefused) {
  constexpr std::uint32_t count_max = 20;
  std::mt19937_64 random{2};
  for (int run = 0; run < 200; ++run) {
    limited table{count_max};
    auto now = start + milliseconds{random() % 10'000};
    std::deque<instant> within;
    for (int asked = 0; asked < 500; ++asked) {
      if (random() % 3 == 0) now += milliseconds{random() % 1'500};
      while (!within.empty() && within.front() <= now - milliseconds{12'500}) within.pop_front();
      if (within.size() == count_max) continue;
      within.push_back(now);
      ASSERT_TRUE(table.take(1, now)) << "run " << run << ", " << within.size();
    }
  }
}

TEST(SlidingWindows, TheEdgeOfAWindowGivesNothingAway) {
  limited table{4};
  const instant edge{milliseconds{1'800'000'000'000 / 10'000 * 10'000}};
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(table.take(1, edge - milliseconds{1}));
  EXPECT_FALSE(table.take(1, edge));
  EXPECT_FALSE(table.take(1, edge + milliseconds{9'998}));
  EXPECT_TRUE(table.take(1, edge + milliseconds{10'000}));
}

/// Who waits as long as he was told has room, and a millisecond earlier he has none.
TEST(SlidingWindows, TheTimeToWaitIsExact) {
  constexpr std::uint32_t count_max = 5;
  std::mt19937_64 random{3};
  limited table{count_max};
  auto now = start;
  for (int i = 0; i < 2'000; ++i) {
    now += milliseconds{random() % 900};
    const auto taken = table.look(1, now);
    if (taken.is_within) continue;
    ASSERT_GT(taken.room_after, milliseconds{0});
    ASSERT_LE(taken.room_after, milliseconds{12'500});
    const auto again = table.look(1, now + taken.room_after - milliseconds{1});
    ASSERT_FALSE(again.is_within);
    now += taken.room_after;
    ASSERT_TRUE(table.take(1, now));
  }
}

TEST(SlidingWindows, WhatIsRefusedIsNotCounted) {
  limited table{2};
  for (int i = 0; i < 1'000; ++i) table.take(1, start);
  EXPECT_TRUE(table.take(1, start + milliseconds{12'500}));
}

TEST(SlidingWindows, WhatIsGivenBackCanBeTakenAgain) {
  limited table{1};
  EXPECT_TRUE(table.take(1, start));
  table.give_back(1, start);
  EXPECT_TRUE(table.take(1, start));
  EXPECT_FALSE(table.take(1, start));
  // Nothing was taken by these, so nothing comes back.
  table.give_back(2, start);
  table.give_back(1, start + seconds{5});
  EXPECT_FALSE(table.take(1, start + seconds{5}));
}

/// A little: another thread's look at the clock, or a clock that was corrected. Far: a fault, which
/// must not shut anybody out until the clock has caught up.
TEST(SlidingWindows, AClockThatIsSetBackForgivesNothingWithinAWindowAndEndsNoService) {
  limited table{1};
  EXPECT_TRUE(table.take(1, start));
  EXPECT_FALSE(table.take(1, start - seconds{9}));
  const auto wait = table.look(1, start - seconds{9}).room_after;
  EXPECT_LE(wait, milliseconds{9'000 + 12'500});
  EXPECT_TRUE(table.take(1, start - seconds{9} + wait));
  EXPECT_TRUE(table.take(1, start - std::chrono::hours{5}));
  EXPECT_FALSE(table.take(1, start - std::chrono::hours{5}));
}

TEST(SlidingWindows, TimeMayBeginAtZeroAndLeap) {
  limited table{1};
  EXPECT_TRUE(table.take(1, instant{}));
  EXPECT_FALSE(table.take(1, instant{}));
  for (const auto leap : {std::chrono::hours{24}, std::chrono::hours{24 * 365 * 100}}) {
    EXPECT_TRUE(table.take(1, instant{} + leap));
    EXPECT_FALSE(table.take(1, instant{} + leap));
  }
}

TEST(SlidingWindows, EveryNumberIsAKey) {
  limited table{1};
  for (const std::uint64_t key : {std::uint64_t{0}, ~std::uint64_t{0}, seed, std::uint64_t{1}}) {
    EXPECT_TRUE(table.take(key, start)) << key;
    EXPECT_FALSE(table.take(key, start)) << key;
  }
}

TEST(SlidingWindows, TheHighestLimitIsCountedToTheEnd) {
  limited table{65'535};
  for (int i = 0; i < 65'535; ++i) ASSERT_TRUE(table.take(1, start + milliseconds{i / 10}));
  EXPECT_FALSE(table.take(1, start + milliseconds{6'554}));
}

// ---- many

/// Each asks once, and once is all that anybody has: whoever is refused was taken for another.
TEST(SlidingWindows, FiveMillionKeysAreNotTakenForOneAnother) {
  limited table{1, std::size_t{1} << 20};
  const auto bytes = table.bytes();
  EXPECT_EQ(bytes, std::size_t{16} << 20);
  std::size_t refused = 0, forgotten = 0;
  for (std::uint64_t key = 0; key < 5'000'000; ++key) {
    const auto taken = table.look(key, start + milliseconds{key / 1'000});
    refused += !taken.is_within;
    forgotten += taken.forgot_another;
  }
  EXPECT_EQ(refused, 0u);
  EXPECT_GT(forgotten, 0u) << "there were more than have a place";
  EXPECT_EQ(table.bytes(), bytes);
}

/// Fifty thousand strangers a second, eight times as many as have a place: honest callers are
/// served all of the time, and who hammers has nearly no more than without the flood.
TEST(SlidingWindows, AFloodRefusesNobodyAndHidesNobodyWhoHammers) {
  constexpr std::uint32_t count_max = 60;
  limited table{count_max, std::size_t{1} << 16};
  constexpr std::uint64_t honest = 1'000'000'000, hammer = 2'000'000'000, hammers = 20;
  std::size_t honest_refused = 0;
  std::map<std::uint64_t, std::size_t> got;
  std::uint64_t stranger = 0;
  for (auto now = start; now < start + seconds{10}; now += milliseconds{1}) {
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(table.take(++stranger, now));
    const auto tick = static_cast<std::uint64_t>((now - start).count());
    // A thousand people, each five times in the ten seconds.
    if (tick % 2 == 0) honest_refused += !table.take(honest + tick / 2 % 1'000, now);
    // Twenty who ask a hundred times a second each.
    if (tick % 10 == 0)
      for (std::uint64_t i = 0; i < hammers; ++i) got[i] += table.take(hammer + i, now);
  }
  EXPECT_EQ(honest_refused, 0u);
  for (const auto& [who, count] : got) EXPECT_LE(count, count_max + count_max / 4) << who;
}

/// Which of two keys meet depends on the seed, so that nobody can choose whom he pushes out.
TEST(SlidingWindows, PlacesDependOnTheSeed) {
  const sliding_windows one{seconds{10}, 1024, 1}, other{seconds{10}, 1024, 2};
  std::size_t same = 0;
  for (std::uint64_t key = 0; key < 10'000; ++key)
    same += one.place_of(key).row == other.place_of(key).row;
  EXPECT_LT(same, 200u) << "one in 128 by chance";
}

TEST(SlidingWindows, TellWhoIsNewlyOver) {
  limited table{1};
  EXPECT_FALSE(table.look(1, start).is_newly_over);
  EXPECT_TRUE(table.look(1, start).is_newly_over);
  EXPECT_FALSE(table.look(1, start).is_newly_over) << "once a quarter";
  EXPECT_TRUE(table.look(1, start + milliseconds{2'500}).is_newly_over);
  EXPECT_FALSE(table.look(2, start + milliseconds{2'500}).is_newly_over);
}

/// Two counts of one key, with a limit each.
TEST(SlidingWindows, ASecondCountLiesBesideTheFirst) {
  sliding_windows table{seconds{10}, 1024, seed};
  const auto first = table.place_of(0), second = first.beside();
  EXPECT_EQ(first.row, second.row);
  const auto now = table.moment_of(start);
  EXPECT_TRUE(table.take(first, 1, now).is_within);
  EXPECT_FALSE(table.take(first, 1, now).is_within);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(table.take(second, 2, now).is_within);
  EXPECT_FALSE(table.take(second, 2, now).is_within);
}

// ---- threads

/// All threads at the same few keys: together they get the limit, not each of them.
TEST(SlidingWindows, TheLimitHoldsForAllThreadsTogether) {
  constexpr std::uint32_t count_max = 1'000;
  constexpr std::uint64_t keys = 8;
  constexpr std::size_t threads = 4;
  limited table{count_max};
  std::array<std::array<std::size_t, keys>, threads> got{};
  std::vector<std::thread> running;
  for (std::size_t thread = 0; thread < threads; ++thread)
    running.emplace_back([&table, &mine = got[thread]] {
      for (std::uint32_t i = 0; i < count_max; ++i)
        for (std::uint64_t key = 0; key < keys; ++key)
          mine[key] += table.take(key, start + milliseconds{i});
    });
  for (auto& one : running) one.join();
  for (std::uint64_t key = 0; key < keys; ++key) {
    std::size_t sum = 0;
    for (const auto& mine : got) sum += mine[key];
    EXPECT_EQ(sum, count_max) << key;
  }
}

TEST(SmallLock, KeepsOthersOutAlsoWhenTheyWaitForLong) {
  small_lock guard;
  std::size_t count = 0;
  std::vector<std::thread> running;
  running.reserve(4);
  for (int thread = 0; thread < 4; ++thread)
    running.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const std::lock_guard held{guard};
        ++count;
        // Now and then held for as long as a time slice lasts, so that others go to sleep.
        if (i % 1'000 == 0) std::this_thread::yield();
      }
    });
  for (auto& one : running) one.join();
  EXPECT_EQ(count, 80'000u);
}

}  // namespace
}  // namespace gelombang::net::test
