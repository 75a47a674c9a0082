#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace gelombang {

/// Why a command is refused. The one vocabulary of the whole programme: rules return it, actors
/// carry it, and one table in net/ turns it into a status and a text. Stored in journalled answers,
/// so a number is never given a second meaning: add at the end.
enum class errc : std::uint16_t {
  ok = 0,

  // The request itself.
  field_missing = 1,   ///< a member that must be there is not
  field_invalid = 2,   ///< a member has the wrong type, length or form
  body_malformed = 3,  ///< not JSON, not UTF-8, duplicate keys, too deep
  body_too_large = 4,
  not_found = 5,
  method_not_allowed = 6,
  idempotency_conflict = 7,  ///< the same Idempotency-Key came with another request
  media_type_unsupported = 8,
  precondition_failed = 9,
  headers_too_large = 10,
  request_malformed = 11,      ///< does not follow HTTP/1.1
  request_too_slow = 12,       ///< was not complete when its time was over
  query_invalid = 13,          ///< what stands behind the question mark can't be taken apart
  range_not_satisfiable = 14,  ///< a part was asked for that begins behind the end

  // Who asks.
  token_missing = 20,
  token_invalid = 21,
  token_expired = 22,
  forbidden = 23,
  session_unknown = 24,    ///< the refresh token's session has ended or was revoked
  credentials_wrong = 25,  ///< e-mail and password do not go together; does not say which

  // Accounts.
  code_wrong = 40,    ///< with tries left
  code_expired = 41,  ///< no code is waiting, or its time is over, or its tries are used up
  email_invalid = 42,
  password_weak = 43,
  nik_invalid = 44,  ///< does not parse, or contradicts the birth date
  kk_invalid = 45,
  nik_taken = 46,
  phone_taken = 47,
  phone_invalid = 48,
  family_region_mismatch = 49,  ///< the family card is registered in another region
  region_unknown = 50,
  identity_fixed = 51,      ///< verified identities change only through an officer
  stage_out_of_order = 52,  ///< an earlier step of the funnel is missing
  answers_incomplete = 53,
  account_blocked = 54,
  identity_pending = 55,  ///< a check of the identity is under way
  name_invalid = 56,
  birth_date_invalid = 57,

  // Waves.
  wave_unknown = 70,
  wave_not_open = 71,
  not_ready = 72,
  already_member = 73,
  not_eligible = 74,
  not_joined = 75,
  wave_out_of_order = 76,
  secret_mismatch = 77,  ///< the operator secret is not the one committed to
  schedule_invalid = 78,
  beacon_invalid = 79,
  quota_invalid = 80,
  groups_invalid = 81,
  draw_not_published = 82,
  draw_damaged = 83,    ///< its files are missing, or say something else than the journal
  draw_unchecked = 84,  ///< its outcomes are being computed again, before anybody is told them

  // Training providers.
  provider_unknown = 85,
  provider_name_invalid = 86,
  website_invalid = 87,
  reason_invalid = 88,  ///< why a provider is suspended

  // Limits.
  too_many_requests = 90,    ///< a limit of the caller's: account or address
  overloaded = 91,           ///< the node's limit
  storage_unavailable = 92,  ///< the journal takes no writes; reads go on
  shutting_down = 93,
  timed_out = 94,  ///< no answer within the deadline; the effect may still come
  waiting = 95,    ///< the node's limit, where people wait in line and come back with a ticket

  internal = 99,
};

/// The stable name, as it stands in `/problems/NAME`.
std::string_view name_of(errc code);

/// A refusal: the reason, and, where it helps, the field at fault or a figure for the text.
struct refusal {
  errc code = errc::internal;
  std::string field = {};   ///< JSON pointer of the member at fault, or empty
  std::string detail = {};  ///< e.g. the tries left; never personal data
  friend bool operator==(const refusal&, const refusal&) = default;
};

template <class T>
using result = tl::expected<T, refusal>;

inline tl::unexpected<refusal> refuse(errc code, std::string field = {}, std::string detail = {}) {
  return tl::unexpected(refusal{code, std::move(field), std::move(detail)});
}

}  // namespace gelombang
