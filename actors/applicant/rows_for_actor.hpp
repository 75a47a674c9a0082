#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "actors/applicant/participation.hpp"
#include "actors/roster/views.hpp"
#include "actors/runtime/shard.hpp"

namespace gelombang::applicant {

/// What an activation knows of its part in a wave; no row: it is not in.
struct known_participation {
  wave_number wave;
  std::optional<participation> row;
};
using known_participations = std::vector<known_participation>;

/// The waves that an applicant is asked about all the time: those that are not over, and the last
/// one that is.
std::vector<wave_number> waves_at_hand(const std::vector<roster::view>& all);

/// What a stored row says; refused, and logged with its owner, when it does not read: it must not
/// look like somebody who has not joined, or is no member.
result<std::optional<participation>> participation_in(const runtime::row_value& stored,
                                                      runtime::entity_ref who);
result<std::optional<wave_number>> membership_in(const runtime::row_value& stored,
                                                 runtime::entity_ref who);
/// `keys` and `rows` are of participations.
result<known_participations> participations_in(std::span<const std::string> keys,
                                               std::span<const runtime::row_value> rows,
                                               runtime::entity_ref who);

}  // namespace gelombang::applicant
