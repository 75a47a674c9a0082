#include "tests/actors/rooms.hpp"

#include <caf/actor_companion.hpp>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "actors/applicant/actor.hpp"
#include "actors/provider/actor.hpp"
#include "actors/registry/actor.hpp"
#include "actors/roster/places_actor.hpp"
#include "actors/wave/actor.hpp"

namespace gelombang::rooms_test {

void world::store_row(std::string key, std::string value) const {
  auto store = storage::state_store::open({.directory = storage::layout{where.path()}.state(),
                                           .block_cache_bytes = 8u << 20,
                                           .prewarm_bytes = 0});
  if (!store) throw std::runtime_error(store.error().detail);
  const std::vector<storage::row_change> rows{{std::move(key), std::move(value)}};
  if (!(*store)->ingest(rows)) throw std::runtime_error("the row can't be stored");
}

struct machine::rooms {
  rooms(const world& around, wave::board& board, const clock& time)
      : views(shards),
        applicants({around.keys, around.regions, around.questions, views}),
        rosters(views, around.eligibility, time),
        waves(board, time),
        calendar(around.regions) {}

  roster::views views;
  applicant::applicant_kind applicants;
  registry::person_kind persons;
  registry::family_kind families;
  registry::phone_kind phones;
  roster::roster_kind rosters;
  roster::places_kind places;
  wave::wave_kind waves;
  wave::calendar_kind calendar;
  provider::provider_kind providers;
};

machine::machine(world& around)
    : around_(around),
      time(around.now),
      rooms_(std::make_unique<rooms>(around, board, time)),
      config_(configure()),
      system_(*config_) {
  auto& in = *rooms_;
  auto opened = node::open({.data_directory = around.where.path(),
                            .shards = shards,
                            .segment_bytes_max = 256u << 10,
                            .prewarm_bytes = 0},
                           *around.disk, time, system_,
                           {&in.applicants, &in.persons, &in.families, &in.phones, &in.rosters,
                            &in.places, &in.waves, &in.calendar, &in.providers});
  if (!opened) throw std::runtime_error(opened.error().detail);
  running = std::move(*opened);
  desk = std::make_unique<wave::draw_desk>(*running, around.keys, board, time,
                                           around.where.path() / "draws", 2);
  in.applicants.reads_with(*running);
  in.places.reads_with(*running);
  in.rosters.settles_with(*desk);
  in.waves.draws_with(*desk);
  running->on_outside([this](runtime::shard_index from, std::uint64_t sequence,
                             const std::string& body) { return read(from, sequence, body); });
}

machine::~machine() {
  around_.now = time.now();
  auto left = around_.disk->after_kill();
  desk->stop();
  for (runtime::shard_index i = 0; i < shards; ++i) running->at(i).reset();
  scheduler().run();
  desk.reset();
  running.reset();
  around_.disk = std::move(left);
}

machine::waiting_actor machine::somebody(std::function<void(caf::type_erased_tuple&)> on_answer) {
  auto handle = system_.spawn<caf::actor_companion, caf::hidden>();
  auto who = caf::actor_cast<caf::strong_actor_ptr>(handle);
  auto* companion = static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(who));
  companion->on_enqueue(
      [told = std::move(on_answer)](caf::mailbox_element_ptr what) { told(what->content()); });
  return {std::move(who), companion->new_request_id(caf::message_priority::normal)};
}

void machine::settle() {
  for (bool busy = true; busy;) {
    busy = step();
    while (step()) continue;
    busy = running->pump() || busy;
  }
}

bool machine::step() {
  if (!scheduler().try_run_once()) return false;
  if (desk_in_use) wait_for_desk();
  return true;
}

void machine::wait_for_desk() {
  desk->wait_until_idle();
}

void machine::advance(std::chrono::milliseconds by) {
  time.advance(by);
  settle();
}

caf::scheduler::test_coordinator& machine::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

// --- people ---

applicant_id machine::account(std::uint64_t number) const {
  return around_.keys.account_of(person(number).email);
}

std::string machine::code_for(applicant_id who) const {
  auto found = letters.find(who.value);
  return found == letters.end() ? std::string{} : found->second;
}

applicant::submit_identity machine::identity_of(std::uint64_t number) const {
  const auto one = person(number);
  return {.number = one.nik,
          .card = one.kk,
          .full_name = one.full_name,
          .birth_date = one.birth_date,
          .region = one.region,
          .now = time.now()};
}

applicant::set_profile machine::profile_of(std::uint64_t number) const {
  const auto one = person(number);
  return {.phone = one.phone,
          .education = *applicant::education_named(one.education),
          .employment = *applicant::employment_named(one.employment),
          .disability = one.disability,
          .returned_migrant = one.returned_migrant,
          .now = time.now()};
}

applicant::take_assessment machine::answers() const {
  return {.answers = {{"why", "b"}, {"sum", "a"}}, .now = time.now()};
}

result<applicant::session_grant> machine::verify(std::uint64_t number) {
  const auto who = account(number);
  if (auto entered =
          ask(who, applicant::enter_email{.email = person(number).email, .now = time.now()});
      !entered)
    return tl::unexpected(entered.error());
  return ask<applicant::session_grant>(
      who, applicant::verify_email{
               .code = code_for(who), .password_verifier = "verifier", .now = time.now()});
}

applicant_id machine::ready(std::uint64_t number) {
  const auto who = account(number);
  applicant::testing::must(verify(number));
  applicant::testing::must(ask(who, identity_of(number)));
  applicant::testing::must(ask(who, profile_of(number)));
  applicant::testing::must(ask<applicant::assessment_result>(who, answers()));
  return who;
}

result<applicant::receipt> machine::join(applicant_id who, wave_number wave) {
  return ask<applicant::receipt>(who, applicant::join{.wave = wave, .now = time.now()});
}

result<applicant::standing> machine::standing(applicant_id who, wave_number wave) {
  return ask<applicant::standing>(who, applicant::read_wave{wave, time.now()});
}

applicant::me machine::me(applicant_id who) {
  auto found = ask<applicant::me>(who, applicant::read_me{time.now()});
  applicant::testing::must(found);
  return *found;
}

// --- waves ---

wave::wire::Plan machine::plan(instant opens_at, std::chrono::milliseconds open_for,
                               std::uint64_t quota) const {
  wave::wire::Plan made;
  made.set_scheme("test");
  made.set_eligibility("test");
  made.set_opens_at(opens_at.time_since_epoch().count());
  made.set_closes_at((opens_at + open_for).time_since_epoch().count());
  made.set_quota(quota);
  for (const auto& one : around_.regions.all()) {
    auto* weight = made.add_weights();
    weight->set_region(one.code.value);
    weight->set_weight(1000);
  }
  return made;
}

wave_number machine::open_wave(std::uint64_t quota) {
  auto number = ask<wave_number>(runtime::calendar_ref,
                                 wave::create{plan(time.now(), 24h, quota), time.now()});
  applicant::testing::must(number);
  advance(1s);
  return *number;
}

std::string machine::row_key(runtime::entity_ref who) {
  return runtime::snapshot_key(runtime::shard_of(who.id, shards), who);
}

roster::wire::State machine::roster_row(wave_number wave, runtime::shard_index shard) const {
  roster::wire::State found;
  auto rows = running->at(shard).rows(
      {runtime::snapshot_key(shard, runtime::roster_ref(wave, shard, shards))});
  if (rows && rows->front()) found.ParseFromString(*rows->front());
  return found;
}

wave::commit machine::commitment() const {
  const auto hash = sha256(secret());
  return {.beacon_source = "beacon",
          .beacon_round = 7,
          .operator_secret_hash = {hash.begin(), hash.end()},
          .now = time.now()};
}

wave::hold_draw machine::draw() const {
  return {.beacon_value = "randomness", .operator_secret = secret(), .now = time.now()};
}

// --- around the rooms ---

bool machine::read(runtime::shard_index from, std::uint64_t sequence, const std::string& body) {
  applicant::wire::Letter letter;
  if (letter.ParseFromString(body))
    letters[letter.account()] =
        around_.keys.email_code(applicant_id{letter.account()}, letter.generation());
  running->outside_delivered(from, sequence);
  return true;
}

std::unique_ptr<caf::actor_system_config> machine::configure() {
  auto config = std::make_unique<caf::actor_system_config>();
  config->set("scheduler.policy", caf::atom("testing"));
  config->add_message_types<caf::id_block::gelombang_runtime>();
  config->add_message_types<caf::id_block::gelombang_rooms>();
  return config;
}

}  // namespace gelombang::rooms_test
