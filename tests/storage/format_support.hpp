#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/segment_format.hpp"

namespace gelombang::storage::testing {

inline void put_number(std::string& bytes, std::size_t at, std::uint32_t value) {
  if (bytes.size() < at + sizeof(value)) return;
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

inline std::uint64_t number_at(const std::string& bytes, std::size_t at) {
  std::uint64_t value = 0;
  if (bytes.size() >= at + sizeof(value)) std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

/// Makes the checksums of the block at `at` hold, where its header gives a length that fits, so
/// that damage reaches the code behind the checksums. @returns where the next one would begin.
inline std::size_t repair_block(std::string& bytes, std::size_t at = 0) {
  if (bytes.size() < at + block_header_bytes) return bytes.size();
  const auto header = std::string_view(bytes).substr(at, block_header_bytes - 4);
  put_number(bytes, at + block_header_bytes - 4, crc32c(header));
  const auto length = number_at(bytes, at + 24);
  if (length < block_header_bytes + block_trailer_bytes || length > bytes.size() - at) {
    return at + sector_bytes;
  }
  std::memcpy(bytes.data() + at + length - block_trailer_bytes, &length, sizeof(length));
  put_number(bytes, at + length - 4, 0x31455747);
  const auto covered = std::string_view(bytes).substr(at, length - 8);
  put_number(bytes, at + length - 8, crc32c(covered));
  return at + next_sector(length);
}

/// The same file with the version after the one this program writes, all checksums in order.
inline std::string newer_version_of(std::string bytes) {
  const std::size_t front = bytes.starts_with("GWJARCHV")   ? 64
                            : bytes.starts_with("GWJNEWST") ? bytes.size()
                                                            : sector_bytes;
  put_number(bytes, 8, 2);
  put_number(bytes, front - 4, crc32c(std::string_view(bytes).substr(0, front - 4)));
  return bytes;
}

}  // namespace gelombang::storage::testing
