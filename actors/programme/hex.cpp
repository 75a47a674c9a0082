#include "actors/programme/hex.hpp"

#include <cstring>

namespace gelombang {
namespace {

constexpr char digits[] = "0123456789abcdef";

constexpr auto pairs = [] {
  std::array<char, 512> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    table[2 * byte] = digits[byte >> 4];
    table[2 * byte + 1] = digits[byte & 15];
  }
  return table;
}();

constexpr std::uint8_t no_digit = 0xff;

constexpr auto values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::uint8_t value = 0; value < 16; ++value) {
    table[static_cast<unsigned char>(digits[value])] = value;
  }
  return table;
}();

}  // namespace

char* write_hex(char* to, std::span<const std::uint8_t> bytes) {
  for (auto byte : bytes) {
    std::memcpy(to, &pairs[2 * std::size_t{byte}], 2);
    to += 2;
  }
  return to;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string text(2 * bytes.size(), '\0');
  write_hex(text.data(), bytes);
  return text;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  // Valid digits never have an upper bit, so one test at the end does for all of them.
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto upper = values[static_cast<unsigned char>(text[2 * i])];
    auto lower = values[static_cast<unsigned char>(text[2 * i + 1])];
    seen |= upper | lower;
    bytes[i] = static_cast<std::uint8_t>(upper << 4 | (lower & 15));
  }
  return (seen & 0xf0) == 0;
}

std::optional<std::string> from_hex(std::string_view text, std::size_t bytes_max) {
  if (text.size() % 2 != 0 || text.size() / 2 > bytes_max) return std::nullopt;
  std::string bytes(text.size() / 2, '\0');
  std::span<std::uint8_t> target{reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  if (!read_hex(text, target)) return std::nullopt;
  return bytes;
}

}  // namespace gelombang
