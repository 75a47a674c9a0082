#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "storage/chains.hpp"
#include "storage/journal.hpp"
#include "storage/newest_segment.hpp"
#include "storage/segment_reader.hpp"

namespace gelombang::storage {

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t number);
std::filesystem::path archive_path(const std::filesystem::path& directory, std::uint64_t number);

/// A journal's files, found to fit together.
struct history {
  std::vector<stored_segment> segments;  ///< oldest first; only the last can be open
  std::vector<position> ends;            ///< by shard number
  std::uint64_t next_sequence = 1;
  std::uint64_t next_number = 1;
  recovery_report report;
  std::optional<newest_segment> newest;  ///< as it was named
  /// Remains of an archiving or a rotation that was interrupted: nothing that stands only there.
  std::vector<std::filesystem::path> leftovers;
  std::uint64_t bytes = 0;  ///< of all segments before compression
};

struct walk_options {
  std::filesystem::path directory;
  std::uint64_t frame_bytes_max = 0;
  walk_depth depth = walk_depth::behind_checkpoint;
  naming newest = naming::may_be_absent;
};

/// Reads the journal in the directory, changes nothing, and hands every frame behind `checkpoint`
/// to `visit`. Of an open segment, `bytes` is where its last whole block ends.
result<history> walk_history(file_system& files, const walk_options& options,
                             const positions& checkpoint, const journal::visitor& visit);

}  // namespace gelombang::storage
