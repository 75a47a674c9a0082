#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/cpu_budget.hpp"

namespace gelombang::net {

/// When the next password may be hashed, and how long somebody who comes now would wait for it: by
/// the share of CPU that hashing may take, the threads there are, and what hashes have cost so far.
/// Arithmetic only: it is told the time and does nothing itself. Not thread-safe.
class password_pace {
public:
  using nanoseconds = std::chrono::nanoseconds;
  using time_point = std::chrono::steady_clock::time_point;

  struct settings {
    cpu_budget::settings budget = {.burst = burst_usual};
    std::size_t threads = 1;
    nanoseconds patience = std::chrono::seconds{2};  ///< the longest wait that is begun
    /// Of CPU a hash, until one has been measured.
    nanoseconds first_guess = std::chrono::milliseconds{100};
  };

  /// So that one sign-in, or two, wait for nothing on an idle node.
  static constexpr nanoseconds burst_usual = std::chrono::milliseconds{200};
  /// A thread is given so much at a time: hand-overs cost some 10 µs, much for a cheap hash.
  static constexpr nanoseconds batch_max = std::chrono::milliseconds{1};

  /// Hashes that one thread is at.
  struct batch {
    std::size_t count;
    nanoseconds expected;  ///< CPU time
    time_point begun;
    friend bool operator==(const batch&, const batch&) = default;
  };

  password_pace(settings with, time_point now);

  /// How long a hash would wait until it begins, behind so many that have not.
  nanoseconds wait(std::size_t ahead, time_point now) const;
  /// Whether that is within the patience.
  bool is_in_time(std::size_t ahead, time_point now) const;
  /// Whether what has waited since then is for nobody any more: hashes turned out dearer, or the
  /// machine busier, than was foreseen when it came.
  bool is_too_late(time_point since, time_point now) const { return too_late_at(since) <= now; }
  time_point too_late_at(time_point since) const { return since + 2 * with_.patience; }

  /// How long no hash may begin; zero: one may at once.
  nanoseconds pause(time_point now) const { return budget_.pause(now); }

  /// How many of those that wait one thread takes at once, 1 at least unless none waits.
  std::size_t batch_of(std::size_t waiting) const;
  batch begin(std::size_t count, time_point now);
  void end(const batch& one, nanoseconds cpu, time_point now);

private:
  nanoseconds wait_for_thread(std::size_t ahead, time_point now) const;

  settings with_;
  cpu_budget budget_;
  std::vector<batch> under_way_;
  bool has_measured_ = false;
  nanoseconds cpu_each_;   ///< smoothed
  nanoseconds wall_each_;  ///< likewise; the longer, the more others are given before
};

}  // namespace gelombang::net
