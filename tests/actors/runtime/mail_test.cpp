#include "tests/actors/runtime/workload.hpp"

namespace gelombang::runtime::test {
namespace {

using storage::testing::memory_disk;

/// Gives coins about and stops somewhere in the middle, wherever chance has it.
void run_a_while(machine& in, workload& load, asking& front, std::mt19937_64& chance) {
  for (auto left = chance() % 400; left > 0; --left) {
    load.give(*in.running, front, chance);
    for (auto steps = chance() % 6; steps > 0; --steps) in.step(chance);
    if (chance() % 4 == 0) in.running->pump();
    if (chance() % 64 == 0) in.time.advance(2s);  // sends again what is still under way
    if (chance() % 150 == 0) {
      ASSERT_TRUE(in.running->checkpoint());
    }
  }
}

TEST(Mail, TakesEffectOnceWhereverTheProcessIsKilled) {
  const auto seeds = from_environment("GELOMBANG_CRASH_SEEDS", 12);
  std::int64_t promised = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 chance{seed};
    temporary_directory where;
    auto disk = std::make_unique<memory_disk>();
    workload load;
    load.open_banks(*open_on(where.path(), *disk));
    for (int crash = 0; crash < 6; ++crash) {
      auto one = open_on(where.path(), *disk);
      std::unique_ptr<memory_disk> left;
      {
        asking front{one->running->system(), load.listener()};
        run_a_while(*one, load, front, chance);
        EXPECT_EQ(front.surplus(), 0u);
        left = chance() % 2 == 0 ? disk->after_kill() : disk->after_power_loss(chance());
      }
      EXPECT_EQ(one->watch.overtaken.load(), 0u) << "mail has been overtaken";
      one.reset();
      disk = std::move(left);
      promised += load.promised();
      auto again = open_on(where.path(), *disk);
      load.check(*again);
      // What the check has settled is not all durable: without a stop it would be lost again.
      ASSERT_TRUE(again->running->checkpoint());
    }
  }
  EXPECT_GT(promised, 0);
}

TEST(Mail, IsNotSentAgainOnceAcknowledged) {
  temporary_directory where;
  machine one{where.path()};
  one.ask(1, put_in{100});
  for (std::uint64_t i = 0; i < 20; ++i) one.ask(1, hand_over{50 + i, 1});
  one.settle();
  EXPECT_EQ(one.under_way(), 0u);
  const auto sent = one.running->figures().mails.load();
  for (int i = 0; i < 10; ++i) {
    one.time.advance(10s);
    one.settle();
  }
  EXPECT_EQ(one.running->figures().mails.load(), sent);
}

TEST(Mail, ThatComesTwiceCountsOnce) {
  temporary_directory where;
  machine one{where.path()};
  one.ask(1, put_in{100});
  one.send(1, hand_over{2, 40});
  one.running->pump();
  one.scheduler().run();
  one.running->pump();  // it has left; the receiver is only being woken
  const auto waiting = one.running->home_of(purse(1)).unacknowledged();
  ASSERT_EQ(waiting.size(), 1u);
  const auto& [source, letter] = waiting.front();
  for (int i = 0; i < 3; ++i)
    one.running->deliver(
        letter.to,
        caf::make_mailbox_element(
            nullptr, caf::make_message_id(), {},
            mail_arrived{{one.running->home_of(purse(1)).index(), source.sequence}, letter.body}));
  one.settle();
  EXPECT_EQ(one.ask(2, look{})->value, 40);
  EXPECT_EQ(one.under_way(), 0u);
}

TEST(Mail, ThatItsReceiverFailsToTakeIsTriedAgainWithGrowingPauses) {
  temporary_directory where;
  machine one{where.path()};
  one.watch.unwelcome = 13;
  one.ask(1, put_in{100});
  one.ask(1, hand_over{2, 13});
  one.ask(1, hand_over{2, 7});
  one.settle();
  EXPECT_EQ(one.ask(2, look{})->value, 7) << "what comes behind it is taken";
  EXPECT_EQ(one.running->mails_put_off(), 1u);
  std::vector<int> tried_at{0};
  for (int seconds = 1; seconds <= 4 * 3600; ++seconds) {
    const auto before = one.watch.thrown.load();
    one.time.advance(1s);
    one.settle();
    if (one.watch.thrown > before) tried_at.push_back(seconds);
  }
  std::vector<int> pauses;
  for (std::size_t i = 1; i < tried_at.size(); ++i) pauses.push_back(tried_at[i] - tried_at[i - 1]);
  ASSERT_GT(pauses.size(), 8u);
  constexpr int again_seconds = 5;  // it comes that often, and may have just been passed over
  auto least = static_cast<int>(shard::first_pause / 1s);
  for (const auto pause : pauses) {
    EXPECT_GE(pause, least);
    EXPECT_LE(pause, least + 2 * again_seconds);
    least = std::min(2 * least, static_cast<int>(shard::longest_pause / 1s));
  }
  one.watch.unwelcome = 0;
  for (int minutes = 0; minutes < 62; ++minutes) {
    one.time.advance(60s);
    one.settle();
  }
  EXPECT_EQ(one.ask(2, look{})->value, 20) << "and never given up";
  EXPECT_EQ(one.running->mails_put_off(), 0u);
  EXPECT_EQ(one.under_way(), 0u);
}

TEST(Mail, OutsideIsOfferedUntilItIsDelivered) {
  temporary_directory where;
  std::vector<std::string> offered;
  {
    machine one{where.path()};
    bool takes = false;
    std::vector<std::pair<shard_index, std::uint64_t>> taken;
    one.running->on_outside([&](shard_index from, std::uint64_t sequence, const std::string& body) {
      offered.push_back(body);
      if (takes) taken.emplace_back(from, sequence);
      return takes;
    });
    ASSERT_TRUE(one.ask(1, write_out{"a letter"})->ok());
    EXPECT_EQ(offered.size(), 1u);
    one.settle();
    EXPECT_EQ(offered.size(), 1u) << "offered again at once to somebody who is full";
    one.time.advance(10s);
    one.settle();
    EXPECT_EQ(offered.size(), 2u);
    takes = true;
    one.time.advance(10s);
    one.settle();
    EXPECT_EQ(offered.size(), 3u);
    one.time.advance(60s);
    one.settle();
    EXPECT_EQ(offered.size(), 3u) << "under way, and offered once more";
    // Taken, but the mail server was away for too long.
    ASSERT_EQ(taken.size(), 1u);
    one.running->outside_failed(taken[0].first, taken[0].second);
    one.time.advance(10s);
    one.settle();
    EXPECT_EQ(offered.size(), 4u);
  }
  machine again{where.path()};
  EXPECT_EQ(again.under_way(), 1u) << "never delivered, and forgotten";
  std::vector<std::string> after_the_start;
  again.running->on_outside([&](shard_index from, std::uint64_t sequence, const std::string& body) {
    after_the_start.push_back(body);
    again.running->outside_delivered(from, sequence);
    return true;
  });
  again.time.advance(10s);
  again.settle();
  EXPECT_EQ(after_the_start, std::vector<std::string>{"a letter"});
  EXPECT_EQ(again.under_way(), 0u);
  again.time.advance(60s);
  again.settle();
  EXPECT_EQ(after_the_start.size(), 1u);
}

TEST(Mail, OutsideWaitsInOrderWhileNobodyTakesIt) {
  temporary_directory where;
  machine one{where.path()};
  int offers = 0;
  bool takes = false;
  std::vector<std::string> taken;
  one.running->on_outside([&](shard_index, std::uint64_t, const std::string& body) {
    ++offers;
    if (takes) taken.push_back(body);
    return takes;
  });
  std::vector<std::string> all;
  for (int i = 0; i < 50; ++i) {
    all.push_back("letter " + std::to_string(i));
    one.ask(1, write_out{all.back()});
  }
  offers = 0;
  one.time.advance(10s);
  one.settle();
  EXPECT_EQ(offers, 1) << "the others would be refused as well";
  takes = true;
  for (int i = 0; i < 3; ++i) {
    one.time.advance(10s);
    one.settle();
  }
  std::sort(all.begin(), all.end());
  std::sort(taken.begin(), taken.end());
  EXPECT_EQ(taken, all);
}

}  // namespace
}  // namespace gelombang::runtime::test
