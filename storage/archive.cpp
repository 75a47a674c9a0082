#include "storage/archive.hpp"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"

namespace gelombang::storage {
namespace {

constexpr std::string_view archive_magic = "GWJARCHV";
constexpr std::uint32_t archive_version = 1;
constexpr std::size_t archive_header_bytes = 64;
constexpr std::size_t chunk_entry_bytes = 4 * 8 + 4;
constexpr std::size_t index_front_bytes = 4 + 8 + 8;
/// zstd spends at least 4 bytes on a block of at most 128 KiB, so no honest chunk expands more.
constexpr std::uint64_t expansion_max = 1u << 15;

struct archive_header {
  std::uint64_t number = 0;
  std::uint64_t salt = 0;
  std::uint64_t raw_bytes = 0;
};

std::string encode_archive_header(const stored_segment& closed) {
  std::string bytes(archive_header_bytes, '\0');
  byte_writer(bytes.data())
      .put(archive_magic)
      .put(archive_version)
      .put(std::uint32_t{0})
      .put(closed.header.number)
      .put(closed.header.salt)
      .put(closed.bytes);
  const auto checked = std::string_view(bytes).substr(0, archive_header_bytes - 4);
  byte_writer(bytes.data() + checked.size()).put(crc32c(checked));
  return bytes;
}

result<archive_header> decode_archive_header(std::string_view bytes,
                                             const std::filesystem::path& path) {
  if (bytes.size() != archive_header_bytes ||
      bytes.substr(0, archive_magic.size()) != archive_magic) {
    return corrupt_at(path, 0, "does not begin like an archive");
  }
  const auto checked = bytes.substr(0, archive_header_bytes - 4);
  byte_reader stored(bytes.substr(checked.size()));
  if (stored.take<std::uint32_t>() != crc32c(checked)) {
    return corrupt_at(path, 0, "checksum of the archive's header does not hold");
  }
  byte_reader reader(bytes.substr(archive_magic.size()));
  const auto version = reader.take<std::uint32_t>();
  if (version > archive_version) {
    return failed(fault::version,
                  fmt::format("{}: written in format {}, this program reads up to {}",
                              path.string(), version, archive_version));
  }
  if (reader.take<std::uint32_t>() != 0 || version == 0) {
    return corrupt_at(path, 8, "no version that there ever was");
  }
  archive_header header;
  header.number = reader.take<std::uint64_t>();
  header.salt = reader.take<std::uint64_t>();
  header.raw_bytes = reader.take<std::uint64_t>();
  return header;
}

/// Where the chunks begin: at the marks, so that a reader who wants to begin at a mark decompresses
/// nothing before it. The segment's header goes with the first.
std::vector<std::uint64_t> chunk_offsets(const stored_segment& closed) {
  std::vector<std::uint64_t> offsets{0};
  for (const auto& mark : closed.index.marks()) {
    if (mark.offset > sector_bytes) offsets.push_back(mark.offset);
  }
  offsets.push_back(closed.bytes);
  return offsets;
}

class compressor {
public:
  explicit compressor(int level) : context_(ZSTD_createCCtx(), &ZSTD_freeCCtx) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  result<std::string> compress(std::string_view raw) {
    std::string bytes(ZSTD_compressBound(raw.size()), '\0');
    const auto size =
        ZSTD_compress2(context_.get(), bytes.data(), bytes.size(), raw.data(), raw.size());
    if (ZSTD_isError(size)) return failed(fault::io, ZSTD_getErrorName(size));
    bytes.resize(size);
    return bytes;
  }

private:
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

result<std::string> read_raw(file_system& files, const stored_segment& closed, std::uint64_t from,
                             std::uint64_t to) {
  auto raw = files.read(closed.path, from, to - from);
  if (raw && raw->size() != to - from) return corrupt_at(closed.path, from, "the file is cut off");
  return raw;
}

result<void> check_blocks(file_system& files, const stored_segment& segment) {
  block_cursor cursor(files, segment, sector_bytes);
  for (;;) {
    const auto block = cursor.next();
    if (!block) return tl::unexpected(block.error());
    if (!*block) return {};
  }
}

std::string encode_archive_index(const stored_segment& closed,
                                 const std::vector<archive_chunk>& chunks) {
  const auto index = closed.index.encode();
  std::string body(index_front_bytes + chunks.size() * chunk_entry_bytes + index.size(), '\0');
  byte_writer writer(body.data());
  writer.put(static_cast<std::uint32_t>(chunks.size()));
  writer.put(closed.header.first_sequence).put(closed.end_sequence);
  for (const auto& chunk : chunks) {
    writer.put(chunk.raw_offset).put(chunk.raw_bytes);
    writer.put(chunk.offset).put(chunk.bytes).put(chunk.checksum);
  }
  writer.put(std::string_view(index));
  block_header header;
  header.kind = block_kind::archive_index;
  header.salt = closed.header.salt;
  header.sequence = closed.end_sequence;
  return encode_block(header, body);
}

result<void> write_chunks_and_index(file_system& files, const stored_segment& closed,
                                    writable_file& file, int compression_level) {
  if (auto done = file.write_at(0, encode_archive_header(closed)); !done) return done;
  std::uint64_t offset = archive_header_bytes;
  std::vector<archive_chunk> chunks;
  compressor zstd(compression_level);
  const auto offsets = chunk_offsets(closed);
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
    const auto raw = read_raw(files, closed, offsets[i], offsets[i + 1]);
    if (!raw) return tl::unexpected(raw.error());
    const auto bytes = zstd.compress(*raw);
    if (!bytes) return tl::unexpected(bytes.error());
    if (auto done = file.write_at(offset, *bytes); !done) return done;
    chunks.push_back({.raw_offset = offsets[i],
                      .raw_bytes = raw->size(),
                      .offset = offset,
                      .bytes = bytes->size(),
                      .checksum = crc32c(*bytes)});
    offset += bytes->size();
    // Synced piece by piece, so that no commit's sync waits behind all of it.
    if (auto done = file.sync(); !done) return done;
  }
  return file.write_at(offset, encode_archive_index(closed, chunks));
}

result<void> compare(file_system& files, const stored_segment& closed,
                     const std::filesystem::path& target) {
  const auto archive = load_archive(files, target);
  if (!archive) return tl::unexpected(archive.error());
  for (const auto& chunk : archive->chunks) {
    const auto stored = read_chunk(files, *archive, chunk);
    if (!stored) return tl::unexpected(stored.error());
    const auto raw = read_raw(files, closed, chunk.raw_offset, chunk.raw_offset + chunk.raw_bytes);
    if (!raw) return tl::unexpected(raw.error());
    if (*raw != *stored) return corrupt_at(target, chunk.offset, "differs from the segment");
  }
  return {};
}

bool follow_each_other(const std::vector<archive_chunk>& chunks, std::uint64_t raw_bytes,
                       std::uint64_t end) {
  std::uint64_t raw_offset = 0;
  std::uint64_t offset = archive_header_bytes;
  for (const auto& chunk : chunks) {
    if (chunk.raw_offset != raw_offset || chunk.offset != offset) return false;
    if (chunk.bytes == 0 || chunk.bytes > end - offset) return false;
    if (chunk.raw_bytes == 0 || chunk.raw_bytes > raw_bytes - raw_offset) return false;
    if (chunk.raw_bytes / expansion_max > chunk.bytes) return false;
    raw_offset += chunk.raw_bytes;
    offset += chunk.bytes;
  }
  return raw_offset == raw_bytes && offset == end;
}

/// The block at the end of the file.
result<std::string> read_last_block(file_system& files, const std::filesystem::path& path,
                                    std::uint64_t size) {
  if (size < archive_header_bytes + block_header_bytes + block_trailer_bytes) {
    return corrupt_at(path, size, "an archive cut off");
  }
  auto trailer = files.read(path, size - block_trailer_bytes, block_trailer_bytes);
  if (!trailer) return trailer;
  const auto length = length_by_trailer(*trailer);
  if (!length || *length > size - archive_header_bytes) {
    return corrupt_at(path, size - block_trailer_bytes, "an archive that does not end like one");
  }
  return files.read(path, size - *length, *length);
}

}  // namespace

result<void> write_archive(file_system& files, const stored_segment& closed,
                           const std::filesystem::path& target, int compression_level) {
  if (auto whole = check_blocks(files, closed); !whole) return whole;
  {
    auto file = files.create(target);
    if (!file) return tl::unexpected(file.error());
    if (auto done = write_chunks_and_index(files, closed, **file, compression_level); !done) {
      return done;
    }
    if (auto done = (*file)->sync(); !done) return done;
  }
  return compare(files, closed, target);
}

result<stored_segment> load_archive(file_system& files, const std::filesystem::path& path) {
  const auto size = files.size(path);
  if (!size) return tl::unexpected(size.error());
  const auto front = files.read(path, 0, archive_header_bytes);
  if (!front) return tl::unexpected(front.error());
  const auto header = decode_archive_header(*front, path);
  if (!header) return tl::unexpected(header.error());
  const auto block = read_last_block(files, path, *size);
  if (!block) return tl::unexpected(block.error());
  const auto at = *size - block->size();
  const auto block_head = decode_block_header(*block);
  if (!block_head || block_head->kind != block_kind::archive_index ||
      block_head->salt != header->salt || block_head->length != block->size()) {
    return corrupt_at(path, at, "no index where the archive's must begin");
  }
  const auto body = body_of(*block_head, *block);
  if (!body) return corrupt_at(path, at, body.error());

  stored_segment archive;
  archive.form = segment_form::archived;
  archive.path = path;
  archive.bytes = header->raw_bytes;
  byte_reader reader(*body);
  const std::uint64_t chunks = reader.take<std::uint32_t>();
  archive.header.number = header->number;
  archive.header.salt = header->salt;
  archive.header.first_sequence = reader.take<std::uint64_t>();
  archive.end_sequence = reader.take<std::uint64_t>();
  if (reader.broken() || reader.left() / chunk_entry_bytes < chunks) {
    return corrupt_at(path, at, "index of the archive makes no sense");
  }
  for (std::uint64_t i = 0; i < chunks; ++i) {
    archive_chunk chunk;
    chunk.raw_offset = reader.take<std::uint64_t>();
    chunk.raw_bytes = reader.take<std::uint64_t>();
    chunk.offset = reader.take<std::uint64_t>();
    chunk.bytes = reader.take<std::uint64_t>();
    chunk.checksum = reader.take<std::uint32_t>();
    archive.chunks.push_back(chunk);
  }
  auto index = segment_index::decode(body->substr(body->size() - reader.left()), archive.bytes);
  if (!index || !follow_each_other(archive.chunks, archive.bytes, at)) {
    return corrupt_at(path, at, "index of the archive makes no sense");
  }
  archive.index = std::move(*index);
  return archive;
}

result<std::string> read_chunk(file_system& files, const stored_segment& archive,
                               const archive_chunk& chunk) {
  const auto bytes = files.read(archive.path, chunk.offset, chunk.bytes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != chunk.bytes || crc32c(*bytes) != chunk.checksum) {
    return corrupt_at(archive.path, chunk.offset, "checksum of a chunk does not hold");
  }
  std::string raw(chunk.raw_bytes, '\0');
  const auto size = ZSTD_decompress(raw.data(), raw.size(), bytes->data(), bytes->size());
  if (ZSTD_isError(size) || size != raw.size()) {
    return corrupt_at(archive.path, chunk.offset, "a chunk does not decompress");
  }
  return raw;
}

result<void> check_archive(file_system& files, const stored_segment& archive) {
  if (archive.chunks.empty()) return corrupt_at(archive.path, 0, "an archive of nothing");
  const auto first = read_chunk(files, archive, archive.chunks.front());
  if (!first) return tl::unexpected(first.error());
  const auto header = decode_segment_header(*first, archive.path);
  if (!header) return tl::unexpected(header.error());
  if (*header != archive.header) {
    return corrupt_at(archive.path, 0, "the segment within is another one");
  }
  return check_blocks(files, archive);
}

}  // namespace gelombang::storage
