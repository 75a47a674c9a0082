#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <caf/actor_companion.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>

#include "actors/runtime/run_queue.hpp"
#include "tests/actors/runtime/probe.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::runtime::test {

using namespace std::chrono_literals;
using storage::testing::temporary_directory;
using answer = outcome<std::int64_t>;

inline constexpr instant noon{1'767'330'000'000ms};

/// Asks, and counts what comes back: every request is to be answered once. Thread-safe; one thread
/// asks.
class asking {
public:
  /// Told of each answer, on whatever thread it comes; must not ask in turn.
  using listener = std::function<void(std::uint64_t tag, const answer&)>;

  asking(caf::actor_system& system, listener told = {}) : told_(std::move(told)) {
    auto spawned = system.spawn<caf::actor_companion, caf::hidden>();
    handle_ = caf::actor_cast<caf::strong_actor_ptr>(spawned);
    companion_ = static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(handle_));
    companion_->on_enqueue([this](caf::mailbox_element_ptr what) { take(std::move(what)); });
  }
  ~asking() {
    companion_->on_enqueue(nullptr);
    caf::scoped_execution_unit context{&companion_->home_system()};
    companion_->cleanup(caf::error{}, &context);
  }
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;

  template <class Command>
  void ask(node& of, std::uint64_t number, Command command, std::uint64_t tag = 0) {
    const auto id = companion_->new_request_id(caf::message_priority::normal);
    const auto key = id.response_id().integer_value();
    {
      std::lock_guard lock{mutex_};
      waiting_.emplace(key, tag);
    }
    const auto refused =
        of.deliver(purse(number), caf::make_mailbox_element(handle_, id, {}, std::move(command)),
                   own_turns_ ? &*own_turns_ : nullptr);
    if (refused != errc::ok) settle(key, answer{refusal{refused}});
    constexpr std::uint64_t asked_a_turn = 8;
    if (own_turns_ && ++asked_ % asked_a_turn == 0) take_turn(of);
  }

  /// From here on the asking thread runs whom it asks, as an io thread does. It must end each
  /// series of requests with `take_turn`.
  void run_whom_it_asks() { own_turns_.emplace(companion_->home_system()); }

  void take_turn(node& of) {
    if (!own_turns_) return;
    of.turn_begins();
    own_turns_->run();
    of.turn_ends();
  }

  /// Blocks until at most `left` requests wait.
  void wait_for(std::size_t left) {
    std::unique_lock lock{mutex_};
    answered_.wait(lock, [&] { return waiting_.size() <= left; });
  }

  std::size_t waiting() const {
    std::lock_guard lock{mutex_};
    return waiting_.size();
  }
  /// Answers to nothing that was asked, or to what had been answered.
  std::uint64_t surplus() const {
    std::lock_guard lock{mutex_};
    return surplus_;
  }
  std::uint64_t granted() const {
    std::lock_guard lock{mutex_};
    return granted_;
  }
  std::uint64_t refused(errc why) const {
    std::lock_guard lock{mutex_};
    auto found = refused_.find(why);
    return found == refused_.end() ? 0 : found->second;
  }

private:
  void take(caf::mailbox_element_ptr what) {
    auto& content = what->content();
    const bool good = content.match_elements<answer>();
    settle(what->mid.integer_value(),
           good ? content.get_as<answer>(0) : answer{refusal{errc::storage_unavailable}});
  }

  void settle(std::uint64_t key, const answer& what) {
    std::unique_lock lock{mutex_};
    auto found = waiting_.find(key);
    if (found == waiting_.end()) {
      ++surplus_;
      return;
    }
    if (told_) told_(found->second, what);
    waiting_.erase(found);
    what.ok() ? ++granted_ : ++refused_[what.why.code];
    answered_.notify_all();
  }

  const listener told_;
  std::optional<run_queue> own_turns_;
  std::uint64_t asked_ = 0;
  caf::strong_actor_ptr handle_;
  caf::actor_companion* companion_ = nullptr;
  mutable std::mutex mutex_;
  std::condition_variable answered_;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> waiting_;
  std::map<errc, std::uint64_t> refused_;
  std::uint64_t granted_ = 0, surplus_ = 0;
};

/// A node on CAF's deterministic scheduler: nothing happens but what the test asks for.
class machine {
public:
  static constexpr std::uint32_t shards = 8;

  explicit machine(const std::filesystem::path& where, std::size_t active_actors_max = 1000,
                   storage::file_system& files = storage::posix_file_system(),
                   std::uint64_t segment_bytes_max = 64u << 20)
      : config_(configure()), system_(*config_), kind_(watch) {
    auto opened = node::open({.data_directory = where,
                              .shards = shards,
                              .active_actors_max = active_actors_max,
                              .segment_bytes_max = segment_bytes_max,
                              .prewarm_bytes = 0},
                             files, time, system_, {&kind_});
    if (!opened) throw std::runtime_error(opened.error().detail);
    running = std::move(*opened);
    running->pump();
  }

  template <class Command>
  auto ask(std::uint64_t number, Command command) {
    std::optional<answer> found;
    asking one{system_, [&](std::uint64_t, const answer& what) { found = what; }};
    one.ask(*running, number, std::move(command));
    settle();
    if (!found) throw std::runtime_error("no answer");
    return found;
  }

  /// Sends and @returns a function that looks for the answer.
  template <class Command>
  std::function<std::optional<answer>()> send(std::uint64_t number, Command command) {
    auto found = std::make_shared<std::optional<answer>>();
    auto one = std::make_shared<asking>(
        system_, [found](std::uint64_t, const answer& what) { *found = what; });
    one->ask(*running, number, std::move(command));
    return [one, found] { return *found; };
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }

  void settle() {
    for (bool busy = true; busy;) busy = scheduler().run() > 0 || pump();
  }

  bool pump() {
    const bool busy = running->pump();
    note_failures();
    return busy;
  }

  storage::result<void> checkpoint() {
    auto done = running->checkpoint();
    note_failures();
    return done;
  }

  /// Lets some actor that has a message handle it; which one is chance.
  bool step(std::mt19937_64& chance) {
    auto& jobs = scheduler().jobs;
    if (jobs.empty()) return false;
    std::swap(jobs.front(), jobs[chance() % jobs.size()]);
    scheduler().run_once();
    return true;
  }

  /// Settles, and goes on while mail that was lost is sent again.
  void settle_mail() {
    constexpr int rounds_max = 20;
    for (int round = 0; round < rounds_max; ++round) {
      settle();
      if (under_way() == 0) return;
      time.advance(running->options().again_after);
    }
    throw std::runtime_error("mail does not arrive");
  }

  std::size_t under_way() const {
    std::size_t mails = 0;
    for (shard_index i = 0; i < shards; ++i) mails += running->at(i).unacknowledged().size();
    return mails;
  }

  std::int64_t total(std::uint64_t purses) {
    std::int64_t sum = 0;
    for (std::uint64_t i = 0; i < purses; ++i) sum += ask(i, look{})->value;
    return sum;
  }

  /// As if the process had been killed: what is not durable is gone, and nobody tidies up.
  ~machine() {
    for (shard_index i = 0; i < shards; ++i) running->at(i).reset();
    scheduler().run();
    running.reset();
  }

  presence watch;
  manual_clock time{noon};

private:
  /// What was not durable is forgotten after a failure, and arrives once more.
  void note_failures() {
    const auto failures = running->figures().commit_failures.load();
    if (std::exchange(failures_, failures) != failures) watch.forget_arrivals();
  }

  static std::unique_ptr<caf::actor_system_config> configure() {
    auto config = std::make_unique<caf::actor_system_config>();
    config->set("scheduler.policy", caf::atom("testing"));
    config->add_message_types<caf::id_block::gelombang_runtime>();
    config->add_message_types<caf::id_block::runtime_tests>();
    return config;
  }

  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;
  purse_kind kind_;
  std::uint64_t failures_ = 0;

public:
  std::unique_ptr<node> running;
};

/// How much a long run is given by the environment, or else what every run does.
inline std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* given = std::getenv(name);
  return given ? std::strtoull(given, nullptr, 10) : otherwise;
}

}  // namespace gelombang::runtime::test
