#include "actors/applicant/requests.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/applicant/limits.hpp"

namespace gelombang::applicant {
namespace {

bool is_over(const wire::Request& request, instant now) {
  return now - instant_of(request.at()) >= request_lifetime;
}

wire::Answer refusal_answer(errc code, std::string detail = {}) {
  wire::Answer answer;
  answer.mutable_refusal()->set_code(static_cast<std::uint32_t>(code));
  answer.mutable_refusal()->set_detail(std::move(detail));
  return answer;
}

wire::Answer grant_answer(const wire::State& after, std::uint32_t id) {
  const auto* session = find_session(after, id);
  if (!session) return refusal_answer(errc::session_unknown);
  wire::Answer answer;
  auto grant = grant_of({}, after, *session);
  answer.mutable_grant()->set_session(grant.session);
  answer.mutable_grant()->set_generation(grant.generation);
  answer.mutable_grant()->set_issued_at(milliseconds(grant.issued_at));
  answer.mutable_grant()->set_expires_at(milliseconds(grant.expires_at));
  answer.mutable_grant()->set_roles(grant.roles);
  return answer;
}

wire::Answer receipt_answer(const wire::JoinedBefore& join) {
  wire::Answer answer;
  answer.mutable_receipt()->set_wave(join.wave());
  answer.mutable_receipt()->set_region(join.region());
  answer.mutable_receipt()->set_joined_at(join.joined_at());
  answer.mutable_receipt()->set_repeated(true);
  return answer;
}

/// What has had no effect goes before what has: of that a late repeat would have one.
template <class Requests>
auto first_to_forget(Requests& known) {
  auto idle = std::find_if(known.begin(), known.end(), [](const wire::Request& one) {
    return one.answer().receipt().repeated();
  });
  return idle == known.end() ? known.begin() : idle;
}

wire::Answer done() {
  wire::Answer answer;
  answer.mutable_done();
  return answer;
}

result<void> refusal_in(const wire::Answer& answer) {
  if (answer.has_refusal()) {
    return refuse(static_cast<errc>(answer.refusal().code()), {}, answer.refusal().detail());
  }
  return {};
}

}  // namespace

wire::Event event_at(instant now, const std::optional<request_key>& request) {
  wire::Event event;
  event.set_at(milliseconds(now));
  if (request) {
    event.mutable_request()->set_key(request->key);
    event.mutable_request()->set_fingerprint(request->fingerprint);
  }
  return event;
}

instant expiry_of(const wire::Session& session) {
  return std::min(instant_of(session.refreshed_at()) + session_idle,
                  instant_of(session.opened_at()) + session_lifetime);
}

const wire::Session* find_session(const wire::State& state, std::uint32_t id) {
  for (const auto& session : state.sessions()) {
    if (session.id() == id) return &session;
  }
  return nullptr;
}

session_grant grant_of(applicant_id self, const wire::State& state, const wire::Session& session) {
  return {.account = self,
          .session = session.id(),
          .generation = session.generation(),
          .issued_at = instant_of(session.refreshed_at()),
          .expires_at = expiry_of(session),
          .roles = state.roles()};
}

result<void> may_act(const wire::State& state) {
  if (state.sealed_email().empty()) return refuse(errc::not_found);
  if (state.has_block()) return refuse(errc::account_blocked);
  if (state.password().empty()) return refuse(errc::stage_out_of_order);
  return {};
}

std::optional<result<wire::Answer>> find_repeat(const wire::State& state,
                                                const std::optional<request_key>& request,
                                                instant now) {
  if (!request) return std::nullopt;
  for (const auto& known : state.requests()) {
    if (known.key() != request->key || is_over(known, now)) continue;
    if (known.fingerprint() != request->fingerprint) return refuse(errc::idempotency_conflict);
    return known.answer();
  }
  return std::nullopt;
}

bool is_key_of_join(const participation& row, const std::optional<request_key>& request,
                    instant now) {
  if (!request || !row.request || row.request->key != request->key) return false;
  return row.request->fingerprint != request->fingerprint && now - row.joined_at < request_lifetime;
}

wire::Answer answer_of(const wire::State& after, const wire::Event& event) {
  switch (event.body_case()) {
    case wire::Event::kEmailVerified:
      return grant_answer(after, event.email_verified().session());
    case wire::Event::kPasswordReset:
      return grant_answer(after, event.password_reset().session());
    case wire::Event::kSessionOpened:
      return grant_answer(after, event.session_opened().session());
    case wire::Event::kSessionRefreshed:
      return grant_answer(after, event.session_refreshed().session());
    case wire::Event::kCodeTried: {
      auto left = code_tries_max - std::min(after.code().tries(), code_tries_max);
      return refusal_answer(errc::code_wrong, fmt::format("{}", left));
    }
    case wire::Event::kSessionClosed:
      if (event.session_closed().reason() == wire::SessionClosed::TOKEN_REUSED) {
        return refusal_answer(errc::session_unknown);
      }
      return done();
    case wire::Event::kJoinedBefore:
      return receipt_answer(event.joined_before());
    case wire::Event::kEmailEntered:
    case wire::Event::kCodeSent:
    case wire::Event::kRolesGranted:
    case wire::Event::kIdentitySubmitted:
    case wire::Event::kNikTaken:
    case wire::Event::kIdentityVerified:
    case wire::Event::kIdentityRejected:
    case wire::Event::kListsChanged:
    case wire::Event::kProfileSet:
    case wire::Event::kPhoneHeld:
    case wire::Event::kPhoneRefused:
    case wire::Event::kAssessmentTaken:
    case wire::Event::kBlocked:
    case wire::Event::kUnblocked:
    case wire::Event::kJoined:
    case wire::Event::kWithdrawn:
    case wire::Event::BODY_NOT_SET:
      return done();
  }
  return done();
}

void remember(wire::State& after, const wire::Event& event) {
  // A join's key stands in its row.
  if (!event.has_request() || event.has_joined()) return;
  wire::Request request;
  request.set_key(event.request().key());
  request.set_fingerprint(event.request().fingerprint());
  request.set_at(event.at());
  *request.mutable_answer() = answer_of(after, event);
  remember(after, request);
}

void remember(wire::State& state, const wire::Request& request) {
  auto& known = *state.mutable_requests();
  auto now = instant_of(request.at());
  auto superfluous = [&](const wire::Request& one) {
    return is_over(one, now) || one.key() == request.key();
  };
  known.erase(std::remove_if(known.begin(), known.end(), superfluous), known.end());
  if (known.size() >= requests_max) known.erase(first_to_forget(known));
  *known.Add() = request;
}

result<void> reply_from(const wire::Answer& answer) {
  return refusal_in(answer);
}

result<session_grant> reply_from(applicant_id self, const wire::Answer& answer) {
  if (auto refused = refusal_in(answer); !refused) return tl::unexpected(refused.error());
  const auto& grant = answer.grant();
  return session_grant{.account = self,
                       .session = grant.session(),
                       .generation = grant.generation(),
                       .issued_at = instant_of(grant.issued_at()),
                       .expires_at = instant_of(grant.expires_at()),
                       .roles = grant.roles()};
}

}  // namespace gelombang::applicant
