#pragma once

#include "actors/applicant/rules.hpp"

/// What the rules' own files share. Not for others.
namespace gelombang::applicant {

constexpr std::int64_t milliseconds(instant at) {
  return at.time_since_epoch().count();
}

constexpr instant instant_of(std::int64_t milliseconds) {
  return instant{std::chrono::milliseconds{milliseconds}};
}

wire::Event event_at(instant now, const std::optional<request_key>& request = {});

/// The end of the session's refresh token.
instant expiry_of(const wire::Session& session);
const wire::Session* find_session(const wire::State& state, std::uint32_t id);
session_grant grant_of(applicant_id self, const wire::State& state, const wire::Session& session);

/// Remembers the answer to the event's request, if it came with a key.
void remember(wire::State& after, const wire::Event& event);
void remember(wire::State& state, const wire::Request& request);

/// Whether an account may go on at all: it must exist, have its address verified, and not be
/// blocked.
result<void> may_act(const wire::State& state);

// A remembered answer in the form that the command's reply has.
result<void> reply_from(const wire::Answer& answer);
result<session_grant> reply_from(applicant_id self, const wire::Answer& answer);

template <class Reply>
decision<Reply> only(result<Reply> reply) {
  return {.reply = std::move(reply)};
}

template <class Reply>
decision<Reply> refused(refusal why) {
  return {.reply = tl::unexpected(std::move(why))};
}

}  // namespace gelombang::applicant
