#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "actors/applicant/limits.hpp"
#include "actors/applicant/requests.hpp"
#include "actors/applicant/rules.hpp"

namespace gelombang::applicant {
namespace {

bool letter_is_due(const wire::Code& code, instant now) {
  auto last_hour = std::count_if(
      code.sent_at().begin(), code.sent_at().end(),
      [now](std::int64_t at) { return now - instant_of(at) < std::chrono::hours{1}; });
  if (last_hour >= codes_an_hour_max) return false;
  if (last_hour == 0) return true;
  return now - instant_of(*code.sent_at().rbegin()) >= code_resend_interval;
}

bool code_is_waiting(const wire::Code& code, instant now) {
  if (code.sent_at().empty() || code.tries() >= code_tries_max) return false;
  return now - instant_of(*code.sent_at().rbegin()) < code_lifetime;
}

bool same_bytes(std::string_view left, std::string_view right) {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

wire::Letter code_letter(applicant_id self, std::string sealed_email, std::uint32_t generation,
                         const enter_email& command) {
  wire::Letter letter;
  letter.set_kind(wire::Letter::CODE);
  letter.set_account(self.value);
  letter.set_sealed_email(std::move(sealed_email));
  letter.set_generation(generation);
  letter.set_language(static_cast<std::uint32_t>(command.language));
  letter.set_good_until(milliseconds(command.now + code_lifetime));
  return letter;
}

/// A repeat's answer as a decision, if this is a repeat.
std::optional<decision<session_grant>> repeated_grant(applicant_id self, const wire::State& state,
                                                      const std::optional<request_key>& request,
                                                      instant now) {
  auto repeat = find_repeat(state, request, now);
  if (!repeat) return std::nullopt;
  if (!*repeat) return refused<session_grant>(repeat->error());
  return only(reply_from(self, **repeat));
}

/// A session that `event` opens or refreshes, as it will stand once the event is applied.
decision<session_grant> granted(applicant_id self, const wire::State& state, wire::Event event,
                                std::uint32_t session) {
  auto after = state;
  apply(after, event);
  auto grant = grant_of(self, after, *find_session(after, session));
  return {.events = {std::move(event)}, .reply = grant};
}

decision<session_grant> wrong_code(const wire::State& state, const verify_email& command) {
  auto event = event_at(command.now, command.request);
  event.mutable_code_tried()->set_generation(state.code().generation());
  auto left = code_tries_max - state.code().tries() - 1;
  return {.events = {std::move(event)},
          .reply = refuse(errc::code_wrong, "/code", fmt::format("{}", left))};
}

result<void> account_exists(const wire::State& state) {
  if (state.sealed_email().empty()) return refuse(errc::not_found);
  return {};
}

}  // namespace

decision<void> decide(applicant_id self, const wire::State& state, const enter_email& command,
                      const std::string& sealed_email) {
  auto event = event_at(command.now);
  if (state.sealed_email().empty()) {
    event.mutable_email_entered()->set_sealed_email(sealed_email);
    event.mutable_email_entered()->set_language(static_cast<std::uint32_t>(command.language));
    return {.events = {std::move(event)},
            .mail = {code_letter(self, sealed_email, 1, command)},
            .reply = {}};
  }
  if (!letter_is_due(state.code(), command.now)) return {.reply = {}};
  auto generation = state.code().generation() + 1;
  event.mutable_code_sent()->set_generation(generation);
  return {.events = {std::move(event)},
          .mail = {code_letter(self, state.sealed_email(), generation, command)},
          .reply = {}};
}

decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const verify_email& command, std::string_view expected) {
  if (auto repeat = repeated_grant(self, state, command.request, command.now)) return *repeat;
  auto password_bytes = command.password_verifier.size();
  if (password_bytes == 0 || password_bytes > password_verifier_bytes_max) {
    return refused<session_grant>({errc::field_invalid, "/password"});
  }
  if (!code_is_waiting(state.code(), command.now)) {
    return refused<session_grant>({errc::code_expired, "/code"});
  }
  if (!same_bytes(command.code, expected)) return wrong_code(state, command);
  auto session = state.sessions_opened() + 1;
  auto event = event_at(command.now, command.request);
  if (state.password().empty()) {
    event.mutable_email_verified()->set_password(command.password_verifier);
    event.mutable_email_verified()->set_session(session);
  } else {
    event.mutable_password_reset()->set_password(command.password_verifier);
    event.mutable_password_reset()->set_session(session);
  }
  return granted(self, state, std::move(event), session);
}

password_facts answer_to(const wire::State& state, const read_verifier&) {
  return {state.password()};
}

decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const open_session& command) {
  if (auto repeat = repeated_grant(self, state, command.request, command.now)) return *repeat;
  auto unchanged = same_bytes(command.password_verifier, state.password());
  if (state.password().empty() || !unchanged) {
    return refused<session_grant>({errc::credentials_wrong});
  }
  auto session = state.sessions_opened() + 1;
  auto event = event_at(command.now, command.request);
  event.mutable_session_opened()->set_session(session);
  return granted(self, state, std::move(event), session);
}

decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const refresh_session& command) {
  if (auto repeat = repeated_grant(self, state, command.request, command.now)) return *repeat;
  const auto* session = find_session(state, command.session);
  if (!session || command.now >= expiry_of(*session) ||
      command.generation > session->generation()) {
    return refused<session_grant>({errc::session_unknown});
  }
  auto event = event_at(command.now, command.request);
  if (command.generation == session->generation()) {
    event.mutable_session_refreshed()->set_session(session->id());
    event.mutable_session_refreshed()->set_generation(session->generation() + 1);
    return granted(self, state, std::move(event), session->id());
  }
  auto since_rotation = command.now - instant_of(session->refreshed_at());
  if (command.generation + 1 == session->generation() && since_rotation <= refresh_grace) {
    return only<session_grant>(grant_of(self, state, *session));
  }
  event.mutable_session_closed()->set_session(session->id());
  event.mutable_session_closed()->set_reason(wire::SessionClosed::TOKEN_REUSED);
  return {.events = {std::move(event)}, .reply = refuse(errc::session_unknown)};
}

decision<void> decide(const wire::State& state, const close_session& command) {
  if (!find_session(state, command.session)) return {.reply = {}};
  auto event = event_at(command.now);
  event.mutable_session_closed()->set_session(command.session);
  return {.events = {std::move(event)}, .reply = {}};
}

decision<void> decide(const wire::State& state, const grant_roles& command) {
  if (auto exists = account_exists(state); !exists) return only(exists);
  if (state.roles() == command.roles) return {.reply = {}};
  auto event = event_at(command.now);
  event.mutable_roles_granted()->set_roles(command.roles);
  return {.events = {std::move(event)}, .reply = {}};
}

decision<void> decide(const wire::State& state, const block& command) {
  if (auto exists = account_exists(state); !exists) return only(exists);
  if (command.reason.empty() || command.reason.size() > block_reason_bytes_max) {
    return refused<void>({errc::field_invalid, "/reason"});
  }
  if (state.has_block() && state.block().reason() == command.reason) return {.reply = {}};
  auto event = event_at(command.now);
  event.mutable_blocked()->set_reason(command.reason);
  return {.events = {std::move(event)}, .reply = {}};
}

decision<void> decide(const wire::State& state, const unblock& command) {
  if (auto exists = account_exists(state); !exists) return only(exists);
  if (!state.has_block()) return {.reply = {}};
  auto event = event_at(command.now);
  event.mutable_unblocked();
  return {.events = {std::move(event)}, .reply = {}};
}

}  // namespace gelombang::applicant
