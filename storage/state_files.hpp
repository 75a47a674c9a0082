#pragma once

#include <rocksdb/db.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>
#include <stop_token>

#include "storage/result.hpp"

/// RocksDB's files beside RocksDB: what it does with them can't be told to stop.
namespace gelombang::storage {

/// Copies what makes up the store at one moment into the absent `directory`, by hard link where
/// that can be. Told to stop, it fails between two steps (`io`).
result<void> copy_state(rocksdb::DB& store, const std::filesystem::path& directory,
                        const std::stop_token& until);

/// The system's files, but told to stop, nothing is read from a table any more (`IOError`).
std::shared_ptr<rocksdb::FileSystem> files_until(std::stop_token until);

}  // namespace gelombang::storage
