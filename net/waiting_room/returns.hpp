#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "actors/programme/clock.hpp"

namespace gelombang::net {

/// How many of those who were told to come back do. Who leaves for good mostly does so at once, so
/// the first return is counted apart from later ones; together they say what part of the places in
/// a line will be there when called. Counted by when people were told to come and not by when they
/// were called: a line that goes faster than they were told would look abandoned.
/// `told` and `came` are thread-safe; the rest is for one thread at a time.
class returns {
public:
  enum class which : std::uint8_t { first, later };

  explicit returns(instant now);

  /// Somebody was told to come back after `seconds`; those beyond `seconds_max` count as that.
  void told(which time, std::uint32_t seconds, instant now);
  void came(which time);

  /// Counts those who were to be back by now.
  void settle(instant now);

  /// The part of the places that are called who come, from `share_least` to 1.
  double share() const { return share_; }

  static constexpr double share_least = 0.1;
  static constexpr std::uint32_t seconds_max = 200;

private:
  static constexpr std::size_t kinds = 2;
  static constexpr std::size_t slots = 256;
  static_assert(slots > seconds_max + 2);

  struct sums {
    double due = 0, came = 0;
  };
  void forget(std::int64_t until);
  void settle_second(std::int64_t second);
  void measure();

  std::array<std::array<std::atomic<std::uint32_t>, slots>, kinds> due_{};
  std::array<std::atomic<std::uint32_t>, kinds> came_{};

  std::int64_t settled_;  ///< the last second that was counted
  std::array<sums, kinds> sums_{};
  double share_;
};

}  // namespace gelombang::net
