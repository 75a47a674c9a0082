#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/frame.hpp"
#include "storage/result.hpp"

namespace gelombang::storage {

// The bytes of segments, as FORMAT.md gives them. Everything that decodes takes untrusted bytes.

inline constexpr std::uint32_t segment_version = 1;
inline constexpr std::uint64_t sector_bytes = 512;
inline constexpr std::size_t block_header_bytes = 44;
inline constexpr std::size_t block_trailer_bytes = 16;
inline constexpr std::size_t frame_header_bytes = 72;
/// At least this much lies between two marks of a segment's index, and in a chunk of an archive.
inline constexpr std::uint64_t mark_distance_bytes = 1u << 20;

constexpr std::uint64_t next_sector(std::uint64_t offset) {
  return (offset + sector_bytes - 1) / sector_bytes * sector_bytes;
}

/// `corrupt`, with the place as FILE:OFFSET before the reason.
tl::unexpected<error> corrupt_at(const std::filesystem::path& file, std::uint64_t offset,
                                 std::string_view reason);

/// The first sector of a segment.
struct segment_header {
  std::uint64_t number = 0;
  /// Random, repeated in every block, so that neither stale bytes of another file nor bytes that
  /// somebody had stored as a record can pass for a block.
  std::uint64_t salt = 0;
  std::uint64_t first_sequence = 0;

  friend bool operator==(const segment_header&, const segment_header&) = default;
};

std::string encode_segment_header(const segment_header& header);
result<segment_header> decode_segment_header(std::string_view bytes,
                                             const std::filesystem::path& file);

enum class block_kind : std::uint16_t {
  cycle = 1,          ///< frames
  index = 2,          ///< closes a segment
  archive_index = 3,  ///< closes an archive
};

/// Stands before every block. A block begins on a sector of its own.
struct block_header {
  block_kind kind = block_kind::cycle;
  std::uint64_t salt = 0;
  std::uint64_t sequence = 0;  ///< one more than the block before, across segments
  std::uint64_t length = 0;    ///< header and trailer included, padding not
  std::uint32_t frames = 0;
  std::uint32_t zero_sectors = 0;  ///< whole sectors of the block that were written as zeros
};

/// @returns nothing unless mark, checksum and lengths hold.
std::optional<block_header> decode_block_header(std::string_view bytes);

/// What stands between header and trailer of a whole block.
/// @returns what is wrong with it, in words.
tl::expected<std::string_view, std::string> body_of(const block_header& header,
                                                    std::string_view block);

/// Length of the block that ends where `trailer` ends, if that looks like the end of a block.
std::optional<std::uint64_t> length_by_trailer(std::string_view trailer);

/// Whole sectors of `block`, which begins on a sector, that are zeros only.
std::uint32_t count_zero_sectors(std::string_view block);

bool all_zero(std::string_view bytes);

/// A block around `body`.
std::string encode_block(const block_header& header, std::string_view body);

/// Encodes cycles into one buffer that is used again and again.
class cycle_encoder {
public:
  /// Bytes that a cycle of `frames` takes.
  static std::uint64_t length_of(std::span<const frame> frames);

  /// Encodes one cycle. `previous[i]` is the chain before `frames[i]`. The bytes are valid until
  /// the next call.
  std::string_view encode(const segment_header& segment, std::uint64_t sequence,
                          std::span<const frame> frames, std::span<const digest> previous);

  /// Digests of the frames encoded last, in their order.
  const std::vector<digest>& digests() const { return digests_; }

private:
  std::string buffer_;
  std::vector<digest> digests_;
};

/// A frame and the bytes it was decoded from; `self` is not filled in.
struct decoded_frame : stored_frame {
  std::string_view bytes;

  bool checksum_holds() const;
  digest compute_digest() const;
};

/// Decodes the frame at the front of a cycle's rest.
/// @returns what is wrong, in words.
tl::expected<decoded_frame, std::string> decode_frame(std::string_view rest,
                                                      std::uint64_t frame_bytes_max);

/// What a segment holds of one shard.
struct shard_range {
  shard_index shard = 0;
  position start;  ///< before the segment's first frame of the shard
  position end;    ///< at its last

  friend bool operator==(const shard_range&, const shard_range&) = default;
};

/// A place in a segment from which reading can begin.
struct segment_mark {
  std::uint64_t offset = 0;  ///< of a block
  std::vector<lsn> reached;  ///< where each shard of the index stands before `offset`, in its order
};

/// Where the frames of a segment's shards are: written when it is closed, so that a start need not
/// read the segment and a reader need not begin at its beginning.
class segment_index {
public:
  /// Ranges in the order of their shards.
  const std::vector<shard_range>& ranges() const { return ranges_; }
  const std::vector<segment_mark>& marks() const { return marks_; }

  const shard_range* find(shard_index shard) const;

  /// Notes that a cycle begins at `offset`.
  void begin_cycle(std::uint64_t offset);
  /// Notes that a frame has brought `shard` from `before` to `after`.
  void add(shard_index shard, const position& before, const position& after);

  /// Where to begin looking for frames that end at or behind `from`.
  std::uint64_t offset_for(shard_index shard, lsn from) const;

  std::string encode() const;
  /// @returns nothing for bytes that are no index of a segment of `segment_bytes`.
  static std::optional<segment_index> decode(std::string_view bytes, std::uint64_t segment_bytes);

private:
  std::vector<shard_range> ranges_;
  std::vector<segment_mark> marks_;
};

}  // namespace gelombang::storage
