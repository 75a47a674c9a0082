#pragma once

#include "storage/backup.hpp"

namespace gelombang::storage {

/// Whether a data directory still has its state. A journal without one, or the mark of a directory
/// that has had one, tells lost data from data not yet begun: an empty state beside either would
/// look like a node on its first day.
/// @returns `missing` with what is gone; `version` for a directory that a newer program has made;
///   `corrupt` for a mark that is none.
result<void> check_state_is_there(file_system& files, const layout& where);

/// Writes the mark `FORMAT`, durably, if there is none. To be called when the state is there.
result<void> mark_begun(file_system& files, const layout& where);

}  // namespace gelombang::storage
