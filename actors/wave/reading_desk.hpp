#pragma once

#include <span>
#include <string>
#include <vector>

#include "actors/programme/keys.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/draw/roster.hpp"

namespace gelombang::wave {

struct owned_entry {
  entry_id entry;
  std::uint64_t applicant;
};

/// The frozen rosters of all shards, in no order.
struct read_rosters {
  std::vector<draw::roster_entry> entries;
  std::vector<owned_entry> owners;
};

/// Reads who takes part in a closed wave, on `threads` threads. Whoever has been accepted since he
/// joined, and a person whose family has no place left, can't be accepted and is no entry. Once the
/// wave's own accepted are members it is read as it was before; whether that has worked out, the
/// root of its commitment tells.
/// @returns `storage_unavailable` or `internal` for rows that can't be read.
result<read_rosters> read_all(const runtime::node& node, wave_number wave, const keyring& keys,
                              unsigned threads);

/// Whose the entries of a published roster are, in no order: of everybody who takes part those that
/// stand in it, members included. An entry may be nobody's.
/// @returns the same faults
result<std::vector<owned_entry>> read_owners(const runtime::node& node, wave_number wave,
                                             const keyring& keys,
                                             std::span<const draw::roster_entry> roster,
                                             unsigned threads);

/// The applicants as `owners.bin` has them: 8 bytes each, in the order of the published roster.
std::string owners_in_order(std::vector<owned_entry>&& owners, unsigned threads);

}  // namespace gelombang::wave
