#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gelombang {

/// Base64 with the alphabet of URLs and without padding (RFC 4648 section 5), as tokens use it.
std::string to_base64url(std::string_view bytes);

/// Strict: no padding, no other character, no bits set behind the last byte, so that every value
/// has one spelling. At most `bytes_max` decoded bytes.
std::optional<std::string> from_base64url(std::string_view text, std::size_t bytes_max);

}  // namespace gelombang
