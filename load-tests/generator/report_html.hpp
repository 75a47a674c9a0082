#pragma once

#include <cstddef>
#include <string>

#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// A line in a chart has at most so many points: more seconds than that are taken together, rates
/// as their mean, latencies by merging their histograms.
constexpr std::size_t report_points_max = 600;
/// Rows of the table beside a chart, and points of the server's small charts.
constexpr std::size_t report_rows_max = 120;
/// Metrics of the server that are drawn, those that change first; the file of the run has all.
constexpr std::size_t report_metrics_max = 24;

/// A run as one HTML page that needs nothing else: no script, no font, no address. It follows the
/// reader's choice of light or dark, and says every chart in words and as a table, too.
std::string report_html(const run_result& run);

}  // namespace gelombang::load
