#pragma once

#include <gtest/gtest.h>

#include <caf/scheduler/test_coordinator.hpp>
#include <future>

#include "actors/applicant/actor.hpp"
#include "actors/interfaces.hpp"
#include "actors/provider/actor.hpp"
#include "actors/registry/actor.hpp"
#include "actors/roster/actor.hpp"
#include "actors/roster/places_actor.hpp"
#include "actors/seed/people.hpp"
#include "actors/wave/actor.hpp"
#include "actors/wave/draw/draw.hpp"
#include "tests/actors/applicant/people.hpp"
#include "tests/actors/runtime/machine.hpp"
#include "tests/storage/memory_disk.hpp"

/// The real rooms on the deterministic scheduler and a clock that the test sets: everything of a
/// node but its threads and its front door.
namespace gelombang::rooms_test {

using namespace std::chrono_literals;
using applicant::testing::noon;
using runtime::node;
using storage::testing::memory_disk;
using storage::testing::temporary_directory;

template <class T>
errc code_of(const result<T>& answer) {
  return answer ? errc::ok : answer.error().code;
}

/// What never changes, and what stays when a node goes: the disk.
struct world {
  keyring keys = keyring::from_bytes({7});
  const region_table& regions = region_table::standard();
  applicant::assessment questions = applicant::testing::two_questions();
  roster::eligibility_catalogue eligibility{{"test", applicant::testing::simple_rules()}};
  seed::people people{11};
  temporary_directory where;
  std::unique_ptr<memory_disk> disk = std::make_unique<memory_disk>();
  instant now = noon;

  /// Overwrites a row of the last checkpoint. Only while no node runs on it.
  void store_row(std::string key, std::string value) const {
    auto store = storage::state_store::open({.directory = storage::layout{where.path()}.state(),
                                             .block_cache_bytes = 8u << 20,
                                             .prewarm_bytes = 0});
    if (!store) throw std::runtime_error(store.error().detail);
    const std::vector<storage::row_change> rows{{std::move(key), std::move(value)}};
    if (!(*store)->ingest(rows)) throw std::runtime_error("the row can't be stored");
  }
};

/// No protobuf message reads like this, and no participation.
inline const std::string unreadable_row = "\xff";

class machine {
public:
  static constexpr std::uint32_t shards = 4;

  explicit machine(world& around)
      : around_(around),
        time(around.now),
        views_(shards),
        applicants_({around.keys, around.regions, around.questions, views_}),
        rosters_(views_, around.eligibility, time),
        waves_(board, time),
        calendar_(around.regions),
        config_(configure()),
        system_(*config_) {
    auto opened = node::open({.data_directory = around.where.path(),
                              .shards = shards,
                              .segment_bytes_max = 256u << 10,
                              .prewarm_bytes = 0},
                             *around.disk, time, system_,
                             {&applicants_, &persons_, &families_, &phones_, &rosters_, &places_,
                              &waves_, &calendar_, &providers_});
    if (!opened) throw std::runtime_error(opened.error().detail);
    running = std::move(*opened);
    desk = std::make_unique<wave::draw_desk>(*running, around.keys, board, time,
                                             around.where.path() / "draws", 2);
    applicants_.reads_with(*running);
    places_.reads_with(*running);
    rosters_.settles_with(*desk);
    waves_.draws_with(*desk);
    running->on_outside([this](runtime::shard_index from, std::uint64_t sequence,
                               const std::string& body) { return read(from, sequence, body); });
  }

  /// As if the process had been killed: the disk keeps what was written, memory is gone.
  ~machine() {
    around_.now = time.now();
    auto left = around_.disk->after_kill();
    desk->stop();
    for (runtime::shard_index i = 0; i < shards; ++i) running->at(i).reset();
    scheduler().run();
    desk.reset();
    running.reset();
    around_.disk = std::move(left);
  }

  /// Asks and lets everything happen that follows.
  template <class T, class Command>
  result<T> ask(runtime::entity_ref to, Command command) {
    auto answer = send<T>(to, std::move(command));
    settle();
    if (!answer->value) return refuse(errc::timed_out);
    return std::move(*answer->value);
  }

  template <class T>
  struct waiting {
    std::optional<result<T>> value;
    int answers = 0;
    caf::strong_actor_ptr from;
  };

  /// Asks; the answer is there once enough has happened.
  template <class T, class Command>
  std::shared_ptr<waiting<T>> send(runtime::entity_ref to, Command command) {
    auto answer = std::make_shared<waiting<T>>();
    auto handle = system_.spawn<caf::actor_companion, caf::hidden>();
    answer->from = caf::actor_cast<caf::strong_actor_ptr>(handle);
    auto* companion =
        static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(answer->from));
    companion->on_enqueue([kept = std::weak_ptr{answer}](caf::mailbox_element_ptr what) {
      auto found = kept.lock();
      if (!found) return;
      ++found->answers;
      found->value = value_in<T>(what->content());
    });
    const auto id = companion->new_request_id(caf::message_priority::normal);
    const auto refused =
        running->deliver(to, caf::make_mailbox_element(answer->from, id, {}, std::move(command)));
    if (refused != errc::ok) answer->value = result<T>{refuse(refused)};
    return answer;
  }

  template <class T = acknowledged, class Command>
  result<T> ask(applicant_id who, Command command) {
    return ask<T>(runtime::ref_of(who), std::move(command));
  }
  template <class Command>
  result<wave::facts> order(wave_number number, Command command) {
    return ask<wave::facts>(runtime::ref_of(number), std::move(command));
  }

  void settle() {
    for (bool busy = true; busy;) {
      busy = step();
      while (step()) continue;
      busy = running->pump() || busy;
    }
  }

  /// One message, whoever has one; then what the draw's desk was given.
  bool step() {
    if (!scheduler().try_run_once()) return false;
    if (desk_in_use) wait_for_desk();
    return true;
  }

  /// The desk takes one job after the other, so when this one has been refused those before it have
  /// sent what they had to say.
  void wait_for_desk() {
    std::promise<void> done;
    desk->read_roster({}, {}, [&](const auto&) { done.set_value(); });
    done.get_future().wait();
  }

  /// Lets time pass, a second at a time is enough for whatever is due.
  void advance(std::chrono::milliseconds by) {
    time.advance(by);
    settle();
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  // --- people ---

  seed::person person(std::uint64_t number) const { return around_.people(number); }
  applicant_id account(std::uint64_t number) const {
    return around_.keys.account_of(person(number).email);
  }
  std::string code_for(applicant_id who) const {
    auto found = letters.find(who.value);
    return found == letters.end() ? std::string{} : found->second;
  }

  applicant::submit_identity identity_of(std::uint64_t number) const {
    const auto one = person(number);
    return {.number = one.nik,
            .card = one.kk,
            .full_name = one.full_name,
            .birth_date = one.birth_date,
            .region = one.region,
            .now = time.now()};
  }
  applicant::set_profile profile_of(std::uint64_t number) const {
    const auto one = person(number);
    return {.phone = one.phone,
            .education = *applicant::education_named(one.education),
            .employment = *applicant::employment_named(one.employment),
            .disability = one.disability,
            .returned_migrant = one.returned_migrant,
            .now = time.now()};
  }
  applicant::take_assessment answers() const {
    return {.answers = {{"why", "b"}, {"sum", "a"}}, .now = time.now()};
  }

  result<applicant::session_grant> verify(std::uint64_t number) {
    const auto who = account(number);
    if (auto entered =
            ask(who, applicant::enter_email{.email = person(number).email, .now = time.now()});
        !entered)
      return tl::unexpected(entered.error());
    return ask<applicant::session_grant>(
        who, applicant::verify_email{
                 .code = code_for(who), .password_verifier = "verifier", .now = time.now()});
  }

  /// Takes a person through the whole funnel. @returns the account.
  applicant_id ready(std::uint64_t number) {
    const auto who = account(number);
    applicant::testing::must(verify(number));
    applicant::testing::must(ask(who, identity_of(number)));
    applicant::testing::must(ask(who, profile_of(number)));
    applicant::testing::must(ask<applicant::assessment_result>(who, answers()));
    return who;
  }

  result<applicant::receipt> join(applicant_id who, wave_number wave) {
    return ask<applicant::receipt>(who, applicant::join{.wave = wave, .now = time.now()});
  }
  result<applicant::standing> standing(applicant_id who, wave_number wave) {
    return ask<applicant::standing>(who, applicant::read_wave{wave, time.now()});
  }
  applicant::me me(applicant_id who) {
    auto found = ask<applicant::me>(who, applicant::read_me{time.now()});
    applicant::testing::must(found);
    return *found;
  }

  // --- waves ---

  /// Every region has a weight, so that whoever joins can be drawn.
  wave::wire::Plan plan(instant opens_at, std::chrono::milliseconds open_for,
                        std::uint64_t quota = 100) const {
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

  /// A wave that is open now, for a day.
  wave_number open_wave(std::uint64_t quota = 100) {
    auto number = ask<wave_number>(runtime::calendar_ref,
                                   wave::create{plan(time.now(), 24h, quota), time.now()});
    applicant::testing::must(number);
    advance(1s);
    return *number;
  }

  static std::string row_key(runtime::entity_ref who) {
    return runtime::snapshot_key(runtime::shard_of(who.id, shards), who);
  }

  roster::wire::State roster_row(wave_number wave, runtime::shard_index shard) const {
    roster::wire::State found;
    auto rows = running->at(shard).rows(
        {runtime::snapshot_key(shard, runtime::roster_ref(wave, shard, shards))});
    if (rows && rows->front()) found.ParseFromString(*rows->front());
    return found;
  }

  static std::string secret() { return "the operator's secret"; }
  wave::commit commitment() const {
    const auto hash = sha256(secret());
    return {.beacon_source = "beacon",
            .beacon_round = 7,
            .operator_secret_hash = {hash.begin(), hash.end()},
            .now = time.now()};
  }
  wave::hold_draw draw() const {
    return {.beacon_value = "randomness", .operator_secret = secret(), .now = time.now()};
  }

private:
  world& around_;

public:
  manual_clock time;
  wave::board board;
  /// The newest code mailed to each account.
  std::map<std::uint64_t, std::string> letters;
  bool desk_in_use = false;

private:
  template <class T>
  static result<T> value_in(caf::type_erased_tuple& content) {
    if (!content.match_elements<outcome<T>>()) return refuse(errc::storage_unavailable);
    const auto& given = content.get_as<outcome<T>>(0);
    if (!given.ok()) return tl::unexpected(given.why);
    return given.value;
  }

  bool read(runtime::shard_index from, std::uint64_t sequence, const std::string& body) {
    applicant::wire::Letter letter;
    if (letter.ParseFromString(body))
      letters[letter.account()] =
          around_.keys.email_code(applicant_id{letter.account()}, letter.generation());
    running->outside_delivered(from, sequence);
    return true;
  }

  static std::unique_ptr<caf::actor_system_config> configure() {
    auto config = std::make_unique<caf::actor_system_config>();
    config->set("scheduler.policy", caf::atom("testing"));
    config->add_message_types<caf::id_block::gelombang_runtime>();
    config->add_message_types<caf::id_block::gelombang_rooms>();
    return config;
  }

  roster::views views_;
  applicant::applicant_kind applicants_;
  registry::person_kind persons_;
  registry::family_kind families_;
  registry::phone_kind phones_;
  roster::roster_kind rosters_;
  roster::places_kind places_;
  wave::wave_kind waves_;
  wave::calendar_kind calendar_;
  provider::provider_kind providers_;
  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;

public:
  std::unique_ptr<node> running;
  std::unique_ptr<wave::draw_desk> desk;
};

}  // namespace gelombang::rooms_test
