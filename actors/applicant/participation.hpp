#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/applicant/applicant.pb.h"
#include "actors/applicant/commands.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/result.hpp"

namespace gelombang::applicant {

/// That somebody takes part in a wave: a row of its own under (wave, applicant), so that a roster
/// is a range of rows and a join leaves the snapshot as it is. A withdrawal erases the row.
struct participation {
  instant joined_at{};
  region_code region{};
  std::uint32_t groups = 0;                 ///< bits, as they were at the join
  std::uint64_t family = 0;                 ///< pseudonym
  std::optional<request_key> request = {};  ///< of the join, if it had one
  friend bool operator==(const participation&, const participation&) = default;
};

inline constexpr std::size_t participation_bytes_max = 37;

/// The row's value, little-endian: format (1, or 2 with a request), milliseconds since 1970 (6
/// bytes), region (2), groups (4), family (8), and in format 2 key and fingerprint (8 each).
std::string encode(const participation& row);
/// @returns `internal` when the bytes are none of the two formats.
result<participation> decode_participation(std::string_view row);

/// The journal's form of the event that made `row`: the same bytes as `wire::Event` with `joined`
/// gives, without building one. A join is what happens 150,000 times a second.
std::string joined_event(wave_number wave, const participation& row);
/// What a replayed event (`body_case() == kJoined`) made.
participation participation_of(const wire::Event& event);

}  // namespace gelombang::applicant
