#include "actors/applicant/names.hpp"

#include "actors/applicant/limits.hpp"
#include "actors/programme/utf8.hpp"

namespace gelombang::applicant {
namespace {

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
    auto next = first_character(text);
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
