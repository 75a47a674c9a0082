#include "actors/applicant/secrets.hpp"

#include <fmt/format.h>

#include <charconv>

#include "actors/applicant/names.hpp"

namespace gelombang::applicant {
namespace {

/// 10^16 is less than 2^56.
constexpr std::size_t number_bytes = 7;

void put_digits(std::string& to, std::string_view digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  for (std::size_t i = 0; i < number_bytes; ++i) to.push_back(static_cast<char>(number >> (8 * i)));
}

std::uint64_t number_in(std::string_view packed) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < number_bytes; ++i) {
    number |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(packed[i])) << (8 * i);
  }
  return number;
}

tl::unexpected<refusal> not_packed() {
  return refuse(errc::internal, {}, "sealed field has another form");
}

}  // namespace

std::string seal_email(const keyring& keys, applicant_id self, const enter_email& command) {
  return keys.seal(self, command.email);
}

identity_secrets seal_identity(const keyring& keys, applicant_id self,
                               const submit_identity& command) {
  // A name that the rules will refuse is not sealed; what is made for it is thrown away.
  auto name = normalise_name(command.full_name).value_or(std::string{});
  return {keys.seal(self, pack_identity(command.number, command.card, name)),
          keys.nik_hash(command.number.digits()), keys.family_of(command.card.digits())};
}

phone_secrets seal_phone(const keyring& keys, applicant_id self, const set_profile& command) {
  return {keys.seal(self, pack_phone(command.phone)), keys.phone_hash(command.phone)};
}

std::string expected_code(const keyring& keys, applicant_id self, const wire::State& state) {
  return keys.email_code(self, state.code().generation());
}

result<identity_papers> open_identity(const keyring& keys, applicant_id self,
                                      const wire::State& state) {
  if (state.identity().sealed().empty()) return refuse(errc::not_found);
  return keys.open(self, state.identity().sealed()).and_then([](const std::string& packed) {
    return unpack_identity(packed);
  });
}

result<std::string> open_email(const keyring& keys, applicant_id self, const std::string& sealed) {
  return keys.open(self, sealed);
}

result<std::string> open_phone(const keyring& keys, applicant_id self, const std::string& sealed) {
  return keys.open(self, sealed).and_then([](const std::string& packed) {
    return unpack_phone(packed);
  });
}

std::string pack_identity(const nik& number, const kk& card, std::string_view full_name) {
  std::string packed;
  packed.reserve(2 * number_bytes + full_name.size());
  put_digits(packed, number.digits());
  put_digits(packed, card.digits());
  packed += full_name;
  return packed;
}

result<identity_papers> unpack_identity(std::string_view packed) {
  if (packed.size() < 2 * number_bytes) return not_packed();
  auto number = nik::parse(fmt::format("{:016}", number_in(packed)));
  auto card = kk::parse(fmt::format("{:016}", number_in(packed.substr(number_bytes))));
  if (!number || !card) return not_packed();
  return identity_papers{*number, *card, std::string(packed.substr(2 * number_bytes))};
}

std::string pack_phone(std::string_view phone) {
  std::string packed;
  put_digits(packed, phone.substr(phone.substr(0, 1) == "+" ? 1 : 0));
  return packed;
}

result<std::string> unpack_phone(std::string_view packed) {
  if (packed.size() != number_bytes) return not_packed();
  return fmt::format("+{}", number_in(packed));
}

}  // namespace gelombang::applicant
