#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "actors/applicant/applicant.pb.h"
#include "actors/programme/clock.hpp"
#include "actors/programme/result.hpp"

namespace gelombang::applicant {

/// Who may receive the benefit: data that belongs to a scheme, never code. A rule set that has been
/// used is not changed; a new version is written.
struct eligibility_rules {
  std::string name;
  std::uint32_t version = 0;
  int age_min = 0;  ///< whole years on the day, in WIB, on which the wave opens
  int age_max = 0;  ///< still eligible at this age
  std::uint32_t excluded_employments = 0;  ///< bit n: employment with number n
  std::uint32_t excluded_educations = 0;   ///< bit n: education with number n
  std::uint32_t excluded_lists = 0;        ///< bit n: list with number n
  std::uint32_t family_places_max = 0;     ///< accepted members a family card, over all waves
  bool once_in_lifetime = true;
  friend bool operator==(const eligibility_rules&, const eligibility_rules&) = default;
};

/// Reads a rule set as config/eligibility/*.toml has it. Every key must be there and no other may.
/// @returns `file` with the key and the reason.
tl::expected<eligibility_rules, std::string> parse_eligibility(std::string_view toml,
                                                               std::string_view file);

/// Whether a person may take part in a wave that opens at `wave_opens_at`. Citizenship is proved by
/// having a NIK; the family's places are counted where the draw is held.
/// @returns `not_eligible` with the first reason in this order: `age_below_minimum`,
///   `age_above_maximum`, `employment_NAME`, `education_NAME`, `listed_NAME`.
result<void> check_eligibility(const wire::State& state, const eligibility_rules& rules,
                               instant wave_opens_at);

}  // namespace gelombang::applicant
