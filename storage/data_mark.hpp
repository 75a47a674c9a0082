#pragma once

#include "storage/backup.hpp"

namespace gelombang::storage {

/// Whether a journal has segments, be they archived.
bool has_segments(file_system& files, const std::filesystem::path& journal);

/// Whether a data directory still has its state. A journal without one, or the mark of a directory
/// that has had one, tells lost data from data not yet begun: an empty state beside either would
/// look like a node on its first day.
/// @returns `missing` with what is gone; `version` for a directory that a newer program has made;
///   `corrupt` for a mark that is none.
result<void> check_state_is_there(file_system& files, const layout& where);

/// Writes the mark `FORMAT`, durably, if there is none or what is there is newer than it says. To
/// be called when the state is there, and again when a journal of old data has been opened.
result<void> mark_begun(file_system& files, const layout& where);

/// What the mark says of the journal beside it.
result<naming> naming_in(file_system& files, const layout& where);

}  // namespace gelombang::storage
