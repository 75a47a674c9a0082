#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>

#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "net/tokens.hpp"

namespace gelombang::command {

struct token_order {
  /// `applicant`: one each for the seeded 1 to `count`. Any other role: one token, of the account
  /// of "operator@contoh.id", whatever `count` is.
  net::role role = net::role::applicant;
  std::uint64_t count = 1;
  std::chrono::seconds lifetime{std::chrono::hours{24}};
  instant now{};
  unsigned threads = 2;
};

/// Prints one access token a line, in the order of the applicants' numbers.
/// @returns 0, or 3 when `out` takes no more.
int print_tokens(const keyring& keys, const net::token_key& key, const token_order& order,
                 std::FILE* out);

}  // namespace gelombang::command
