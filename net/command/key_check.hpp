#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
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

/// @returns what is there instead, where it is neither; or that nothing is left of data but its
///   marks.
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

/// Why the master key's file is not as private as what it opens: the rights that others than its
/// owner have. Nothing where they have none, and where that can't be told.
std::optional<std::string> openness_of(const std::filesystem::path& key_file);

/// What the file KEY of a data directory says, nothing where it is not there.
/// @returns that it is no mark of a key, or why it can't be read.
tl::expected<std::optional<std::string>, std::string> key_mark_in(
    const std::filesystem::path& data_directory);

/// Makes sure that a data directory is only ever opened with the master key it was begun with: a
/// keyed hash of a constant stands in its file KEY. With another key everybody would be a stranger,
/// and nobody's address could be read. Where the file is missing, an address that the data holds
/// must open, if it holds any. Writes nothing.
/// @returns which key is wrong, or why KEY or the data can't be read.
tl::expected<void, std::string> compare_key(const std::filesystem::path& data_directory,
                                            const keyring& keys);

/// Writes KEY if it is not there, for a key that was compared: for whom has the directory's lock,
/// and when its state is there. What a start leaves that failed before is then no data that has
/// lost everything but its mark.
/// @returns why it can't be written.
tl::expected<void, std::string> write_key_mark(const std::filesystem::path& data_directory,
                                               const keyring& keys);

}  // namespace gelombang::command
