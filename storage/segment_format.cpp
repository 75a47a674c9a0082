#include "storage/segment_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

namespace gelombang::storage {
namespace {

constexpr std::string_view segment_magic = "GWJSEGMT";
constexpr std::uint32_t block_mark = 0x31425747;  // "GWB1"
constexpr std::uint32_t end_mark = 0x31455747;    // "GWE1": its last byte in the file is not zero
constexpr std::size_t block_header_checked_bytes = block_header_bytes - 4;
constexpr std::size_t range_bytes = 2 + 2 * (8 + 8 + 32);

std::string_view whole(const std::string& bytes) {
  return bytes;
}

void write_block_header(char* at, const block_header& header) {
  byte_writer(at)
      .put(block_mark)
      .put(static_cast<std::uint16_t>(header.kind))
      .put(std::uint16_t{0})
      .put(header.salt)
      .put(header.sequence)
      .put(header.length)
      .put(header.frames)
      .put(header.zero_sectors);
  byte_writer(at + block_header_checked_bytes)
      .put(crc32c(std::string_view(at, block_header_checked_bytes)));
}

/// Fills in what depends on the finished body: header and trailer of the block in `block`.
void seal_block(char* block, block_header header) {
  // Counted with a header and a trailer in place: neither leaves its sector zero.
  write_block_header(block, header);
  const auto trailer = block + header.length - block_trailer_bytes;
  byte_writer(trailer).put(header.length).put(std::uint32_t{0}).put(end_mark);
  header.zero_sectors = count_zero_sectors(std::string_view(block, header.length));
  if (header.zero_sectors != 0) write_block_header(block, header);
  byte_writer(trailer + 8).put(crc32c(std::string_view(block, header.length - 8)));
}

position take_position(byte_reader& reader) {
  position at;
  at.epoch = reader.take<std::uint64_t>();
  at.last = reader.take<std::uint64_t>();
  at.chain = reader.take_digest();
  return at;
}

void put_position(byte_writer& writer, const position& at) {
  writer.put(at.epoch).put(at.last).put(at.chain);
}

bool stands_before(const shard_range& range, shard_index shard) {
  return range.shard < shard;
}

}  // namespace

tl::unexpected<error> corrupt_at(const std::filesystem::path& file, std::uint64_t offset,
                                 std::string_view reason) {
  return failed(fault::corrupt, fmt::format("{}:{}: {}", file.string(), offset, reason));
}

std::string encode_segment_header(const segment_header& header) {
  std::string sector(sector_bytes, '\0');
  byte_writer(sector.data())
      .put(segment_magic)
      .put(segment_version)
      .put(std::uint32_t{0})
      .put(header.number)
      .put(header.salt)
      .put(header.first_sequence);
  byte_writer(sector.data() + sector_bytes - 4)
      .put(crc32c(whole(sector).substr(0, sector_bytes - 4)));
  return sector;
}

result<segment_header> decode_segment_header(std::string_view bytes,
                                             const std::filesystem::path& file) {
  if (bytes.size() < sector_bytes) return corrupt_at(file, 0, "shorter than a segment's header");
  bytes = bytes.substr(0, sector_bytes);
  if (bytes.substr(0, segment_magic.size()) != segment_magic) {
    return corrupt_at(file, 0, "does not begin like a segment");
  }
  byte_reader crc(bytes.substr(sector_bytes - 4));
  if (crc.take<std::uint32_t>() != crc32c(bytes.substr(0, sector_bytes - 4))) {
    return corrupt_at(file, 0, "checksum of the segment's header does not hold");
  }
  byte_reader reader(bytes.substr(segment_magic.size()));
  const auto version = reader.take<std::uint32_t>();
  if (version > segment_version) {
    return failed(fault::version,
                  fmt::format("{}: written in format {}, this program reads up to {}",
                              file.string(), version, segment_version));
  }
  if (reader.take<std::uint32_t>() != 0 || version == 0) {
    return corrupt_at(file, 8, "no version that there ever was");
  }
  segment_header header;
  header.number = reader.take<std::uint64_t>();
  header.salt = reader.take<std::uint64_t>();
  header.first_sequence = reader.take<std::uint64_t>();
  return header;
}

std::optional<block_header> decode_block_header(std::string_view bytes) {
  if (bytes.size() < block_header_bytes) return std::nullopt;
  byte_reader reader(bytes.substr(0, block_header_bytes));
  if (reader.take<std::uint32_t>() != block_mark) return std::nullopt;
  block_header header;
  const auto kind = reader.take<std::uint16_t>();
  const auto reserved = reader.take<std::uint16_t>();
  header.kind = static_cast<block_kind>(kind);
  header.salt = reader.take<std::uint64_t>();
  header.sequence = reader.take<std::uint64_t>();
  header.length = reader.take<std::uint64_t>();
  header.frames = reader.take<std::uint32_t>();
  header.zero_sectors = reader.take<std::uint32_t>();
  const auto stored = reader.take<std::uint32_t>();
  if (stored != crc32c(bytes.substr(0, block_header_checked_bytes))) return std::nullopt;
  if (reserved != 0 || kind < 1 || kind > 3) return std::nullopt;
  if (header.length < block_header_bytes + block_trailer_bytes) return std::nullopt;
  if (header.length > std::numeric_limits<std::uint64_t>::max() / 4) return std::nullopt;
  return header;
}

tl::expected<std::string_view, std::string> body_of(const block_header& header,
                                                    std::string_view block) {
  if (block.size() < header.length) {
    return tl::unexpected(
        fmt::format("{} bytes of a block of {} are there", block.size(), header.length));
  }
  block = block.substr(0, header.length);
  const auto trailer = block.substr(block.size() - block_trailer_bytes);
  if (length_by_trailer(trailer) != header.length) {
    return tl::unexpected(std::string("the end of the block is not where its header says"));
  }
  byte_reader reader(trailer.substr(8));
  if (reader.take<std::uint32_t>() != crc32c(block.substr(0, block.size() - 8))) {
    return tl::unexpected(fmt::format("checksum of block {} does not hold", header.sequence));
  }
  return block.substr(block_header_bytes, block.size() - block_header_bytes - block_trailer_bytes);
}

std::optional<std::uint64_t> length_by_trailer(std::string_view trailer) {
  byte_reader reader(trailer);
  const auto length = reader.take<std::uint64_t>();
  reader.take<std::uint32_t>();
  if (reader.take<std::uint32_t>() != end_mark || reader.broken()) return std::nullopt;
  return length;
}

bool all_zero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == '\0' && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::uint32_t count_zero_sectors(std::string_view block) {
  std::uint32_t count = 0;
  for (; block.size() >= sector_bytes; block.remove_prefix(sector_bytes)) {
    if (all_zero(block.substr(0, sector_bytes))) ++count;
  }
  return count;
}

std::string encode_block(const block_header& header, std::string_view body) {
  auto sized = header;
  sized.length = block_header_bytes + body.size() + block_trailer_bytes;
  std::string block(sized.length, '\0');
  byte_writer(block.data() + block_header_bytes).put(body);
  seal_block(block.data(), sized);
  return block;
}

std::uint64_t cycle_encoder::length_of(std::span<const frame> frames) {
  std::uint64_t bytes = block_header_bytes + block_trailer_bytes;
  for (const auto& each : frames) bytes += frame_header_bytes + each.records.size();
  return bytes;
}

std::string_view cycle_encoder::encode(const segment_header& segment, std::uint64_t sequence,
                                       std::span<const frame> frames,
                                       std::span<const digest> previous) {
  const auto length = length_of(frames);
  buffer_.resize(length);
  digests_.resize(frames.size());
  auto at = buffer_.data() + block_header_bytes;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const auto& each = frames[i];
    const auto behind = byte_writer(at + 4)
                            .put(each.shard)
                            .put(std::uint16_t{0})
                            .put(each.count)
                            .put(each.epoch)
                            .put(each.first)
                            .put(each.written_at)
                            .put(static_cast<std::uint32_t>(each.records.size()))
                            .put(previous[i])
                            .put(each.records)
                            .at();
    const std::string_view covered(at + 4, static_cast<std::size_t>(behind - at - 4));
    byte_writer(at).put(crc32c(covered));
    digests_[i] = sha256(covered);
    at = behind;
  }
  block_header header;
  header.kind = block_kind::cycle;
  header.salt = segment.salt;
  header.sequence = sequence;
  header.length = length;
  header.frames = static_cast<std::uint32_t>(frames.size());
  seal_block(buffer_.data(), header);
  return buffer_;
}

bool decoded_frame::checksum_holds() const {
  byte_reader reader(bytes);
  return reader.take<std::uint32_t>() == crc32c(bytes.substr(4));
}

digest decoded_frame::compute_digest() const {
  return sha256(bytes.substr(4));
}

tl::expected<decoded_frame, std::string> decode_frame(std::string_view rest,
                                                      std::uint64_t frame_bytes_max) {
  byte_reader reader(rest);
  decoded_frame frame;
  reader.take<std::uint32_t>();
  frame.shard = reader.take<std::uint16_t>();
  const auto reserved = reader.take<std::uint16_t>();
  frame.count = reader.take<std::uint32_t>();
  frame.epoch = reader.take<std::uint64_t>();
  frame.first = reader.take<std::uint64_t>();
  frame.written_at = reader.take<std::int64_t>();
  const auto length = reader.take<std::uint32_t>();
  frame.previous = reader.take_digest();
  if (reader.broken()) return tl::unexpected(std::string("a frame's header is cut off"));
  if (length > frame_bytes_max) {
    return tl::unexpected(
        fmt::format("a frame of {} bytes, more than frame_bytes_max {}", length, frame_bytes_max));
  }
  if (length > reader.left()) return tl::unexpected(std::string("a frame's records are cut off"));
  if (reserved != 0 || frame.count == 0 || frame.first == 0 ||
      frame.first > std::numeric_limits<lsn>::max() - frame.count) {
    return tl::unexpected(std::string("a frame's header makes no sense"));
  }
  frame.bytes = rest.substr(0, frame_header_bytes + length);
  frame.records = frame.bytes.substr(frame_header_bytes);
  return frame;
}

const shard_range* segment_index::find(shard_index shard) const {
  const auto at = std::lower_bound(ranges_.begin(), ranges_.end(), shard, stands_before);
  return at != ranges_.end() && at->shard == shard ? &*at : nullptr;
}

void segment_index::begin_cycle(std::uint64_t offset) {
  if (!marks_.empty() && offset - marks_.back().offset < mark_distance_bytes) return;
  segment_mark mark{.offset = offset, .reached = {}};
  mark.reached.reserve(ranges_.size());
  for (const auto& range : ranges_) mark.reached.push_back(range.end.last);
  marks_.push_back(std::move(mark));
}

void segment_index::add(shard_index shard, const position& before, const position& after) {
  const auto at = std::lower_bound(ranges_.begin(), ranges_.end(), shard, stands_before);
  if (at != ranges_.end() && at->shard == shard) {
    at->end = after;
    return;
  }
  const auto column = at - ranges_.begin();
  ranges_.insert(at, shard_range{.shard = shard, .start = before, .end = after});
  for (auto& mark : marks_) mark.reached.insert(mark.reached.begin() + column, before.last);
}

std::uint64_t segment_index::offset_for(shard_index shard, lsn from) const {
  auto offset = sector_bytes;
  const auto range = find(shard);
  if (range == nullptr) return offset;
  const auto column = static_cast<std::size_t>(range - ranges_.data());
  for (const auto& mark : marks_) {
    if (mark.reached[column] >= from) break;
    offset = mark.offset;
  }
  return offset;
}

std::string segment_index::encode() const {
  std::string bytes(8 + ranges_.size() * range_bytes + marks_.size() * 8 * (1 + ranges_.size()),
                    '\0');
  byte_writer writer(bytes.data());
  writer.put(static_cast<std::uint32_t>(ranges_.size()));
  writer.put(static_cast<std::uint32_t>(marks_.size()));
  for (const auto& range : ranges_) {
    writer.put(range.shard);
    put_position(writer, range.start);
    put_position(writer, range.end);
  }
  for (const auto& mark : marks_) {
    writer.put(mark.offset);
    for (const auto reached : mark.reached) writer.put(reached);
  }
  return bytes;
}

std::optional<segment_index> segment_index::decode(std::string_view bytes,
                                                   std::uint64_t segment_bytes) {
  byte_reader reader(bytes);
  const std::uint64_t ranges = reader.take<std::uint32_t>();
  const std::uint64_t marks = reader.take<std::uint32_t>();
  if (ranges > 65536 || reader.broken()) return std::nullopt;
  if (reader.left() < ranges * range_bytes) return std::nullopt;
  if (marks > reader.left() / 8 ||
      reader.left() != ranges * range_bytes + marks * 8 * (1 + ranges)) {
    return std::nullopt;
  }
  segment_index index;
  for (std::uint64_t i = 0; i < ranges; ++i) {
    shard_range range;
    range.shard = reader.take<std::uint16_t>();
    range.start = take_position(reader);
    range.end = take_position(reader);
    if (i != 0 && range.shard <= index.ranges_.back().shard) return std::nullopt;
    if (range.end.last <= range.start.last || range.end.epoch < range.start.epoch) {
      return std::nullopt;
    }
    index.ranges_.push_back(range);
  }
  auto behind = sector_bytes;
  for (std::uint64_t i = 0; i < marks; ++i) {
    segment_mark mark{.offset = reader.take<std::uint64_t>(), .reached = {}};
    if (mark.offset < behind || mark.offset % sector_bytes != 0) return std::nullopt;
    if (mark.offset >= segment_bytes) return std::nullopt;
    behind = mark.offset + mark_distance_bytes;
    for (std::uint64_t column = 0; column < ranges; ++column) {
      mark.reached.push_back(reader.take<lsn>());
    }
    index.marks_.push_back(std::move(mark));
  }
  return index;
}

}  // namespace gelombang::storage
