#include "load-tests/generator/report_html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "load-tests/generator/chart.hpp"
#include "load-tests/generator/report_charts.hpp"
#include "tests/load-tests/runs.hpp"

namespace gelombang::load {
namespace {

using testing::behaviour;
using ::testing::HasSubstr;
using testing::made_up_run;
using ::testing::Not;

std::size_t times_in(const std::string& text, std::string_view part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// Empty when every element of `html` is closed in turn, otherwise the first that is not.
std::string unbalanced_in(const std::string& html) {
  static const std::regex tag{R"(<(/?)([a-zA-Z0-9]+)[^<>]*?(/?)>)"};
  std::vector<std::string> open;
  for (std::sregex_iterator one{html.begin(), html.end(), tag}; one != std::sregex_iterator{};
       ++one) {
    const auto name = (*one)[2].str();
    if (name == "meta" || (*one)[3].length() > 0) continue;
    if ((*one)[1].length() == 0) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + ">";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

run_result judged_run() {
  auto run = made_up_run({.seconds = 30, .served = 0.9});
  run.thresholds = judge(run, {{"join", measure::p99, 1e6}, {"join", measure::errors_max, 0}});
  run.notes = {"slow disk"};
  return run;
}

TEST(ReportHtml, NeedsNothingFromElsewhere) {
  const auto html = report_html(judged_run());
  for (auto reference : {"http:", "https:", "src=", "href=", "url(", "@import", "<script", "<link",
                         "<iframe", "<img", "<object", "javascript:", "onload"}) {
    EXPECT_THAT(html, Not(HasSubstr(reference)));
  }
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
}

TEST(ReportHtml, ClosesWhatItOpens) {
  EXPECT_EQ(unbalanced_in("<p><b>x</p></b>"), "</p>");
  EXPECT_EQ(unbalanced_in(report_html(judged_run())), "");
  EXPECT_EQ(unbalanced_in(report_html({})), "");
  auto failed = made_up_run({.seconds = 3, .served = 0});
  EXPECT_EQ(unbalanced_in(report_html(failed)), "");
}

TEST(ReportHtml, SaysEveryChartInWordsAndAsATable) {
  const auto html = report_html(judged_run());
  const auto figures = times_in(html, "<figure ");
  EXPECT_EQ(figures, 4u + 2 + 2);
  EXPECT_EQ(times_in(html, "<svg viewBox=\"0 0 30 10\">") + figures, times_in(html, "<svg "));
  EXPECT_EQ(times_in(html, "role=\"img\" aria-labelledby="), figures);
  EXPECT_EQ(times_in(html, "<title id="), figures);
  EXPECT_EQ(times_in(html, "<desc id="), figures);
  EXPECT_EQ(times_in(html, "<details><summary>"), figures);
}

TEST(ReportHtml, TellsWhatTheRunFound) {
  const auto run = judged_run();
  const auto html = report_html(run);
  EXPECT_THAT(html, HasSubstr("<h1>opening-day</h1>"));
  EXPECT_THAT(html, HasSubstr("1 of 2 thresholds missed."));
  EXPECT_THAT(html, HasSubstr("✓ met"));
  EXPECT_THAT(html, HasSubstr("✗ missed"));
  EXPECT_THAT(html, HasSubstr("<dt>offered a second</dt><dd>200</dd>"));
  EXPECT_THAT(html, HasSubstr(fmt::format("<tr><th scope=\"row\">join</th><td>6000</td><td>6000"
                                          "</td><td>{}</td>",
                                          tally_of(run.kinds.at("join")).served)));
  EXPECT_THAT(html, HasSubstr("<li>slow disk</li>"));
  EXPECT_THAT(html, HasSubstr(">opening</text>"));
  EXPECT_THAT(html, HasSubstr("gelombang_joins_total a second"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\">timeout</th>"));
}

TEST(ReportHtml, WhatOthersNamedIsOnlyText) {
  auto run = judged_run();
  const std::string rude = "<script>alert(\"1\" & '2')</script>";
  run.scenario = run.target = run.started_at = run.phases[0].name = rude;
  run.kinds[rude] = run.kinds["join"];
  run.kinds[rude].errors[rude] = 1;
  run.timeline[0].errors[rude] = 1;
  run.thresholds[0].name = rude;
  run.notes = {rude};
  run.server[0].metrics[rude] = 1;
  const auto html = report_html(run);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)"));
  EXPECT_EQ(unbalanced_in(html), "");
}

TEST(ReportHtml, AnHourStaysSmall) {
  auto run = made_up_run({.seconds = 3600, .offered_per_second = 10, .served = 0.8});
  for (auto& sample : run.server) {
    for (int i = 0; i != 100; ++i) {
      sample.metrics[fmt::format("metric_{}", i)] = static_cast<double>(sample.second * 123457 + 1);
    }
  }
  const auto html = report_html(run);
  EXPECT_LT(html.size(), 500'000u);
  EXPECT_THAT(html, HasSubstr("78 more metrics"));
  EXPECT_EQ(times_in(html, "<figure id=\"server-"), report_metrics_max);
  for (const auto& one : timeline_charts(run)) {
    EXPECT_EQ(one.places.size(), report_points_max);
    const auto rows = std::count_if(one.places.begin(), one.places.end(),
                                    [](const tick& place) { return !place.label.empty(); });
    EXPECT_EQ(static_cast<std::size_t>(rows), report_rows_max);
  }
}

TEST(ReportCharts, SecondsTakenTogetherKeepTheirMeans) {
  // Three seconds a point.
  const auto run = made_up_run({.seconds = 1500, .offered_per_second = 10, .served = 0.8});
  const auto charts = timeline_charts(run);
  const auto& served = charts[0].lines[1];
  EXPECT_EQ(served.name, "served");
  ASSERT_EQ(served.values.size(), 500u);
  const auto& slots = run.timeline;
  EXPECT_DOUBLE_EQ(served.values[7].value(),
                   static_cast<double>(slots[21].served + slots[22].served + slots[23].served) / 3);
  auto together = slots[21].latency;
  together.merge(slots[22].latency);
  together.merge(slots[23].latency);
  const auto& p99 = charts[1].lines[2];
  EXPECT_EQ(p99.name, "p99");
  EXPECT_DOUBLE_EQ(p99.values[7].value(),
                   static_cast<double>(histogram(together).quantile(0.99)) / 1000);
}

TEST(ReportCharts, ASecondInWhichNothingWasServedIsAGap) {
  auto run = made_up_run({.seconds = 10});
  run.timeline[4] = {};
  const auto charts = timeline_charts(run);
  EXPECT_FALSE(charts[1].lines[0].values[4].has_value());
  EXPECT_TRUE(charts[1].lines[0].values[5].has_value());
  EXPECT_EQ(charts[0].lines[1].values[4], 0.0);
  EXPECT_EQ(times_in(figure_of(charts[1]), "M"), 2u * 4);
}

TEST(ReportCharts, RareErrorsAreTakenTogether) {
  auto run = made_up_run({.seconds = 2});
  run.timeline[0].errors = {{"a", 9}, {"b", 8}, {"c", 7}, {"d", 6}, {"e", 5}, {"f", 4}};
  run.timeline[0].failed = 40;
  const auto lines = timeline_charts(run)[3].lines;
  ASSERT_EQ(lines.size(), chart_lines_max);
  EXPECT_EQ(lines[0].values[0], 1.0);
  EXPECT_EQ(lines[1].name, "a");
  EXPECT_EQ(lines[1].values[0], 9.0);
  EXPECT_EQ(lines[5].name, "others");
  EXPECT_EQ(lines[5].values[0], 9.0);
}

TEST(ReportCharts, PercentilesEndWhereThereAreNoMoreRequests) {
  run_result run;
  for (std::uint64_t i = 1; i <= 10'000; ++i) run.kinds["many"].latency.record(i);
  run.kinds["few"].latency.record_many(500, 10);
  const auto made = distribution_charts(run).at(0);
  ASSERT_EQ(made.lines.size(), 3u);
  EXPECT_EQ(made.lines[0].name, "all");
  EXPECT_EQ(made.lines[1].name, "many");
  for (std::size_t i = 0; i != made.places.size(); ++i) {
    const auto& label = made.places[i].label;
    EXPECT_NE(label, "99.999");
    if (label == "99") {
      EXPECT_NEAR(made.lines[1].values[i].value(), 9.9, 9.9 / 128);
      EXPECT_FALSE(made.lines[2].values[i].has_value());
    }
    if (label == "50") {
      EXPECT_DOUBLE_EQ(made.lines[2].values[i].value(), 0.5);
    }
    if (label == "100") {
      EXPECT_DOUBLE_EQ(made.lines[1].values[i].value(), 10);
    }
  }
}

TEST(ReportCharts, TheHistogramCountsEveryone) {
  const auto run = made_up_run({.seconds = 20});
  const auto made = distribution_charts(run).at(1);
  double counted = 0;
  for (std::size_t i = 0; i < made.places.size(); i += 2) counted += *made.lines[0].values[i];
  EXPECT_EQ(counted, 20.0 * 200);
}

TEST(ReportCharts, CountersAreShownAsTheirGrowth) {
  run_result run;
  run.server = {{0, {{"joins_total", 10}, {"memory", 5}, {"wait_bucket{le=\"1\"}", 1}}},
                {2, {{"joins_total", 30}, {"memory", 5}}},
                {3, {{"joins_total", 4}, {"memory", 5}}},
                {5, {{"joins_total", 5}, {"memory", 5}}}};
  const auto [charts, left_out] = server_charts_of(run);
  ASSERT_EQ(charts.size(), 2u);
  EXPECT_EQ(left_out, 0u);
  EXPECT_EQ(charts[0].title, "joins_total a second");
  // It began anew between 2 and 3.
  EXPECT_EQ(charts[0].lines[0].values, (std::vector<std::optional<double>>{10.0, 0.5}));
  EXPECT_EQ(charts[1].title, "memory");
}

std::vector<std::string> labels_of(const std::vector<tick>& ticks) {
  std::vector<std::string> labels;
  for (const auto& one : ticks) labels.push_back(one.label);
  return labels;
}

TEST(Chart, TicksAreRound) {
  using labels = std::vector<std::string>;
  EXPECT_EQ(labels_of(linear_ticks(0)), (labels{"0", "1"}));
  EXPECT_EQ(labels_of(linear_ticks(9)), (labels{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(labels_of(linear_ticks(150'000)),
            (labels{"0", "20k", "40k", "60k", "80k", "100k", "120k", "140k", "160k"}));
  EXPECT_EQ(labels_of(linear_ticks(0.04)), (labels{"0", "0.01", "0.02", "0.03", "0.04"}));
  EXPECT_EQ(labels_of(logarithmic_ticks(0.3, 40)), (labels{"0.1", "1", "10", "100"}));
  EXPECT_EQ(labels_of(logarithmic_ticks(1, 1)), (labels{"1", "10"}));
  EXPECT_EQ(labels_of(time_ticks(50)), (labels{"0 s", "5 s", "10 s", "15 s", "20 s", "25 s", "30 s",
                                               "35 s", "40 s", "45 s", "50 s"}));
  EXPECT_EQ(labels_of(time_ticks(1500)),
            (labels{"0:00", "5:00", "10:00", "15:00", "20:00", "25:00"}));
  EXPECT_EQ(labels_of(time_ticks(7200)).back(), "2:00:00");
  for (double most = 1e-6; most < 1e12; most *= 1.37) {
    const auto ticks = linear_ticks(most);
    EXPECT_GE(ticks.back().at, most * (1 - 1e-9)) << most;
    EXPECT_LE(ticks.size(), 12u) << most;
    EXPECT_GE(ticks.size(), 4u) << most;
  }
}

TEST(Chart, ValuesBelowZeroHaveTheirPlace) {
  chart one;
  one.places = {{0, "0"}, {1, "1"}};
  one.x_ticks = one.places;
  one.lines = {{"balance", {-3.0, 2.0}}};
  const auto html = figure_of(one);
  EXPECT_THAT(html, HasSubstr(">-3</text>"));
  EXPECT_THAT(html, HasSubstr(">3</text>"));
}

}  // namespace
}  // namespace gelombang::load
