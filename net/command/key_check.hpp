#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "actors/programme/keys.hpp"

namespace gelombang::command {

/// Makes sure that a data directory is only ever opened with the master key it was begun with: a
/// keyed hash of a constant stands in its file KEY. With another key everybody would be a stranger,
/// and nobody's address could be read. Writes the file where there is none.
/// @returns which key is wrong, or why the file can't be written.
tl::expected<void, std::string> check_key(const std::filesystem::path& data_directory,
                                          const keyring& keys);

}  // namespace gelombang::command
