#pragma once

#include <filesystem>
#include <string>
#include <tl/expected.hpp>

namespace gelombang::command {

/// Whether a directory holds what a node keeps: rows, a journal, or a backup of them.
bool holds_data(const std::filesystem::path& directory);

/// Makes sure that data does not come to lie within other data: a backup of the outer would not
/// have it, and whoever clears the outer away takes the inner with it. Links are followed.
/// @returns which data `data_directory` lies in.
tl::expected<void, std::string> check_surroundings(const std::filesystem::path& data_directory);

}  // namespace gelombang::command
