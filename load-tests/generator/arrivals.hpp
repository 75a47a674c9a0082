#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace gelombang::load {

constexpr double arrivals_per_second_max = 10'000'000;
constexpr std::chrono::hours arrivals_duration_max{7 * 24};
/// Of a file of counts per second: one for each second of the longest duration.
constexpr std::size_t replay_seconds_max = 604'800;

/// A peak on a constant rate: from `at` on it rises for `rise`, stays for `hold`, falls for `fall`.
struct spike_shape {
  double base = 0;
  double peak = 0;
  std::chrono::nanoseconds at{0}, rise{0}, hold{0}, fall{0};
  /// Of everything; the peak must fit in.
  std::chrono::nanoseconds duration{0};
};

/// How many arrive a second, at every moment of a stretch of time: straight pieces, whose integral
/// and its inverse are exact instead of summed in steps.
class intensity {
public:
  /// What cannot be is refused with the reason: rates that are negative, no numbers or above
  /// `arrivals_per_second_max`; durations that are not positive or above `arrivals_duration_max`.
  using made = tl::expected<intensity, std::string>;

  static made constant(double per_second, std::chrono::nanoseconds duration);
  static made ramp(double from_per_second, double to_per_second, std::chrono::nanoseconds duration);
  static made spike(const spike_shape& shape);
  /// Counts per second from CSV with the header `second,count`; seconds ascend from 0 on, and those
  /// left out count 0. `file` names it in the text of an error, before the line's number.
  static made replay(std::string_view csv, std::string_view file);

  /// @param factor positive; the pieces' rates must stay below `arrivals_per_second_max`.
  made scaled(double factor) const;
  /// This one, and `next` when it is over.
  made then(const intensity& next) const;

  std::chrono::nanoseconds duration() const;
  /// How many are expected in all.
  double expected() const { return expected_; }
  /// How many are expected before `when`.
  double expected_before(std::chrono::nanoseconds when) const;
  /// Arrivals per second at `when`; 0 outside.
  double rate_at(std::chrono::nanoseconds when) const;

private:
  friend class arrivals;

  struct piece {
    std::chrono::nanoseconds from{0}, length{0};
    double rate_from = 0, rate_to = 0;
    double before = 0;  ///< expected until its begin

    double count_until(double seconds) const;
    double seconds_until(double count) const;
    double total() const;
  };

  void append(double rate_from, double rate_to, std::chrono::nanoseconds length);
  std::size_t piece_at(std::chrono::nanoseconds when) const;
  made checked() &&;

  std::vector<piece> pieces_;
  double expected_ = 0;
};

/// How arrivals keep to an intensity.
enum class spacing : std::uint8_t {
  even,    ///< the n-th comes when n are expected: no two runs differ
  poisson  ///< independent people: a Poisson process of this intensity
};

/// The intended starts of a run's arrivals, one after the other. A value: copies go on separately.
class arrivals {
public:
  /// @returns when the next one arrives, never before the one before; nothing when it is over.
  std::optional<std::chrono::nanoseconds> next();

private:
  friend struct arrivals_plan;
  arrivals(intensity when, spacing how, double first, double step, std::uint64_t seed);

  std::chrono::nanoseconds time_of(double count);

  intensity when_;
  spacing how_;
  double due_;  ///< the next one comes when so many are expected
  double step_;
  std::mt19937_64 random_;
  std::size_t piece_ = 0;
  std::chrono::nanoseconds last_{0};
};

/// What arrives in a run, and how it is split among those who generate it.
struct arrivals_plan {
  intensity when;
  spacing how = spacing::even;

  /// The arrivals of generator `index` of `count`; those of all together are the plan. Even ones
  /// take turns, so that together they are the same for any count; Poisson ones are independent
  /// processes of a `count`-th of the intensity, whose sum is one of the whole.
  /// @pre index < count
  arrivals share(std::uint64_t index, std::uint64_t count, std::uint64_t seed) const;
};

}  // namespace gelombang::load
