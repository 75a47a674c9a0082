#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/applicant/profile.hpp"
#include "actors/applicant/stages.hpp"
#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/result.hpp"
#include "actors/programme/time.hpp"

/// What an applicant answers: plain facts. Tokens, texts and JSON are the front door's.
namespace gelombang::applicant {

/// What a pair of tokens is minted from.
struct session_grant {
  applicant_id account{};
  std::uint32_t session = 0;
  std::uint32_t generation = 0;
  instant issued_at{};
  instant expires_at{};  ///< of the refresh token
  std::uint32_t roles = 0;
  friend bool operator==(const session_grant&, const session_grant&) = default;
};

struct password_facts {
  std::string verifier;  ///< empty: there is no password, and no password is right
};

/// Whether a join was made now or had been made before.
enum class freshness : std::uint8_t { created, repeated };

struct receipt {
  wave_number wave{};
  entry_id entry{};
  region_code region{};
  instant joined_at{};
  freshness fresh = freshness::created;
  friend bool operator==(const receipt&, const receipt&) = default;
};

struct assessment_result {
  std::uint32_t version = 0;
  std::uint32_t score = 0;  ///< 0 to 100
  applicant::stage stage{};
};

/// What a person sees of himself.
struct me {
  applicant_id account{};
  applicant::stage stage{};
  next_step next{};
  std::vector<std::string> reasons;  ///< names: rejection, `phone_taken`, `listed_…`, `blocked`
  std::string block_reason;
  std::uint32_t roles = 0;
  std::string email;       ///< the person's own, in full
  std::string masked_nik;  ///< empty without an identity
  std::string full_name;
  std::optional<region_code> region;
  std::optional<date> birth_date;
  std::optional<applicant::education> education;
  std::optional<applicant::employment> employment;
  std::uint32_t groups = 0;
  std::string phone;  ///< the one that is ours, or else the one being claimed
  std::optional<assessment_result> assessment;
};

/// One's own standing in a wave, as far as the account and its participation row tell.
struct wave_standing {
  std::optional<receipt> joined;
  errc hindrance = errc::ok;  ///< why a join would be refused now, or `ok`
  std::string detail;         ///< of the hindrance
};

}  // namespace gelombang::applicant
