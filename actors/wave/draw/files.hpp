#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "actors/programme/result.hpp"
#include "actors/wave/draw/mapped_regions.hpp"

namespace gelombang::draw {

/// Tells a file from another of its name, and from what it was before somebody wrote to it.
struct file_identity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0, changed = 0;  ///< nanoseconds

  friend bool operator==(const file_identity&, const file_identity&) = default;
};

/// @returns nothing for a file that is not there or can't be looked at.
std::optional<file_identity> identity_of(const std::filesystem::path& path);

/// A file's bytes, read-only, in memory as long as the object lives. The file may meanwhile be
/// replaced by another of its name. It should not be changed: whoever reads asks afterwards whether
/// it was, since where it was cut zeros are read, and where it was written to, something else.
class mapped_file {
public:
  /// @returns `not_found` when there is no such file, `storage_unavailable` when it cannot be read.
  static result<mapped_file> open(const std::filesystem::path& path);

  std::string_view bytes() const { return {region_.data(), region_.size()}; }

  /// What was opened; nothing where nothing was.
  const std::optional<file_identity>& opened() const { return opened_; }

  /// Whether what has been read so far is what the file held when it was opened. A system call.
  bool is_whole() const;

private:
  mapped_region region_;
  std::filesystem::path path_;
  std::optional<file_identity> opened_;
};

/// Writes a new file in place of whatever has the name `path`: after `finish` either the whole of
/// it is there and on the disk, or what was there before.
class file_replacement {
public:
  explicit file_replacement(std::filesystem::path path);
  file_replacement(const file_replacement&) = delete;
  file_replacement& operator=(const file_replacement&) = delete;
  ~file_replacement();

  /// Failures are kept for `finish`.
  void append(std::string_view bytes);

  /// @returns `storage_unavailable` with the reason of the first failure.
  result<void> finish();

private:
  void note(const std::filesystem::path& at, int reason);

  std::filesystem::path path_, draft_;
  int file_ = -1;
  result<void> state_;
};

/// Gives a file another name, durably where it goes. @returns `storage_unavailable`
result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes the directory and those above it, durably.
result<void> make_directory(const std::filesystem::path& path);

}  // namespace gelombang::draw
