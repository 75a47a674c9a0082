#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gelombang {

/// Writes `bytes` as lower-case hex at `to`, which has room for two characters a byte.
/// @returns the position behind the last character.
char* write_hex(char* to, std::span<const std::uint8_t> bytes);

std::string to_hex(std::span<const std::uint8_t> bytes);

/// Reads exactly `2 * bytes.size()` lower-case hex digits into `bytes`. Upper case is refused: each
/// published value has one spelling, so that texts can be compared instead of values.
/// @returns false, with `bytes` unspecified, when `text` is anything else.
[[nodiscard]] bool read_hex(std::string_view text, std::span<std::uint8_t> bytes);

/// Lower-case hex of any even length, at most `bytes_max` bytes of it.
std::optional<std::string> from_hex(std::string_view text, std::size_t bytes_max);

template <std::size_t Bytes>
std::optional<std::array<std::uint8_t, Bytes>> from_hex(std::string_view text) {
  std::array<std::uint8_t, Bytes> bytes;
  if (!read_hex(text, bytes)) return std::nullopt;
  return bytes;
}

/// A view of text as bytes, and of bytes as text: for hashes, which know only bytes.
inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace gelombang
