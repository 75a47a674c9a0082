#pragma once

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "actors/applicant/requests.hpp"
#include "actors/applicant/rules.hpp"
#include "actors/applicant/secrets.hpp"
#include "actors/registry/rules.hpp"

/// People for tests: accounts, and a registry that hears them through mail which the test delivers.
namespace gelombang::applicant::testing {

using namespace std::chrono_literals;

inline const instant noon = instant{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}} + 5h;

/// A map's keys come in any order, but there is no map in these messages: equal states, equal
/// bytes.
inline std::string bytes_of(const google::protobuf::MessageLite& message) {
  return message.SerializeAsString();
}

/// For steps that a test takes for granted.
template <class Reply>
void must(const result<Reply>& answer) {
  if (!answer) throw std::runtime_error(std::string(gelombang::name_of(answer.error().code)));
}

struct human {
  std::string nik_digits = "3201011708900001";  // 17 August 1990
  std::string kk_digits = "3201012001150007";
  std::string name = "Siti Aminah";
  date birth = std::chrono::year{1990} / 8 / 17;
  region_code region{3201};
  std::string phone = "+6281234567890";
};

/// The n-th person born on 17 August 1990 in Bogor.
inline human nth_human(int n) {
  human one;
  one.nik_digits = fmt::format("320101170890{:04}", n + 1);
  one.phone = fmt::format("+62812345{:05}", n);
  return one;
}

inline assessment two_questions() {
  auto option = [](std::string id, std::uint32_t points) {
    return assessment::option{std::move(id), {"ya", "yes"}, points};
  };
  assessment all{.version = 3, .questions = {}};
  all.questions.push_back({"why", "motivation", {"?", "?"}, {option("a", 0), option("b", 4)}});
  all.questions.push_back({"sum", "basic_skills", {"?", "?"}, {option("a", 4), option("b", 0)}});
  return all;
}

inline eligibility_rules simple_rules() {
  return {.name = "test", .version = 1, .age_min = 18, .age_max = 64, .family_places_max = 2};
}

/// One account: its state, and everything that has happened to it.
struct account {
  applicant_id id{};
  wire::State state = {};
  std::vector<wire::Event> history = {};
  std::vector<outgoing> sent = {};

  template <class Reply>
  result<Reply> take(decision<Reply> made) {
    for (auto& event : made.events) {
      apply(state, event);
      history.push_back(std::move(event));
    }
    for (auto& mail : made.mail) sent.push_back(std::move(mail));
    return std::move(made.reply);
  }
};

struct world {
  keyring keys = keyring::from_bytes({7});
  const region_table& regions = region_table::standard();
  assessment questions = two_questions();
  eligibility_rules rules = simple_rules();

  std::map<std::uint64_t, registry::wire::Person> persons = {};
  std::map<std::uint64_t, registry::wire::Phone> phones = {};
  std::map<std::uint64_t, registry::wire::Family> families = {};

  // --- commands, as an actor gives them to the rules ---

  result<void> enter(account& who, instant now = noon, std::string email = "siti@example.id") {
    enter_email command{.email = std::move(email), .now = now};
    return who.take(decide(who.id, who.state, command, seal_email(keys, who.id, command)));
  }

  std::string code(const account& who) const { return expected_code(keys, who.id, who.state); }

  result<session_grant> verify(account& who, std::string code, instant now = noon,
                               std::string password = "verifier",
                               std::optional<request_key> request = {}) {
    verify_email command{std::move(code), std::move(password), request, now};
    return who.take(decide(who.id, who.state, command, expected_code(keys, who.id, who.state)));
  }

  result<void> submit(account& who, const human& person, instant now = noon,
                      std::optional<request_key> request = {}) {
    submit_identity command{*nik::parse(person.nik_digits),
                            *kk::parse(person.kk_digits),
                            person.name,
                            person.birth,
                            person.region,
                            request,
                            now};
    return who.take(
        decide(who.id, who.state, command, seal_identity(keys, who.id, command), regions));
  }

  result<void> profile(account& who, const set_profile& command) {
    return who.take(decide(who.id, who.state, command, seal_phone(keys, who.id, command)));
  }

  result<void> profile(account& who, const human& person, instant now = noon) {
    return profile(who, set_profile{.phone = person.phone,
                                    .education = education::smk,
                                    .employment = employment::job_seeker,
                                    .now = now});
  }

  result<assessment_result> assess(account& who,
                                   std::vector<answer> answers = {{"why", "b"}, {"sum", "a"}},
                                   std::optional<request_key> request = {}, instant now = noon) {
    return who.take(
        decide(who.state, take_assessment{std::move(answers), request, now}, questions));
  }

  result<void> hear(account& who, const registry::wire::Answer& answer, instant now = noon) {
    wire::Notice notice;
    *notice.mutable_registry() = answer;
    return who.take(decide(who.id, who.state, notice, now));
  }

  // --- the registry ---

  /// Delivers one mail and returns the answer that it leads to, undelivered.
  std::optional<registry::reply> deliver(const registry_mail& mail) {
    switch (mail.to) {
      case registry_mail::kind::person:
        return handle(persons[mail.id], mail.ask);
      case registry_mail::kind::phone:
        return handle(phones[mail.id], mail.ask);
      case registry_mail::kind::family:
        return handle(families[mail.id], mail.ask);
    }
    return std::nullopt;
  }

  /// Delivers everything that `who` has sent and is answered, until nothing is left.
  void settle(account& who) {
    while (!who.sent.empty()) {
      auto mail = who.sent.front();
      who.sent.erase(who.sent.begin());
      if (!std::holds_alternative<registry_mail>(mail)) continue;
      auto answer = deliver(std::get<registry_mail>(mail));
      if (answer && answer->first == who.id) must(hear(who, answer->second));
    }
  }

  // --- people as far as tests need them ---

  account verified(std::uint64_t id = 1) {
    account who{.id = {id}};
    must(enter(who));
    must(verify(who, code(who)));
    return who;
  }

  account identified(const human& person = {}, std::uint64_t id = 1) {
    auto who = verified(id);
    must(submit(who, person));
    settle(who);
    return who;
  }

  account ready(const human& person = {}, std::uint64_t id = 1) {
    auto who = identified(person, id);
    must(profile(who, person));
    settle(who);
    must(assess(who));
    return who;
  }

  wave_view open_wave(std::uint32_t number = 5) const {
    return {.number = {number}, .open = true, .opens_at = noon - 1h, .eligibility = &rules};
  }

private:
  template <class Entity>
  static std::optional<registry::reply> handle(Entity& entity, const registry::wire::Ask& ask) {
    auto made = registry::decide(entity, ask);
    if (made.event) registry::apply(entity, *made.event);
    return made.answer;
  }
};

template <class Reply>
errc code_of(const result<Reply>& answer) {
  return answer ? errc::ok : answer.error().code;
}

}  // namespace gelombang::applicant::testing
