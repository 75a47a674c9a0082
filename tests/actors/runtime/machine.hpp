#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <caf/actor_companion.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>

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

  explicit asking(caf::actor_system& system, listener told = {});
  ~asking();
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;

  /// `Command` is one of the purses'.
  template <class Command>
  void ask(node& of, std::uint64_t number, Command command, std::uint64_t tag = 0);

  /// From here on the asking thread runs whom it asks, as an io thread does. It must end each
  /// series of requests with `take_turn`.
  void run_whom_it_asks() { own_turns_.emplace(companion_->home_system()); }
  void take_turn(node& of);

  /// Blocks until at most `left` requests wait.
  void wait_for(std::size_t left);

  std::size_t waiting() const;
  /// Answers to nothing that was asked, or to what had been answered.
  std::uint64_t surplus() const;
  std::uint64_t granted() const;
  std::uint64_t refused(errc why) const;

private:
  void take(caf::mailbox_element_ptr what);
  void settle(std::uint64_t key, const answer& what);

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
                   std::uint64_t segment_bytes_max = 64u << 20);
  /// As if the process had been killed: what is not durable is gone, and nobody tidies up.
  ~machine();

  template <class Command>
  std::optional<answer> ask(std::uint64_t number, Command command) {
    std::optional<answer> found;
    asking one{system_, [&](std::uint64_t, const answer& what) { found = what; }};
    one.ask(*running, number, std::move(command));
    settle();
    must_be_there(found);
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

  caf::scheduler::test_coordinator& scheduler();
  void settle();
  bool pump();
  storage::result<void> checkpoint();

  /// Lets some actor that has a message handle it; which one is chance.
  bool step(std::mt19937_64& chance);

  /// Settles, and goes on while mail that was lost is sent again.
  void settle_mail();
  std::size_t under_way() const;
  std::int64_t total(std::uint64_t purses);

  presence watch;
  manual_clock time{noon};

private:
  /// What was not durable is forgotten after a failure, and arrives once more.
  void note_failures();
  static void must_be_there(const std::optional<answer>& found);
  static std::unique_ptr<caf::actor_system_config> configure();

  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;
  purse_kind kind_;
  std::uint64_t failures_ = 0;

public:
  std::unique_ptr<node> running;
};

/// How much a long run is given by the environment, or else what every run does.
std::uint64_t from_environment(const char* name, std::uint64_t otherwise);

}  // namespace gelombang::runtime::test
