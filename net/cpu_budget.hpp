#pragma once

#include <chrono>
#include <cstdint>

namespace gelombang::net {

/// Keeps the CPU time that some threads use together at a share of the machine's: a token bucket
/// whose tokens are CPU time. Work begins while the balance is not negative, is charged with what
/// it is expected to cost, and afterwards with the difference to what it did; so what was used
/// between any two moments is at most the burst, what the rate gives between them, and one piece
/// of work. Told the time; not thread-safe.
class cpu_budget {
public:
  using nanoseconds = std::chrono::nanoseconds;
  using time_point = std::chrono::steady_clock::time_point;

  struct settings {
    std::uint32_t share_permille = 250;  ///< of all cores; 1 to 1000
    std::uint32_t cores = 1;
    nanoseconds burst{0};  ///< CPU time that is saved up while nothing is done
  };

  cpu_budget(settings with, time_point now);

  /// How long nothing may begin; zero: something may at once.
  nanoseconds pause(time_point now) const { return pause_behind(nanoseconds{0}, now); }

  /// The same for whom so much is to be done before.
  nanoseconds pause_behind(nanoseconds before, time_point now) const;

  /// Less than nothing gives back.
  void charge(nanoseconds cpu, time_point now);

private:
  double balance_at(time_point now) const;

  double rate_;   ///< CPU nanoseconds a nanosecond
  double burst_;  ///< nanoseconds
  double balance_;
  time_point as_of_;
};

}  // namespace gelombang::net
