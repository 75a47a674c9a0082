#pragma once

#include <string>

namespace gelombang::command {

struct draw_order {
  std::string summary;  ///< file
  std::string entries;  ///< file
  std::string entry;    ///< 32 hex digits, or empty
};

/// Recomputes a published draw from its two files alone.
/// @returns 0 when everything agrees, 1 with the first disagreement named on standard error, 2 for
///   an entry id that is none, 3 when a file can't be read.
int verify_draw(const draw_order& order);

}  // namespace gelombang::command
