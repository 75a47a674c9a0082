#include "actors/programme/base64url.hpp"

#include <array>

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

std::size_t bytes_in(std::size_t characters) {
  return characters / 4 * 3 + characters % 4 * 3 / 4;
}

}  // namespace

void write_base64url(std::string_view bytes, char* to) {
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  for (auto character : bytes) {
    waiting = waiting << 8 | static_cast<unsigned char>(character);
    for (bits += 8; bits >= 6; bits -= 6) *to++ = alphabet[waiting >> (bits - 6) & 63];
  }
  if (bits > 0) *to = alphabet[waiting << (6 - bits) & 63];
}

std::optional<std::size_t> read_base64url(std::string_view text, std::span<std::uint8_t> into) {
  const auto size = bytes_in(text.size());
  if (text.size() % 4 == 1 || size > into.size()) return std::nullopt;
  auto value = [&](std::size_t at) -> std::uint32_t {
    return values[static_cast<unsigned char>(text[at])];
  };
  std::uint32_t seen = 0;
  auto* to = into.data();
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    auto a = value(at), b = value(at + 1), c = value(at + 2), d = value(at + 3);
    seen |= a | b | c | d;
    auto bits = a << 18 | b << 12 | c << 6 | d;
    *to++ = static_cast<std::uint8_t>(bits >> 16);
    *to++ = static_cast<std::uint8_t>(bits >> 8);
    *to++ = static_cast<std::uint8_t>(bits);
  }
  if (auto rest = text.size() - at; rest >= 2) {
    auto a = value(at), b = value(at + 1), c = rest == 3 ? value(at + 2) : 0;
    seen |= a | b | c;
    auto bits = a << 18 | b << 12 | c << 6;
    *to++ = static_cast<std::uint8_t>(bits >> 16);
    if (rest == 3) *to++ = static_cast<std::uint8_t>(bits >> 8);
    // Bits behind the last byte would give one value several spellings.
    if ((bits & (rest == 3 ? 0xffu : 0xffffu)) != 0) return std::nullopt;
  }
  if (seen >= 64) return std::nullopt;
  return size;
}

std::string to_base64url(std::string_view bytes) {
  std::string text((bytes.size() * 8 + 5) / 6, '\0');
  write_base64url(bytes, text.data());
  return text;
}

std::optional<std::string> from_base64url(std::string_view text, std::size_t bytes_max) {
  const auto size = bytes_in(text.size());
  if (size > bytes_max) return std::nullopt;
  std::string bytes(size, '\0');
  std::span into{reinterpret_cast<std::uint8_t*>(bytes.data()), size};
  if (!read_base64url(text, into)) return std::nullopt;
  return bytes;
}

}  // namespace gelombang
