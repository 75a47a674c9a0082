#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/result.hpp"

namespace gelombang::storage {

/// A file that is written at given offsets and made durable on request. Not thread-safe.
class writable_file {
public:
  virtual ~writable_file() = default;

  /// Writes all of `bytes` at `offset`, or fails; after a failure any prefix may be there.
  virtual result<void> write_at(std::uint64_t offset, std::string_view bytes) = 0;

  /// Returns when everything written is on the disk (fdatasync). After a failure nothing may be
  /// assumed of what was written since the last success: the kernel may have dropped it.
  virtual result<void> sync() = 0;

  /// Reserves the file's extent up to `bytes` by writing zeros behind what it has, durably, so that
  /// later syncs need not change metadata. Measured on ext4: append and sync take 273 us, into an
  /// extent from posix_fallocate 242 us (its first use still is a metadata change), into written
  /// zeros 187 us.
  virtual result<void> reserve(std::uint64_t bytes) = 0;

  /// Cuts the file off at `bytes`, or extends it with zeros; durable after the next `sync`.
  virtual result<void> truncate(std::uint64_t bytes) = 0;
};

/// The few operations on files that the journal needs; tests inject faults here. Thread-safe.
class file_system {
public:
  virtual ~file_system() = default;

  /// Creates an empty file, or empties an existing one.
  virtual result<std::unique_ptr<writable_file>> create(const std::filesystem::path& path) = 0;
  virtual result<std::unique_ptr<writable_file>> open(const std::filesystem::path& path) = 0;
  /// Reads up to `bytes` from `offset`: fewer at the end of the file, none behind it.
  /// @returns `missing` when there is no such file.
  virtual result<std::string> read(const std::filesystem::path& path, std::uint64_t offset,
                                   std::size_t bytes) = 0;
  virtual result<std::uint64_t> size(const std::filesystem::path& path) = 0;
  virtual result<void> rename(const std::filesystem::path& from,
                              const std::filesystem::path& to) = 0;
  virtual result<void> remove(const std::filesystem::path& path) = 0;
  /// Makes creations, renames and removals in `directory` durable.
  virtual result<void> sync_directory(const std::filesystem::path& directory) = 0;
  /// Gives an existing file a second name; fails where the file system can't, or `to` exists.
  virtual result<void> link(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  /// Creates `directory` and whatever is missing above it, durably.
  virtual result<void> make_directories(const std::filesystem::path& directory) = 0;
  /// Names of the regular files in `directory`, sorted.
  virtual result<std::vector<std::string>> list(const std::filesystem::path& directory) = 0;
};

/// The real one.
file_system& posix_file_system();

}  // namespace gelombang::storage
