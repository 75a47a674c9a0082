#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "actors/programme/ids.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/result.hpp"
#include "actors/programme/sha256.hpp"

namespace gelombang::draw {

inline constexpr std::uint32_t entries_max = (1u << 30) - 1;
inline constexpr std::uint32_t quota_max = 1u << 30;
inline constexpr std::uint64_t weight_max =
    (1ull << 53) - 1;  ///< what every JSON reader keeps exact
inline constexpr std::size_t groups_max = 32;
inline constexpr std::size_t group_name_bytes_max = 64;
inline constexpr std::uint16_t shares_permille_max = 1000;  ///< of all groups together
inline constexpr std::size_t beacon_source_bytes_max = 256;
inline constexpr std::uint8_t family_room_max = 2;

/// One applicant in a draw, without a name. 32 bytes, also as stored.
struct roster_entry {
  entry_id id{};
  std::uint64_t family = 0;  ///< pseudonym of the family card
  std::uint32_t groups = 0;  ///< bit mask, bits as in `group::bit`
  region_code region;
  std::uint8_t family_room = 0;  ///< how many more members the family may have: 1 or 2
  std::uint8_t unused = 0;       ///< makes every stored byte a known one

  friend bool operator==(const roster_entry&, const roster_entry&) = default;
};
static_assert(sizeof(roster_entry) == 32 && std::is_trivially_copyable_v<roster_entry>);

/// People who hold a reserved share of every region's seats.
struct group {
  std::string name;
  std::uint8_t bit = 0;
  std::uint16_t share_permille = 0;

  friend bool operator==(const group&, const group&) = default;
};

struct region_weight {
  region_code region;
  std::uint64_t weight = 0;

  friend bool operator==(const region_weight&, const region_weight&) = default;
};

/// What an operator commits to before the randomness exists, beside the roster itself.
struct parameters {
  wave_number wave;
  std::uint32_t quota = 0;
  std::uint32_t minimum_per_region = 0;
  std::vector<group> groups;           ///< in the order in which they are served
  std::vector<region_weight> weights;  ///< every region of the programme once, by code
  std::string beacon_source;           ///< where the randomness will come from, e.g. "drand"
  std::uint64_t beacon_round = 0;
  digest operator_secret_hash{};

  friend bool operator==(const parameters&, const parameters&) = default;
};

/// @returns `quota_invalid`, `groups_invalid`, `beacon_invalid` or `region_unknown` (weights not in
///   the order of their codes, or a weight too large), with the reason.
result<void> check(const parameters& given);

/// Puts the roster into its published order, by entry id.
/// @returns `internal` when an id stands there twice or there are more than `entries_max`.
result<void> sort_roster(std::vector<roster_entry>& roster, unsigned threads);

struct region_census {
  std::uint32_t applicants = 0;
  /// How many of them their families leave room for: the sum over families of the smaller of
  /// `family_room` and members in the roster.
  std::uint32_t usable = 0;
};

/// An entry whose family has less room than the entry says.
struct lowered_room {
  std::uint32_t index = 0;
  std::uint8_t family_room = 0;
};

struct census {
  std::map<region_code, region_census> regions;  ///< those with applicants
  std::vector<lowered_room> lowered;
};

/// Counts the roster by region. Where the entries of a family disagree about its room (each was
/// read when its own shard was frozen), the smallest counts, so that no family gets too many; the
/// others are listed, to be lowered before the roster is published.
/// @returns `family_region_mismatch` for a family in two regions, which the walk could not treat
///   alike on every number of threads; `internal` for a room that is not 1 or 2.
result<census> take_census(std::span<const roster_entry> roster, unsigned threads);

}  // namespace gelombang::draw
