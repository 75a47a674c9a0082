#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "storage/file_system.hpp"

namespace gelombang::storage {

/// Copies the first `bytes` of a file durably but for its name. Told to stop, it fails between two
/// steps (`io`), and leaves what it has copied.
/// @returns `corrupt` for a file that is shorter
result<void> copy_file_in_steps(file_system& files, const std::filesystem::path& from,
                                const std::filesystem::path& to, std::uint64_t bytes,
                                const std::stop_token& until);

}  // namespace gelombang::storage
