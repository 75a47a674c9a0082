#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/nik.hpp"

namespace gelombang::registry {

/// The lists of NIKs that agencies send. The number is the bit in every mask of lists; stored.
/// Which of them shut a person out is for a scheme's rule set to say.
enum class list : std::uint8_t {
  civil_service = 0,
  military = 1,
  police = 2,
  village_officials = 3,
  state_companies = 4,  ///< directors and commissioners
  state_officials = 5,
  students = 6,           ///< of the education database: in formal education now
  social_aid = 7,         ///< recipients of other aid
  ministry_priority = 8,  ///< people a ministry asks to be favoured; shuts nobody out
  deceased = 9,
};

inline constexpr std::uint32_t lists_count = 10;

constexpr std::uint32_t mask_of(list which) {
  return 1u << static_cast<std::uint32_t>(which);
}

/// @returns an empty text for a number that no list has.
std::string_view name_of(list which);
std::optional<list> list_named(std::string_view name);

/// One version of a list, as an agency sent it.
struct list_file {
  struct entry {
    nik person;
    bool listed = true;  ///< false takes a person off the list
  };
  registry::list list{};
  std::uint64_t version = 0;  ///< the agency's, rising
  std::vector<entry> entries;
};

enum class list_format : std::uint8_t { csv, ndjson };

inline constexpr std::size_t list_line_bytes_max = 1024;
inline constexpr std::size_t list_entries_max = 10'000'000;
inline constexpr std::size_t list_errors_max = 20;

/// Reads a list. The first line says what it is, so that a file can't be taken for another list:
///
///     # list=civil_service version=20261101        {"list":"civil_service","version":20261101}
///     nik,listed                                   {"nik":"3201014101900001"}
///     3201014101900001,yes                         {"nik":"3201014101900002","listed":false}
///
/// In CSV, `listed` (yes or no) may be missing, column and all; columns unknown to us are passed
/// over. Blank lines are too. A NIK must not come twice.
/// @returns all or nothing: what is wrong with which line, the first `list_errors_max` of them. The
///   texts name lines, never NIKs.
tl::expected<list_file, std::vector<std::string>> read_list(std::string_view text,
                                                            list_format format);

}  // namespace gelombang::registry
