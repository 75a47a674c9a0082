#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_system.hpp"
#include "storage/segment_format.hpp"

namespace gelombang::storage {

/// A run of whole blocks of an archived segment, compressed by itself.
struct archive_chunk {
  std::uint64_t raw_offset = 0;  ///< in the segment
  std::uint64_t raw_bytes = 0;
  std::uint64_t offset = 0;  ///< in the archive
  std::uint64_t bytes = 0;
  std::uint32_t checksum = 0;  ///< of the compressed bytes
};

enum class segment_form {
  open,      ///< without an index: in use, or left by a crash
  closed,    ///< ends with its index
  archived,  ///< compressed
};

/// One segment as it stands on the disk.
struct stored_segment {
  segment_form form = segment_form::open;
  std::filesystem::path path;
  segment_header header;
  segment_index index;
  std::vector<archive_chunk> chunks;  ///< of an archive
  std::uint64_t bytes = 0;            ///< before compression, up to the end of the last block
  std::uint64_t end_sequence = 0;     ///< of the block that closes it
};

/// The archive that takes the place of a segment's file.
std::filesystem::path archive_beside(std::filesystem::path segment);

/// Where a segment's bytes come from: its own file, or the chunks of an archive.
class block_source {
public:
  virtual ~block_source() = default;
  /// Bytes from `offset`, where a block begins: at least `at_least` of them if there are so many.
  virtual result<std::string> window(std::uint64_t offset, std::uint64_t at_least) = 0;
};

std::unique_ptr<block_source> source_of(file_system& files, const stored_segment& segment);

/// Goes through a segment's blocks in order and checks each: mark, salt, sequence, checksum,
/// padding.
class block_cursor {
public:
  struct block {
    std::uint64_t offset = 0;
    block_header header;
    std::string_view body;  ///< valid until the cursor moves
  };

  /// Begins at `offset`, where a block begins.
  block_cursor(file_system& files, const stored_segment& segment, std::uint64_t offset);

  /// The next block, nothing at the end of the segment.
  /// @returns `corrupt` with the place; the cursor then still stands before that block.
  result<std::optional<block>> next();

  std::uint64_t offset() const { return offset_; }

private:
  result<std::string_view> bytes_here(std::uint64_t count);
  tl::unexpected<error> flaw(std::string_view reason) const;

  const stored_segment& segment_;
  std::unique_ptr<block_source> source_;
  std::uint64_t offset_;
  std::optional<std::uint64_t> sequence_;  ///< of the block at `offset_`, once one has been read
  std::string window_;
  std::uint64_t window_offset_ = 0;
};

/// Reads the header, and the index if there is one, of a segment's file.
result<stored_segment> load_segment(file_system& files, const std::filesystem::path& path);

/// Judges what stands at the end of an open segment, from `offset` on, where the block with
/// `sequence` would begin but none that holds does.
/// @returns how many bytes a write that was never synced has left there, 0 for none; `corrupt`
///   for what such a write cannot explain.
result<std::uint64_t> torn_bytes(std::string_view rest, const stored_segment& segment,
                                 std::uint64_t offset, std::uint64_t sequence);

}  // namespace gelombang::storage
