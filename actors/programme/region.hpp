#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/ids.hpp"

namespace gelombang {

/// A regency or city, the unit to which a wave's places are spread.
struct region {
  region_code code;
  std::string name;      ///< "Kabupaten Bogor", "Kota Bandung"
  std::string province;  ///< "Jawa Barat"
  std::uint32_t population = 0;

  std::uint16_t province_code() const { return code.value / 100; }
};

/// "3201" is a code: four digits, province from 11, regency from 01. Whether it is in use, only a
/// table knows.
std::optional<region_code> parse_region_code(std::string_view text);

/// The regions of a programme, in the order of their codes. Immutable and thread-safe.
class region_table {
public:
  /// Reads CSV with the header `code,name,province_code,province,population`, no quotes, at least
  /// one row, each code once.
  /// @returns the line and the reason on failure.
  static tl::expected<region_table, std::string> parse(std::string_view csv);
  static tl::expected<region_table, std::string> load(const std::filesystem::path& csv);

  /// The 514 regions of config/regions.csv as they were when the program was built.
  static const region_table& standard();

  const std::vector<region>& all() const { return regions_; }

  /// @returns null for a code that is not in the table.
  const region* find(region_code code) const;

  std::uint64_t population() const { return population_; }

private:
  static constexpr std::size_t codes_max = 10'000;
  static constexpr std::uint16_t absent = 0xffff;

  region_table() { position_.fill(absent); }

  std::vector<region> regions_;
  std::array<std::uint16_t, codes_max> position_{};
  std::uint64_t population_ = 0;
};

}  // namespace gelombang
