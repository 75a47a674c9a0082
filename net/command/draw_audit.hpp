#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <vector>

#include "actors/programme/keys.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/shelf.hpp"
#include "storage/state_store.hpp"

namespace gelombang::command {

/// What the files of draws are compared with.
struct draw_evidence {
  const storage::state_store* rows = nullptr;  ///< with what the journal adds; none: not compared
  std::uint32_t shards = 0;
  const keyring* keys = nullptr;  ///< none: an entry's id is not made again from its owner's
};

/// Compares the files of every draw with the wave that the journal knows, and computes them again
/// from the roster: presence, roster's root, both summaries, outcomes, whether each entry's owner
/// takes part in the wave with just that entry, and whether the members of the wave are the owners
/// of the accepted entries. Changes nothing.
class draw_audit {
public:
  /// @param draws  the folder of all draws
  draw_audit(std::filesystem::path draws, const draw_evidence& known, std::FILE* out)
      : draws_(std::move(draws)), shelf_(draws_), known_(known), out_(out) {}

  /// Prints a line for each draw.
  /// @returns the first thing that does not hold; `storage_unavailable` for what can't be read.
  result<void> run() const;

private:
  using waves = std::map<wave_number, wave::wire::State>;
  /// Who is a member by which wave, ascending.
  using members = std::map<wave_number, std::vector<std::uint64_t>>;

  result<waves> waves_in_rows() const;
  result<waves> waves_on_shelf() const;
  result<members> members_in_rows() const;
  result<void> check(const wave::wire::State& wave) const;
  result<void> check_alone(wave_number number) const;
  result<void> check_members(const wave::wire::State& wave,
                             const std::vector<std::uint64_t>& found) const;
  result<void> check_owners(const wave::wire::State& wave, const draw::draw_files& files) const;
  result<void> recompute(wave_number number, const draw::draw_files& files) const;

  const std::filesystem::path draws_;
  const wave::shelf shelf_;
  const draw_evidence known_;
  std::FILE* const out_;
};

}  // namespace gelombang::command
