#pragma once

#include <cstdio>
#include <string>

namespace gelombang::command {

struct draw_order {
  std::string summary;  ///< file
  std::string entries;  ///< file
  /// File, or empty: the summary as it was published at the commitment, kept by whoever verifies.
  std::string committed;
  std::string entry;  ///< 32 hex digits, or empty
};

/// Recomputes a published draw from its two files alone. Wave number, beacon source and round stand
/// in the summary and nothing follows from them: they are printed, and compared with the commitment
/// where that is given, as is everything else that was committed to. What the files can't tell is
/// named in the end.
/// @returns 0 when everything agrees, 1 with the first disagreement named on `complaints`, 2 for an
///   entry id that is none or a commitment that is drawn, 3 when a file can't be read.
int verify_draw(const draw_order& order, std::FILE* out = stdout, std::FILE* complaints = stderr);

}  // namespace gelombang::command
