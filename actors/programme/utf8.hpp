#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace gelombang {

/// One character of a text, and how many bytes it takes there.
struct utf8_character {
  char32_t value;
  std::size_t bytes;
};

/// The first character of `text`, which is not empty. Nothing when it is not UTF-8 as RFC 3629 has
/// it: overlong forms, surrogates and what lies beyond U+10FFFF are not.
std::optional<utf8_character> first_character(std::string_view text);

}  // namespace gelombang
