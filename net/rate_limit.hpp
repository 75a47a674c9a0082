#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/programme/clock.hpp"

namespace gelombang::net {

/// So many of something per window, for each key: codes tried, passwords tried, e-mails sent.
struct rate {
  std::uint32_t count_max;
  std::chrono::milliseconds window;
};

/// Counts per 64-bit key (an account, or `peer_address::hash`) in a sliding window, in memory of a
/// fixed size. The window slides by weighing the previous window's count with the part of it that
/// is still inside, which is never off by more than the unevenness within that one window. When a
/// key finds no room, the one of its row that was idle longest makes way; so a flood of addresses
/// costs no memory, and at worst forgets counts early. Thread-safe.
class rate_limiter {
public:
  /// `keys_max` is rounded up to a power of two, 1,024 at least; 24 bytes each.
  rate_limiter(rate allowed, std::size_t keys_max);

  /// Counts one for `key`.
  /// @returns nothing when that is within the rate, otherwise how long until the next one would be;
  /// then nothing was counted.
  std::optional<std::chrono::milliseconds> take(std::uint64_t key, instant now);

  /// Whether one more would be within the rate; counts nothing.
  bool has_room(std::uint64_t key, instant now);

  /// Takes back one that was counted: it turned out to be none.
  void give_back(std::uint64_t key, instant now);

  /// Forgets the key: after a password that was right.
  void forget(std::uint64_t key);

private:
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t locks = 64;

  struct slot {
    std::uint64_t key = 0;
    std::uint32_t window = 0;  ///< number of the window that `current` counts in
    std::uint32_t current = 0;
    std::uint32_t previous = 0;
    bool is_used = false;
  };
  using row = std::array<slot, ways>;

  std::size_t row_of(std::uint64_t key) const;
  slot* find(std::uint64_t key);
  slot& find_or_make(std::uint64_t key, std::uint32_t window);
  static void advance(slot& one, std::uint32_t window);
  std::uint32_t window_at(instant now) const;
  /// Thousandths of the window number `window_at(now)` that have passed.
  std::uint64_t passed_permille(instant now) const;
  bool is_within(const slot& one, instant now) const;

  rate allowed_;
  std::vector<row> rows_;
  std::array<std::mutex, locks> guards_;
};

}  // namespace gelombang::net
