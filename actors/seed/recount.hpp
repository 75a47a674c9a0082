#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "actors/applicant/stages.hpp"
#include "storage/state_store.hpp"

namespace gelombang::seed {

/// What stands in the rows of a checkpoint, counted anew.
struct recount_report {
  std::array<std::uint64_t, applicant::all_stages.size()> by_stage{};
  std::uint64_t applicants = 0;
  std::uint64_t niks = 0;            ///< held by somebody
  std::uint64_t phones = 0;          ///< held by somebody
  std::uint64_t family_members = 0;  ///< of all family cards
  std::uint64_t participations = 0;
  std::uint64_t members = 0;  ///< accepted in some wave
  /// The first thing that does not hold, with its place; none when everything does.
  std::optional<std::string> disagreement;
};

/// Counts everything in the rows and compares it with what the rows say of each other:
///
/// - each shard's counters (accounts by stage, joined and accepted by wave) with its rows;
/// - that every row is in the shard of its id, and reads;
/// - that whoever takes part in a wave or is a member has an account in that shard;
/// - that every NIK, phone number and place on a family card belongs to an account that exists, to
///   each account at most one (but while an exchange for another one is in the mail), and one to
///   every account whose state says so;
/// - that no family has more places taken than a family may have, nor all of them together more
///   than there are members.
///
/// All of it must hold exactly: a checkpoint's rows are those of one moment. Reads every row once,
/// in about 1 µs each, and needs 9 bytes of memory an account. Changes nothing.
/// @returns what the store says when it can't be read.
storage::result<recount_report> recount(const storage::state_store& store, std::uint32_t shards);

}  // namespace gelombang::seed
