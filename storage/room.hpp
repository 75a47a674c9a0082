#pragma once

#include <cstdint>
#include <filesystem>

#include "storage/result.hpp"

namespace gelombang::storage {

/// What must fit onto a disk before RocksDB is made to write there: some of its writes, failing in
/// the middle, end the process (7.8 asserts in WritableFileWriter when what failed is synced).
inline constexpr std::uint64_t room_bytes_min = 1u << 20;

/// Makes sure of it by writing so much into a file of `directory`, which is removed again and never
/// synced: what the file system says is free need not be there for everybody. 0.3 ms.
/// @returns `no_space`, or why else it can't be written.
result<void> need_room(const std::filesystem::path& directory);

}  // namespace gelombang::storage
