#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/result.hpp"
#include "actors/programme/sha256.hpp"

namespace gelombang::net {

/// What the bearer of a token may be; a set of bits.
enum class role : std::uint8_t {
  applicant = 1 << 0,
  operator_ = 1 << 1,  // NOLINT(readability-identifier-naming): "operator" is a keyword
  partner = 1 << 2,
  office = 1 << 3,
};

class roles {
public:
  constexpr roles() = default;
  constexpr roles(role one) : bits_(static_cast<std::uint8_t>(one)) {}  // NOLINT
  constexpr bool has(role one) const { return (bits_ & static_cast<std::uint8_t>(one)) != 0; }
  friend constexpr roles operator|(roles left, roles right) {
    left.bits_ |= right.bits_;
    return left;
  }
  friend constexpr bool operator==(roles, roles) = default;

private:
  std::uint8_t bits_ = 0;
};

/// The name of a role as it stands in tokens and in the OpenAPI document.
std::string_view name_of(role one);

/// What an access token says of its bearer.
struct claims {
  applicant_id subject;
  std::uint32_t session = 0;  ///< the sign-in it came from
  roles held;
  std::int64_t issued_at = 0;   ///< seconds since 1970
  std::int64_t expires_at = 0;  ///< seconds since 1970
  friend bool operator==(const claims&, const claims&) = default;
};

/// One signing key. `id` is the JWT's `kid`: letters, digits, '-' and '_'.
struct token_key {
  std::string id;
  std::array<std::uint8_t, 32> bytes;
};

/// Access tokens: JWT (RFC 7519) signed with HMAC-SHA-256, so that any node verifies any token
/// without storage. The newest key signs; the older ones still verify, which is how keys rotate.
/// Const and thread-safe.
class access_tokens {
public:
  /// `keys` newest first, at least one.
  explicit access_tokens(std::vector<token_key> keys);

  std::string mint(const claims& bearer) const;

  /// @returns the claims; `token_expired` when only its time is over; `token_invalid` for anything
  /// else that is not, to the last bit, a token of ours.
  result<claims> verify(std::string_view token, instant now) const;

  /// Longest text that is looked at.
  static constexpr std::size_t token_bytes_max = 1024;
  /// Tokens issued by a node whose clock is ahead of ours by no more than this are good.
  static constexpr std::chrono::seconds clock_skew_max{60};

private:
  struct prepared_key {
    std::string id;
    std::string header;  ///< base64url of the header that this key's tokens have, and the dot
    hmac_sha256 mac;
  };

  const prepared_key* key_of(std::string_view token, std::string_view header) const;

  std::vector<prepared_key> keys_;
};

/// What a refresh token stands for. A session's generation goes up by one at each refresh; the
/// account knows the current one, so an old token that turns up again reveals a theft.
struct refresh_claims {
  applicant_id subject;
  std::uint32_t session = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const refresh_claims&, const refresh_claims&) = default;
};

/// Refresh tokens: base64url of subject, session and generation (big-endian) and the first 16 bytes
/// of their HMAC-SHA-256. The same claims give the same token, so a repeated request gets the same
/// answer without the token having been stored. Const and thread-safe.
class refresh_tokens {
public:
  explicit refresh_tokens(const std::array<std::uint8_t, 32>& key) : mac_(key) {}

  std::string mint(const refresh_claims& session) const;
  /// @returns `token_invalid` for anything that `mint` has not made.
  result<refresh_claims> verify(std::string_view token) const;

private:
  hmac_sha256 mac_;
};

}  // namespace gelombang::net
