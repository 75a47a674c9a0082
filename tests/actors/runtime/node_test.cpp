#include "actors/runtime/node.hpp"

#include <gtest/gtest.h>
#include <random>

#include "tests/actors/runtime/machine.hpp"

namespace gelombang::runtime::test {
namespace {

using namespace std::chrono_literals;

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

TEST(Node, ComesBackToItsLimitAfterABurst) {
  temporary_directory where;
  machine one{where.path(), 16};
  asking front{one.running->system()};
  for (std::uint64_t i = 0; i < 200; ++i) front.ask(*one.running, i, put_in{1});
  EXPECT_EQ(one.running->active(), 200u) << "all are busy";
  one.settle();
  one.time.advance(1s);
  one.settle();
  EXPECT_LE(one.running->active(), 16u);
  EXPECT_EQ(one.total(200), 200);
}

TEST(Node, TakesNoMoreThanAFrameHoldsBeforeTheDiskHasIt) {
  temporary_directory where;
  machine one{where.path()};
  ASSERT_TRUE(one.ask(3, put_in{1})->ok());
  const std::string letter(15u << 20, 'x');
  const auto first = one.send(3, write_out{letter}), second = one.send(3, write_out{letter}),
             third = one.send(3, write_out{letter});
  one.scheduler().run();  // nothing is committed meanwhile
  EXPECT_FALSE(first());
  EXPECT_FALSE(second());
  ASSERT_TRUE(third());
  EXPECT_EQ(third()->why.code, errc::overloaded);
  one.settle();
  EXPECT_TRUE(first()->ok());
  EXPECT_TRUE(second()->ok());
  EXPECT_TRUE(one.ask(3, write_out{letter})->ok());
  EXPECT_TRUE(one.running->writable());
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
