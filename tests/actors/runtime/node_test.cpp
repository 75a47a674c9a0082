#include "actors/runtime/node.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <caf/scheduler/test_coordinator.hpp>
#include <random>

#include "tests/actors/runtime/probe.hpp"

namespace gelombang::runtime::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr instant noon{1'767'330'000'000ms};

class temporary_directory {
public:
  temporary_directory() {
    std::string pattern = (fs::temp_directory_path() / "gelombang-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~temporary_directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

/// A node on CAF's deterministic scheduler: nothing happens but what the test asks for.
class machine {
public:
  explicit machine(const fs::path& where, std::size_t active_actors_max = 1000,
                   storage::file_system& files = storage::posix_file_system())
      : config_(configure()), system_(*config_), kind_(watch) {
    auto opened = node::open({.data_directory = where,
                              .shards = 8,
                              .active_actors_max = active_actors_max,
                              .prewarm_bytes = 0},
                             files, time, system_, {&kind_});
    if (!opened) throw std::runtime_error(opened.error().detail);
    running = std::move(*opened);
    for (shard_index i = 0; i < 8; ++i)
      for (auto& [source, letter] : running->at(i).unacknowledged())
        running->at(source.from)
            .deliver(letter.to,
                     caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                               mail_arrived{{i, source.sequence}, letter.body}));
  }

  template <class Command>
  auto ask(std::uint64_t number, Command command) {
    auto sent = send(number, std::move(command));
    settle();
    auto answer = sent();
    if (!answer) throw std::runtime_error("no answer");
    return answer;
  }

  /// Sends and @returns a function that looks for the answer.
  template <class Command>
  std::function<std::optional<outcome<std::int64_t>>()> send(std::uint64_t number,
                                                             Command command) {
    auto self = std::make_shared<caf::scoped_actor>(system_);
    const auto id = (*self)->new_request_id(caf::message_priority::normal);
    const auto refused = running->deliver(
        purse(number), caf::make_mailbox_element(caf::actor_cast<caf::strong_actor_ptr>(*self), id,
                                                 {}, std::move(command)));
    if (refused != errc::ok)
      return [refused] { return std::optional{outcome<std::int64_t>{refusal{refused}}}; };
    return [self, id]() -> std::optional<outcome<std::int64_t>> {
      auto& box = (*self)->mailbox();
      if (box.empty()) return std::nullopt;
      std::optional<outcome<std::int64_t>> found;
      auto take = [&](const caf::mailbox_element& element) {
        const auto& content = element.content();
        if (content.match_elements<outcome<std::int64_t>>())
          found = content.get_as<outcome<std::int64_t>>(0);
        else
          found = outcome<std::int64_t>{refusal{errc::storage_unavailable}};
      };
      if (auto next = (*self)->next_message()) take(*next);
      return found;
    };
  }

  void settle() {
    auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
    for (bool busy = true; busy;) busy = scheduler.run() > 0 || running->pump();
  }

  std::int64_t total(std::uint64_t purses) {
    std::int64_t sum = 0;
    for (std::uint64_t i = 0; i < purses; ++i) sum += ask(i, look{})->value;
    return sum;
  }

  /// As if the process had been killed: what is not durable is gone, and nobody tidies up.
  ~machine() {
    for (shard_index i = 0; i < 8; ++i) running->at(i).reset();
    dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler()).run();
    running.reset();
  }

  presence watch;
  manual_clock time{noon};

private:
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

public:
  std::unique_ptr<node> running;
};

TEST(Node, AnswersWhenDurableAndNotBefore) {
  temporary_directory where;
  machine one{where.path()};
  auto answer = one.send(1, put_in{5});
  one.running->pump();  // loads
  auto& scheduler =
      dynamic_cast<caf::scheduler::test_coordinator&>(one.running->system().scheduler());
  scheduler.run();  // decides
  EXPECT_FALSE(answer()) << "answered before the commit cycle";
  one.settle();
  EXPECT_EQ(answer()->value, 5);
}

TEST(Node, FindsEverythingAfterAStopWithoutACheckpoint) {
  temporary_directory where;
  {
    machine one{where.path()};
    for (std::uint64_t i = 0; i < 50; ++i) EXPECT_EQ(one.ask(i, put_in{100})->value, 100);
    EXPECT_TRUE(one.ask(3, hand_over{7, 30})->ok());
  }
  machine again{where.path()};
  EXPECT_EQ(again.running->count({counter::family::accepted, 1}), 5000);
  EXPECT_EQ(again.ask(3, look{})->value, 70);
  EXPECT_EQ(again.ask(7, look{})->value, 130);
  EXPECT_GT(again.running->started_with().records_replayed, 0u);
}

TEST(Node, FindsEverythingBehindACheckpointAndReadsOnlyWhatFollows) {
  temporary_directory where;
  {
    machine one{where.path()};
    for (std::uint64_t i = 0; i < 50; ++i) one.ask(i, put_in{100});
    ASSERT_TRUE(one.running->checkpoint());
    one.ask(3, hand_over{7, 30});
  }
  machine again{where.path()};
  EXPECT_EQ(again.total(50), 5000);
  EXPECT_EQ(again.ask(7, look{})->value, 130);
  EXPECT_EQ(again.running->count({counter::family::accepted, 1}), 5000);
  // The transfer is a handful of records: event, mail, its arrival and acknowledgement.
  EXPECT_LE(again.running->started_with().records_replayed, 8u);
}

TEST(Node, MailThatWasUnderWayAtTheStopArrivesOnce) {
  temporary_directory where;
  {
    machine one{where.path()};
    one.ask(1, put_in{100});
    one.ask(2, put_in{0});
    one.send(1, hand_over{2, 40});
    auto& scheduler =
        dynamic_cast<caf::scheduler::test_coordinator&>(one.running->system().scheduler());
    scheduler.run();
    one.running->pump();  // durable at the sender; the receiver has not run
  }
  machine again{where.path()};
  EXPECT_EQ(again.ask(2, look{})->value, 40);
  EXPECT_EQ(again.total(4), 100);
}

TEST(Node, DeadlinesComeOnceWhenDueAlsoAfterAStop) {
  temporary_directory where;
  {
    machine one{where.path()};
    one.ask(1, put_in{1});
    ASSERT_TRUE(one.ask(1, remind_me{noon + 1h})->ok());
    one.time.advance(59min);
    one.settle();
    ASSERT_TRUE(one.running->checkpoint());
  }
  machine again{where.path()};
  again.time.set(noon + 59min);
  again.settle();
  const auto before = again.watch.handled.load();
  again.time.set(noon + 1h);
  again.settle();
  EXPECT_EQ(again.watch.handled.load(), before + 1);
  again.time.advance(1h);
  again.settle();
  EXPECT_EQ(again.watch.handled.load(), before + 1) << "a cleared deadline came again";
}

TEST(Node, AnExceptionForgetsHalfAChange) {
  temporary_directory where;
  machine one{where.path()};
  one.ask(1, put_in{5});
  EXPECT_EQ(one.ask(1, explode{})->why.code, errc::internal);
  EXPECT_EQ(one.ask(1, look{})->value, 5);
}

TEST(Node, KeepsToItsLimitOfActorsAndLosesNothing) {
  temporary_directory where;
  machine one{where.path(), 16};
  std::mt19937 random{7};
  for (std::uint64_t i = 0; i < 400; ++i) one.ask(i, put_in{10});
  EXPECT_LE(one.running->active(), 32u);
  for (int i = 0; i < 4000; ++i) {
    one.send(random() % 400, hand_over{random() % 400, static_cast<std::int64_t>(random() % 5)});
    if (i % 50 == 0) one.settle();
    if (i % 1000 == 999) {
      ASSERT_TRUE(one.running->checkpoint());
    }
  }
  one.settle();
  EXPECT_EQ(one.watch.twice.load(), 0u);
  EXPECT_EQ(one.total(400), 4000);
  EXPECT_GT(one.watch.spawned.load(), 1000u) << "nobody was ever passivated";
}

TEST(Node, WhatIsIdleIsPassivated) {
  temporary_directory where;
  machine one{where.path()};
  for (std::uint64_t i = 0; i < 20; ++i) one.ask(i, put_in{1});
  EXPECT_EQ(one.running->active(), 20u);
  one.time.advance(400s);
  one.settle();
  EXPECT_EQ(one.running->active(), 0u);
  EXPECT_EQ(one.total(20), 20);
}

TEST(Node, RefusesDataDividedOtherwise) {
  temporary_directory where;
  {
    machine one{where.path()};
    one.ask(1, put_in{1});
    ASSERT_TRUE(one.running->checkpoint());
  }
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("testing"));
  caf::actor_system system{config};
  presence watch;
  purse_kind purses{watch};
  manual_clock time{noon};
  auto opened = node::open({.data_directory = where.path(), .shards = 16},
                           storage::posix_file_system(), time, system, {&purses});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, storage::fault::corrupt);
}

}  // namespace
}  // namespace gelombang::runtime::test
