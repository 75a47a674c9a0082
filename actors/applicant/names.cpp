#include "actors/applicant/names.hpp"

#include <cstdint>
#include <optional>

#include "actors/applicant/limits.hpp"

namespace gelombang::applicant {
namespace {

struct character {
  char32_t value;
  std::size_t bytes;
};

/// The first character of `text`; nothing when it is not UTF-8 as RFC 3629 has it: overlong forms,
/// surrogates and what lies beyond U+10FFFF are not.
std::optional<character> first_of(std::string_view text) {
  auto lead = static_cast<std::uint8_t>(text.front());
  if (lead < 0x80) return character{lead, 1};
  std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return std::nullopt;
  char32_t value = lead & (0x7Fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (next & 0x3Fu);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[bytes] || value > 0x10FFFF) return std::nullopt;
  if (value >= 0xD800 && value <= 0xDFFF) return std::nullopt;
  return character{value, bytes};
}

bool is_letter(char32_t c) {
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  if (c >= 0xC0 && c <= 0x24F) return c != 0xD7 && c != 0xF7;  // the signs for times and divided by
  return c >= 0x1E00 && c <= 0x1EFF;
}

bool is_mark(char32_t c) {
  return c == '.' || c == '\'' || c == '-' || c == 0x2019;  // the typographic apostrophe
}

tl::unexpected<refusal> invalid(const char* reason) {
  return refuse(errc::name_invalid, "/full_name", reason);
}

}  // namespace

result<std::string> normalise_name(std::string_view text) {
  std::string name;
  std::size_t characters = 0;
  bool blank_before = false;
  while (!text.empty()) {
    auto next = first_of(text);
    if (!next) return invalid("not UTF-8");
    auto bytes = text.substr(0, next->bytes);
    text.remove_prefix(next->bytes);
    if (next->value == ' ') {
      blank_before = !name.empty();
      continue;
    }
    if (!is_letter(next->value) && (name.empty() || !is_mark(next->value))) {
      return invalid("letters only");
    }
    if (blank_before) name += ' ';
    characters += blank_before ? 2 : 1;
    blank_before = false;
    name += bytes;
    if (characters > full_name_characters_max) return invalid("too long");
  }
  if (characters < full_name_characters_min) return invalid("too short");
  return name;
}

}  // namespace gelombang::applicant
