#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gelombang::load {

/// Lines in one chart: so many can be told apart by colour and dashes.
constexpr std::size_t chart_lines_max = 6;

/// A place on an axis and what is written there; nothing is written where the label is empty.
struct tick {
  double at = 0;
  std::string label;
};

struct chart_line {
  std::string name;
  /// For each place of the chart; nothing where there is a gap.
  std::vector<std::optional<double>> values;
};

/// A stretch of the x axis that is shaded and named.
struct chart_band {
  std::string name;
  double from = 0, to = 0;
};

enum class axis_scale : std::uint8_t { linear, logarithmic };

/// What is drawn, and written as a table: `title` and `description` say it to those who cannot see.
struct chart {
  std::string id;  ///< unique in its page
  std::string title, description;
  std::string x_title, y_title;
  std::vector<tick> places;  ///< of the values, ascending; those with a label are the table's rows
  std::vector<tick> x_ticks;
  axis_scale y_scale = axis_scale::linear;
  std::vector<chart_line> lines;  ///< at most `chart_lines_max`
  std::vector<chart_band> bands;
  double width = 760, height = 260;
};

/// A <figure> with the drawing as SVG, its legend, and the same numbers as a table in <details>.
std::string figure_of(const chart& of);

/// What <figure> needs of a page's style: colours for light and dark, lines told apart by dashes
/// too.
std::string_view chart_style();

/// Ticks on a time axis of so many seconds.
std::vector<tick> time_ticks(double seconds);
/// Round numbers from 0 to at least `most`.
std::vector<tick> linear_ticks(double most);
/// Powers of ten from at most `least` to at least `most`.
/// @pre 0 < least <= most
std::vector<tick> logarithmic_ticks(double least, double most);

/// A time since the start, as the axis has it: "45 s", "12:30", "1:05:00".
std::string time_label(double seconds, double whole);
/// At most four digits that matter, but never fewer than a whole number has.
std::string number_text(double value);
/// With a letter for thousands: "150k".
std::string short_number(double value);
/// `text` as it stands in HTML, in attributes too.
std::string html_text(std::string_view text);

}  // namespace gelombang::load
