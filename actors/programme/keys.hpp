#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "actors/programme/ids.hpp"
#include "actors/programme/result.hpp"

namespace gelombang {

/// 16 bytes given to the applicant in the join receipt; the published name of a draw entry.
using entry_id = std::array<std::uint8_t, 16>;

/// The node's secrets, each derived for its one purpose from a master key of 32 bytes that stands
/// in a file outside the data directory (libsodium `crypto_kdf`). Whoever has the data without this
/// file can neither read nor guess who is in it. All members are const and thread-safe.
class keyring {
public:
  /// Reads the master key (64 hex digits). With `create`, a missing file is made, mode 0600.
  /// @returns a text that names the file and the reason on failure.
  static tl::expected<keyring, std::string> load(const std::filesystem::path& file);
  static tl::expected<keyring, std::string> load_or_create(const std::filesystem::path& file);
  /// For tests and benchmarks.
  static keyring from_bytes(const std::array<std::uint8_t, 32>& master);

  /// SipHash-2-4, 64 bits, of the address as `normalise_email` gives it.
  applicant_id account_of(std::string_view normalised_email) const;

  /// SipHash-2-4-128 of (wave, applicant).
  entry_id entry_of(wave_number wave, applicant_id applicant) const;

  /// SipHash-2-4, 64 bits, of the KK's 16 digits: the family's pseudonym, also in published draws.
  std::uint64_t family_of(std::string_view kk_digits) const;

  /// SipHash-2-4-128 of a NIK's 16 digits, and of a phone number in E.164 form. Apart by purpose.
  std::array<std::uint8_t, 16> nik_hash(std::string_view nik_digits) const;
  std::array<std::uint8_t, 16> phone_hash(std::string_view phone) const;

  /// XChaCha20-Poly1305 with a random nonce part; `owner` is bound in, so that a sealed field can't
  /// be moved to another account. 24 bytes longer than `plain`.
  std::string seal(applicant_id owner, std::string_view plain) const;
  /// @returns `internal` when the bytes were not sealed by this key for this owner.
  result<std::string> open(applicant_id owner, std::string_view sealed) const;

  /// The 6-digit code mailed as number `generation` to an account: HMAC-SHA-256, reduced mod 10^6.
  std::string email_code(applicant_id account, std::uint32_t generation) const;

  /// Keys for the front door's tokens: 32 bytes each.
  const std::array<std::uint8_t, 32>& access_token_key() const { return access_; }
  const std::array<std::uint8_t, 32>& refresh_token_key() const { return refresh_; }
  /// For the tickets of the waiting room: 32 bytes.
  const std::array<std::uint8_t, 32>& waiting_ticket_key() const { return waiting_; }

private:
  std::array<std::uint8_t, 32> seal_{}, code_{}, access_{}, refresh_{}, waiting_{};
  std::array<std::uint8_t, 16> account_{}, entry_{}, family_{}, nik_{}, phone_{};
};

}  // namespace gelombang
