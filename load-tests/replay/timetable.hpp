#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/programme/time.hpp"

namespace gelombang::load::replay {

/// What happens next in a history.
enum class deed : std::uint8_t {
  accounts,  ///< people register, and go as far through the funnel as they go
  open,      ///< a wave is made, and opens by its clock
  join,      ///< people join the wave that is open
  close,     ///< it closes by its clock, is committed, drawn and announced
};
std::string_view name_of(deed what);

/// One step as the file has it, in full size.
struct entry {
  deed what = deed::accounts;
  date day{};
  date until{};                ///< of `open`: its last day
  std::uint64_t accounts = 0;  ///< of `accounts`: how many there are then in all
  std::uint64_t joins = 0;     ///< of `join`
  std::uint32_t wave = 0;      ///< of `open`
  std::uint64_t places = 0;    ///< of `open`
  double rate = 0;  ///< of `join`: as a share of what was measured; 0: as fast as it goes
};

/// How many of a thousand accounts get how far. Each number is at most the one before it.
struct funnel_shares {
  std::uint64_t verified = 0, identified = 0, profiled = 0, ready = 0;
};

/// A history of the programme in full size, as a file tells it.
struct timetable {
  std::string scheme;
  funnel_shares funnel;
  std::vector<entry> steps;
  std::string digest;  ///< of the file's text: what has begun by one file goes on by it
};

inline constexpr std::size_t steps_max = 1000;

/// @param name  of the file, for messages
/// @returns what is wrong, with the file's name: a history in which a wave opens while another is
///   open, closes without having opened, or in which time or the number of accounts goes back.
tl::expected<timetable, std::string> timetable_in(std::string_view toml, std::string_view name);
tl::expected<timetable, std::string> load_timetable(const std::filesystem::path& file);

}  // namespace gelombang::load::replay
