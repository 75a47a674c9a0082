#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "actors/programme/result.hpp"

/// Texts of one line that somebody writes and everybody reads.
namespace gelombang {

inline constexpr std::size_t reason_characters_max = 200;

/// The text without the blanks around it, if it is one line of UTF-8 of `least` to `most`
/// characters (code points) that can be seen: no control characters, nothing that has no width or
/// turns the direction of writing, by which one text could look like another.
std::optional<std::string> line_of(std::string_view text, std::size_t least, std::size_t most);

/// Why an operator does something that everybody is told of: a line of 1 to
/// `reason_characters_max` characters.
/// @returns `reason_invalid`
result<std::string> normalise_reason(std::string_view text);

/// A text of whoever it may be, fit for a terminal: each character that `line_of` refuses, and each
/// byte that is of no character, is a question mark. Others, of whatever script, stay.
std::string printable(std::string_view text);

}  // namespace gelombang
