// The low-level SHA256_* functions are deprecated in OpenSSL 3 in favour of EVP, which looks the
// algorithm up and allocates on each use: measured on messages of 200 bytes, EVP takes about three
// times as long. They use the same SHA-NI code. This is the one file that knows of it.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "storage/checksum.hpp"

#include <openssl/sha.h>

#include <array>
#include <bit>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace gelombang::storage {
namespace {

constexpr std::array<std::array<std::uint32_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82F63B78u : 0u);
    tables[0][byte] = value;
  }
  for (std::size_t table = 1; table < 8; ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto before = tables[table - 1][byte];
      tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr auto tables = make_tables();

std::uint32_t crc32c_by_table(const char* at, std::size_t left, std::uint32_t crc) {
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    word ^= crc;
    crc = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      crc ^= tables[7 - byte][(word >> (8 * byte)) & 0xFF];
    }
  }
  for (; left != 0; --left, ++at) {
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xFF];
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(const char* at,
                                                                      std::size_t left,
                                                                      std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof(word));
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; left != 0; --left, ++at) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*at));
  return crc;
}
#endif

using crc32c_function = std::uint32_t (*)(const char*, std::size_t, std::uint32_t);

crc32c_function choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_by_instruction;
#endif
  return crc32c_by_table;
}

const crc32c_function run = choose();

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);

}  // namespace

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  return ~run(bytes.data(), bytes.size(), ~before);
}

digest sha256(std::string_view bytes) {
  sha256_stream stream;
  stream.add(bytes);
  return stream.finish();
}

sha256_stream::sha256_stream() {
  SHA256_Init(reinterpret_cast<SHA256_CTX*>(context_));
}

void sha256_stream::add(std::string_view bytes) {
  SHA256_Update(reinterpret_cast<SHA256_CTX*>(context_), bytes.data(), bytes.size());
}

digest sha256_stream::finish() {
  digest value;
  SHA256_Final(value.data(), reinterpret_cast<SHA256_CTX*>(context_));
  return value;
}

std::string to_hex(const digest& value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * value.size());
  for (const auto byte : value) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace gelombang::storage
