#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/argon2_memory.hpp"

namespace gelombang::net {

/// What a password costs to hash (Argon2id): passes, and memory as a power of two in KiB. Both
/// stand in the hash, so that a later, dearer setting still verifies older hashes.
struct password_cost {
  std::uint8_t passes = 2;
  std::uint8_t memory_log2_kib = 16;  ///< 64 MiB
  friend bool operator==(const password_cost&, const password_cost&) = default;
};

/// What a cost may be: Argon2's least, and what a stored hash may ask for at most, since a
/// damaged row must not take all the memory.
inline constexpr std::uint8_t password_passes_max = 16;
inline constexpr std::uint8_t password_memory_log2_kib_min = 3;
inline constexpr std::uint8_t password_memory_log2_kib_max = 20;

/// Salt (16 bytes), digest (32), cost (2).
inline constexpr std::size_t password_hash_bytes = 50;
inline constexpr std::size_t password_salt_bytes = 16;
using password_digest = std::array<unsigned char, 32>;

/// Whether it has the form of a hash, and a cost within the bounds above.
bool is_password_hash(std::string_view hash);

/// Salt and cost of something that is a hash.
std::string_view salt_of(std::string_view hash);
password_cost cost_of(std::string_view hash);

/// A salt of chance, or a hash of no password that anybody knows.
std::string random_salt();
std::string random_password_hash(password_cost cost);

/// How much memory a hash of that cost works in.
constexpr std::size_t memory_bytes(password_cost cost) {
  return std::size_t{1024} << cost.memory_log2_kib;
}

/// Argon2id 1.3 with one lane, after RFC 9106, in memory that `within` has or takes; it is wiped
/// when this returns. Takes no lock and allocates nothing if the memory is there. `salt` has
/// `password_salt_bytes`.
/// @returns nothing where there is no memory.
std::optional<password_digest> argon2id(std::string_view password, std::string_view salt,
                                        password_cost cost, argon2_memory& within);

std::string password_hash(std::string_view salt, const password_digest& digest, password_cost cost);

/// Compares in a time that does not tell where they differ.
bool is_digest_of(std::string_view hash, const password_digest& digest);

}  // namespace gelombang::net
