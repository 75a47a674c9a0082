#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace gelombang {

/// Base64 with the alphabet of URLs and without padding (RFC 4648 section 5), as tokens use it.
std::string to_base64url(std::string_view bytes);

/// Strict: no padding, no other character, no bits set behind the last byte, so that every value
/// has one spelling. At most `bytes_max` decoded bytes.
std::optional<std::string> from_base64url(std::string_view text, std::size_t bytes_max);

/// Both without allocation, for what is read and written with each request.

/// Four characters for each three bytes; two or three for what is left of one or two.
void write_base64url(std::string_view bytes, char* to);

/// @returns how many bytes were decoded; nothing when there are more than fit, and for what
///   `from_base64url` does not take, of which parts may stand in `into` then.
std::optional<std::size_t> read_base64url(std::string_view text, std::span<std::uint8_t> into);

}  // namespace gelombang
