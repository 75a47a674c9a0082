#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

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
  /// Of a backup: tells that it is complete, and what belongs to it.
  std::filesystem::path backup_mark() const { return root / "BACKUP"; }
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

/// Whether `path` is `directory` or below it, links followed; neither need be there.
/// @returns `unfit` for a path that the system can't follow.
result<bool> is_inside(const std::filesystem::path& path, const std::filesystem::path& directory);

/// Copies the marks of format and key, but no key, a running node's state, then the journal up to a
/// moment after it, then the draws' published files into the empty or absent `target`, which is
/// absolute: together they open as a node of that moment. Writing goes on meanwhile. On failure
/// `target` is left without the mark of completeness; so it is when `until` tells to stop, which is
/// heeded between any two steps of reading (`io`).
/// @returns `in_use` for a target that is not empty; `unfit` for one that can hold no copy, being
///   relative (to what, the one who asks can't know), inside the data directory, too long, no
///   directory, or not to be made or written.
result<void> backup(const state_store& state, const journal& log, const layout& from,
                    const layout& target, const std::stop_token& until = {});

/// What a backup holds.
struct backup_report {
  std::uint64_t files = 0, bytes = 0;
};

/// Whether the mark of completeness is there: whether it holds is for `verify_backup` to say.
bool has_backup_mark(const layout& where);

/// Compares every file of a backup with the mark of completeness, as `restore` does, and changes
/// nothing.
/// @returns `missing` for a directory that is no complete backup, `corrupt` for a file that is not
///   what was backed up, or that was not backed up at all, or no file at all.
result<backup_report> verify_backup(file_system& files, const layout& backup);

/// Copies a complete backup into an empty or absent data directory, after verifying it. What its
/// mark does not list stays behind.
/// @returns `missing` for a directory that is no complete backup, `in_use` for a target not empty,
///   `corrupt` for a file that is not what was backed up, or is reached through a link.
result<void> restore(file_system& files, const layout& backup, const layout& target);

}  // namespace gelombang::storage
