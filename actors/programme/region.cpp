#include "actors/programme/region.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace gelombang {

/// The text of config/regions.csv, compiled in by CMake.
extern const std::string_view regions_csv;

namespace {

constexpr std::string_view header = "code,name,province_code,province,population";
constexpr std::size_t columns = 5;
constexpr std::size_t file_bytes_max = 4u << 20;

std::string_view next_line(std::string_view& rest) {
  auto end = rest.find('\n');
  auto line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

/// @returns fewer or more fields than `columns` as nothing.
std::optional<std::array<std::string_view, columns>> split(std::string_view line) {
  std::array<std::string_view, columns> fields;
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    auto comma = line.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    fields[i] = line.substr(0, comma);
    line.remove_prefix(comma + 1);
  }
  if (line.find(',') != std::string_view::npos) return std::nullopt;
  fields.back() = line;
  return fields;
}

tl::expected<region, std::string_view> read_region(std::string_view line) {
  auto fields = split(line);
  if (!fields) return tl::unexpected<std::string_view>("not five fields");
  auto [code_text, name, province_code, province, population_text] = *fields;
  auto code = parse_region_code(code_text);
  if (!code) return tl::unexpected<std::string_view>("not a region's code of four digits");
  if (province_code != code_text.substr(0, 2)) {
    return tl::unexpected<std::string_view>("the province's code is not the code's beginning");
  }
  if (name.empty() || province.empty()) return tl::unexpected<std::string_view>("a name is empty");
  std::uint32_t population = 0;
  auto* end = population_text.data() + population_text.size();
  auto read = std::from_chars(population_text.data(), end, population);
  if (read.ec != std::errc{} || read.ptr != end) {
    return tl::unexpected<std::string_view>("the population is not a number");
  }
  return region{*code, std::string(name), std::string(province), population};
}

}  // namespace

std::optional<region_code> parse_region_code(std::string_view text) {
  if (text.size() != 4) return std::nullopt;
  std::uint16_t code = 0;
  for (auto c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    code = static_cast<std::uint16_t>(code * 10 + (c - '0'));
  }
  if (code < 1101 || code % 100 == 0) return std::nullopt;
  return region_code{code};
}

tl::expected<region_table, std::string> region_table::parse(std::string_view csv) {
  auto failed = [](std::size_t line, std::string_view reason) {
    return tl::unexpected(fmt::format("line {}: {}", line, reason));
  };
  if (next_line(csv) != header) return failed(1, fmt::format("the header must be {}", header));
  region_table table;
  for (std::size_t line = 2; !csv.empty(); ++line) {
    auto read = read_region(next_line(csv));
    if (!read) return failed(line, read.error());
    auto& position = table.position_[read->code.value];
    if (position != absent) return failed(line, "a region stands here for the second time");
    position = 0;
    table.population_ += read->population;
    table.regions_.push_back(std::move(*read));
  }
  if (table.regions_.empty()) return failed(2, "no regions");
  std::sort(table.regions_.begin(), table.regions_.end(),
            [](const region& left, const region& right) { return left.code < right.code; });
  for (std::size_t i = 0; i < table.regions_.size(); ++i) {
    table.position_[table.regions_[i].code.value] = static_cast<std::uint16_t>(i);
  }
  return table;
}

tl::expected<region_table, std::string> region_table::load(const std::filesystem::path& csv) {
  std::ifstream in(csv, std::ios::binary);
  if (!in) return tl::unexpected(fmt::format("{}: cannot be read", csv.string()));
  std::string text(file_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > file_bytes_max) {
    return tl::unexpected(fmt::format("{}: longer than {} bytes", csv.string(), file_bytes_max));
  }
  auto table = parse(text);
  if (!table) return tl::unexpected(fmt::format("{}: {}", csv.string(), table.error()));
  return table;
}

const region_table& region_table::standard() {
  static const region_table table = parse(regions_csv).value();
  return table;
}

const region* region_table::find(region_code code) const {
  if (code.value >= codes_max || position_[code.value] == absent) return nullptr;
  return &regions_[position_[code.value]];
}

}  // namespace gelombang
