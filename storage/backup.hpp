#pragma once

#include <filesystem>

#include "storage/journal.hpp"
#include "storage/state_store.hpp"

namespace gelombang::storage {

/// Names below a data directory. The lock is held by the process that has it open.
struct layout {
  std::filesystem::path root;

  std::filesystem::path journal() const { return root / "journal"; }
  std::filesystem::path state() const { return root / "state"; }
  std::filesystem::path draws() const { return root / "draws"; }
  std::filesystem::path lock() const { return root / "LOCK"; }
  /// Tells that the state has been there, and how the directory is laid out.
  std::filesystem::path format_mark() const { return root / "FORMAT"; }
  /// Tells which master key the data belongs to, without telling the key.
  std::filesystem::path key_mark() const { return root / "KEY"; }
};

/// Exclusive use of a data directory, released with the object (flock).
class directory_lock {
public:
  /// @returns `in_use` when another process has it.
  static result<directory_lock> take(const layout& where);
  directory_lock(directory_lock&&) noexcept;
  directory_lock& operator=(directory_lock&&) noexcept;
  ~directory_lock();

private:
  explicit directory_lock(int descriptor);
  int descriptor_ = -1;
};

/// Copies a running node's state, then the journal up to a moment after it, then the draws'
/// published files and the mark of the key, but no key, into the empty or absent `target`, which is
/// absolute: together they open as a node of that moment. Writing goes on meanwhile. On failure
/// `target` is left without the mark of completeness.
/// @returns `in_use` for a target that is not empty, `unfit` for one that can hold no copy:
/// relative
///   (to what, the one who asks can't know), inside the data directory, too long, no directory, or
///   not to be made or written.
result<void> backup(const state_store& state, const journal& log, const layout& from,
                    const layout& target);

/// Copies a complete backup into an empty or absent data directory, after verifying it.
/// @returns `missing` for a directory that is no complete backup, `in_use` for a target not empty.
result<void> restore(file_system& files, const layout& backup, const layout& target);

}  // namespace gelombang::storage
