#include "net/json_writer.hpp"

#include <array>

namespace gelombang::net {
namespace {

constexpr auto needs_escape = [] {
  std::array<bool, 256> table{};
  for (std::size_t control = 0; control < 0x20; ++control) table[control] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escape(std::string& to, char character) {
  constexpr char digits[] = "0123456789abcdef";
  switch (character) {
    case '"':
      to += "\\\"";
      return;
    case '\\':
      to += "\\\\";
      return;
    case '\b':
      to += "\\b";
      return;
    case '\f':
      to += "\\f";
      return;
    case '\n':
      to += "\\n";
      return;
    case '\r':
      to += "\\r";
      return;
    case '\t':
      to += "\\t";
      return;
    default:
      break;
  }
  auto code = static_cast<unsigned char>(character);
  to += "\\u00";
  to += digits[code >> 4];
  to += digits[code & 15];
}

void append_padded(std::string& to, std::uint32_t number, int width) {
  char digits[12];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, width - (end - digits))), '0');
  to.append(digits, end);
}

}  // namespace

void append_json_escaped(std::string& to, std::string_view text) {
  std::size_t clean = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!needs_escape[static_cast<unsigned char>(text[at])]) continue;
    to.append(text, clean, at - clean);
    append_escape(to, text[at]);
    clean = at + 1;
  }
  to.append(text, clean);
}

void append_rfc3339(std::string& to, instant when) {
  auto day = std::chrono::floor<std::chrono::days>(when);
  std::chrono::year_month_day date{day};
  std::chrono::hh_mm_ss time{when - day};
  append_padded(to, static_cast<std::uint32_t>(static_cast<int>(date.year())), 4);
  to += '-';
  append_padded(to, static_cast<unsigned>(date.month()), 2);
  to += '-';
  append_padded(to, static_cast<unsigned>(date.day()), 2);
  to += 'T';
  append_padded(to, static_cast<std::uint32_t>(time.hours().count()), 2);
  to += ':';
  append_padded(to, static_cast<std::uint32_t>(time.minutes().count()), 2);
  to += ':';
  append_padded(to, static_cast<std::uint32_t>(time.seconds().count()), 2);
  if (auto rest = time.subseconds().count(); rest != 0) {
    to += '.';
    append_padded(to, static_cast<std::uint32_t>(rest), 3);
  }
  to += 'Z';
}

}  // namespace gelombang::net
