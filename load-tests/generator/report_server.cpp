#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "load-tests/generator/report_charts.hpp"
#include "load-tests/generator/report_html.hpp"

namespace gelombang::load {
namespace {

/// A metric over time, at the seconds at which it was seen.
struct metric_series {
  std::vector<std::pair<double, double>> seen;

  bool changes() const {
    return std::any_of(seen.begin(), seen.end(),
                       [&](const auto& one) { return one.second != seen.front().second; });
  }
};

/// The name without its labels.
std::string_view family_of(std::string_view name) {
  return name.substr(0, name.find('{'));
}

bool is_counter(std::string_view name) {
  const auto family = family_of(name);
  return family.ends_with("_total") || family.ends_with("_count") || family.ends_with("_sum");
}

/// How fast a counter grows between the times it was seen; nothing where it began anew.
metric_series growth_of(const metric_series& counter) {
  metric_series growth;
  for (std::size_t i = 1; i < counter.seen.size(); ++i) {
    const auto& [before, less] = counter.seen[i - 1];
    const auto& [second, more] = counter.seen[i];
    if (more >= less) growth.seen.emplace_back(second, (more - less) / (second - before));
  }
  return growth;
}

std::map<std::string, metric_series> series_of(const run_result& run) {
  std::map<std::string, metric_series> all;
  for (const auto& sample : run.server) {
    for (const auto& [name, value] : sample.metrics) {
      if (family_of(name).ends_with("_bucket")) continue;
      all[name].seen.emplace_back(static_cast<double>(sample.second), value);
    }
  }
  for (auto& [name, series] : all) {
    if (is_counter(name)) series = growth_of(series);
  }
  std::erase_if(all, [](const auto& one) { return one.second.seen.empty(); });
  return all;
}

/// The names of those that are drawn: what changes before what does not.
std::vector<std::string> chosen_of(const std::map<std::string, metric_series>& all) {
  std::vector<std::string> chosen;
  chosen.reserve(all.size());
  for (const auto& [name, series] : all) chosen.push_back(name);
  std::stable_partition(chosen.begin(), chosen.end(),
                        [&](const std::string& name) { return all.at(name).changes(); });
  chosen.resize(std::min(chosen.size(), report_metrics_max));
  return chosen;
}

chart metric_chart(const std::string& name, const metric_series& series, double whole) {
  chart made;
  made.title = is_counter(name) ? name + " a second" : name;
  made.x_title = "since the start";
  made.width = 360;
  made.height = 150;
  chart_line line{is_counter(name) ? "a second" : "value", {}};
  const auto group = (series.seen.size() + report_rows_max - 1) / report_rows_max;
  for (std::size_t begin = 0; begin < series.seen.size(); begin += group) {
    const auto end = std::min(begin + group, series.seen.size());
    double sum = 0;
    for (auto i = begin; i != end; ++i) sum += series.seen[i].second;
    const auto second = series.seen[begin].first;
    made.places.push_back({second, time_label(second, whole)});
    line.values.emplace_back(sum / static_cast<double>(end - begin));
  }
  const auto ticks = time_ticks(whole);
  made.x_ticks = {ticks.front(), ticks.back()};
  const auto [least, most] = std::minmax_element(line.values.begin(), line.values.end());
  made.description =
      "From " + number_text(**least) + " to " + number_text(**most) + " during the run.";
  made.lines.push_back(std::move(line));
  return made;
}

}  // namespace

server_charts server_charts_of(const run_result& run) {
  const auto all = series_of(run);
  const auto chosen = chosen_of(all);
  const auto whole =
      std::max(static_cast<double>(run.timeline.size()),
               run.server.empty() ? 0.0 : static_cast<double>(run.server.back().second));
  server_charts made;
  made.left_out = all.size() - chosen.size();
  for (const auto& name : chosen) {
    auto one = metric_chart(name, all.at(name), whole);
    one.id = "server-" + std::to_string(made.charts.size());
    made.charts.push_back(std::move(one));
  }
  return made;
}

}  // namespace gelombang::load
