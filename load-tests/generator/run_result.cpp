#include "load-tests/generator/run_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace gelombang::load {
namespace {

struct measure_kind {
  measure what;
  std::string_view name;
  std::string_view explained;
};

constexpr std::array<measure_kind, 10> measures{{
    {measure::p50, "p50", "p50, ms at most"},
    {measure::p90, "p90", "p90, ms at most"},
    {measure::p99, "p99", "p99, ms at most"},
    {measure::p999, "p999", "p99.9, ms at most"},
    {measure::max, "max", "longest, ms at most"},
    {measure::refusal_p99, "refusal_p99", "p99 of being refused, ms at most"},
    {measure::rate_served_min, "rate_served_min", "served a second, at least"},
    {measure::refused_share_max, "refused_share_max", "share refused, at most"},
    {measure::failed_share_max, "failed_share_max", "share failed, at most"},
    {measure::errors_max, "errors_max", "without an answer, at most"},
}};

const measure_kind& kind_of(measure what) {
  return *std::find_if(measures.begin(), measures.end(),
                       [&](const measure_kind& one) { return one.what == what; });
}

template <class Counts>
void add_counts(Counts& into, const Counts& from) {
  for (const auto& [key, count] : from) into[key] += count;
}

std::optional<double> milliseconds(const histogram& of, double share) {
  if (of.count() == 0) return std::nullopt;
  return static_cast<double>(of.quantile(share)) / 1000;
}

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// What `kind`, of which something was offered, shows of `what`.
std::optional<double> found_in(const kind_result& kind, measure what, double seconds) {
  const auto counts = tally_of(kind);
  switch (what) {
    case measure::p50:
      return milliseconds(kind.latency, 0.5);
    case measure::p90:
      return milliseconds(kind.latency, 0.9);
    case measure::p99:
      return milliseconds(kind.latency, 0.99);
    case measure::p999:
      return milliseconds(kind.latency, 0.999);
    case measure::max:
      return milliseconds(kind.latency, 1);
    case measure::refusal_p99:
      return milliseconds(kind.refusal, 0.99);
    case measure::rate_served_min:
      if (seconds <= 0) return std::nullopt;
      return static_cast<double>(counts.served) / seconds;
    case measure::refused_share_max:
      return share_of(counts.refused, kind.offered);
    case measure::failed_share_max:
      return share_of(counts.failed, kind.offered);
    case measure::errors_max:
      return static_cast<double>(counts.errors);
  }
  return std::nullopt;
}

std::string differing(std::string_view what, std::string_view one, std::string_view other) {
  return fmt::format("not of one run: {} is {} and {}", what, one, other);
}

/// Nothing when both are of one run, otherwise what differs.
std::string difference(const run_result& one, const run_result& other) {
  if (one.scenario != other.scenario) return differing("scenario", one.scenario, other.scenario);
  if (one.target != other.target) return differing("target", one.target, other.target);
  if (one.started_at != other.started_at) {
    return differing("start", one.started_at, other.started_at);
  }
  if (one.seed != other.seed) {
    return differing("seed", fmt::to_string(one.seed), fmt::to_string(other.seed));
  }
  if (one.phases != other.phases) return "not of one run: their phases differ";
  return {};
}

std::vector<server_sample> merged(const std::vector<server_sample>& first,
                                  const std::vector<server_sample>& second) {
  std::vector<server_sample> both;
  std::merge(first.begin(), first.end(), second.begin(), second.end(), std::back_inserter(both),
             [](const auto& one, const auto& other) { return one.second < other.second; });
  std::vector<server_sample> result;
  for (auto& one : both) {
    if (result.empty() || result.back().second != one.second) {
      result.push_back(std::move(one));
    } else {
      result.back().metrics.merge(one.metrics);
    }
  }
  return result;
}

template <class Counts>
std::string counts_text(std::string_view title, const Counts& counts) {
  if (counts.empty()) return {};
  std::string text{title};
  for (const auto& [key, count] : counts) text += fmt::format("  {} {}", key, count);
  return text + '\n';
}

std::string kind_line(std::string_view name, const kind_result& kind, double seconds) {
  const auto counts = tally_of(kind);
  const auto rate = seconds > 0 ? static_cast<double>(counts.served) / seconds : 0;
  auto line = fmt::format("{:<16} {:>11} {:>11.1f} {:>8.2f}% {:>7.2f}%", name, kind.offered, rate,
                          100 * share_of(counts.refused, kind.offered),
                          100 * share_of(counts.failed, kind.offered));
  for (auto share : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto found = milliseconds(kind.latency, share);
    line += found ? fmt::format(" {:>10.2f}", *found) : fmt::format(" {:>10}", "-");
  }
  return line + '\n';
}

std::string thresholds_text(const std::vector<threshold_found>& thresholds) {
  std::string text;
  for (const auto& one : thresholds) {
    text += fmt::format("{}  {} {}: {}\n", one.met ? "met   " : "MISSED", one.name, one.limit,
                        one.found ? fmt::format("{:.6g}", *one.found) : "nothing to measure");
  }
  return text;
}

}  // namespace

standing standing_of(int status) {
  if ((status >= 200 && status < 300) || status == 304) return standing::served;
  return status == 429 || status == 503 ? standing::refused : standing::failed;
}

void kind_result::merge(const kind_result& other) {
  offered += other.offered;
  sent += other.sent;
  add_counts(answers, other.answers);
  add_counts(errors, other.errors);
  latency.merge(other.latency);
  service.merge(other.service);
  refusal.merge(other.refusal);
}

tally tally_of(const kind_result& kind) {
  tally counts;
  for (const auto& [status, count] : kind.answers) {
    switch (standing_of(status)) {
      case standing::served:
        counts.served += count;
        break;
      case standing::refused:
        counts.refused += count;
        break;
      case standing::failed:
        counts.failed += count;
        break;
    }
  }
  for (const auto& [cause, count] : kind.errors) counts.errors += count;
  counts.failed += counts.errors;
  return counts;
}

void second_slot::merge(const second_slot& other) {
  offered += other.offered;
  sent += other.sent;
  served += other.served;
  refused += other.refused;
  failed += other.failed;
  in_flight += other.in_flight;
  add_counts(errors, other.errors);
  latency.merge(other.latency);
}

kind_result run_result::total() const {
  kind_result all;
  for (const auto& [name, kind] : kinds) all.merge(kind);
  return all;
}

double run_result::measured_seconds() const {
  if (phases.empty()) return seconds;
  std::chrono::nanoseconds measured{0};
  for (const auto& phase : phases) {
    if (phase.measured) measured += phase.to - phase.from;
  }
  return std::chrono::duration<double>(measured).count();
}

tl::expected<void, std::string> merge(run_result& into, const run_result& from) {
  if (auto why = difference(into, from); !why.empty()) return tl::unexpected(std::move(why));
  into.seconds = std::max(into.seconds, from.seconds);
  into.generators += from.generators;
  for (const auto& [name, kind] : from.kinds) into.kinds[name].merge(kind);
  into.timeline.resize(std::max(into.timeline.size(), from.timeline.size()));
  for (std::size_t i = 0; i != from.timeline.size(); ++i) {
    into.timeline[i].merge(from.timeline[i]);
  }
  into.server = merged(into.server, from.server);
  into.thresholds.clear();
  for (const auto& note : from.notes) {
    if (std::find(into.notes.begin(), into.notes.end(), note) == into.notes.end()) {
      into.notes.push_back(note);
    }
  }
  return {};
}

std::string_view name_of(measure what) {
  return kind_of(what).name;
}

std::optional<measure> measure_named(std::string_view name) {
  for (const auto& one : measures) {
    if (one.name == name) return one.what;
  }
  return std::nullopt;
}

std::vector<threshold_found> judge(const run_result& run,
                                   const std::vector<threshold>& thresholds) {
  const auto total = run.total();
  const auto seconds = run.measured_seconds();
  const auto offered = [&](const std::string& name) -> const kind_result* {
    const auto known = run.kinds.find(name);
    const auto* kind = name == "all" ? &total : known == run.kinds.end() ? nullptr : &known->second;
    return kind && kind->offered > 0 ? kind : nullptr;
  };
  std::vector<threshold_found> found;
  for (const auto& one : thresholds) {
    threshold_found judged;
    judged.name = fmt::format("{}: {}", one.of, kind_of(one.what).explained);
    judged.limit = one.limit;
    if (const auto* kind = offered(one.of)) judged.found = found_in(*kind, one.what, seconds);
    const auto is_least = one.what == measure::rate_served_min;
    judged.met =
        judged.found && (is_least ? *judged.found >= one.limit : *judged.found <= one.limit);
    found.push_back(std::move(judged));
  }
  return found;
}

bool all_met(const run_result& run) {
  return std::all_of(run.thresholds.begin(), run.thresholds.end(),
                     [](const threshold_found& one) { return one.met; });
}

std::string summary_text(const run_result& run) {
  const auto total = run.total();
  auto text = fmt::format("{} at {}, {}, {:.1f} s, seed {}, {} generator{}\n\n", run.scenario,
                          run.target, run.started_at, run.seconds, run.seed, run.generators,
                          run.generators == 1 ? "" : "s");
  text += fmt::format("{:<16} {:>11} {:>11} {:>9} {:>8} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "",
                      "offered", "served/s", "refused", "failed", "p50 ms", "p90 ms", "p99 ms",
                      "p99.9 ms", "max ms");
  const auto seconds = run.measured_seconds();
  for (const auto& [name, kind] : run.kinds) text += kind_line(name, kind, seconds);
  if (run.kinds.size() != 1) text += kind_line("all", total, seconds);
  text += '\n' + counts_text("answers", total.answers) + counts_text("errors ", total.errors);
  if (total.refusal.count() > 0) {
    text += fmt::format("refused within {:.2f} ms (p99)\n", *milliseconds(total.refusal, 0.99));
  }
  if (total.offered > total.sent) {
    text += fmt::format("{} were due and never sent\n", total.offered - total.sent);
  }
  if (!run.thresholds.empty()) text += '\n' + thresholds_text(run.thresholds);
  for (const auto& note : run.notes) text += "note: " + note + '\n';
  return text;
}

}  // namespace gelombang::load
