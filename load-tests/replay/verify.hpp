#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/keys.hpp"
#include "load-tests/replay/crowd.hpp"

namespace gelombang::load::replay {

/// What a published draw says, as far as a replay looks at it.
struct published {
  std::uint64_t entries = 0;
  std::vector<std::uint64_t> accepted;  ///< first 8 bytes of their entry ids, ascending
};

/// Reads a file of entries. @returns the line that is none.
tl::expected<published, std::string> read_entries(const std::filesystem::path& file);

/// Finds the accepted among those who have joined a wave, and makes them members.
/// @returns how many there are: as many as were accepted, or the draw has accepted strangers.
std::uint64_t make_members(const published& draw, std::uint32_t wave, const keyring& keys,
                           std::uint64_t people, crowd& who);

/// Runs `PROGRAM draw verify` on a draw's two files. @returns what is wrong.
tl::expected<void, std::string> verify_draw(const std::filesystem::path& program,
                                            const std::filesystem::path& summary,
                                            const std::filesystem::path& entries);

}  // namespace gelombang::load::replay
