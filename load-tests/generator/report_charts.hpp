#pragma once

#include <vector>

#include "load-tests/generator/chart.hpp"
#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// The charts of a run over time: rates, latencies, requests in flight, what failed and why. None
/// of a run without a timeline.
std::vector<chart> timeline_charts(const run_result& run);

/// How latencies are spread: by percentile, and as a histogram. None where nothing was served.
std::vector<chart> distribution_charts(const run_result& run);

/// A small chart for each of the server's metrics, at most `report_metrics_max`, and how many are
/// left out. Counters, by Prometheus' naming (https://prometheus.io/docs/practices/naming/), are
/// shown as their growth a second, and their buckets are left out.
struct server_charts {
  std::vector<chart> charts;
  std::size_t left_out = 0;
};
server_charts server_charts_of(const run_result& run);

}  // namespace gelombang::load
