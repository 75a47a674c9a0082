#pragma once

#include <map>
#include <string>
#include <string_view>

#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// The figures of a Prometheus text that are worth a chart: gauges and counters by their names with
/// labels; buckets of histograms are left out. At most `run_metrics_max`.
std::map<std::string, double, std::less<>> metrics_in(std::string_view text);

/// Asks the server for its metrics. @returns none where it does not answer within a second.
std::map<std::string, double, std::less<>> metrics_of(const std::string& url);

}  // namespace gelombang::load
