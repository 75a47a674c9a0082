#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "actors/applicant/applicant.pb.h"

namespace gelombang::applicant {

/// How far an account has come. Numbers are stored (counters by stage) and never change; they also
/// order the funnel, but for `blocked`, which is possible from every stage.
enum class stage : std::uint8_t {
  none = 0,  ///< nobody has entered this address
  email_entered = 1,
  email_verified = 2,
  identity_submitted = 3,  ///< the registry has not answered yet
  identity_rejected = 4,   ///< with a reason; can be submitted again
  identity_verified = 5,
  profile_complete = 6,
  assessment_taken = 7,  ///< all is given, but the phone number has not been confirmed yet
  ready = 8,             ///< may join a wave
  blocked = 9,
};

inline constexpr std::array all_stages = {stage::none,
                                          stage::email_entered,
                                          stage::email_verified,
                                          stage::identity_submitted,
                                          stage::identity_rejected,
                                          stage::identity_verified,
                                          stage::profile_complete,
                                          stage::assessment_taken,
                                          stage::ready,
                                          stage::blocked};

std::string_view name_of(stage which);

/// The stage is nowhere stored: it follows from what is known. So it can't disagree with it, and a
/// profile given while the identity is being checked counts the moment the identity is verified.
stage stage_of(const wire::State& state);

/// Why a submitted identity was not accepted. Stored.
enum class rejection : std::uint8_t {
  none = 0,
  nik_taken = 1,
  family_region_mismatch = 2,
  family_too_large = 3,
};

std::string_view name_of(rejection reason);

/// What a person does next. `next_step_of` tells the way up to `join_a_wave`; what follows depends
/// on the wave too.
enum class next_step : std::uint8_t {
  enter_email,
  verify_email,
  submit_identity,
  wait_for_identity,
  set_profile,
  wait_for_phone,
  take_assessment,
  join_a_wave,
  wait_for_a_wave,  ///< complete, and there is none to join
  wait_for_result,  ///< joined
  nothing,          ///< a member
  contact_help,     ///< blocked
};

std::string_view name_of(next_step step);
next_step next_step_of(const wire::State& state);

}  // namespace gelombang::applicant
