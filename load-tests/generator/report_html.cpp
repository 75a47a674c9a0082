#include "load-tests/generator/report_html.hpp"

#include <fmt/format.h>

#include "load-tests/generator/chart.hpp"
#include "load-tests/generator/report_charts.hpp"

namespace gelombang::load {
namespace {

constexpr std::string_view page_style = R"(
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem 1.2rem 3rem; background: var(--page);
  color: var(--ink); font: 16px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: .6rem 0 .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.faint { color: var(--faint); }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .6rem; margin: 1rem 0; }
.figures div { background: var(--band); border-radius: .4rem; padding: .5rem .8rem; }
.figures dt { color: var(--faint); font-size: .85rem; } .figures dd { margin: 0; font-size: 1.3rem; }
.verdict { border-left: .3rem solid var(--s1); padding-left: .7rem; }
.missed { border-color: var(--s2); } td.missed { color: var(--s2); font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child { text-align: left; }
summary { cursor: pointer; color: var(--faint); font-size: .85rem; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 0 1.5rem; }
.small figcaption { font-size: .85rem; overflow-wrap: anywhere; }
)";

double share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string milliseconds(const histogram& of, double share) {
  return of.count() == 0 ? "–" : number_text(static_cast<double>(of.quantile(share)) / 1000);
}

std::string figure(std::string_view name, const std::string& value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", name, value);
}

std::string rate_text(std::uint64_t count, double seconds) {
  return seconds > 0 ? number_text(static_cast<double>(count) / seconds) : "–";
}

std::string head_html(const run_result& run) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<title>{0} at {1}</title><style>{2}{3}</style></head>\n<body>\n<h1>{0}</h1>\n"
      "<p class=\"faint\">at {1}, {4}, {5:.1f} s, seed {6}, {7} generator{8}</p>\n",
      html_text(run.scenario), html_text(run.target), chart_style(), page_style,
      html_text(run.started_at), run.seconds, run.seed, run.generators,
      run.generators == 1 ? "" : "s");
}

std::string figures_html(const run_result& run, const kind_result& total) {
  const auto counts = tally_of(total);
  const auto seconds = run.measured_seconds();
  return "<dl class=\"figures\">" + figure("offered a second", rate_text(total.offered, seconds)) +
         figure("served a second", rate_text(counts.served, seconds)) +
         figure("p50", milliseconds(total.latency, 0.5) + " ms") +
         figure("p99", milliseconds(total.latency, 0.99) + " ms") +
         figure("longest", milliseconds(total.latency, 1) + " ms") +
         figure("refused", fmt::format("{:.2f} %", share_of(counts.refused, total.offered))) +
         figure("failed", fmt::format("{:.2f} %", share_of(counts.failed, total.offered))) +
         "</dl>\n";
}

std::string thresholds_html(const run_result& run) {
  if (run.thresholds.empty()) return "<p class=\"faint\">The scenario sets no thresholds.</p>\n";
  std::string rows;
  std::size_t missed = 0;
  for (const auto& one : run.thresholds) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td{}>{}</td></tr>\n",
                        html_text(one.name), number_text(one.limit),
                        one.found ? number_text(*one.found) : "nothing to measure",
                        one.met ? "" : " class=\"missed\"", one.met ? "✓ met" : "✗ missed");
    missed += one.met ? 0 : 1;
  }
  const auto verdict =
      missed == 0 ? fmt::format("All {} thresholds are met.", run.thresholds.size())
                  : fmt::format("{} of {} thresholds missed.", missed, run.thresholds.size());
  return fmt::format(
      "<h2>Thresholds</h2>\n<p class=\"verdict{}\">{}</p>\n<div class=\"wide\"><table><thead><tr>"
      "<th scope=\"col\">what</th><th scope=\"col\">limit</th><th scope=\"col\">found</th>"
      "<th scope=\"col\">so it is</th></tr></thead><tbody>\n{}</tbody></table></div>\n",
      missed == 0 ? "" : " missed", verdict, rows);
}

std::string kind_row(std::string_view name, const kind_result& kind, double seconds) {
  const auto counts = tally_of(kind);
  auto row = fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td>"
      "<td>{:.2f} %</td><td>{:.2f} %</td>",
      html_text(name), kind.offered, kind.sent, counts.served, rate_text(counts.served, seconds),
      share_of(counts.refused, kind.offered), share_of(counts.failed, kind.offered));
  for (auto share : {0.5, 0.9, 0.99, 0.999, 1.0}) {
    row += "<td>" + milliseconds(kind.latency, share) + "</td>";
  }
  return row + "<td>" + milliseconds(kind.service, 0.99) + "</td><td>" +
         milliseconds(kind.refusal, 0.99) + "</td></tr>\n";
}

template <class Counts>
std::string counts_html(std::string_view title, const Counts& counts) {
  if (counts.empty()) return {};
  std::string list;
  for (const auto& [key, count] : counts) {
    list +=
        fmt::format("{}{}: {}", list.empty() ? "" : ", ", html_text(fmt::to_string(key)), count);
  }
  return fmt::format("<p>{}: {}.</p>\n", title, list);
}

std::string kinds_html(const run_result& run, const kind_result& total) {
  std::string html =
      "<h2>Requests by kind</h2>\n<div class=\"wide\"><table><thead><tr><th "
      "scope=\"col\">kind</th>";
  for (auto title :
       {"offered", "sent", "served", "served/s", "refused", "failed", "p50 ms", "p90 ms", "p99 ms",
        "p99.9 ms", "longest ms", "p99 from sending, ms", "p99 of being refused, ms"}) {
    html += fmt::format("<th scope=\"col\">{}</th>", title);
  }
  html += "</tr></thead><tbody>\n";
  const auto seconds = run.measured_seconds();
  for (const auto& [name, kind] : run.kinds) html += kind_row(name, kind, seconds);
  if (run.kinds.size() != 1) html += kind_row("all", total, seconds);
  html += "</tbody></table></div>\n";
  return html + counts_html("Answers by status", total.answers) +
         counts_html("Without an answer, by cause", total.errors) +
         "<p class=\"faint\">Latencies are of what was served, from the moment each request was "
         "due, whether it could be sent then or not.</p>\n";
}

std::string server_html(const run_result& run) {
  const auto server = server_charts_of(run);
  if (server.charts.empty()) return {};
  std::string html = "<h2>What the server says</h2>\n<div class=\"small\">\n";
  for (const auto& one : server.charts) html += figure_of(one);
  html += "</div>\n";
  if (server.left_out > 0) {
    html += fmt::format("<p class=\"faint\">{} more metrics are in the file of the run.</p>\n",
                        server.left_out);
  }
  return html;
}

std::string notes_html(const run_result& run) {
  if (run.notes.empty()) return {};
  std::string html = "<h2>Notes</h2>\n<ul>\n";
  for (const auto& note : run.notes) html += "<li>" + html_text(note) + "</li>\n";
  return html + "</ul>\n";
}

}  // namespace

std::string report_html(const run_result& run) {
  const auto total = run.total();
  auto html = head_html(run) + figures_html(run, total) + thresholds_html(run);
  html += kinds_html(run, total);
  const auto over_time = timeline_charts(run);
  if (!over_time.empty()) html += "<h2>Over time</h2>\n";
  for (const auto& one : over_time) html += figure_of(one);
  const auto distribution = distribution_charts(run);
  if (!distribution.empty()) html += "<h2>How latencies are spread</h2>\n";
  for (const auto& one : distribution) html += figure_of(one);
  return html + server_html(run) + notes_html(run) + "</body></html>\n";
}

}  // namespace gelombang::load
