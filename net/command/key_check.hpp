#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "actors/programme/keys.hpp"
#include "net/command/settings.hpp"

namespace gelombang::command {

/// What stands at the place of a data directory.
enum class holding : std::uint8_t {
  nothing,  ///< no directory, an empty one, or one of a start that failed at once
  data,     ///< of a node, a seeding or a restored backup
};

/// @returns what is there instead, where it is neither.
tl::expected<holding, std::string> look_at(const std::filesystem::path& data_directory);

enum class key_use : std::uint8_t {
  to_begin_or_go_on,  ///< a new data directory may get a new key, if `keys.create` says so
  to_go_on,           ///< there must be data, and so its key
};

/// Reads the master key that the settings name. It is made only where there is no data yet: data is
/// sealed with the key it was begun with, and another one in its place would open nothing.
/// @returns why there is none: the place holds something else, the key file is missing while there
///   is data, stands inside the data directory, or can't be read or made.
tl::expected<keyring, std::string> key_of(const settings& with, key_use use);

/// Makes sure that a data directory is only ever opened with the master key it was begun with: a
/// keyed hash of a constant stands in its file KEY. With another key everybody would be a stranger,
/// and nobody's address could be read. Where the file is missing it is written, but not before an
/// address that the data holds has been opened, if it holds any.
/// @returns which key is wrong, or why the file can't be written or the data not be read.
tl::expected<void, std::string> check_key(const std::filesystem::path& data_directory,
                                          const keyring& keys);

/// The same question, and nothing is written: for whom the directory is not locked.
/// @returns which key is wrong, or why the data can't be read.
tl::expected<void, std::string> compare_key(const std::filesystem::path& data_directory,
                                            const keyring& keys);

}  // namespace gelombang::command
