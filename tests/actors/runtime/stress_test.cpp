#include <gtest/gtest.h>

#include <thread>

#include "tests/actors/runtime/machine.hpp"
#include "tests/storage/memory_disk.hpp"

// "Two activations can never exist": memory for a handful of actors, hundreds of purses, and
// millions of messages. Twice the same purse at work would show at once as two inside, and sooner
// or later as a sum that is not what was put in.
namespace gelombang::runtime::test {
namespace {

constexpr std::uint64_t purses = 300;
constexpr std::int64_t coins_each = 1000;
constexpr std::uint64_t segment_bytes = 256u << 10;
/// Few enough that most purses have nothing to do at any time, and are given up.
constexpr std::size_t waiting_max = 64;

hand_over some_transfer(std::mt19937_64& chance) {
  return {chance() % purses, static_cast<std::int64_t>(chance() % 4)};
}

std::int64_t counted(const node& of) {
  return of.count({counter::family::accepted, 1});
}

TEST(Stress, NeverTwiceAtOnceInAnyOrder) {
  const auto messages = from_environment("GELOMBANG_STRESS_MESSAGES", 200'000);
  temporary_directory where;
  storage::testing::memory_disk disk;
  std::mt19937_64 chance{from_environment("GELOMBANG_STRESS_SEED", 1)};
  {
    machine one{where.path(), std::size_t{machine::shards} * 2, disk, segment_bytes};
    for (std::uint64_t i = 0; i < purses; ++i) one.ask(i, put_in{coins_each});
    asking front{one.running->system()};
    for (std::uint64_t sent = 0; sent < messages; ++sent) {
      const auto number = chance() % purses;
      if (chance() % 3 == 0)
        front.ask(*one.running, number, look{});
      else
        front.ask(*one.running, number, some_transfer(chance));
      for (auto steps = chance() % 4; steps > 0; --steps) one.step(chance);
      if (chance() % 32 == 0) one.running->pump();
      // As the front door would: or all were busy all the time, and nobody given up.
      while (front.waiting() > waiting_max)
        if (!one.step(chance)) one.running->pump();
      // So that mail that is still under way is sent again, and idle purses are given up.
      if (chance() % 4096 == 0) one.time.advance(3s);
      if (chance() % 16384 == 0) {
        ASSERT_TRUE(one.running->checkpoint());
      }
    }
    one.settle_mail();
    EXPECT_EQ(one.watch.twice.load(), 0u);
    EXPECT_EQ(one.watch.overtaken.load(), 0u);
    EXPECT_EQ(front.waiting(), 0u) << "requests without an answer";
    EXPECT_EQ(front.surplus(), 0u) << "requests answered twice";
    EXPECT_GT(one.watch.spawned.load(), messages / 100) << "hardly anybody was passivated";
    EXPECT_EQ(one.total(purses), static_cast<std::int64_t>(purses) * coins_each);
  }
  machine again{where.path(), 1000, disk, segment_bytes};
  EXPECT_EQ(again.total(purses), static_cast<std::int64_t>(purses) * coins_each);
  EXPECT_EQ(counted(*again.running), static_cast<std::int64_t>(purses) * coins_each);
}

/// A node with threads of its own, as in the program.
class threaded_machine {
public:
  threaded_machine(const std::filesystem::path& where, std::size_t active_actors_max,
                   storage::file_system& files = storage::posix_file_system())
      : config_(configure()), system_(*config_), kind_(watch) {
    auto opened = node::open({.data_directory = where,
                              .shards = machine::shards,
                              .active_actors_max = active_actors_max,
                              .segment_bytes_max = 4u << 20,
                              .prewarm_bytes = 0,
                              .checkpoint_bytes = 1u << 20,
                              .again_after = 1s,
                              .loader_threads = 2},
                             files, time_, system_, {&kind_});
    if (!opened) throw std::runtime_error(opened.error().detail);
    running = std::move(*opened);
    running->start();
  }
  ~threaded_machine() { running->stop(); }

  caf::actor_system& system() { return system_; }

  bool mail_under_way() const {
    for (shard_index i = 0; i < machine::shards; ++i)
      if (!running->at(i).unacknowledged().empty()) return true;
    return false;
  }

  presence watch;

private:
  static std::unique_ptr<caf::actor_system_config> configure() {
    auto config = std::make_unique<caf::actor_system_config>();
    config->set("scheduler.policy", caf::atom("sharing"));
    config->set("scheduler.max-threads", static_cast<std::size_t>(3));
    config->add_message_types<caf::id_block::gelombang_runtime>();
    config->add_message_types<caf::id_block::runtime_tests>();
    return config;
  }

  system_clock time_;
  std::unique_ptr<caf::actor_system_config> config_;
  caf::actor_system system_;
  purse_kind kind_;

public:
  std::unique_ptr<node> running;
};

/// Hands coins about until it has sent `messages`; then waits for the last answer.
void hand_coins_about(node& of, asking& front, std::uint64_t messages, std::uint64_t seed) {
  std::mt19937_64 chance{seed};
  for (std::uint64_t sent = 0; sent < messages; ++sent) {
    const auto number = chance() % purses;
    if (chance() % 3 == 0)
      front.ask(of, number, look{});
    else
      front.ask(of, number, some_transfer(chance));
    if (sent % 16 == 0) {
      front.take_turn(of);
      front.wait_for(waiting_max);
    }
  }
  front.take_turn(of);
  front.wait_for(0);
}

std::int64_t total_in(threaded_machine& one) {
  std::atomic<std::int64_t> sum{0};
  asking front{one.system(), [&](std::uint64_t, const answer& what) { sum += what.value; }};
  for (std::uint64_t i = 0; i < purses; ++i) front.ask(*one.running, i, look{});
  front.wait_for(0);
  return sum;
}

void put_in_the_coins(threaded_machine& one) {
  asking front{one.system()};
  for (std::uint64_t i = 0; i < purses; ++i) {
    front.ask(*one.running, i, put_in{coins_each});
    front.wait_for(0);
  }
}

TEST(Stress, NeverTwiceAtOnceOnThreadsAndBackupsAreWhole) {
  const auto messages = from_environment("GELOMBANG_STRESS_MESSAGES", 300'000);
  constexpr std::uint64_t senders = 3;
  constexpr auto sum = static_cast<std::int64_t>(purses) * coins_each;
  temporary_directory where, copies;
  int backups = 0;
  {
    threaded_machine one{where.path(), std::size_t{machine::shards} * 2};
    put_in_the_coins(one);
    std::deque<asking> fronts;
    for (std::uint64_t i = 0; i < senders; ++i) fronts.emplace_back(one.system());
    fronts.front().run_whom_it_asks();  // the others leave it to the scheduler
    std::atomic<int> at_work{senders};
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < senders; ++i)
      threads.emplace_back([&, i] {
        hand_coins_about(*one.running, fronts[i], messages / senders, i + 1);
        --at_work;
      });
    for (; at_work > 0; ++backups) {
      ASSERT_TRUE(one.running->checkpoint());
      if (backups < 4) {
        ASSERT_TRUE(one.running->backup(copies.path() / std::to_string(backups)));
      }
    }
    for (auto& thread : threads) thread.join();
    while (one.mail_under_way()) ASSERT_TRUE(one.running->checkpoint());
    EXPECT_EQ(one.watch.twice.load(), 0u);
    for (const auto& front : fronts) EXPECT_EQ(front.surplus(), 0u);
    EXPECT_GT(one.watch.spawned.load(), messages / 100);
    EXPECT_EQ(total_in(one), sum);
    EXPECT_EQ(counted(*one.running), sum);
  }
  {
    threaded_machine again{where.path(), 1000};
    EXPECT_EQ(again.running->started_with().records_replayed, 0u) << "the stop was not clean";
    EXPECT_EQ(total_in(again), sum);
    EXPECT_EQ(counted(*again.running), sum);
  }
  // A copy taken in full swing is what a crash at that moment would have left.
  for (int i = 0; i < std::min(backups, 4); ++i) {
    machine copy{copies.path() / std::to_string(i)};
    copy.settle_mail();
    EXPECT_EQ(copy.total(purses), sum) << "backup " << i;
    EXPECT_EQ(counted(*copy.running), sum) << "backup " << i;
  }
}

/// Asks for coins to be handed over until the disk has been full so many times; what is refused
/// meanwhile is refused.
void hand_coins_about_until(const std::atomic<bool>& enough, node& of, asking& front,
                            std::uint64_t seed) {
  std::mt19937_64 chance{seed};
  while (!enough) {
    front.ask(of, chance() % purses, some_transfer(chance));
    front.ask(of, chance() % purses, look{});
    front.take_turn(of);
    front.wait_for(waiting_max);
  }
  front.take_turn(of);
  front.wait_for(0);
}

TEST(Stress, ADiskThatIsFullInFullSwingLosesAndDoublesNothing) {
  constexpr auto sum = static_cast<std::int64_t>(purses) * coins_each;
  constexpr std::uint64_t no_bytes = 1, failures = 3;
  temporary_directory where;
  storage::testing::memory_disk disk;
  {
    threaded_machine one{where.path(), std::size_t{machine::shards} * 2, disk};
    put_in_the_coins(one);
    std::deque<asking> fronts;
    for (int i = 0; i < 2; ++i) fronts.emplace_back(one.system());
    fronts.front().run_whom_it_asks();
    std::atomic<bool> enough{false};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < fronts.size(); ++i)
      threads.emplace_back(
          [&, i] { hand_coins_about_until(enough, *one.running, fronts[i], i + 1); });
    for (std::uint64_t i = 1; i <= failures; ++i) {
      while (!one.running->checkpoint()) continue;
      disk.limit(no_bytes);
      while (one.running->writable()) std::this_thread::yield();
      EXPECT_GE(one.running->figures().commit_failures.load(), i);
      disk.limit(std::nullopt);
      while (!one.running->writable()) std::this_thread::yield();
    }
    enough = true;
    for (auto& thread : threads) thread.join();
    while (one.mail_under_way()) ASSERT_TRUE(one.running->checkpoint());
    // Not `twice`: an actor that the failure has made the shard forget may be at its last message
    // while its successor is at its first. It is refused whatever it says, so the sums tell.
    for (const auto& front : fronts) {
      EXPECT_EQ(front.surplus(), 0u);
      EXPECT_GT(front.granted(), 0u);
      EXPECT_GT(front.refused(errc::storage_unavailable), 0u);
    }
    EXPECT_EQ(total_in(one), sum);
    EXPECT_EQ(counted(*one.running), sum);
  }
  machine again{where.path(), 1000, disk, 4u << 20};
  EXPECT_EQ(again.total(purses), sum);
  EXPECT_EQ(counted(*again.running), sum);
}

}  // namespace
}  // namespace gelombang::runtime::test
