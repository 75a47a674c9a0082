#include "actors/provider/profile.hpp"

#include <algorithm>
#include <optional>

#include "actors/programme/utf8.hpp"

namespace gelombang::provider {
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

/// The text without the blanks around it, if it is one line of `least` to `most` characters that
/// can be seen.
std::optional<std::string> line_of(std::string_view text, std::size_t least, std::size_t most) {
  std::string line;
  std::size_t characters = 0;
  std::string_view blanks_before;
  std::size_t blank_characters = 0;
  while (!text.empty()) {
    const auto next = first_character(text);
    if (!next || lies_in(unseen, next->value)) return std::nullopt;
    // The last two of each of the 17 planes are no characters.
    if ((next->value & 0xFFFE) == 0xFFFE) return std::nullopt;
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

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}
bool is_hex(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/// RFC 1123, 2.1: letters, digits, hyphens that stand between them, at most 63.
bool is_label(std::string_view text) {
  constexpr std::size_t label_bytes_max = 63;
  return !text.empty() && text.size() <= label_bytes_max && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-';
         });
}

/// At least two labels, the last of which is not a number, so that it is no IP address.
bool is_domain(std::string_view text) {
  std::size_t labels = 0;
  for (;;) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (!is_label(label)) return false;
    ++labels;
    if (dot == std::string_view::npos)
      return labels >= 2 && !std::all_of(label.begin(), label.end(), is_digit);
    text.remove_prefix(dot + 1);
  }
}

/// RFC 3986: path, query and fragment of an address.
bool is_behind_domain(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?";
  std::size_t hashes = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    } else if (c == '#') {
      if (++hashes > 1) return false;
    } else if (!is_letter(c) && !is_digit(c) && marks.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

result<std::string> normalise_name(std::string_view text) {
  if (auto line = line_of(text, name_characters_min, name_characters_max)) return std::move(*line);
  return refuse(errc::provider_name_invalid, "/name");
}

result<std::string> normalise_reason(std::string_view text) {
  if (auto line = line_of(text, 1, reason_characters_max)) return std::move(*line);
  return refuse(errc::reason_invalid, "/reason");
}

result<std::string> normalise_website(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  const auto invalid = refuse(errc::website_invalid, "/website");
  std::string address{text};
  if (address.empty()) return address;
  if (address.size() > website_bytes_max) return invalid;
  const auto host_end = std::min(address.find_first_of("/?#", scheme.size()), address.size());
  std::transform(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(host_end),
                 address.begin(), lower);
  const std::string_view whole = address;
  if (!whole.starts_with(scheme)) return invalid;
  if (!is_domain(whole.substr(scheme.size(), host_end - scheme.size()))) return invalid;
  if (!is_behind_domain(whole.substr(host_end))) return invalid;
  return address;
}

}  // namespace gelombang::provider
