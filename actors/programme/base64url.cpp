#include "actors/programme/base64url.hpp"

#include <array>
#include <cstdint>

namespace gelombang {
namespace {

constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_character = 0xff;

constexpr auto values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_character);
  for (std::uint8_t value = 0; value < 64; ++value) {
    table[static_cast<unsigned char>(alphabet[value])] = value;
  }
  return table;
}();

}  // namespace

std::string to_base64url(std::string_view bytes) {
  std::string text((bytes.size() * 8 + 5) / 6, '\0');
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  auto* to = text.data();
  for (auto character : bytes) {
    waiting = waiting << 8 | static_cast<unsigned char>(character);
    for (bits += 8; bits >= 6; bits -= 6) *to++ = alphabet[waiting >> (bits - 6) & 63];
  }
  if (bits > 0) *to = alphabet[waiting << (6 - bits) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text, std::size_t bytes_max) {
  auto size = text.size() / 4 * 3 + text.size() % 4 * 3 / 4;
  if (text.size() % 4 == 1 || size > bytes_max) return std::nullopt;
  std::string bytes(size, '\0');
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  auto* to = bytes.data();
  for (auto character : text) {
    auto value = values[static_cast<unsigned char>(character)];
    if (value == no_character) return std::nullopt;
    waiting = waiting << 6 | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    *to++ = static_cast<char>(waiting >> bits & 0xff);
  }
  if ((waiting & ((1u << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace gelombang
