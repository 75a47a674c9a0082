// OpenSSL 3 deprecates the calls below in favour of EVP, which fetches, allocates and locks: for
// messages of 16 to 80 bytes that costs several times the hashing itself (on this code's target,
// about 90 ns here). The block function behind both is the same, SHA-NI included.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "actors/programme/sha256.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "actors/programme/hex.hpp"

namespace gelombang {
namespace {

constexpr std::size_t block_bytes = 64;
constexpr std::size_t length_bytes = 8;
/// The longest message that two blocks hold: a byte of padding and the length must follow it.
constexpr std::size_t short_bytes_max = 2 * block_bytes - 1 - length_bytes;

constexpr std::array<std::uint32_t, 8> start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

using chain = std::array<std::uint32_t, 8>;

SHA256_CTX context_at(const chain& state, std::size_t bytes_before) {
  SHA256_CTX context{};
  std::copy(state.begin(), state.end(), context.h);
  context.Nl = static_cast<SHA_LONG>(bytes_before * 8);
  context.md_len = SHA256_DIGEST_LENGTH;
  return context;
}

digest digest_of(const SHA256_CTX& context) {
  digest out;
  for (std::size_t word = 0; word < 8; ++word) {
    auto value = __builtin_bswap32(context.h[word]);
    std::memcpy(&out[4 * word], &value, 4);
  }
  return out;
}

/// Hashes `message` after `bytes_before` bytes (a multiple of the block) that led to `state`.
digest finish(const chain& state, std::size_t bytes_before, std::span<const std::uint8_t> message) {
  auto context = context_at(state, bytes_before);
  if (message.size() > short_bytes_max) {
    digest out;
    SHA256_Update(&context, message.data(), message.size());
    SHA256_Final(out.data(), &context);
    return out;
  }
  alignas(16) std::array<std::uint8_t, 2 * block_bytes> padded{};
  if (!message.empty()) std::memcpy(padded.data(), message.data(), message.size());
  padded[message.size()] = 0x80;
  auto blocks = message.size() + 1 + length_bytes <= block_bytes ? 1u : 2u;
  auto bits = __builtin_bswap64(std::uint64_t{bytes_before + message.size()} * 8);
  std::memcpy(&padded[blocks * block_bytes - length_bytes], &bits, length_bytes);
  SHA256_Transform(&context, padded.data());
  if (blocks == 2) SHA256_Transform(&context, padded.data() + block_bytes);
  return digest_of(context);
}

chain after_block(const std::array<std::uint8_t, block_bytes>& block) {
  auto context = context_at(start, 0);
  SHA256_Transform(&context, block.data());
  chain state;
  std::copy(std::begin(context.h), std::end(context.h), state.begin());
  return state;
}

}  // namespace

digest sha256(std::span<const std::uint8_t> message) {
  return finish(start, 0, message);
}

digest sha256(std::string_view message) {
  return sha256(bytes_of(message));
}

hmac_sha256::hmac_sha256(std::span<const std::uint8_t> key) {
  std::array<std::uint8_t, block_bytes> block{};
  if (key.size() > block_bytes) {
    auto hashed = sha256(key);
    std::copy(hashed.begin(), hashed.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  auto padded_with = [&block](std::uint8_t pad) {
    auto masked = block;
    for (auto& byte : masked) byte ^= pad;
    return after_block(masked);
  };
  inner_ = padded_with(0x36);
  outer_ = padded_with(0x5c);
}

digest hmac_sha256::operator()(std::span<const std::uint8_t> message) const {
  return finish(outer_, block_bytes, finish(inner_, block_bytes, message));
}

digest hmac_sha256::operator()(std::string_view message) const {
  return (*this)(bytes_of(message));
}

}  // namespace gelombang
