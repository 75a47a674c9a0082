#include "load-tests/generator/report_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <set>

#include "load-tests/generator/report_html.hpp"

namespace gelombang::load {
namespace {

/// Some seconds of a run taken together; rates are their means.
struct stretch {
  double from = 0;
  double seconds = 0;
  second_slot sum;

  double per_second(std::uint64_t count) const { return static_cast<double>(count) / seconds; }
};

std::size_t group_of(std::size_t count, std::size_t groups_max) {
  return std::max<std::size_t>((count + groups_max - 1) / groups_max, 1);
}

std::vector<stretch> stretches_of(const std::vector<second_slot>& timeline) {
  const auto group = group_of(timeline.size(), report_points_max);
  std::vector<stretch> result;
  for (std::size_t i = 0; i != timeline.size(); ++i) {
    if (i % group == 0) result.push_back({static_cast<double>(i), 0, {}});
    result.back().seconds += 1;
    result.back().sum.merge(timeline[i]);
  }
  return result;
}

/// The places of `count` values, of which at most `report_rows_max` are rows of the table.
std::vector<tick> time_places(const std::vector<double>& seconds, double whole) {
  const auto every = group_of(seconds.size(), report_rows_max);
  std::vector<tick> places;
  places.reserve(seconds.size());
  for (std::size_t i = 0; i != seconds.size(); ++i) {
    places.push_back({seconds[i], i % every == 0 ? time_label(seconds[i], whole) : ""});
  }
  return places;
}

/// What the charts over time have in common.
chart over_time(const run_result& run, const std::vector<stretch>& stretches) {
  chart made;
  std::vector<double> seconds;
  seconds.reserve(stretches.size());
  for (const auto& one : stretches) seconds.push_back(one.from);
  const auto whole = static_cast<double>(run.timeline.size());
  made.places = time_places(seconds, whole);
  made.x_ticks = time_ticks(whole);
  made.x_title = "since the start";
  for (const auto& phase : run.phases) {
    made.bands.push_back({phase.measured ? phase.name : phase.name + " (not measured)",
                          std::chrono::duration<double>(phase.from).count(),
                          std::chrono::duration<double>(phase.to).count()});
  }
  return made;
}

template <class Value>
chart_line line_of(std::string name, const std::vector<stretch>& stretches, const Value& value) {
  chart_line line{std::move(name), {}};
  for (const auto& one : stretches) line.values.push_back(value(one));
  return line;
}

template <class Value>
double largest(const std::vector<stretch>& stretches, const Value& value) {
  double most = 0;
  for (const auto& one : stretches) most = std::max(most, value(one));
  return most;
}

chart rates_chart(const run_result& run, const std::vector<stretch>& stretches) {
  const auto offered = [](const stretch& one) { return one.per_second(one.sum.offered); };
  const auto served = [](const stretch& one) { return one.per_second(one.sum.served); };
  const auto refused = [](const stretch& one) { return one.per_second(one.sum.refused); };
  const auto failed = [](const stretch& one) { return one.per_second(one.sum.failed); };
  auto made = over_time(run, stretches);
  made.id = "rates";
  made.title = "Requests a second";
  made.y_title = "a second";
  made.description = fmt::format(
      "Offered at most {} a second, served at most {}, refused at most {}, failed at "
      "most {}.",
      number_text(largest(stretches, offered)), number_text(largest(stretches, served)),
      number_text(largest(stretches, refused)), number_text(largest(stretches, failed)));
  made.lines = {line_of("offered", stretches, offered), line_of("served", stretches, served),
                line_of("refused", stretches, refused), line_of("failed", stretches, failed)};
  return made;
}

chart latencies_chart(const run_result& run, const std::vector<stretch>& stretches) {
  struct percentile {
    const char* name;
    double share;
  };
  constexpr std::array<percentile, 4> percentiles{
      {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}};
  auto made = over_time(run, stretches);
  made.id = "latencies";
  made.title = "Latency over time";
  made.y_title = "ms";
  made.y_scale = axis_scale::logarithmic;
  for (const auto& one : percentiles) made.lines.push_back({one.name, {}});
  double worst = 0;
  for (const auto& one : stretches) {
    const histogram counted{one.sum.latency};
    for (std::size_t i = 0; i != percentiles.size(); ++i) {
      std::optional<double> value;
      if (counted.count() > 0) {
        value = static_cast<double>(counted.quantile(percentiles[i].share)) / 1000;
        worst = std::max(worst, *value);
      }
      made.lines[i].values.push_back(value);
    }
  }
  made.description = fmt::format(
      "Percentiles of what was served, from the intended start, on a logarithmic axis. The "
      "longest is {} ms.",
      number_text(worst));
  return made;
}

chart in_flight_chart(const run_result& run, const std::vector<stretch>& stretches) {
  auto made = over_time(run, stretches);
  const auto in_flight = [](const stretch& one) { return one.per_second(one.sum.in_flight); };
  made.id = "in-flight";
  made.title = "Requests in flight";
  made.y_title = "requests";
  made.height = 160;
  made.description = fmt::format("Sent and not yet answered at the end of each second: at most {}.",
                                 number_text(largest(stretches, in_flight)));
  made.lines = {line_of("in flight", stretches, in_flight)};
  return made;
}

/// The most frequent errors of a run, most first.
std::vector<std::pair<std::string, std::uint64_t>> frequent(const std::vector<stretch>& stretches) {
  counts_by_name counts;
  for (const auto& one : stretches) {
    for (const auto& [cause, count] : one.sum.errors) counts[cause] += count;
  }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& one, const auto& other) { return one.second > other.second; });
  return sorted;
}

chart errors_chart(const run_result& run, const std::vector<stretch>& stretches) {
  auto made = over_time(run, stretches);
  made.id = "errors";
  made.title = "What failed";
  made.y_title = "a second";
  made.height = 200;
  // One line for answers, one for the rest.
  auto causes = frequent(stretches);
  const auto named_max = chart_lines_max - 2;
  std::set<std::string, std::less<>> rest;
  for (std::size_t i = named_max; i < causes.size(); ++i) rest.insert(causes[i].first);
  causes.resize(std::min(causes.size(), named_max));
  made.lines.push_back(line_of("answers of no help", stretches, [](const stretch& one) {
    std::uint64_t errors = 0;
    for (const auto& [cause, count] : one.sum.errors) errors += count;
    return one.per_second(one.sum.failed - std::min(errors, one.sum.failed));
  }));
  std::string said;
  for (const auto& [cause, total] : causes) {
    said += fmt::format("{}{} {}", said.empty() ? "" : ", ", cause, total);
    made.lines.push_back(line_of(cause, stretches, [&name = cause](const stretch& one) {
      const auto found = one.sum.errors.find(name);
      return one.per_second(found == one.sum.errors.end() ? 0 : found->second);
    }));
  }
  if (!rest.empty()) {
    made.lines.push_back(line_of("others", stretches, [&](const stretch& one) {
      std::uint64_t count = 0;
      for (const auto& [cause, times] : one.sum.errors) count += rest.contains(cause) ? times : 0;
      return one.per_second(count);
    }));
  }
  made.description = said.empty() ? "Nobody was left without an answer."
                                  : "Without an answer, by cause, in all: " + said + ".";
  return made;
}

double percentile_place(double share) {
  return -std::log10(1 - share);
}

/// Percentiles by which people name latencies, and many between them for the curve.
std::vector<std::pair<double, std::string>> percentile_places(double most) {
  std::vector<std::pair<double, std::string>> places;
  for (auto [share, label] :
       std::initializer_list<std::pair<double, const char*>>{{0.0, "0"},
                                                             {0.25, "25"},
                                                             {0.5, "50"},
                                                             {0.75, "75"},
                                                             {0.9, "90"},
                                                             {0.95, "95"},
                                                             {0.99, "99"},
                                                             {0.995, "99.5"},
                                                             {0.999, "99.9"},
                                                             {0.9999, "99.99"},
                                                             {0.99999, "99.999"},
                                                             {0.999999, "99.9999"}}) {
    if (percentile_place(share) <= most) places.emplace_back(percentile_place(share), label);
  }
  constexpr int curve_points = 200;
  for (int i = 1; i != curve_points; ++i) places.emplace_back(most * i / curve_points, "");
  std::sort(places.begin(), places.end());
  return places;
}

/// The kinds to draw: the whole first, then those of which most was served.
std::vector<std::pair<std::string, const histogram*>> drawn_kinds(const run_result& run,
                                                                  const kind_result& total) {
  std::vector<std::pair<std::string, const histogram*>> kinds;
  for (const auto& [name, kind] : run.kinds) {
    if (kind.latency.count() > 0) kinds.emplace_back(name, &kind.latency);
  }
  std::stable_sort(kinds.begin(), kinds.end(), [](const auto& one, const auto& other) {
    return one.second->count() > other.second->count();
  });
  if (kinds.size() > 1) kinds.insert(kinds.begin(), {"all", &total.latency});
  kinds.resize(std::min(kinds.size(), chart_lines_max));
  return kinds;
}

chart percentiles_chart(const std::vector<std::pair<std::string, const histogram*>>& kinds) {
  double most = 1;
  for (const auto& [name, counted] : kinds) {
    most = std::max(most, std::log10(static_cast<double>(counted->count())));
  }
  most = std::min(most, 6.0);
  chart made;
  made.id = "percentiles";
  made.title = "Latency by percentile";
  made.x_title = "percentile";
  made.y_title = "ms";
  made.y_scale = axis_scale::logarithmic;
  constexpr std::array<const char*, 7> nines{"0", "90", "99", "99.9", "99.99", "99.999", "99.9999"};
  for (std::size_t i = 0; i != nines.size() && static_cast<double>(i) <= most; ++i) {
    made.x_ticks.push_back({static_cast<double>(i), nines[i]});
  }
  const auto places = percentile_places(most);
  for (const auto& [at, label] : places) made.places.push_back({at, label});
  made.places.push_back({most, "100"});
  for (const auto& [name, counted] : kinds) {
    chart_line line{name, {}};
    const auto reached = std::log10(static_cast<double>(counted->count())) + 1e-9;
    for (const auto& [at, label] : places) {
      // What fewer than one of them would be is not known.
      std::optional<double> value;
      if (at <= reached) {
        value = static_cast<double>(counted->quantile(1 - std::pow(10, -at))) / 1000;
      }
      line.values.push_back(value);
    }
    line.values.push_back(static_cast<double>(counted->max()) / 1000);
    made.lines.push_back(std::move(line));
  }
  made.description =
      "Latency of what was served, from the intended start, at each percentile; each step to the "
      "right is a tenth of the requests.";
  return made;
}

chart histogram_chart(const histogram& counted) {
  constexpr double bins_per_decade = 20;
  const auto bin_of = [](std::uint64_t microseconds) {
    return static_cast<int>(
        std::floor(bins_per_decade *
                   std::log10(static_cast<double>(std::max<std::uint64_t>(microseconds, 1)))));
  };
  const auto first = bin_of(counted.min());
  std::vector<std::uint64_t> bins(static_cast<std::size_t>(bin_of(counted.max()) - first) + 1);
  counted.for_each_bucket([&](std::uint64_t low, std::uint64_t high, std::uint64_t count) {
    const auto middle = std::clamp(low + (high - low) / 2, counted.min(), counted.max());
    bins[static_cast<std::size_t>(bin_of(middle) - first)] += count;
  });
  chart made;
  made.id = "histogram";
  made.title = "How long requests took";
  made.x_title = "ms, logarithmic";
  made.y_title = "requests";
  made.height = 200;
  chart_line line{"requests", {}};
  for (std::size_t i = 0; i != bins.size(); ++i) {
    // Two places a bin, so that the line has its steps.
    const auto left = (first + static_cast<double>(i)) / bins_per_decade - 3;
    const auto right = left + 1 / bins_per_decade;
    made.places.push_back({left, bins[i] == 0 ? ""
                                              : fmt::format("{:.3g} to {:.3g}", std::pow(10, left),
                                                            std::pow(10, right))});
    made.places.push_back({right, ""});
    line.values.insert(line.values.end(), 2, static_cast<double>(bins[i]));
  }
  const auto last_power = static_cast<int>(std::floor(made.places.back().at));
  for (auto power = static_cast<int>(std::ceil(made.places.front().at)); power <= last_power;
       ++power) {
    made.x_ticks.push_back({static_cast<double>(power), number_text(std::pow(10, power))});
  }
  made.lines.push_back(std::move(line));
  made.description = fmt::format(
      "Of {} requests served, how many took how long: the shortest {} ms, the longest {} ms, {} ms "
      "in the mean.",
      counted.count(), number_text(static_cast<double>(counted.min()) / 1000),
      number_text(static_cast<double>(counted.max()) / 1000), number_text(counted.mean() / 1000));
  return made;
}

}  // namespace

std::vector<chart> timeline_charts(const run_result& run) {
  if (run.timeline.empty()) return {};
  const auto stretches = stretches_of(run.timeline);
  return {rates_chart(run, stretches), latencies_chart(run, stretches),
          in_flight_chart(run, stretches), errors_chart(run, stretches)};
}

std::vector<chart> distribution_charts(const run_result& run) {
  const auto total = run.total();
  if (total.latency.count() == 0) return {};
  return {percentiles_chart(drawn_kinds(run, total)), histogram_chart(total.latency)};
}

}  // namespace gelombang::load
