#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "storage/file_system.hpp"

namespace gelombang::storage {

/// The last segment that holds a cycle, as the file `NEWEST` beside the segments names it. The
/// other segments name each other by number and sequence; only the end of the journal could be
/// removed without a gap. It gets its new content, durably, after a segment's first cycle and
/// before that is acknowledged: so a segment that it names is there, unless somebody took it away.
struct newest_segment {
  std::uint64_t number = 0;
  std::uint64_t salt = 0;  ///< of that segment

  friend bool operator==(const newest_segment&, const newest_segment&) = default;
};

/// @returns nothing for a journal without the file, being one without a cycle, or of before there
///   was such a file; `corrupt`, `version`, `io`.
result<std::optional<newest_segment>> read_newest(file_system& files,
                                                  const std::filesystem::path& journal);

/// Puts what the file is to say beside it. All of it that needs room is done then.
result<void> draft_newest(file_system& files, const std::filesystem::path& journal,
                          const newest_segment& newest);

/// Puts the draft in the file's place, durably. @returns `io` when that fails: the new name may be
/// there or not.
result<void> publish_newest(file_system& files, const std::filesystem::path& journal);

/// Both: all of it is on the disk when it returns, or the old one still is.
result<void> write_newest(file_system& files, const std::filesystem::path& journal,
                          const newest_segment& newest);

}  // namespace gelombang::storage
