#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gelombang::net {

/// How much each of any number of keys has had within about a second, in memory of a fixed size: a
/// count-min sketch (Cormode and Muthukrishnan, 2005) of four rows, begun anew for each window. A
/// reading is never too low; it is too high by what collides in all four rows. With as many
/// requests in a window as columns, one key in 24,000 reads three or more too high. For one
/// thread.
class share_sketch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `columns` is a power of two, at most 65,536; each costs 8 bytes.
  share_sketch(std::size_t columns, std::chrono::milliseconds window)
      : mask_(columns - 1), window_(window), counts_(rows * columns) {}

  /// Begins the next window when it is time.
  void tick(time_point now);
  void count(std::uint64_t key);
  /// How many were counted for `key` in this window.
  std::uint32_t of(std::uint64_t key) const;
  /// All that was counted in the window before this one, and nothing when that is long ago.
  std::uint32_t total_before() const { return total_before_; }

private:
  static constexpr std::size_t rows = 4;

  std::size_t mask_;
  std::chrono::milliseconds window_;
  std::vector<std::uint16_t> counts_;  ///< row after row; they stay at their highest
  time_point begun_{};
  std::uint32_t total_ = 0;
  std::uint32_t total_before_ = 0;
};

}  // namespace gelombang::net
