#pragma once

#include "storage/segment_reader.hpp"

namespace gelombang::storage {

/// Compresses a closed segment, which is checked on the way, into the archive file `target`;
/// durable but for the directory entry when it returns, and read back and compared with the
/// segment.
result<void> write_archive(file_system& files, const stored_segment& closed,
                           const std::filesystem::path& target, int compression_level);

/// Reads an archive's header and index.
result<stored_segment> load_archive(file_system& files, const std::filesystem::path& path);

/// Decompresses one chunk, checked.
result<std::string> read_chunk(file_system& files, const stored_segment& archive,
                               const archive_chunk& chunk);

/// Decompresses everything and checks every block.
result<void> check_archive(file_system& files, const stored_segment& archive);

}  // namespace gelombang::storage
