#include <algorithm>

#include "actors/applicant/limits.hpp"
#include "actors/applicant/requests.hpp"
#include "actors/applicant/rules.hpp"

namespace gelombang::applicant {
namespace {

/// Notes a letter; what is older than the hour that the limit looks at is forgotten.
void note_code(wire::Code& code, std::uint32_t generation, std::int64_t at) {
  auto& sent = *code.mutable_sent_at();
  auto old = [at](std::int64_t then) {
    return instant_of(at) - instant_of(then) >= std::chrono::hours{1};
  };
  sent.erase(std::remove_if(sent.begin(), sent.end(), old), sent.end());
  sent.Add(at);
  code.set_generation(generation);
  code.clear_tries();
}

/// The code has done its work. Its number stays, so that it never comes again.
void use_up(wire::Code& code) {
  code.clear_sent_at();
  code.clear_tries();
}

void open(wire::State& state, std::uint32_t id, std::int64_t at) {
  auto& sessions = *state.mutable_sessions();
  auto over = [at](const wire::Session& session) { return expiry_of(session) <= instant_of(at); };
  sessions.erase(std::remove_if(sessions.begin(), sessions.end(), over), sessions.end());
  if (sessions.size() >= sessions_max) {
    auto longest_ago = [](const wire::Session& left, const wire::Session& right) {
      return left.refreshed_at() < right.refreshed_at();
    };
    sessions.erase(std::min_element(sessions.begin(), sessions.end(), longest_ago));
  }
  auto& session = *sessions.Add();
  session.set_id(id);
  session.set_generation(1);
  session.set_opened_at(at);
  session.set_refreshed_at(at);
  state.set_sessions_opened(id);
}

void refresh(wire::State& state, const wire::SessionRefreshed& event, std::int64_t at) {
  for (auto& session : *state.mutable_sessions()) {
    if (session.id() != event.session()) continue;
    session.set_generation(event.generation());
    session.set_refreshed_at(at);
  }
}

void close(wire::State& state, std::uint32_t id) {
  auto& sessions = *state.mutable_sessions();
  auto closed = [id](const wire::Session& session) { return session.id() == id; };
  sessions.erase(std::remove_if(sessions.begin(), sessions.end(), closed), sessions.end());
}

void submit(wire::State& state, const wire::IdentitySubmitted& event) {
  auto& identity = *state.mutable_identity();
  identity.Clear();
  identity.set_status(wire::Identity::SUBMITTED);
  identity.set_sealed(event.sealed());
  identity.set_family(event.family());
  identity.set_region(event.region());
  identity.set_birth_day(event.birth_day());
  identity.set_sex(event.sex());
  identity.set_tag(event.tag());
  identity.mutable_claim()->set_number(event.claim());
  identity.mutable_claim()->set_nik_hash(event.nik_hash());
  state.set_claims(event.claim());
}

void reject(wire::State& state, std::uint32_t reason) {
  auto& identity = *state.mutable_identity();
  identity.Clear();
  identity.set_status(wire::Identity::REJECTED);
  identity.set_rejection(reason);
  state.clear_lists();
}

void set_profile_in(wire::State& state, const wire::ProfileSet& event) {
  *state.mutable_profile() = event.profile();
  state.clear_phone_refused();
  if (event.wanted_dropped()) state.clear_phone_wanted();
  if (!event.has_wanted()) return;
  *state.mutable_phone_wanted() = event.wanted();
  state.set_claims(event.wanted().claim());
}

void hold_phone(wire::State& state) {
  *state.mutable_phone() = state.phone_wanted();
  state.mutable_phone()->clear_claim();
  state.clear_phone_wanted();
}

void change(wire::State& state, const wire::Event& event) {
  switch (event.body_case()) {
    case wire::Event::kEmailEntered:
      state.set_sealed_email(event.email_entered().sealed_email());
      state.set_language(event.email_entered().language());
      return note_code(*state.mutable_code(), 1, event.at());
    case wire::Event::kCodeSent:
      return note_code(*state.mutable_code(), event.code_sent().generation(), event.at());
    case wire::Event::kCodeTried:
      return state.mutable_code()->set_tries(state.code().tries() + 1);
    case wire::Event::kEmailVerified:
      state.set_password(event.email_verified().password());
      use_up(*state.mutable_code());
      return open(state, event.email_verified().session(), event.at());
    case wire::Event::kPasswordReset:
      state.set_password(event.password_reset().password());
      use_up(*state.mutable_code());
      state.clear_sessions();
      return open(state, event.password_reset().session(), event.at());
    case wire::Event::kSessionOpened:
      return open(state, event.session_opened().session(), event.at());
    case wire::Event::kSessionRefreshed:
      return refresh(state, event.session_refreshed(), event.at());
    case wire::Event::kSessionClosed:
      return close(state, event.session_closed().session());
    case wire::Event::kRolesGranted:
      return state.set_roles(event.roles_granted().roles());
    case wire::Event::kIdentitySubmitted:
      return submit(state, event.identity_submitted());
    case wire::Event::kNikTaken:
      state.mutable_identity()->mutable_claim()->set_nik_held(true);
      return state.set_lists(event.nik_taken().lists());
    case wire::Event::kIdentityVerified:
      state.mutable_identity()->set_status(wire::Identity::VERIFIED);
      return state.mutable_identity()->clear_claim();
    case wire::Event::kIdentityRejected:
      return reject(state, event.identity_rejected().reason());
    case wire::Event::kListsChanged:
      return state.set_lists(event.lists_changed().lists());
    case wire::Event::kProfileSet:
      return set_profile_in(state, event.profile_set());
    case wire::Event::kPhoneHeld:
      return hold_phone(state);
    case wire::Event::kPhoneRefused:
      state.clear_phone_wanted();
      return state.set_phone_refused(true);
    case wire::Event::kAssessmentTaken:
      state.mutable_assessment()->set_version(event.assessment_taken().version());
      return state.mutable_assessment()->set_score(event.assessment_taken().score());
    case wire::Event::kBlocked:
      state.mutable_block()->set_at(event.at());
      return state.mutable_block()->set_reason(event.blocked().reason());
    case wire::Event::kUnblocked:
      return state.clear_block();
    case wire::Event::kWithdrawn:
      if (event.withdrawn().has_join()) remember(state, event.withdrawn().join());
      return;
    case wire::Event::kJoined:        // its row is all that changes
    case wire::Event::kJoinedBefore:  // the answer is all that is kept
    case wire::Event::BODY_NOT_SET:
      return;
  }
}

}  // namespace

void apply(wire::State& state, const wire::Event& event) {
  change(state, event);
  remember(state, event);
}

}  // namespace gelombang::applicant
