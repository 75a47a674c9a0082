#include "actors/programme/line.hpp"

#include <algorithm>

#include "actors/programme/utf8.hpp"

namespace gelombang {
namespace {

struct range {
  char32_t first;
  char32_t last;
};

template <std::size_t Count>
bool lies_in(const range (&ranges)[Count], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const range& one) { return c >= one.first && c <= one.last; });
}

/// Unicode's Space_Separator (Zs).
constexpr range blanks[] = {{' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200A},
                            {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}};

/// Control characters (Cc), separators of lines, what is not seen (soft hyphen, no width, marks and
/// overrides of direction, Hangul fillers, variation selectors, tags), and what is no character.
constexpr range unseen[] = {{0x00, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},     {0x34F, 0x34F},
                            {0x61C, 0x61C},   {0x115F, 0x1160},  {0x17B4, 0x17B5}, {0x180B, 0x180F},
                            {0x200B, 0x200F}, {0x2028, 0x202E},  {0x2060, 0x206F}, {0x3164, 0x3164},
                            {0xFDD0, 0xFDEF}, {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
                            {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF}};

bool is_unseen(char32_t c) {
  // The last two of each of the 17 planes are no characters.
  return (c & 0xFFFE) == 0xFFFE || lies_in(unseen, c);
}

}  // namespace

std::optional<std::string> line_of(std::string_view text, std::size_t least, std::size_t most) {
  std::string line;
  std::size_t characters = 0;
  std::string_view blanks_before;
  std::size_t blank_characters = 0;
  while (!text.empty()) {
    const auto next = first_character(text);
    if (!next || is_unseen(next->value)) return std::nullopt;
    const auto bytes = text.substr(0, next->bytes);
    text.remove_prefix(next->bytes);
    if (lies_in(blanks, next->value)) {
      if (line.empty()) continue;
      if (blanks_before.empty()) blanks_before = {bytes.data(), 0};
      blanks_before = {blanks_before.data(), blanks_before.size() + bytes.size()};
      ++blank_characters;
      continue;
    }
    line.append(blanks_before).append(bytes);
    characters += blank_characters + 1;
    blanks_before = {};
    blank_characters = 0;
    if (characters > most) return std::nullopt;
  }
  if (characters < least) return std::nullopt;
  return line;
}

result<std::string> normalise_reason(std::string_view text) {
  if (auto line = line_of(text, 1, reason_characters_max)) return std::move(*line);
  return refuse(errc::reason_invalid, "/reason");
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const auto next = first_character(text);
    const auto bytes = next ? next->bytes : 1;
    if (next && !is_unseen(next->value))
      shown.append(text.substr(0, bytes));
    else
      shown += '?';
    text.remove_prefix(bytes);
  }
  return shown;
}

}  // namespace gelombang
