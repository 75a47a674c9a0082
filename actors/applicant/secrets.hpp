#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "actors/applicant/applicant.pb.h"
#include "actors/applicant/commands.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/nik.hpp"

/// The only place where personal data meets the node's keys. The rules get what is made here:
/// sealed bytes and keyed hashes. Sealing takes a random nonce, which is why the rules don't do it.
namespace gelombang::applicant {

struct identity_secrets {
  std::string sealed;
  std::array<std::uint8_t, 16> nik_hash{};
  std::uint64_t family = 0;
};

struct phone_secrets {
  std::string sealed;
  std::array<std::uint8_t, 16> hash{};
};

std::string seal_email(const keyring& keys, applicant_id self, const enter_email& command);
identity_secrets seal_identity(const keyring& keys, applicant_id self,
                               const submit_identity& command);
phone_secrets seal_phone(const keyring& keys, applicant_id self, const set_profile& command);

/// The code that `verify_email` must bring now.
std::string expected_code(const keyring& keys, applicant_id self, const wire::State& state);

struct identity_papers {
  nik number;
  kk card;
  std::string full_name;
};

/// @returns `internal` when the bytes were not sealed by these keys for this account, `not_found`
///   when there is nothing to open.
result<identity_papers> open_identity(const keyring& keys, applicant_id self,
                                      const wire::State& state);
result<std::string> open_email(const keyring& keys, applicant_id self, const std::string& sealed);
result<std::string> open_phone(const keyring& keys, applicant_id self, const std::string& sealed);

/// What is sealed as the identity: NIK and KK in 7 bytes each, little-endian, then the name. Half
/// of what the digits would take, of 86 million.
std::string pack_identity(const nik& number, const kk& card, std::string_view full_name);
result<identity_papers> unpack_identity(std::string_view packed);

/// What is sealed as the phone: the digits of "+62…" as a number in 7 bytes.
std::string pack_phone(std::string_view phone);
result<std::string> unpack_phone(std::string_view packed);

}  // namespace gelombang::applicant
