#include "storage/segment_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "storage/archive.hpp"

namespace gelombang::storage {
namespace {

constexpr std::uint64_t window_bytes = 1u << 20;

class archive_source final : public block_source {
public:
  archive_source(file_system& files, const stored_segment& segment)
      : files_(files), segment_(segment) {}

  result<std::string> window(std::uint64_t offset, std::uint64_t) override {
    const auto behind = std::upper_bound(
        segment_.chunks.begin(), segment_.chunks.end(), offset,
        [](std::uint64_t wanted, const archive_chunk& chunk) { return wanted < chunk.raw_offset; });
    if (behind == segment_.chunks.begin()) return std::string();
    const auto& chunk = *(behind - 1);
    auto raw = read_chunk(files_, segment_, chunk);
    if (!raw) return raw;
    return raw->substr(std::min(offset - chunk.raw_offset, chunk.raw_bytes));
  }

private:
  file_system& files_;
  const stored_segment& segment_;
};

/// Reads the segment's file; when that has been archived meanwhile, the archive, which holds the
/// same bytes.
class file_source final : public block_source {
public:
  file_source(file_system& files, const stored_segment& segment)
      : files_(files), path_(segment.path), end_(segment.bytes) {}

  result<std::string> window(std::uint64_t offset, std::uint64_t at_least) override {
    if (archive_) return archive_source(files_, *archive_).window(offset, at_least);
    const auto wanted = std::max(at_least, window_bytes);
    auto read = files_.read(path_, offset, std::min(wanted, end_ - std::min(offset, end_)));
    if (read || read.error().kind != fault::missing) return read;
    auto archive = load_archive(files_, archive_beside(path_));
    if (!archive) return tl::unexpected(archive.error());
    archive_ = std::move(*archive);
    return window(offset, at_least);
  }

private:
  file_system& files_;
  std::filesystem::path path_;
  std::uint64_t end_;
  std::optional<stored_segment> archive_;
};

/// The index that stands at the end of the file, if one does.
result<void> load_index(file_system& files, stored_segment& segment) {
  const auto size = segment.bytes;
  if (size < sector_bytes + block_header_bytes + block_trailer_bytes) return {};
  auto trailer = files.read(segment.path, size - block_trailer_bytes, block_trailer_bytes);
  if (!trailer) return tl::unexpected(trailer.error());
  const auto length = length_by_trailer(*trailer);
  if (!length || *length > size - sector_bytes || (size - *length) % sector_bytes != 0) return {};
  auto block = files.read(segment.path, size - *length, *length);
  if (!block) return tl::unexpected(block.error());
  const auto header = decode_block_header(*block);
  if (!header || header->kind != block_kind::index || header->length != *length) return {};
  if (header->salt != segment.header.salt) return {};
  const auto body = body_of(*header, *block);
  if (!body) return {};
  auto index = segment_index::decode(*body, size);
  if (!index)
    return corrupt_at(segment.path, size - *length, "index of the segment makes no sense");
  segment.index = std::move(*index);
  segment.end_sequence = header->sequence;
  segment.form = segment_form::closed;
  return {};
}

}  // namespace

std::filesystem::path archive_beside(std::filesystem::path segment) {
  return segment.replace_extension(".gwa");
}

std::unique_ptr<block_source> source_of(file_system& files, const stored_segment& segment) {
  if (segment.form == segment_form::archived) {
    return std::make_unique<archive_source>(files, segment);
  }
  return std::make_unique<file_source>(files, segment);
}

block_cursor::block_cursor(file_system& files, const stored_segment& segment, std::uint64_t offset)
    : segment_(segment), source_(source_of(files, segment)), offset_(offset) {
  if (offset == sector_bytes) sequence_ = segment.header.first_sequence;
}

result<std::string_view> block_cursor::bytes_here(std::uint64_t count) {
  count = std::min(count, segment_.bytes - offset_);
  const auto held = window_offset_ + window_.size();
  if (window_.empty() || offset_ < window_offset_ || offset_ + count > held) {
    auto window = source_->window(offset_, count);
    if (!window) return tl::unexpected(window.error());
    window_ = std::move(*window);
    window_offset_ = offset_;
  }
  return std::string_view(window_).substr(offset_ - window_offset_, count);
}

tl::unexpected<error> block_cursor::flaw(std::string_view reason) const {
  return corrupt_at(segment_.path, offset_, reason);
}

result<std::optional<block_cursor::block>> block_cursor::next() {
  if (offset_ >= segment_.bytes) return std::nullopt;
  auto front = bytes_here(block_header_bytes);
  if (!front) return tl::unexpected(front.error());
  const auto header = decode_block_header(*front);
  if (!header) return flaw("no block where one must begin");
  if (header->salt != segment_.header.salt) return flaw("a block that belongs to another segment");
  if (sequence_ && header->sequence != *sequence_) {
    return flaw(fmt::format("block {} where {} must stand", header->sequence, *sequence_));
  }
  if (header->length > segment_.bytes - offset_) return flaw("a block cut off by the file's end");
  const auto padded = std::min(next_sector(header->length), segment_.bytes - offset_);
  auto bytes = bytes_here(padded);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto body = body_of(*header, *bytes);
  if (!body) return flaw(body.error());
  if (!all_zero(bytes->substr(header->length))) return flaw("bytes between two blocks");
  sequence_ = header->sequence + 1;
  const auto at = offset_;
  offset_ += padded;
  return block{.offset = at, .header = *header, .body = *body};
}

result<stored_segment> load_segment(file_system& files, const std::filesystem::path& path) {
  stored_segment segment;
  segment.path = path;
  const auto size = files.size(path);
  if (!size) return tl::unexpected(size.error());
  const auto sector = files.read(path, 0, sector_bytes);
  if (!sector) return tl::unexpected(sector.error());
  const auto header = decode_segment_header(*sector, path);
  if (!header) return tl::unexpected(header.error());
  segment.header = *header;
  segment.bytes = *size;
  if (auto loaded = load_index(files, segment); !loaded) return tl::unexpected(loaded.error());
  return segment;
}

result<std::uint64_t> torn_bytes(std::string_view rest, const stored_segment& segment,
                                 std::uint64_t offset, std::uint64_t sequence) {
  const auto last_used = rest.find_last_not_of('\0');
  if (last_used == std::string_view::npos) return 0;
  const std::uint64_t used = last_used + 1;
  const auto flaw = [&](std::string_view reason) {
    return corrupt_at(segment.path, offset, reason);
  };
  for (auto at = sector_bytes; at < used; at += sector_bytes) {
    const auto later = decode_block_header(rest.substr(at));
    if (!later || later->salt != segment.header.salt) continue;
    return flaw(fmt::format("block {} is damaged, but block {} follows at {}", sequence,
                            later->sequence, offset + at));
  }
  const auto header = decode_block_header(rest);
  if (!header) {
    // Sectors are written whole or not at all; a write that was broken off has left a prefix.
    const auto never_written = all_zero(rest.substr(0, sector_bytes));
    if (never_written || used <= block_header_bytes) return used;
    return flaw("no block where one must begin");
  }
  if (header->salt != segment.header.salt || header->sequence != sequence) {
    return flaw(
        fmt::format("a block that cannot follow, {} instead of {}", header->sequence, sequence));
  }
  if (used > header->length) return flaw("bytes behind the last block");
  if (rest.size() < header->length || used < header->length) return used;
  const auto block = rest.substr(0, header->length);
  if (count_zero_sectors(block) > header->zero_sectors) return used;
  const auto body = body_of(*header, block);
  return flaw(body ? "a block that cannot follow" : body.error());
}

}  // namespace gelombang::storage
