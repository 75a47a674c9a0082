#include "net/mailer/mime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace gelombang::mailer {
namespace {

constexpr std::size_t body_line_max = 76;     // RFC 2045, 6.7 (5), the soft break's "=" included
constexpr std::size_t encoded_word_max = 75;  // RFC 2047, 2
constexpr std::string_view word_open = "=?UTF-8?Q?";
constexpr std::string_view word_close = "?=";

bool is_printable(unsigned char c) {
  return c >= 0x20 && c < 0x7f;
}

bool is_continuation(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

std::string escaped(unsigned char c) {
  return fmt::format("={:02X}", c);
}

/// One source line, without its end, appended in pieces that fit.
void append_body_line(std::string& out, std::string_view line) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    const bool ends_line = i + 1 == line.size();
    const bool literal =
        (is_printable(c) && c != '=' && !(c == ' ' && ends_line) && !(c == '.' && column == 0)) ||
        (c == '\t' && !ends_line);
    auto piece = literal ? std::string(1, line[i]) : escaped(c);
    if (column + piece.size() > body_line_max - (ends_line ? 0 : 1)) {
      out += "=\r\n";
      column = 0;
      if (c == '.') piece = escaped(c);
    }
    out += piece;
    column += piece.size();
  }
  out += "\r\n";
}

/// The bytes of the character that begins at `at`.
std::string_view character_at(std::string_view text, std::size_t at) {
  auto end = at + 1;
  while (end < text.size() && end - at < 4 && is_continuation(text[end])) ++end;
  return text.substr(at, end - at);
}

std::string encoded_character(std::string_view character) {
  // RFC 2047, 5 (3): what is literal inside an encoded word in any place of a header.
  constexpr std::string_view literal = "!*+-/";
  std::string out;
  for (const char byte : character) {
    const auto c = static_cast<unsigned char>(byte);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c == ' ')
      out += '_';
    else if (alphanumeric || literal.find(byte) != std::string_view::npos)
      out += byte;
    else
      out += escaped(c);
  }
  return out;
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 16 + 2);
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    append_body_line(out, line);
  }
  return out;
}

std::string header_text(std::string_view text) {
  const bool plain =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return is_printable(c); });
  if (plain && text.find("=?") == std::string_view::npos) return std::string(text);
  std::string out, word;
  const auto room = encoded_word_max - word_open.size() - word_close.size();
  const auto close_word = [&] {
    if (!out.empty()) out += "\r\n ";
    out.append(word_open).append(word).append(word_close);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto character = character_at(text, i);
    const auto piece = encoded_character(character);
    if (word.size() + piece.size() > room) close_word();
    word += piece;
    i += character.size();
  }
  if (!word.empty()) close_word();
  return out;
}

std::string header_date(instant when) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto local = when + std::chrono::hours{7};
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(local - day)};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0700",
                     days[std::chrono::weekday{day}.c_encoding()],
                     static_cast<unsigned>(date.day()),
                     months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace gelombang::mailer
