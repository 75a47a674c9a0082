#include "load-tests/generator/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

namespace gelombang::load {
namespace {

constexpr double left = 58, right = 10, top = 22, bottom = 34;
/// A character of a band's name; narrower bands go without.
constexpr double letter_width = 6.5;

constexpr std::string_view style = R"(
:root { --s0: #0b62a4; --s1: #00795a; --s2: #b3400a; --s3: #9b3d7a; --s4: #8a6100; --s5: #4b46b8;
  --ink: #1c2126; --faint: #5a636c; --grid: #dfe3e7; --band: #f1f4f7; --page: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --s0: #6db9f2; --s1: #4fd0a5; --s2: #ff9a62; --s3: #e59acb; --s4: #f0c04a; --s5: #aeb4ff;
    --ink: #e6e9ec; --faint: #a3adb6; --grid: #343b42; --band: #20262b; --page: #15191c; } }
figure { margin: 1.5rem 0; }
figcaption { font-weight: 600; }
figure > svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--faint); font-size: 11px; }
svg .grid { stroke: var(--grid); stroke-width: 1; }
svg .band { fill: var(--band); }
svg path, .legend line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
.s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
.s1 { stroke-dasharray: 7 3; } .s2 { stroke-dasharray: 2 4; } .s3 { stroke-dasharray: 9 3 2 3; }
.s4 { stroke-dasharray: 4 4; } .s5 { stroke-dasharray: 12 5; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: .2rem 0; padding: 0; }
.legend svg { width: 30px; height: 10px; margin-right: .4rem; }
)";

struct scale {
  double from, to, pixel_from, pixel_to;
  double operator()(double value) const {
    return pixel_from + (value - from) / (to - from) * (pixel_to - pixel_from);
  }
};

bool drawn(const chart& of, const std::optional<double>& value) {
  return value && std::isfinite(*value) && (of.y_scale == axis_scale::linear || *value > 0);
}

/// The y axis: its ticks, and where a value goes.
struct y_axis {
  std::vector<tick> ticks;
  scale place;
  bool is_logarithmic;

  double operator()(double value) const {
    return place(is_logarithmic ? std::log10(value) : value);
  }
};

y_axis y_axis_of(const chart& of) {
  double least = 0;
  double most = 0;
  bool is_first = true;
  for (const auto& line : of.lines) {
    for (const auto& value : line.values) {
      if (!drawn(of, value)) continue;
      least = is_first ? *value : std::min(least, *value);
      most = is_first ? *value : std::max(most, *value);
      is_first = false;
    }
  }
  const auto is_log = of.y_scale == axis_scale::logarithmic;
  if (is_log && is_first) least = most = 1;
  auto ticks = is_log ? logarithmic_ticks(least, most) : linear_ticks(std::max(most, -least));
  if (!is_log && least < 0) {
    for (std::size_t i = 1, up = ticks.size(); i != up; ++i) {
      ticks.insert(ticks.begin(), {-ticks[2 * i - 1].at, '-' + ticks[2 * i - 1].label});
    }
  }
  const auto at = [&](double value) { return is_log ? std::log10(value) : value; };
  const scale place{at(ticks.front().at), at(ticks.back().at), of.height - bottom, top};
  return {std::move(ticks), place, is_log};
}

scale x_scale_of(const chart& of) {
  double from = of.places.empty() ? 0 : of.places.front().at;
  double to = of.places.empty() ? 1 : of.places.back().at;
  for (const auto& one : of.x_ticks) {
    from = std::min(from, one.at);
    to = std::max(to, one.at);
  }
  if (to <= from) to = from + 1;
  return {from, to, left, of.width - right};
}

/// A coordinate with a digit behind the point, where that says something.
std::string coordinate(double value) {
  auto text = fmt::format("{:.1f}", value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string bands_svg(const chart& of, const scale& x) {
  std::string svg;
  for (std::size_t i = 0; i != of.bands.size(); ++i) {
    const auto& band = of.bands[i];
    const auto from = std::clamp(x(band.from), left, of.width - right);
    const auto to = std::clamp(x(band.to), left, of.width - right);
    if (i % 2 == 0) {
      svg += fmt::format(R"(<rect class="band" x="{}" y="{}" width="{}" height="{}"/>)",
                         coordinate(from), coordinate(top), coordinate(to - from),
                         coordinate(of.height - top - bottom));
    }
    if (letter_width * static_cast<double>(band.name.size()) > to - from) continue;
    svg += fmt::format(R"(<text x="{}" y="{}">{}</text>)", coordinate(from + 4),
                       coordinate(top - 7), html_text(band.name));
  }
  return svg;
}

std::string axes_svg(const chart& of, const scale& x, const y_axis& y) {
  std::string svg;
  for (const auto& one : y.ticks) {
    svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>)", coordinate(left),
                       coordinate(of.width - right), coordinate(y(one.at)), coordinate(y(one.at)));
    svg += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)", coordinate(left - 6),
                       coordinate(y(one.at) + 4), html_text(one.label));
  }
  for (const auto& one : of.x_ticks) {
    svg +=
        fmt::format(R"(<text x="{}" y="{}" text-anchor="middle">{}</text>)", coordinate(x(one.at)),
                    coordinate(of.height - bottom + 15), html_text(one.label));
  }
  svg +=
      fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text>)",
                  coordinate(of.width - right), coordinate(of.height - 4), html_text(of.x_title));
  return svg + fmt::format(R"(<text x="4" y="{}">{}</text>)",
                           coordinate(of.bands.empty() ? 12 : 10), html_text(of.y_title));
}

std::string line_svg(const chart& of, std::size_t number, const scale& x, const y_axis& y) {
  const auto& values = of.lines[number].values;
  std::string path;
  bool is_open = false;
  for (std::size_t i = 0; i != values.size(); ++i) {
    if (!drawn(of, values[i])) {
      is_open = false;
      continue;
    }
    path += fmt::format("{}{} {}", is_open ? 'L' : 'M', coordinate(x(of.places[i].at)),
                        coordinate(y(*values[i])));
    // A point by itself is a line of no length, whose round end shows.
    if (!is_open) path += "h0";
    is_open = true;
  }
  return path.empty() ? path : fmt::format(R"(<path class="s{}" d="{}"/>)", number, path);
}

std::string legend_of(const chart& of) {
  if (of.lines.size() < 2) return {};
  std::string list = "<ul class=\"legend\" aria-hidden=\"true\">";
  for (std::size_t i = 0; i != of.lines.size(); ++i) {
    list += fmt::format(
        R"(<li><svg viewBox="0 0 30 10"><line class="s{}" x1="1" x2="29" y1="5" y2="5"/></svg>{}</li>)",
        i, html_text(of.lines[i].name));
  }
  return list + "</ul>\n";
}

std::string table_of(const chart& of) {
  auto table = fmt::format(
      "<details><summary>{} as a table</summary><div class=\"wide\"><table>"
      "<thead><tr><th scope=\"col\">{}</th>",
      html_text(of.title), html_text(of.x_title));
  for (const auto& line : of.lines) {
    table += fmt::format("<th scope=\"col\">{}</th>", html_text(line.name));
  }
  table += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row != of.places.size(); ++row) {
    if (of.places[row].label.empty()) continue;
    table += "<tr><th scope=\"row\">" + html_text(of.places[row].label) + "</th>";
    for (const auto& line : of.lines) {
      table += "<td>" + (line.values[row] ? number_text(*line.values[row]) : "") + "</td>";
    }
    table += "</tr>\n";
  }
  return table + "</tbody></table></div></details>\n";
}

}  // namespace

std::string_view chart_style() {
  return style;
}

std::string figure_of(const chart& of) {
  const auto x = x_scale_of(of);
  const auto y = y_axis_of(of);
  auto html =
      fmt::format("<figure id=\"{}\"><figcaption>{}</figcaption>\n", of.id, html_text(of.title));
  html += legend_of(of);
  html += fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"{2}-title {2}-text\">"
      "<title id=\"{2}-title\">{3}</title><desc id=\"{2}-text\">{4}</desc>\n",
      coordinate(of.width), coordinate(of.height), of.id, html_text(of.title),
      html_text(of.description));
  html += bands_svg(of, x) + axes_svg(of, x, y) + '\n';
  for (std::size_t i = 0; i != of.lines.size(); ++i) html += line_svg(of, i, x, y) + '\n';
  return html + "</svg>\n" + table_of(of) + "</figure>\n";
}

std::vector<tick> time_ticks(double seconds) {
  static constexpr std::array<double, 17> steps{1,   2,   5,    10,   15,   30,    60,    120,  300,
                                                600, 900, 1800, 3600, 7200, 14400, 43200, 86400};
  const auto fits = std::find_if(steps.begin(), steps.end() - 1,
                                 [&](double step) { return seconds / step <= 10; });
  std::vector<tick> ticks;
  const auto count = static_cast<std::size_t>(seconds / *fits) + 1;
  ticks.reserve(count);
  for (std::size_t i = 0; i != count; ++i) {
    const auto at = static_cast<double>(i) * *fits;
    ticks.push_back({at, time_label(at, seconds)});
  }
  return ticks;
}

std::vector<tick> linear_ticks(double most) {
  if (!(most > 0)) return {{0, "0"}, {1, "1"}};
  // Steps of 1, 2 or 5 times a power of ten, of which four to ten reach `most`.
  const auto power = std::pow(10, std::floor(std::log10(most / 4)));
  const auto times = most / 4 / power;
  const auto step = power * (times >= 5 ? 5 : times >= 2 ? 2 : 1);
  std::vector<tick> ticks;
  const auto count = static_cast<std::size_t>(std::ceil(most / step - 1e-9)) + 1;
  ticks.reserve(count);
  for (std::size_t i = 0; i != count; ++i) {
    const auto at = static_cast<double>(i) * step;
    ticks.push_back({at, short_number(at)});
  }
  return ticks;
}

std::vector<tick> logarithmic_ticks(double least, double most) {
  const auto from = static_cast<int>(std::floor(std::log10(least) + 1e-9));
  const auto to = std::max(from + 1, static_cast<int>(std::ceil(std::log10(most) - 1e-9)));
  std::vector<tick> ticks;
  for (int power = from; power <= to; ++power) {
    const auto at = std::pow(10, power);
    ticks.push_back({at, short_number(at)});
  }
  return ticks;
}

std::string time_label(double seconds, double whole) {
  if (whole < 120) return fmt::format("{:g} s", seconds);
  const auto total = std::llround(seconds);
  if (whole < 3600) return fmt::format("{}:{:02}", total / 60, total % 60);
  return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

std::string number_text(double value) {
  const auto size = std::abs(value);
  if (size >= 1000 || value == std::floor(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string short_number(double value) {
  static constexpr std::array<std::pair<double, char>, 4> units{
      {{1e12, 'T'}, {1e9, 'G'}, {1e6, 'M'}, {1e3, 'k'}}};
  for (const auto& [size, letter] : units) {
    if (std::abs(value) >= size) return fmt::format("{:.3g}{}", value / size, letter);
  }
  return fmt::format("{:.3g}", value);
}

std::string html_text(std::string_view text) {
  std::string html;
  html.reserve(text.size());
  for (const char one : text) {
    switch (one) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += one;
    }
  }
  return html;
}

}  // namespace gelombang::load
