#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace gelombang::net {

/// A part of a text that has bytes: `first` up to, and without, `end`.
struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t end = 0;

  std::uint64_t size() const { return end - first; }
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// Why a Range header gives no part.
enum class no_part : std::uint8_t {
  whole,           ///< it is missing, another unit, malformed, or several ranges: answered whole
  not_satisfiable  ///< it begins behind the end: 416
};

/// The part of a text of `length` bytes that a Range header's value asks for, cut at the end. Of
/// several ranges none is taken, which RFC 9110, 14.2 leaves to the server: nobody resumes with
/// them, and answering with many small parts costs more than the whole.
tl::expected<byte_range, no_part> part_in(std::string_view range, std::uint64_t length);

}  // namespace gelombang::net
