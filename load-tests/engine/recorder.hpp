#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load-tests/engine/connection.hpp"
#include "load-tests/engine/reactor.hpp"
#include "load-tests/generator/histogram.hpp"
#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// Latencies of the last second, for eyes: buckets of a factor of two, read and emptied by another
/// thread.
class live_histogram {
public:
  static constexpr std::size_t buckets = 40;

  void record(std::uint64_t microseconds) {
    counts_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(microseconds)),
                                  buckets - 1)]
        .fetch_add(1, std::memory_order_relaxed);
  }
  /// Adds what there is to `into`, and forgets it.
  void drain(std::array<std::uint64_t, buckets>& into) {
    for (std::size_t i = 0; i < buckets; ++i)
      into[i] += counts_[i].exchange(0, std::memory_order_relaxed);
  }

private:
  std::array<std::atomic<std::uint64_t>, buckets> counts_{};
};

/// What a thread can be asked for while it runs. Relaxed counters: they are for eyes.
struct live_figures {
  std::atomic<std::uint64_t> offered{0}, served{0}, refused{0}, failed{0};
  live_histogram latency;
};

/// Times of one attempt.
struct attempt_times {
  time_point due;   ///< when it should have left
  time_point sent;  ///< when it did
  time_point ended;
};

/// What one thread finds, gathered without allocating but once a second. For its thread only, but
/// for `live`.
class recorder {
public:
  explicit recorder(time_point start) : start_(start) {}

  /// @returns the number under which `label` is counted from now on.
  std::size_t kind_of(std::string_view label);

  // What is not `measured` (a warm-up) stands in the timeline and nowhere else.

  void offered(std::size_t kind, time_point due, bool measured);
  void sent(std::size_t kind, time_point at, bool measured);
  void answered(std::size_t kind, const attempt_times& times, int status, bool measured);
  void lost(std::size_t kind, const attempt_times& times, loss why, bool measured);
  live_figures& live() { return live_; }

  /// Everything, as a run's result without its heads.
  void add_to(run_result& into) const;

private:
  struct slot {
    std::uint64_t offered = 0, sent = 0, served = 0, refused = 0, failed = 0;
    std::int64_t begun_less_ended = 0;
    std::array<std::uint64_t, losses> lost{};
    std::unique_ptr<histogram> latency;
  };

  slot& slot_of(time_point when);

  time_point start_;
  std::vector<std::string> labels_;
  std::vector<kind_result> kinds_;  ///< by label
  std::vector<slot> slots_;
  live_figures live_;
};

}  // namespace gelombang::load
