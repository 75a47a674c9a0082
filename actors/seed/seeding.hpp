#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "actors/applicant/applicant.pb.h"
#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "actors/seed/people.hpp"
#include "storage/backup.hpp"
#include "storage/state_store.hpp"

namespace gelombang::seed {

struct seed_options {
  std::filesystem::path data_directory;
  std::uint64_t applicants = 0;  ///< numbers 1 to this; at most `people_max`
  std::uint64_t seed = 1;
  /// Into how many shards a new data directory is divided. One that a node has used keeps its own.
  std::uint32_t shards = 64;
  std::uint32_t assessment_version = 1;
  instant now{};  ///< when all of them have registered
  unsigned threads = 2;
  std::uint64_t chunk = 256ull * 1024;  ///< applicants made and taken in at once; about 0.9 kB each
  /// Whether the store is to be compacted in the end, so that `disk_bytes` is what it will settle
  /// at.
  enum class ending : std::uint8_t { as_it_is, compacted } ending = ending::as_it_is;
};

struct seed_report {
  std::uint64_t applicants = 0;
  std::uint64_t rows = 0;
  std::uint64_t disk_bytes = 0;

  double bytes_per_applicant() const {
    return applicants == 0 ? 0 : static_cast<double>(disk_bytes) / static_cast<double>(applicants);
  }
};

/// Called on the caller's thread after each chunk.
using seed_progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

/// The whole of an account in state `ready` as its events would have left it, all at `now`. Its
/// password is one byte that no password matches.
applicant::wire::State ready_state(const keyring& keys, const person& who, std::uint64_t number,
                                   std::uint32_t assessment_version, instant now);

/// Writes applicants in state `ready` straight into a stopped node's storage, with everything that
/// belongs to them: NIK, phone, family card, and the counts of their shards. Each chunk is taken in
/// whole or not at all, and counts and rows agree at any moment.
/// @returns `in_use` when a node has the directory open or there are applicants already; `corrupt`
///   for more than `people_max`, for a number of shards out of range, or when two of the keyed
///   hashes are the same (nothing of that chunk is stored then); what the store says otherwise.
/// @param held  the directory's lock, for whom has taken it already
storage::result<seed_report> seed_data(const seed_options& options, const keyring& keys,
                                       const seed_progress& progress = {},
                                       std::optional<storage::directory_lock> held = {});

/// How many of the seeded applicants 1 to `wanted` are stored. They are stored in this order, so
/// all are there if the last is.
storage::result<std::uint64_t> seeded_up_to(const storage::state_store& store, const keyring& keys,
                                            std::uint64_t wanted);

/// Into how many shards the stored data is divided; 0 when there is none.
storage::result<std::uint32_t> shards_in(const storage::state_store& store);

}  // namespace gelombang::seed
