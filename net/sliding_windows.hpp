#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "actors/programme/clock.hpp"

namespace gelombang::net {

/// A lock of a byte, to lie beside what it guards: free, it costs one atomic instruction and no
/// cache line of its own. For some nanoseconds of work; who has to wait for longer, because the
/// kernel has stopped the holder, lets others run meanwhile.
class small_lock {
public:
  void lock() {
    while (is_held_.exchange(true, std::memory_order_acquire)) wait();
  }
  void unlock() { is_held_.store(false, std::memory_order_release); }

private:
  void wait() const;

  std::atomic<bool> is_held_{false};
};

/// Counts per 64-bit key within a window that slides in quarters, in memory of a fixed size: *in no
/// window, wherever it begins, does a key get more than its limit*. What counts against it is what
/// it had in the quarter that is under way and in the four before, so something is held against it
/// for one to one and a quarter windows.
///
/// A row of 128 bytes, two cache lines with a lock of its own, holds eight keys by 32 bits of their
/// hash; 16 bytes a key. A key that finds its row full takes the place of the one with the lowest
/// count, which is forgotten: a flood of keys makes the table lenient, never strict. Two keys are
/// taken for one only if all bits that choose the row and those 32 are the same: with `keys_max` of
/// 2^20, one pair in 2^49. The hash is keyed with `seed`, so nobody can choose whom he meets.
///
/// All threads count in the same row, so the limit holds for all of them together, exactly.
/// Thread-safe.
class sliding_windows {
public:
  static constexpr std::uint32_t count_most = 65'535;

  /// Where a key is counted.
  struct place {
    std::uint32_t row;
    std::uint32_t tag;

    /// For another count of the same key: in the same row, so nothing more need be fetched.
    place beside() const { return {row, ~tag}; }
  };
  /// A time, and the quarter that it is in: worked out once for all that is counted then.
  struct moment {
    instant now;
    std::int64_t quarter;
  };
  struct taken {
    bool is_within;
    /// Another key's count made way for this one.
    bool forgot_another = false;
    /// It was within the limit until now, as far as this quarter is concerned.
    bool is_newly_over = false;
    /// When it is not within the limit: how long until one more would be.
    std::chrono::milliseconds room_after{0};
  };

  /// `keys_max` is rounded up to a power of two, 1,024 at least.
  sliding_windows(std::chrono::milliseconds window, std::size_t keys_max, std::uint64_t seed);

  moment moment_of(instant now) const { return {now, now.time_since_epoch() / quarter_}; }
  place place_of(std::uint64_t key) const;
  /// Has the memory fetched that `take` will want.
  void prefetch(place at) const;

  /// Counts one, if no more than `count_max` (1 to `count_most`) are in the window with it;
  /// otherwise nothing is counted. A clock that was set back by more than a window begins anew.
  taken take(place at, std::uint32_t count_max, moment when);
  /// Takes back what was taken at the same moment.
  void give_back(place at, moment when);

  std::size_t bytes() const { return rows_.size() * sizeof(row); }

private:
  static constexpr std::size_t ways = 8;
  static constexpr std::uint32_t quarters = 5;  ///< the one under way, and the four before

  struct alignas(128) row {
    small_lock guard;
    std::uint32_t quarter = 0;  ///< number of the one under way
    std::array<std::uint32_t, ways> tags{};
    /// By age and key. A key that has nothing in any quarter is a free one.
    std::array<std::array<std::uint16_t, ways>, quarters> counts{};
    std::uint8_t refused = 0;  ///< a bit for each key that was refused in this quarter
  };
  static_assert(sizeof(row) == ways * 16);

  static void advance(row& one, std::int64_t quarter);
  static std::size_t find(const row& one, std::uint32_t tag);
  static std::size_t lightest(const row& one, std::uint32_t tag);
  static std::uint32_t count_of(const row& one, std::size_t key);
  static void replace(row& one, std::size_t key, std::uint32_t tag);
  std::chrono::milliseconds until_room(const row& one, std::size_t key, std::uint32_t count_max,
                                       moment when) const;

  std::chrono::milliseconds quarter_;
  std::uint64_t seed_;
  std::vector<row> rows_;
};

}  // namespace gelombang::net
