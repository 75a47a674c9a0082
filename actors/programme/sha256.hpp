#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace gelombang {

/// A SHA-256 digest.
using digest = std::array<std::uint8_t, 32>;

/// SHA-256 in one shot. A message of up to 119 bytes, which is what draws and tokens hash, costs
/// two rounds of the block function and nothing else.
digest sha256(std::span<const std::uint8_t> message);
digest sha256(std::string_view message);

/// HMAC-SHA-256 (RFC 2104) under one key: the key's two blocks are hashed once, and each message
/// starts from the states they left. Const and thread-safe.
class hmac_sha256 {
public:
  explicit hmac_sha256(std::span<const std::uint8_t> key);

  digest operator()(std::span<const std::uint8_t> message) const;
  digest operator()(std::string_view message) const;

private:
  using chain = std::array<std::uint32_t, 8>;
  chain inner_{}, outer_{};
};

}  // namespace gelombang
