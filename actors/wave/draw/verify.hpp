#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "actors/wave/draw/roster.hpp"
#include "actors/wave/draw/row.hpp"
#include "actors/wave/draw/summary.hpp"

namespace gelombang::draw {

/// The first thing in `published` that does not follow from the roster and the parameters: their
/// validity, the roster's order, root and counts, the regions' seats. Nothing when all agrees.
std::optional<std::string> disagreement_before_draw(const summary& published,
                                                    std::span<const roster_entry> roster,
                                                    unsigned threads);

/// The same for what the draw adds: the secret's hash, the seed, outcomes and orders, cut-offs.
/// `published` must be drawn and agree with the roster so far.
std::optional<std::string> disagreement_of_draw(const summary& published,
                                                std::span<const roster_entry> roster,
                                                std::span<const verdict> verdicts,
                                                unsigned threads);

/// Why a published draw was not confirmed.
struct verify_failure {
  enum class kind {
    disagrees,   ///< the files say something else than what follows from them
    unreadable,  ///< a file is not there or cannot be read
  };
  kind what = kind::disagrees;
  std::string detail;
};

/// What a draw says of one entry, each part confirmed.
struct entry_report {
  std::uint32_t index = 0;  ///< its leaf's number in the tree, from 0
  roster_entry entry;
  std::optional<drawn_columns> drawn;
  std::optional<digest> cutoff;  ///< its region's
  std::vector<digest> proof;     ///< leads from its leaf to the roster's root
};

struct verification {
  summary published;
  std::optional<entry_report> entry;
};

/// Computes a published draw again from its two files alone, and compares everything. Before the
/// draw, it confirms the commitment. Line ends may be LF or CRLF.
/// @param entry  reported on if given; one that is not in the roster is a disagreement.
tl::expected<verification, verify_failure> verify(const std::filesystem::path& summary_file,
                                                  const std::filesystem::path& entries_file,
                                                  const std::optional<entry_id>& entry,
                                                  unsigned threads);

/// What a verification confirmed, in English, a few lines for a terminal.
std::string describe(const verification& confirmed);

}  // namespace gelombang::draw
