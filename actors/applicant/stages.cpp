#include "actors/applicant/stages.hpp"

namespace gelombang::applicant {
namespace {

/// The part of the funnel behind a verified identity.
stage stage_of_verified(const wire::State& state) {
  if (!state.has_profile()) return stage::identity_verified;
  if (state.has_phone()) {
    return state.has_assessment() ? stage::ready : stage::profile_complete;
  }
  auto only_phone_is_missing = state.has_assessment() && state.has_phone_wanted();
  return only_phone_is_missing ? stage::assessment_taken : stage::identity_verified;
}

next_step next_behind_identity(const wire::State& state) {
  if (!state.has_profile() || (!state.has_phone() && !state.has_phone_wanted())) {
    return next_step::set_profile;
  }
  if (!state.has_assessment()) return next_step::take_assessment;
  if (state.identity().status() == wire::Identity::SUBMITTED) return next_step::wait_for_identity;
  return state.has_phone() ? next_step::join_a_wave : next_step::wait_for_phone;
}

}  // namespace

std::string_view name_of(stage which) {
  switch (which) {
    case stage::none:
      return "none";
    case stage::email_entered:
      return "email_entered";
    case stage::email_verified:
      return "email_verified";
    case stage::identity_submitted:
      return "identity_submitted";
    case stage::identity_rejected:
      return "identity_rejected";
    case stage::identity_verified:
      return "identity_verified";
    case stage::profile_complete:
      return "profile_complete";
    case stage::assessment_taken:
      return "assessment_taken";
    case stage::ready:
      return "ready";
    case stage::blocked:
      return "blocked";
  }
  return "";
}

stage stage_of(const wire::State& state) {
  if (state.sealed_email().empty()) return stage::none;
  if (state.has_block()) return stage::blocked;
  if (state.password().empty()) return stage::email_entered;
  switch (state.identity().status()) {
    case wire::Identity::SUBMITTED:
      return stage::identity_submitted;
    case wire::Identity::REJECTED:
      return stage::identity_rejected;
    case wire::Identity::VERIFIED:
      return stage_of_verified(state);
    default:
      return stage::email_verified;
  }
}

std::string_view name_of(rejection reason) {
  switch (reason) {
    case rejection::none:
      return "";
    case rejection::nik_taken:
      return "nik_taken";
    case rejection::family_region_mismatch:
      return "family_region_mismatch";
    case rejection::family_too_large:
      return "family_too_large";
  }
  return "";
}

std::string_view name_of(next_step step) {
  switch (step) {
    case next_step::enter_email:
      return "enter_email";
    case next_step::verify_email:
      return "verify_email";
    case next_step::submit_identity:
      return "submit_identity";
    case next_step::wait_for_identity:
      return "wait_for_identity";
    case next_step::set_profile:
      return "set_profile";
    case next_step::wait_for_phone:
      return "wait_for_phone";
    case next_step::take_assessment:
      return "take_assessment";
    case next_step::join_a_wave:
      return "join_a_wave";
    case next_step::wait_for_a_wave:
      return "wait_for_a_wave";
    case next_step::wait_for_result:
      return "wait_for_result";
    case next_step::nothing:
      return "nothing";
    case next_step::contact_help:
      return "contact_help";
  }
  return "";
}

next_step next_step_of(const wire::State& state) {
  if (state.sealed_email().empty()) return next_step::enter_email;
  if (state.has_block()) return next_step::contact_help;
  if (state.password().empty()) return next_step::verify_email;
  auto identity = state.identity().status();
  if (identity == wire::Identity::NONE || identity == wire::Identity::REJECTED) {
    return next_step::submit_identity;
  }
  return next_behind_identity(state);
}

}  // namespace gelombang::applicant
