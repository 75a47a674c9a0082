#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/generator/histogram.hpp"

namespace gelombang::load {

/// What the form of `to_json` is called; changes with it.
constexpr std::string_view run_format = "gelombang-load/1";

// What is read is refused above these.
constexpr std::size_t run_json_bytes_max = std::size_t{1} << 30;
constexpr std::size_t run_seconds_max = 604'800;
constexpr std::size_t run_kinds_max = 256;
constexpr std::size_t run_phases_max = 1000;
constexpr std::size_t run_metrics_max = 2000;
constexpr std::size_t run_thresholds_max = 1000;
constexpr std::size_t run_notes_max = 1000;
constexpr std::size_t run_error_kinds_max = 64;
constexpr std::size_t run_name_bytes_max = 256;
constexpr std::size_t run_note_bytes_max = 4096;

/// What an answer means to the person who asked.
enum class standing : std::uint8_t {
  served,   ///< 2xx, and 304 to those who have it already
  refused,  ///< 429 and 503: told to come back
  failed
};
standing standing_of(int status);

using counts_by_name = std::map<std::string, std::uint64_t, std::less<>>;

/// What became of the requests of one kind. Times are microseconds.
struct kind_result {
  std::uint64_t offered = 0;  ///< were due
  std::uint64_t sent = 0;
  std::map<int, std::uint64_t> answers;  ///< by status
  counts_by_name errors;                 ///< no answer, by cause: timeout, reset, connect, …
  histogram latency;                     ///< of those served, from their intended start
  histogram service;                     ///< of those served, from the moment they were sent
  histogram refusal;                     ///< of those refused, from their intended start

  void merge(const kind_result& other);
  bool operator==(const kind_result&) const = default;
};

struct tally {
  std::uint64_t served = 0, refused = 0;
  std::uint64_t failed = 0;  ///< answers that help nobody, and errors
  std::uint64_t errors = 0;
};
tally tally_of(const kind_result& kind);

/// One second of a run.
struct second_slot {
  std::uint64_t offered = 0, sent = 0;
  std::uint64_t served = 0, refused = 0, failed = 0;  ///< ended in it
  std::uint64_t in_flight = 0;                        ///< at its end
  counts_by_name errors;                              ///< those of `failed` without an answer
  sparse_histogram latency;                           ///< of those served in it

  void merge(const second_slot& other);
  bool operator==(const second_slot&) const = default;
};

struct phase_span {
  std::string name;
  std::chrono::nanoseconds from{0}, to{0};  ///< from the run's start
  bool measured = true;  ///< otherwise (a warm-up) it is in the timeline and in no kind's counts
  bool operator==(const phase_span&) const = default;
};

/// What the server said about itself in a second of the run.
struct server_sample {
  std::uint64_t second = 0;
  std::map<std::string, double, std::less<>> metrics;
  bool operator==(const server_sample&) const = default;
};

struct threshold_found {
  std::string name;
  double limit = 0;
  std::optional<double> found;  ///< nothing where there was nothing to measure: not met
  bool met = false;
  bool operator==(const threshold_found&) const = default;
};

/// All that a run leaves behind.
struct run_result {
  std::string scenario, target;
  std::string started_at;  ///< RFC 3339
  double seconds = 0;      ///< from the start to the end of the last phase
  std::uint64_t seed = 0;
  std::uint64_t generators = 1;                           ///< processes whose results these are
  std::map<std::string, kind_result, std::less<>> kinds;  ///< by request kind; none is called "all"
  std::vector<second_slot> timeline;                      ///< [n]: from second n to n + 1
  std::vector<phase_span> phases;
  std::vector<server_sample> server;  ///< by second, ascending
  std::vector<threshold_found> thresholds;
  std::vector<std::string> notes;

  /// All kinds together.
  kind_result total() const;
  /// The time that the kinds' counts are of: of the phases that are measured, or where there are no
  /// phases all of it.
  double measured_seconds() const;
  bool operator==(const run_result&) const = default;
};

/// Adds what another process has found in the same run: counts add up, the longer time counts,
/// thresholds are forgotten (judge anew). Where both looked at the server, what `into` saw stays.
/// @returns why they are not of one run, `into` being as before: scenario, target, start, seed and
/// phases must be the same.
tl::expected<void, std::string> merge(run_result& into, const run_result& from);

/// What a threshold is about. Times are milliseconds from the intended start.
enum class measure : std::uint8_t {
  p50,
  p90,
  p99,
  p999,
  max,
  refusal_p99,        ///< how long it took to be refused
  rate_served_min,    ///< a second of measured time
  refused_share_max,  ///< of those offered
  failed_share_max,   ///< of those offered
  errors_max
};
/// The name as above.
std::string_view name_of(measure what);
std::optional<measure> measure_named(std::string_view name);

struct threshold {
  std::string of = "all";  ///< a request kind, or "all"
  measure what = measure::p99;
  double limit = 0;
};

/// Compares what was found with each threshold, in their order. A kind of which nothing was
/// offered, and a time of what never came, meet none.
std::vector<threshold_found> judge(const run_result& run, const std::vector<threshold>& thresholds);

/// @returns whether every threshold that the run was judged by is met.
bool all_met(const run_result& run);

/// What a terminal shows of a run.
std::string summary_text(const run_result& run);

/// Metrics that are no finite numbers are left out: JSON has none.
boost::json::value to_json(const run_result& run);

/// The inverse of `to_json`.
/// @returns where and why it is none: an unknown member is refused as a missing one is.
tl::expected<run_result, std::string> run_result_from_json(std::string_view text);

}  // namespace gelombang::load
