#include "load-tests/replay/clerk.hpp"

#include <fmt/format.h>

#include <iterator>

#include "actors/programme/format.hpp"
#include "actors/programme/time.hpp"

namespace gelombang::load::replay {
namespace {

bool names_problem(std::string_view body, std::string_view name) {
  const auto at = body.find("/problems/");
  return at != std::string_view::npos && body.substr(at + 10).starts_with(name);
}

void add_request(std::string& out, std::string_view line, std::string_view host,
                 std::string_view token, std::string_view body) {
  out.append(line).append(" HTTP/1.1\r\nHost: ").append(host);
  if (!token.empty()) out.append("\r\nAuthorization: Bearer ").append(token);
  if (line.starts_with("GET")) {
    out.append("\r\n\r\n");
    return;
  }
  if (!body.empty()) out.append("\r\nContent-Type: application/json");
  fmt::format_to(std::back_inserter(out), "\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

constexpr std::uint8_t tries_max = 100;

std::int64_t seconds_of(instant when) {
  return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

}  // namespace

clerk::clerk(const keyring& keys, settings with)
    : keys_(keys),
      with_(std::move(with)),
      people_(with_.seed),
      tokens_({net::token_key{"1", keys.access_token_key()}}) {}

std::string clerk::mint(applicant_id who, net::role as) const {
  return tokens_.mint({.subject = who,
                       .session = 1,
                       .held = as,
                       .issued_at = seconds_of(with_.issued),
                       .expires_at = seconds_of(with_.expires)});
}

std::string clerk::token_of(std::uint64_t number) const {
  return mint(keys_.account_of(seed::email_of(number)), net::role::applicant);
}

std::string clerk::operator_token() const {
  return mint(keys_.account_of("operator@contoh.id"), net::role::operator_);
}

void clerk::write(std::string& out, const errand& what, std::uint32_t wave) const {
  switch (what.what) {
    case act::sign_up:
    case act::verify:
      return write_account(out, what);
    case act::identity:
    case act::profile:
    case act::assessment:
      return write_own(out, what);
    case act::join:
      return add_request(out, fmt::format("POST /v1/waves/{}/join", wave), with_.host,
                         token_of(what.number), {});
  }
}

void clerk::write_account(std::string& out, const errand& what) const {
  const auto email = seed::email_of(what.number);
  if (what.what == act::sign_up || what.how == errand::way::sign_up_again)
    return add_request(out, "POST /v1/accounts", with_.host, {},
                       fmt::format(R"({{"email":"{}"}})", email));
  if (what.how == errand::way::look)
    return add_request(out, "GET /v1/me", with_.host, token_of(what.number), {});
  const auto code = keys_.email_code(keys_.account_of(email), what.letter);
  add_request(
      out, "POST /v1/accounts/verify", with_.host, {},
      fmt::format(R"({{"email":"{}","code":"{}","password":"{}"}})", email, code, with_.password));
}

void clerk::write_own(std::string& out, const errand& what) const {
  const auto token = token_of(what.number);
  if (what.what == act::assessment)
    return add_request(out, "POST /v1/me/assessment", with_.host, token, with_.assessment);
  const auto one = people_(what.number);
  if (what.what == act::identity)
    return add_request(
        out, "PUT /v1/me/identity", with_.host, token,
        fmt::format(R"({{"nik":"{}","kk":"{}","full_name":"{}","birth_date":"{}","region":"{}"}})",
                    one.nik.digits(), one.kk.digits(), one.full_name, format_date(one.birth_date),
                    to_string(one.region)));
  add_request(
      out, "PUT /v1/me/profile", with_.host, token,
      fmt::format(
          R"({{"phone":"{}","education":"{}","employment":"{}","disability":{},"returned_migrant":{}}})",
          one.phone, one.education, one.employment, one.disability, one.returned_migrant));
}

verdict clerk::judge(errand& what, int status, std::string_view body) const {
  if (status == 429 || status == 503 || status == 504) return verdict::later;
  if (what.what == act::verify) return judge_verify(what, status, body);
  // What everybody sees as open some shards may not have heard of yet.
  if (what.what == act::join && status == 409 && names_problem(body, "wave_not_open"))
    return ++what.tries < tries_max ? verdict::later : verdict::wrong;
  const bool is_right = what.what == act::sign_up ? status == 202
                        : what.what == act::join  ? status == 201 || status == 200
                                                  : status == 200;
  return is_right ? verdict::done : verdict::wrong;
}

/// Usually the first letter's code is right. After an interruption it may have been used already,
/// be too old, or not the newest.
verdict clerk::judge_verify(errand& what, int status, std::string_view body) const {
  using way = errand::way;
  const auto go_on = [&](way how) {
    what.how = how;
    return ++what.tries <= 2 * letters_max + 2 ? verdict::next : verdict::wrong;
  };
  switch (what.how) {
    case way::straight:
      if (status == 200) return verdict::done;
      if (status != 422) return verdict::wrong;
      if (names_problem(body, "code_wrong") && what.letter < letters_max) {
        ++what.letter;
        return go_on(way::straight);
      }
      return names_problem(body, "code_expired") ? go_on(way::look) : verdict::wrong;
    case way::look:
      if (status != 200) return verdict::wrong;
      if (body.find(R"("state":"email_entered")") == std::string_view::npos) return verdict::done;
      return go_on(way::sign_up_again);
    case way::sign_up_again:
      if (status != 202) return verdict::wrong;
      what.letter = 2;
      return go_on(way::straight);
  }
  return verdict::wrong;
}

}  // namespace gelombang::load::replay
