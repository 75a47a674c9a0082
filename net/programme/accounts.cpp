#include <algorithm>

#include "actors/interfaces.hpp"
#include "actors/programme/email.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

using applicant::applicant_actor;
using applicant::session_grant;

constexpr std::size_t password_characters_min = 10;
constexpr std::size_t code_characters = 6;
constexpr std::size_t refresh_token_characters_max = 64;
/// Longer texts than any address, so that a long one is told what is wrong with it as an address.
constexpr std::size_t email_characters_max = 320;

result<std::string> email_in(json_body& body) {
  const auto text = body.string("email", 1, email_characters_max);
  if (text.empty()) return std::string{};
  auto email = normalise_email(text);
  if (!email) return gelombang::refuse(errc::email_invalid, "/email", email.error().detail);
  return email;
}

/// The password that is to be set.
/// @returns `password_weak` unless it is 10 characters or more, and 256 bytes or less.
result<std::string> new_password_in(json_body& body) {
  const auto text = body.string("password", 0, 4 * password_pool::password_bytes_max);
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto characters = std::count_if(text.begin(), text.end(), is_start);
  if (characters < static_cast<std::ptrdiff_t>(password_characters_min) ||
      text.size() > password_pool::password_bytes_max)
    return gelombang::refuse(errc::password_weak, "/password");
  return std::string{text};
}

auto hashed(services& s, exchange& x, std::string password) {
  return callback<result<std::string>>([&, password = std::move(password)](auto done) mutable {
    s.passwords.hash(std::move(password), x.thread().context(),
                     [done](result<std::string> hash) { done(std::move(hash)); });
  });
}

auto verified(services& s, exchange& x, std::string password, std::string hash) {
  return callback<result<bool>>(
      [&, password = std::move(password), hash = std::move(hash)](auto done) mutable {
        std::optional<std::string> known;
        if (!hash.empty()) known = std::move(hash);
        s.passwords.verify(std::move(password), std::move(known), x.thread().context(),
                           [done](result<bool> right) { done(std::move(right)); });
      });
}

/// Whether a refusal tells something of a code that was guessed.
bool is_verdict(errc why) {
  return why == errc::code_wrong || why == errc::code_expired;
}

void answer_tokens(const services& s, exchange& x, const result<session_grant>& grant) {
  if (!grant) return x.refuse(grant.error());
  auto json = x.json();
  write_tokens(json, tokens_of(s, *grant));
  x.reply(200);
}

}  // namespace

task<> enter_email(services& s, exchange& x) {
  if (auto request = request_of(s, x); !request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto email = email_in(*body);
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!email) co_return x.refuse(email.error());
  if (s.attempts.emails_by_address.take(x.peer().hash(), x.now()))
    co_return x.refuse(errc::too_many_requests);
  const auto account = s.keys.account_of(*email);
  if (!s.attempts.emails_by_account.take(account.value, x.now())) {
    const auto speech = x.speech() == language::english ? applicant::language::english
                                                        : applicant::language::indonesian;
    applicant::enter_email command{*email, speech, x.now()};
    auto entered = co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(account),
                                                                  std::move(command));
    if (!entered) co_return x.refuse(entered.error());
  }
  auto json = x.json();
  json.begin_object().member("status", "accepted").key("explanation");
  json.value(code_is_on_its_way().in(x.speech())).end_object();
  x.reply(202);
}

task<> verify_email(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto email = email_in(*body);
  std::string code{body->string("code", code_characters, code_characters)};
  auto password = new_password_in(*body);
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!email) co_return x.refuse(email.error());
  if (!password) co_return x.refuse(password.error());
  // Before it counts as an attempt: who is told to come back has not tried yet.
  if (s.passwords.turns_away()) co_return x.refuse(errc::overloaded);
  const auto account = s.keys.account_of(*email);
  if (!s.attempts.codes.take(account, x.peer(), x.now()))
    co_return x.refuse(errc::too_many_requests);
  // Hashed before the code is looked at: the work is the same for every address and code.
  auto verifier = co_await hashed(s, x, std::move(*password));
  if (!verifier) {
    s.attempts.codes.was_not_looked_at(account, x.peer(), x.now());
    co_return x.refuse(verifier.error());
  }
  applicant::verify_email command{std::move(code), std::move(*verifier), *request, x.now()};
  auto grant =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(account), std::move(command));
  if (grant)
    s.attempts.codes.was_right(account, x.peer(), x.now());
  else if (!is_verdict(grant.error().code))
    s.attempts.codes.was_not_looked_at(account, x.peer(), x.now());
  answer_tokens(s, x, grant);
}

task<> sign_in(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto email = email_in(*body);
  std::string password{body->string("password", 1, password_pool::password_bytes_max)};
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!email) co_return x.refuse(email.error());
  if (password.size() > password_pool::password_bytes_max)
    co_return x.refuse(errc::credentials_wrong);
  // Before it counts as an attempt, and before anybody is woken for it.
  if (s.passwords.turns_away()) co_return x.refuse(errc::overloaded);
  const auto account = s.keys.account_of(*email);
  if (!s.attempts.passwords.take(account, x.peer(), x.now()))
    co_return x.refuse(errc::too_many_requests);
  applicant::read_verifier query{x.now()};
  auto known = co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(account), query);
  const auto refuse_unseen = [&](const refusal& why) {
    s.attempts.passwords.was_not_looked_at(account, x.peer(), x.now());
    x.refuse(why);
  };
  if (!known) co_return refuse_unseen(known.error());
  const auto right = co_await verified(s, x, std::move(password), known->verifier);
  if (!right) co_return refuse_unseen(right.error());
  if (!*right) co_return x.refuse(errc::credentials_wrong);
  s.attempts.passwords.was_right(account, x.peer(), x.now());
  applicant::open_session command{std::move(known->verifier), *request, x.now()};
  auto grant =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(account), std::move(command));
  answer_tokens(s, x, grant);
}

task<> refresh_session(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  const auto token = body->string("refresh_token", 1, refresh_token_characters_max);
  if (!body->ok()) co_return x.refuse(body->faults());
  const auto session = s.refresh.verify(token);
  if (!session) co_return x.refuse(session.error());
  applicant::refresh_session command{session->session, session->generation, *request, x.now()};
  auto grant =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(session->subject), command);
  answer_tokens(s, x, grant);
}

task<> sign_out(services& s, exchange& x) {
  if (auto request = request_of(s, x); !request) co_return x.refuse(request.error());
  applicant::close_session command{x.bearer().session, x.now()};
  auto closed =
      co_await gateway_of(s, x).ask<applicant_actor>(runtime::ref_of(x.bearer().subject), command);
  if (!closed) co_return x.refuse(closed.error());
  x.no_content();
}

}  // namespace gelombang::net
