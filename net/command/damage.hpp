#pragma once

#include <filesystem>
#include <string>

namespace gelombang::command {

/// What an operator is to do about a data directory, or a backup, that does not hold what was
/// written: lines that follow what was found.
std::string advice_on_damage(const std::filesystem::path& directory);

/// The same where only files of a draw do not hold, which a start makes again.
std::string advice_on_damaged_draw(const std::filesystem::path& directory);

}  // namespace gelombang::command
