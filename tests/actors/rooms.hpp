#pragma once

#include <gtest/gtest.h>

#include <caf/scheduler/test_coordinator.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "actors/interfaces.hpp"
#include "actors/roster/actor.hpp"
#include "actors/seed/people.hpp"
#include "actors/wave/board.hpp"
#include "actors/wave/desk.hpp"
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
  void store_row(std::string key, std::string value) const;
};

/// No protobuf message reads like this, and no participation.
inline const std::string unreadable_row = "\xff";

class machine {
public:
  static constexpr std::uint32_t shards = 4;

  explicit machine(world& around);
  /// As if the process had been killed: the disk keeps what was written, memory is gone.
  ~machine();

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
    auto [from, id] = somebody([kept = std::weak_ptr{answer}](caf::type_erased_tuple& content) {
      auto found = kept.lock();
      if (!found) return;
      ++found->answers;
      found->value = value_in<T>(content);
    });
    answer->from = from;
    const auto refused =
        running->deliver(to, caf::make_mailbox_element(from, id, {}, std::move(command)));
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

  void settle();
  /// One message, whoever has one; then what the draw's desk was given.
  bool step();
  /// The desk takes one job after the other, so when this one has been refused those before it have
  /// sent what they had to say.
  void wait_for_desk();
  /// Lets time pass, a second at a time is enough for whatever is due.
  void advance(std::chrono::milliseconds by);
  caf::scheduler::test_coordinator& scheduler();

  // --- people ---

  seed::person person(std::uint64_t number) const { return around_.people(number); }
  applicant_id account(std::uint64_t number) const;
  /// The newest code mailed to an account, or nothing.
  std::string code_for(applicant_id who) const;
  applicant::submit_identity identity_of(std::uint64_t number) const;
  applicant::set_profile profile_of(std::uint64_t number) const;
  applicant::take_assessment answers() const;
  result<applicant::session_grant> verify(std::uint64_t number);
  /// Takes a person through the whole funnel. @returns the account.
  applicant_id ready(std::uint64_t number);
  result<applicant::receipt> join(applicant_id who, wave_number wave);
  result<applicant::standing> standing(applicant_id who, wave_number wave);
  applicant::me me(applicant_id who);

  // --- waves ---

  /// Every region has a weight, so that whoever joins can be drawn.
  wave::wire::Plan plan(instant opens_at, std::chrono::milliseconds open_for,
                        std::uint64_t quota = 100) const;
  /// A wave that is open now, for a day.
  wave_number open_wave(std::uint64_t quota = 100);

  static std::string row_key(runtime::entity_ref who);
  roster::wire::State roster_row(wave_number wave, runtime::shard_index shard) const;

  static std::string secret() { return "the operator's secret"; }
  wave::commit commitment() const;
  wave::hold_draw draw() const;

private:
  struct rooms;

  template <class T>
  static result<T> value_in(caf::type_erased_tuple& content) {
    if (!content.match_elements<outcome<T>>()) return refuse(errc::storage_unavailable);
    const auto& given = content.get_as<outcome<T>>(0);
    if (!given.ok()) return tl::unexpected(given.why);
    return given.value;
  }

  struct waiting_actor {
    caf::strong_actor_ptr who;
    caf::message_id id;
  };
  /// An actor that waits for one answer, and is gone when nobody holds it.
  waiting_actor somebody(std::function<void(caf::type_erased_tuple&)> on_answer);
  bool read(runtime::shard_index from, std::uint64_t sequence, const std::string& body);
  static std::unique_ptr<caf::actor_system_config> configure();

  world& around_;

public:
  manual_clock time;
  wave::board board;
  /// The newest code mailed to each account.
  std::map<std::uint64_t, std::string> letters;
  bool desk_in_use = false;

private:
  std::unique_ptr<rooms> rooms_;
  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;

public:
  std::unique_ptr<node> running;
  std::unique_ptr<wave::draw_desk> desk;
};

}  // namespace gelombang::rooms_test
