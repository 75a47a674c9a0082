#include <fmt/format.h>
#include <sodium.h>

#include "actors/applicant/limits.hpp"
#include "actors/applicant/names.hpp"
#include "actors/applicant/requests.hpp"
#include "actors/applicant/rules.hpp"
#include "actors/programme/time.hpp"
#include "actors/registry/lists.hpp"
#include "actors/registry/rules.hpp"

namespace gelombang::applicant {
namespace {

using hash_bytes = std::array<std::uint8_t, 16>;

std::string text_of(const hash_bytes& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

hash_bytes hash_in(const std::string& text) {
  hash_bytes hash{};
  std::copy_n(text.begin(), std::min(text.size(), hash.size()), hash.begin());
  return hash;
}

std::int32_t day_number(date day) {
  return static_cast<std::int32_t>(std::chrono::sys_days{day}.time_since_epoch().count());
}

// --- orders to the registry ---

registry_mail take(registry_mail::kind what, const std::string& hash, applicant_id self,
                   std::uint32_t claim) {
  auto where = registry::address_of(hash_in(hash));
  registry_mail mail{what, where.id, {}};
  auto& ask = *mail.ask.mutable_take();
  ask.set_rest(where.rest);
  ask.set_owner(self.value);
  ask.set_claim(claim);
  return mail;
}

registry_mail release(registry_mail::kind what, const std::string& hash, applicant_id self) {
  auto where = registry::address_of(hash_in(hash));
  registry_mail mail{what, where.id, {}};
  mail.ask.mutable_release()->set_rest(where.rest);
  mail.ask.mutable_release()->set_owner(self.value);
  return mail;
}

registry_mail enroll(const wire::Identity& identity, applicant_id self) {
  registry_mail mail{registry_mail::kind::family, identity.family(), {}};
  auto& ask = *mail.ask.mutable_enroll();
  ask.set_owner(self.value);
  ask.set_claim(identity.claim().number());
  ask.set_region(identity.region());
  return mail;
}

// --- identity ---

result<std::string> checked_name(const submit_identity& command, const region_table& regions) {
  auto name = normalise_name(command.full_name);
  if (!name) return name;
  auto today = date_in_wib(command.now);
  auto sensible = command.birth_date.ok() && int{command.birth_date.year()} >= year_min &&
                  command.birth_date <= today;
  if (!sensible) return refuse(errc::birth_date_invalid, "/birth_date");
  if (!command.number.matches(command.birth_date)) {
    return refuse(errc::nik_invalid, "/nik", "contradicts the birth date");
  }
  if (!regions.find(command.region)) return refuse(errc::region_unknown, "/region");
  return name;
}

decision<void> begin_claim(applicant_id self, const wire::State& state,
                           const submit_identity& command, const identity_secrets& secrets,
                           std::uint64_t tag) {
  auto event = event_at(command.now, command.request);
  auto& submitted = *event.mutable_identity_submitted();
  submitted.set_sealed(secrets.sealed);
  submitted.set_family(secrets.family);
  submitted.set_region(command.region.value);
  submitted.set_birth_day(day_number(command.birth_date));
  submitted.set_sex(static_cast<std::uint32_t>(command.number.sex()));
  submitted.set_tag(tag);
  submitted.set_claim(state.claims() + 1);
  submitted.set_nik_hash(text_of(secrets.nik_hash));
  auto mail = take(registry_mail::kind::person, submitted.nik_hash(), self, submitted.claim());
  return {.events = {std::move(event)}, .mail = {std::move(mail)}, .reply = {}};
}

rejection rejection_by(registry::wire::Reason reason) {
  switch (reason) {
    case registry::wire::TAKEN:
      return rejection::nik_taken;
    case registry::wire::FAMILY_TOO_LARGE:
      return rejection::family_too_large;
    default:
      return rejection::family_region_mismatch;
  }
}

// --- what the registry says ---

/// The person entity has answered: on to the family, or the end.
decision<void> heard_of_nik(applicant_id self, const wire::State& state,
                            const registry::wire::Answer& answer, instant now) {
  auto event = event_at(now);
  if (answer.has_taken()) {
    event.mutable_nik_taken()->set_claim(answer.claim());
    event.mutable_nik_taken()->set_lists(answer.taken().lists());
    return {.events = {std::move(event)}, .mail = {enroll(state.identity(), self)}, .reply = {}};
  }
  if (!answer.has_refused()) return {.reply = {}};
  event.mutable_identity_rejected()->set_claim(answer.claim());
  event.mutable_identity_rejected()->set_reason(static_cast<std::uint32_t>(rejection::nik_taken));
  return {.events = {std::move(event)}, .reply = {}};
}

/// The family entity has answered. If it refuses, the NIK goes back.
decision<void> heard_of_family(applicant_id self, const wire::State& state,
                               const registry::wire::Answer& answer, instant now) {
  auto event = event_at(now);
  if (answer.has_enrolled()) {
    event.mutable_identity_verified()->set_claim(answer.claim());
    return {.events = {std::move(event)}, .reply = {}};
  }
  if (!answer.has_refused()) return {.reply = {}};
  auto reason = rejection_by(answer.refused().reason());
  event.mutable_identity_rejected()->set_claim(answer.claim());
  event.mutable_identity_rejected()->set_reason(static_cast<std::uint32_t>(reason));
  auto back = release(registry_mail::kind::person, state.identity().claim().nik_hash(), self);
  return {.events = {std::move(event)}, .mail = {std::move(back)}, .reply = {}};
}

decision<void> heard_of_phone(applicant_id self, const wire::State& state,
                              const registry::wire::Answer& answer, instant now) {
  auto event = event_at(now);
  if (answer.has_refused()) {
    event.mutable_phone_refused()->set_claim(answer.claim());
    return {.events = {std::move(event)}, .reply = {}};
  }
  if (!answer.has_taken()) return {.reply = {}};
  event.mutable_phone_held()->set_claim(answer.claim());
  decision<void> made{.events = {std::move(event)}, .reply = {}};
  if (state.has_phone()) {
    made.mail.push_back(release(registry_mail::kind::phone, state.phone().hash(), self));
  }
  return made;
}

bool holds_nik(const wire::State& state) {
  return state.identity().status() == wire::Identity::VERIFIED ||
         state.identity().claim().nik_held();
}

decision<void> heard_of_lists(const wire::State& state, std::uint32_t lists, instant now) {
  if (!holds_nik(state) || state.lists() == lists) return {.reply = {}};
  auto event = event_at(now);
  event.mutable_lists_changed()->set_lists(lists);
  return {.events = {std::move(event)}, .reply = {}};
}

// --- profile ---

result<void> may_have_profile(const wire::State& state) {
  if (auto may = may_act(state); !may) return may;
  auto status = state.identity().status();
  if (status == wire::Identity::SUBMITTED || status == wire::Identity::VERIFIED) return {};
  return refuse(errc::stage_out_of_order);
}

wire::Profile profile_of(const set_profile& command) {
  wire::Profile profile;
  profile.set_education(static_cast<std::uint32_t>(command.education));
  profile.set_employment(static_cast<std::uint32_t>(command.employment));
  std::uint32_t traits = 0;
  if (command.disability) traits |= static_cast<std::uint32_t>(trait::disability);
  if (command.returned_migrant) traits |= static_cast<std::uint32_t>(trait::returned_migrant);
  profile.set_traits(traits);
  return profile;
}

bool same_profile(const wire::Profile& left, const wire::Profile& right) {
  return left.education() == right.education() && left.employment() == right.employment() &&
         left.traits() == right.traits();
}

/// What becomes of the phone number: claimed, being claimed already, or ours already.
void settle_phone(applicant_id self, const wire::State& state, const phone_secrets& secrets,
                  decision<void>& made) {
  auto& set = *made.events.front().mutable_profile_set();
  auto hash = text_of(secrets.hash);
  if (state.has_phone_wanted() && state.phone_wanted().hash() == hash) return;
  if (state.has_phone_wanted()) {
    set.set_wanted_dropped(true);
    made.mail.push_back(release(registry_mail::kind::phone, state.phone_wanted().hash(), self));
  }
  if (state.has_phone() && state.phone().hash() == hash) return;
  auto& wanted = *set.mutable_wanted();
  wanted.set_sealed(secrets.sealed);
  wanted.set_hash(hash);
  wanted.set_claim(state.claims() + 1);
  made.mail.push_back(take(registry_mail::kind::phone, hash, self, wanted.claim()));
}

std::vector<std::string> reasons_of(const wire::State& state) {
  std::vector<std::string> reasons;
  if (state.has_block()) reasons.emplace_back("blocked");
  if (state.identity().status() == wire::Identity::REJECTED) {
    reasons.emplace_back(name_of(static_cast<rejection>(state.identity().rejection())));
  }
  if (state.phone_refused()) reasons.emplace_back("phone_taken");
  for (std::uint32_t number = 0; number < registry::lists_count; ++number) {
    if ((state.lists() >> number & 1u) == 0) continue;
    reasons.push_back(
        fmt::format("listed_{}", registry::name_of(static_cast<registry::list>(number))));
  }
  return reasons;
}

void show_profile(const wire::State& state, me& shown) {
  if (state.has_profile()) {
    shown.education = static_cast<education>(state.profile().education());
    shown.employment = static_cast<employment>(state.profile().employment());
    shown.groups = groups_of(state.profile().traits(), state.lists());
  }
  if (state.has_assessment()) {
    shown.assessment =
        assessment_result{state.assessment().version(), state.assessment().score(), shown.stage};
  }
}

result<void> show_identity(applicant_id self, const wire::State& state, const keyring& keys,
                           me& shown) {
  if (state.identity().sealed().empty()) return {};
  auto papers = open_identity(keys, self, state);
  if (!papers) return tl::unexpected(papers.error());
  shown.masked_nik = papers->number.masked();
  shown.full_name = papers->full_name;
  shown.region = region_code{static_cast<std::uint16_t>(state.identity().region())};
  shown.birth_date = date{std::chrono::sys_days{std::chrono::days{state.identity().birth_day()}}};
  return {};
}

}  // namespace

std::uint64_t tag_of(const submit_identity& command, const identity_secrets& secrets,
                     std::string_view name) {
  static_assert(sizeof secrets.nik_hash == crypto_shorthash_KEYBYTES);
  auto rest = fmt::format("{}/{}/{}/{}", secrets.family, command.region.value,
                          day_number(command.birth_date), name);
  std::uint64_t tag = 0;
  std::array<std::uint8_t, crypto_shorthash_BYTES> bytes{};
  crypto_shorthash(bytes.data(), reinterpret_cast<const unsigned char*>(rest.data()), rest.size(),
                   secrets.nik_hash.data());
  for (auto byte : bytes) tag = tag << 8 | byte;
  return tag;
}

decision<void> decide(applicant_id self, const wire::State& state, const submit_identity& command,
                      const identity_secrets& secrets, const region_table& regions) {
  if (auto repeat = find_repeat(state, command.request, command.now)) {
    return only(repeat->and_then([](const auto& answer) { return reply_from(answer); }));
  }
  if (auto may = may_act(state); !may) return only(may);
  auto name = checked_name(command, regions);
  if (!name) return refused<void>(name.error());
  auto tag = tag_of(command, secrets, *name);
  auto status = state.identity().status();
  auto checked_before = status == wire::Identity::SUBMITTED || status == wire::Identity::VERIFIED;
  if (!checked_before) return begin_claim(self, state, command, secrets, tag);
  if (state.identity().tag() == tag) return {.reply = {}};
  auto fixed = status == wire::Identity::VERIFIED;
  return refused<void>({fixed ? errc::identity_fixed : errc::identity_pending});
}

std::optional<result<void>> identity_answer(const wire::State& state) {
  if (state.identity().status() == wire::Identity::SUBMITTED) return std::nullopt;
  if (state.identity().status() == wire::Identity::VERIFIED) return result<void>{};
  switch (static_cast<rejection>(state.identity().rejection())) {
    case rejection::nik_taken:
      return refuse(errc::nik_taken, "/nik");
    case rejection::family_region_mismatch:
      return refuse(errc::family_region_mismatch, "/kk");
    case rejection::family_too_large:
      return refuse(errc::kk_invalid, "/kk", "family_members_max");
    case rejection::none:
      break;
  }
  return refuse(errc::stage_out_of_order);
}

decision<void> decide(applicant_id self, const wire::State& state, const set_profile& command,
                      const phone_secrets& secrets) {
  if (auto repeat = find_repeat(state, command.request, command.now)) {
    return only(repeat->and_then([](const auto& answer) { return reply_from(answer); }));
  }
  if (auto may = may_have_profile(state); !may) return only(may);
  if (name_of(command.education).empty()) {
    return refused<void>({errc::field_invalid, "/education"});
  }
  if (name_of(command.employment).empty()) {
    return refused<void>({errc::field_invalid, "/employment"});
  }
  decision<void> made{.events = {event_at(command.now, command.request)}, .reply = {}};
  auto& set = *made.events.front().mutable_profile_set();
  *set.mutable_profile() = profile_of(command);
  settle_phone(self, state, secrets, made);
  auto changes = !state.has_profile() || !same_profile(state.profile(), set.profile()) ||
                 set.has_wanted() || set.wanted_dropped() || state.phone_refused();
  if (!changes) return {.reply = {}};
  return made;
}

std::optional<result<void>> phone_answer(const wire::State& state) {
  if (state.has_phone_wanted()) return std::nullopt;
  if (state.phone_refused()) return refuse(errc::phone_taken, "/phone");
  return result<void>{};
}

decision<assessment_result> decide(const wire::State& state, const take_assessment& command,
                                   const assessment& questions) {
  auto stored = [](const wire::State& from) {
    return only<assessment_result>(
        assessment_result{from.assessment().version(), from.assessment().score(), stage_of(from)});
  };
  if (auto repeat = find_repeat(state, command.request, command.now)) {
    return *repeat ? stored(state) : refused<assessment_result>(repeat->error());
  }
  if (auto may = may_have_profile(state); !may) return refused<assessment_result>(may.error());
  if (!state.has_profile() || (!state.has_phone() && !state.has_phone_wanted())) {
    return refused<assessment_result>({errc::stage_out_of_order});
  }
  auto score = score_of(questions, command.answers);
  if (!score) return refused<assessment_result>(score.error());
  if (state.has_assessment() && state.assessment().version() >= questions.version) {
    return stored(state);
  }
  auto event = event_at(command.now, command.request);
  event.mutable_assessment_taken()->set_version(questions.version);
  event.mutable_assessment_taken()->set_score(*score);
  auto after = state;
  apply(after, event);
  auto made = stored(after);
  made.events.push_back(std::move(event));
  return made;
}

decision<void> decide(applicant_id self, const wire::State& state, const wire::Notice& notice,
                      instant now) {
  const auto& answer = notice.registry();
  if (answer.has_lists_changed()) {
    return heard_of_lists(state, answer.lists_changed().lists(), now);
  }
  const auto& claim = state.identity().claim();
  if (state.identity().status() == wire::Identity::SUBMITTED && claim.number() == answer.claim()) {
    return claim.nik_held() ? heard_of_family(self, state, answer, now)
                            : heard_of_nik(self, state, answer, now);
  }
  if (state.has_phone_wanted() && state.phone_wanted().claim() == answer.claim()) {
    return heard_of_phone(self, state, answer, now);
  }
  return {.reply = {}};
}

result<me> answer_to(applicant_id self, const wire::State& state, const read_me&,
                     const keyring& keys) {
  if (state.sealed_email().empty()) return refuse(errc::not_found);
  me shown;
  shown.account = self;
  shown.stage = stage_of(state);
  shown.next = next_step_of(state);
  shown.reasons = reasons_of(state);
  shown.block_reason = state.block().reason();
  shown.roles = state.roles();
  auto email = open_email(keys, self, state.sealed_email());
  if (!email) return tl::unexpected(email.error());
  shown.email = *email;
  if (auto identity = show_identity(self, state, keys, shown); !identity) {
    return tl::unexpected(identity.error());
  }
  const auto& phone = state.has_phone() ? state.phone() : state.phone_wanted();
  if (!phone.sealed().empty()) {
    auto number = open_phone(keys, self, phone.sealed());
    if (!number) return tl::unexpected(number.error());
    shown.phone = *number;
  }
  show_profile(state, shown);
  return shown;
}

}  // namespace gelombang::applicant
