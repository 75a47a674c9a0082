#pragma once

#include <array>
#include <vector>

#include "actors/runtime/node.hpp"

namespace gelombang::runtime {

/// @param kinds  at most one of a number
kinds_by_number by_number(const std::vector<const entity_kind*>& kinds);

/// Brings a shard up to date with a frame of its own, as a start does and whoever wants to know
/// what a start would make of it: what the shard knows already is passed over.
/// @returns how many records were news to it; `corrupt` with shard and position for a record that
///   no room has written.
storage::result<std::uint64_t> replay(shard& home, const storage::stored_frame& frame,
                                      const kinds_by_number& rooms);

}  // namespace gelombang::runtime
