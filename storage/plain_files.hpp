#pragma once

#include <filesystem>

#include "storage/result.hpp"

/// Directories that may come from anywhere, as a backup does: whether what is in them may be
/// opened.
namespace gelombang::storage {

/// Whether no step on the way from `root` down to `below`, its last part included, is a link, a
/// FIFO, a socket or a device. What is not there is no fault here. Opens and follows nothing.
/// @returns `corrupt` with the step
result<void> check_plain(const std::filesystem::path& root, const std::filesystem::path& below);

/// The same for all that is below `root`.
result<void> check_all_plain(const std::filesystem::path& root);

}  // namespace gelombang::storage
