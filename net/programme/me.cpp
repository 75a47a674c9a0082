#include "actors/applicant/names.hpp"
#include "actors/interfaces.hpp"
#include "actors/programme/phone.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

using applicant::applicant_actor;

constexpr std::string_view own_and_checked = "private, no-cache";
constexpr std::string_view kept_for_minutes = "public, max-age=300";
constexpr std::size_t id_characters_max = 64;
constexpr std::size_t text_characters_max = 200;

runtime::entity_ref self(const exchange& x) {
  return runtime::ref_of(x.bearer().subject);
}

/// The first refusal of several results, with the member it is about.
template <class T>
void keep_first(std::optional<refusal>& first, const result<T>& read, std::string_view pointer) {
  if (read || first) return;
  first = read.error();
  first->field = pointer;
}

result<date> birth_date_of(std::string_view text) {
  if (auto day = parse_date(text)) return *day;
  return gelombang::refuse(errc::birth_date_invalid);
}

result<region_code> region_of(const services& s, std::string_view text) {
  auto code = parse_region_code(text);
  if (code && s.regions.find(*code)) return *code;
  return gelombang::refuse(errc::region_unknown);
}

result<applicant::submit_identity> identity_in(const services& s, json_body& body) {
  const auto number = nik::parse(body.string("nik", 1, text_characters_max));
  const auto card = kk::parse(body.string("kk", 1, text_characters_max));
  const auto name = applicant::normalise_name(body.string("full_name", 1, text_characters_max));
  const auto birth = birth_date_of(body.string("birth_date", 1, text_characters_max));
  const auto region = region_of(s, body.string("region", 1, text_characters_max));
  std::optional<refusal> first;
  keep_first(first, number, "/nik");
  keep_first(first, card, "/kk");
  keep_first(first, name, "/full_name");
  keep_first(first, birth, "/birth_date");
  keep_first(first, region, "/region");
  if (first) return tl::unexpected(*first);
  return applicant::submit_identity{*number, *card, *name, *birth, *region};
}

result<applicant::set_profile> profile_in(json_body& body) {
  auto phone = normalise_phone(body.string("phone", 1, text_characters_max));
  const auto education =
      applicant::education_named(body.string("education", 1, text_characters_max));
  const auto employment =
      applicant::employment_named(body.string("employment", 1, text_characters_max));
  applicant::set_profile command;
  command.disability = body.boolean("disability");
  command.returned_migrant = body.boolean("returned_migrant");
  if (!body.ok()) return command;
  if (!education) body.fault_none_of("education", applicant::education_names());
  if (!employment) body.fault_none_of("employment", applicant::employment_names());
  if (!body.ok()) return command;
  if (!phone) return gelombang::refuse(errc::phone_invalid, "/phone", phone.error().detail);
  command.phone = std::move(*phone);
  command.education = *education;
  command.employment = *employment;
  return command;
}

std::vector<applicant::answer> answers_in(const services& s, json_body& body) {
  auto given = body.object("answers");
  std::vector<applicant::answer> answers;
  for (const auto& question : s.questions.questions)
    if (auto option = given.optional_string(question.id, 1, id_characters_max))
      answers.push_back({question.id, std::string{*option}});
  return answers;
}

/// What the draw of an announced wave says of somebody who had joined, proven by what was committed
/// to; nothing while its files can't be read.
result<void> draw_into(own_standing& own, services& s) {
  if (own.wave.phase() != wave::wire::ANNOUNCED) return {};
  auto found = s.desk.files_of({own.wave.number()}, draw::stage::drawn);
  if (!found || !(*found)->is_drawn()) return {};
  const auto& files = *found;
  const auto disproved = [&](const refusal& why) {
    return s.desk.contradicted({own.wave.number()}, *files, why.detail);
  };
  if (const auto index = files->find(own.joined->entry)) {
    auto proof = files->proof(*index);
    if (!proof) return disproved(proof.error());
    own.entry = own_entry{files, *index, std::move(*proof)};
  } else {
    if (auto proven = files->prove_absence(own.joined->entry); !proven)
      return disproved(proven.error());
    own.left_out_of = files;
  }
  return {};
}

own_standing standing_of(const exchange& x, const wave::state& wave,
                         const applicant::standing& told) {
  return {.wave = wave,
          .joined = told.own.joined,
          .hindrance = told.own.hindrance,
          .detail = told.own.detail,
          .accepted = told.accepted,
          .is_member = told.is_member,
          .now = x.now()};
}

/// The same, and after the announcement what the draw says. @returns `draw_damaged`
result<own_standing> drawn_standing_of(services& s, const exchange& x, const wave::state& wave,
                                       const applicant::standing& told) {
  auto own = standing_of(x, wave, told);
  if (!own.joined) return own;
  if (auto proven = draw_into(own, s); !proven) return tl::unexpected(proven.error());
  own.is_disputed = own.entry && s.desk.has_known_fault({own.wave.number()});
  if (own.entry && !own.is_disputed)
    own.accepted =
        own.entry->files->verdict_of(own.entry->index).outcome() == draw::outcome::accepted;
  return own;
}

/// Whether what was written of somebody is what the draw says: where a file of it was cut meanwhile
/// zeros were read, and zeros may say "accepted". Whom it has accepted the journal knows.
result<void> confirm(services& s, const own_standing& own, const applicant::standing& told) {
  const auto& files = own.entry ? own.entry->files : own.left_out_of;
  if (!files) return {};
  if (auto whole = s.desk.confirm({own.wave.number()}, *files); !whole) return whole;
  const bool is_in = own.entry && own.accepted;
  if (is_in == told.accepted) return {};
  return s.desk.contradicted({own.wave.number()}, *files,
                             "verdicts.bin: an outcome is not what the journal says of its owner");
}

/// Answers with what a person sees of himself after a change, or with why it was refused.
task<> answer_me(services& s, exchange& x) {
  applicant::read_me query{x.now()};
  auto me = co_await gateway_of(s, x).ask<applicant_actor>(self(x), query);
  if (!me) co_return x.refuse(me.error());
  auto json = x.json();
  const auto wave = s.waves.current(x.now());
  if (!wave) {
    write_me(json, *me, nullptr, x.speech());
    co_return x.reply(200);
  }
  applicant::read_wave wave_query{wave_number{wave->number()}, x.now()};
  auto told = co_await gateway_of(s, x).ask<applicant_actor>(self(x), wave_query);
  // A wave that this person's shard has not heard of yet is not there for him yet.
  if (!told && told.error().code != errc::wave_unknown) co_return x.refuse(told.error());
  if (told) {
    // Of a damaged draw the journal's part is told: one's account is more than that.
    const auto own = drawn_standing_of(s, x, *wave, *told).value_or(standing_of(x, *wave, *told));
    write_me(json, *me, &own, x.speech());
    if (auto sound = confirm(s, own, *told); !sound) co_return x.refuse(sound.error());
  } else {
    write_me(json, *me, nullptr, x.speech());
  }
  x.reply(200);
}

}  // namespace

task<> read_me(services& s, exchange& x) {
  co_await answer_me(s, x);
}

task<> submit_identity(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto command = identity_in(s, *body);
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!command) co_return x.refuse(command.error());
  command->request = *request;
  command->now = x.now();
  auto done = co_await gateway_of(s, x).ask<applicant_actor>(self(x), std::move(*command));
  if (!done) co_return x.refuse(done.error());
  co_await answer_me(s, x);
}

task<> set_profile(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto command = profile_in(*body);
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!command) co_return x.refuse(command.error());
  command->request = *request;
  command->now = x.now();
  auto done = co_await gateway_of(s, x).ask<applicant_actor>(self(x), std::move(*command));
  if (!done) co_return x.refuse(done.error());
  co_await answer_me(s, x);
}

task<> read_assessment(services& s, exchange& x) {
  std::string text;
  json_writer json{text};
  write_assessment(json, s.questions);
  reply_tagged(x, text, kept_for_minutes);
  co_return;
}

task<> take_assessment(services& s, exchange& x) {
  auto request = request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  applicant::take_assessment command{answers_in(s, *body), *request, x.now()};
  if (!body->ok()) co_return x.refuse(body->faults());
  auto taken = co_await gateway_of(s, x).ask<applicant_actor>(self(x), std::move(command));
  if (!taken) co_return x.refuse(taken.error());
  auto json = x.json();
  write_assessment_result(json, *taken);
  x.reply(200);
}

task<> read_own_standing(services& s, exchange& x) {
  auto wave = wave_in(s, x);
  if (!wave) co_return x.refuse(wave.error());
  applicant::read_wave query{wave_number{(*wave)->number()}, x.now()};
  auto told = co_await gateway_of(s, x).ask<applicant_actor>(self(x), query);
  if (!told) co_return x.refuse(told.error());
  std::string text;
  json_writer json{text};
  const auto own = drawn_standing_of(s, x, **wave, *told);
  if (!own) co_return x.refuse(own.error());
  write_standing(json, *own, x.speech());
  if (auto sound = confirm(s, *own, *told); !sound) co_return x.refuse(sound.error());
  reply_tagged(x, text, own_and_checked);
}

}  // namespace gelombang::net
