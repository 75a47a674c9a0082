#include "load-tests/engine/acts.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <utility>

#include "actors/programme/format.hpp"
#include "actors/programme/time.hpp"

namespace gelombang::load {
namespace {

constexpr std::array<std::string_view, acts> act_names{
    "schedule", "sign_up",    "verify", "sign_in",  "refresh", "me",     "identity",
    "profile",  "assessment", "join",   "withdraw", "status",  "request"};

std::string code_of(const traveller_state& who, const people& all, std::string_view email) {
  // Without the key nobody knows a code: 000000 is as wrong as any.
  if (!all.keys) return "000000";
  return all.keys->email_code(all.keys->account_of(email), std::max(1u, who.codes_asked));
}

std::string identity_of(const seed::person& one) {
  return fmt::format(R"({{"nik":"{}","kk":"{}","full_name":"{}","birth_date":"{}","region":"{}"}})",
                     one.nik.digits(), one.kk.digits(), one.full_name, format_date(one.birth_date),
                     to_string(one.region));
}

std::string profile_of(const seed::person& one) {
  return fmt::format(
      R"({{"phone":"{}","education":"{}","employment":"{}","disability":{},"returned_migrant":{}}})",
      one.phone, one.education, one.employment, one.disability, one.returned_migrant);
}

/// What a person of the seed says of himself.
prepared_request prepare_own(const step& what, const traveller_state& who,
                             const surroundings_of_acts& around) {
  prepared_request made{.method = "PUT", .token = who.token(), .changes_something = true};
  if (what.what == act::identity) {
    made.path = "/v1/me/identity";
    made.body = identity_of(around.who.made(who.number));
  } else if (what.what == act::profile) {
    made.path = "/v1/me/profile";
    made.body = profile_of(around.who.made(who.number));
  } else {
    made.method = "POST";
    made.path = "/v1/me/assessment";
    made.body = around.assessment;
  }
  return made;
}

prepared_request prepare_account(const step& what, const traveller_state& who,
                                 const surroundings_of_acts& around) {
  prepared_request made{.method = "POST", .changes_something = true};
  const auto email = seed::email_of(who.number);
  if (what.what == act::sign_up) {
    made.path = "/v1/accounts";
    made.body = fmt::format(R"({{"email":"{}"}})", email);
  } else if (what.what == act::verify) {
    made.path = "/v1/accounts/verify";
    made.body = fmt::format(R"({{"email":"{}","code":"{}","password":"{}"}})", email,
                            code_of(who, around.who, email), around.password);
  } else if (what.what == act::sign_in) {
    made.path = "/v1/sessions";
    made.body = fmt::format(R"({{"email":"{}","password":"{}"}})", email, around.password);
  } else {
    made.path = "/v1/sessions/refresh";
    made.body = fmt::format(R"({{"refresh_token":"{}"}})", who.refresh_token);
  }
  return made;
}

prepared_request read_of(std::string path, std::string_view token, std::string_view tag) {
  return {.method = "GET", .path = std::move(path), .token = token, .if_none_match = tag};
}

}  // namespace

std::string_view name_of(act what) {
  return act_names[static_cast<std::size_t>(what)];
}

std::optional<act> act_named(std::string_view name) {
  for (std::size_t i = 0; i < acts; ++i)
    if (act_names[i] == name) return static_cast<act>(i);
  return std::nullopt;
}

prepared_request prepare(const step& what, const traveller_state& who,
                         const surroundings_of_acts& around) {
  switch (what.what) {
    case act::schedule:
      return read_of("/v1/waves/current", {}, who.schedule_tag);
    case act::me:
      return read_of("/v1/me", who.token(), {});
    case act::status:
      return read_of(fmt::format("/v1/me/waves/{}", around.wave), who.token(), who.status_tag);
    case act::sign_up:
    case act::verify:
    case act::sign_in:
    case act::refresh:
      return prepare_account(what, who, around);
    case act::identity:
    case act::profile:
    case act::assessment:
      return prepare_own(what, who, around);
    case act::join:
    case act::withdraw:
      return {.method = what.what == act::join ? "POST" : "DELETE",
              .path = fmt::format("/v1/waves/{}/join", around.wave),
              .token = who.token(),
              .changes_something = true};
    case act::request:
      break;
  }
  return {.method = what.method, .path = what.path, .body = what.body, .token = who.token()};
}

std::string keep(const step& what, traveller_state& who, const answer& told) {
  switch (what.what) {
    case act::schedule:
      if (told.status == 200) who.schedule_tag = told.etag;
      return {};
    case act::status:
      if (told.status == 200) who.status_tag = told.etag;
      return {};
    case act::sign_up:
      if (told.status == 202) ++who.codes_asked;
      return {};
    case act::verify:
    case act::sign_in:
    case act::refresh:
      if (told.status != 200) return {};
      who.access_token = member_of(told.body, "access_token");
      who.refresh_token = member_of(told.body, "refresh_token");
      return member_of(told.body, "account_id");
    case act::join:
      if (told.status != 200 && told.status != 201) return {};
      who.entry = member_of(told.body, "entry_id");
      return who.entry;
    default:
      return {};
  }
}

bool is_success(int status) {
  return (status >= 200 && status < 300) || status == 304;
}

std::string member_of(std::string_view json, std::string_view name) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::string_view text;
  if (parser.parse(json.data(), json.size()).get(document) != simdjson::SUCCESS) return {};
  if (document[name].get(text) != simdjson::SUCCESS) return {};
  return std::string{text};
}

}  // namespace gelombang::load
