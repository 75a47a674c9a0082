#pragma once

#include <fmt/format.h>

#include <cmath>
#include <random>

#include "load-tests/generator/run_result.hpp"

namespace gelombang::load::testing {

/// How a made-up server behaves in a made-up run.
struct behaviour {
  std::size_t seconds = 60;
  std::uint64_t offered_per_second = 200;
  double median_us = 2000;
  /// Of the logarithm of a latency.
  double deviation = 0.5;
  /// The share served; every other one of the rest is refused.
  double served = 1;
  std::uint64_t seed = 1;
};

/// A run in which every number follows from `how`: joins, their seconds, two phases, two metrics.
inline run_result made_up_run(const behaviour& how) {
  std::mt19937_64 random{how.seed};
  std::lognormal_distribution<double> latency{std::log(how.median_us), how.deviation};
  std::bernoulli_distribution is_served{how.served};
  run_result run;
  run.scenario = "opening-day";
  run.target = "127.0.0.1:8080";
  run.started_at = "2026-11-20T05:00:00Z";
  run.seconds = static_cast<double>(how.seconds);
  run.seed = how.seed;
  auto& joins = run.kinds["join"];
  for (std::size_t second = 0; second != how.seconds; ++second) {
    second_slot slot;
    histogram times;
    for (std::uint64_t i = 0; i != how.offered_per_second; ++i) {
      ++slot.offered;
      ++slot.sent;
      const auto took = static_cast<std::uint64_t>(latency(random));
      if (is_served(random)) {
        ++slot.served;
        ++joins.answers[201];
        times.record(took);
        joins.service.record(took / 2);
      } else if (i % 2 == 0) {
        ++slot.refused;
        ++joins.answers[503];
        joins.refusal.record(took / 4);
      } else {
        ++slot.failed;
        ++slot.errors["timeout"];
        ++joins.errors["timeout"];
      }
    }
    slot.latency = times.sparse();
    joins.latency.merge(times);
    joins.offered += slot.offered;
    joins.sent += slot.sent;
    run.timeline.push_back(std::move(slot));
    run.server.push_back({second,
                          {{"gelombang_joins_total", 1.5 * static_cast<double>(second)},
                           {"process_resident_memory_bytes", 1e9}}});
  }
  const auto half = std::chrono::seconds(how.seconds / 2);
  run.phases = {{"warm-up", std::chrono::nanoseconds{0}, half},
                {"opening", half, std::chrono::seconds(how.seconds)}};
  return run;
}

}  // namespace gelombang::load::testing
