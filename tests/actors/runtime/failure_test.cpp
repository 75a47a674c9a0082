#include "tests/actors/runtime/workload.hpp"

namespace gelombang::runtime::test {
namespace {

namespace fs = std::filesystem;
using storage::testing::memory_disk;

constexpr std::uint64_t no_bytes = 1;

/// Steps taken and not yet committed, by `count` purses.
std::unique_ptr<asking> wait_with(machine& in, std::uint64_t count) {
  auto front = std::make_unique<asking>(in.running->system());
  for (std::uint64_t i = 0; i < count; ++i) front->ask(*in.running, i, put_in{7});
  in.scheduler().run();  // those that are awake
  return front;
}

TEST(Failure, OfASyncRefusesWhoeverWaitsAndKeepsWhatIsDurable) {
  temporary_directory where;
  memory_disk disk;
  std::unique_ptr<memory_disk> left;
  {
    auto one = open_on(where.path(), disk, 1000);
    for (std::uint64_t i = 0; i < 20; ++i) one->ask(i, put_in{100});
    auto front = wait_with(*one, 20);
    disk.fail_next_sync();
    one->settle();
    EXPECT_EQ(front->waiting(), 0u);
    EXPECT_EQ(front->refused(errc::storage_unavailable), 20u);
    EXPECT_FALSE(one->running->writable());
    EXPECT_NE(one->running->not_writable_because(), "");
    EXPECT_EQ(one->ask(3, put_in{1})->why.code, errc::storage_unavailable);
    for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(one->ask(i, look{})->value, 100) << i;
    EXPECT_EQ(one->running->count({counter::family::accepted, 1}), 2000);
    EXPECT_FALSE(one->running->checkpoint());
    one->time.advance(1h);
    one->settle();
    EXPECT_FALSE(one->running->writable()) << "only a reading of the disk tells what is on it";
    front.reset();
    left = disk.after_power_loss(5);
  }
  machine again{where.path(), 1000, *left, small_segment_bytes};
  EXPECT_TRUE(again.running->writable());
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto there = again.ask(i, look{})->value;
    EXPECT_TRUE(there == 100 || there == 107) << there;
  }
}

TEST(Failure, OfSpacePassesWhenThereIsSpace) {
  temporary_directory where;
  memory_disk disk;
  auto one = open_on(where.path(), disk, 1000);
  for (std::uint64_t i = 0; i < 20; ++i) one->ask(i, put_in{100});
  auto front = wait_with(*one, 20);
  disk.limit(no_bytes);
  one->settle();
  EXPECT_EQ(front->refused(errc::storage_unavailable), 20u);
  EXPECT_FALSE(one->running->writable());
  EXPECT_EQ(one->ask(3, put_in{1})->why.code, errc::storage_unavailable);
  EXPECT_EQ(one->ask(3, look{})->value, 100);
  disk.limit(std::nullopt);
  one->settle();
  EXPECT_TRUE(one->running->writable());
  EXPECT_EQ(one->running->not_writable_because(), "");
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(one->ask(i, put_in{1})->value, 101) << i;
  EXPECT_EQ(one->running->count({counter::family::accepted, 1}), 2020);
}

TEST(Failure, LetsNobodyReadWhatNeverBecameDurable) {
  temporary_directory where;
  memory_disk disk;
  auto one = open_on(where.path(), disk, 1000);
  one->ask(1, put_in{100});
  auto stored = one->send(1, put_in{5});
  auto seen = one->send(1, look{});
  one->scheduler().run();
  // Delivered before the failure, handled by the same actor after it.
  auto late = one->send(1, look{});
  disk.fail_next_sync();
  one->running->pump();
  one->settle();
  EXPECT_EQ(stored()->why.code, errc::storage_unavailable);
  EXPECT_EQ(seen()->why.code, errc::storage_unavailable);
  ASSERT_TRUE(late());
  EXPECT_FALSE(late()->ok() && late()->value != 100) << late()->value;
  EXPECT_EQ(one->ask(1, look{})->value, 100);
}

TEST(Failure, OfACheckpointLosesNothingAndTheNextHasItAll) {
  temporary_directory where;
  const auto in_the_way = where.path() / "state" / "incoming" / "checkpoint.sst" / "file";
  {
    machine one{where.path()};
    for (std::uint64_t i = 0; i < 50; ++i) one.ask(i, put_in{100});
    ASSERT_TRUE(one.running->checkpoint());
    for (std::uint64_t i = 0; i < 50; ++i) one.ask(i, put_in{10});
    fs::create_directories(in_the_way);
    EXPECT_FALSE(one.running->checkpoint());
    EXPECT_TRUE(one.running->writable()) << "the journal has it all";
    for (std::uint64_t i = 0; i < 25; ++i) one.ask(i, put_in{1});
    one.time.advance(400s);
    one.settle();  // passivated: rows are read from what the checkpoint gave back
    EXPECT_EQ(one.total(50), 50 * 110 + 25);
    EXPECT_FALSE(one.running->checkpoint());
  }
  fs::remove_all(in_the_way.parent_path());
  {
    machine again{where.path()};
    EXPECT_EQ(again.total(50), 50 * 110 + 25);
    ASSERT_TRUE(again.running->checkpoint());
  }
  machine last{where.path()};
  EXPECT_EQ(last.running->started_with().records_replayed, 0u);
  EXPECT_EQ(last.total(50), 50 * 110 + 25);
  EXPECT_EQ(last.running->count({counter::family::accepted, 1}), 50 * 110 + 25);
}

TEST(Failure, OfAHandlerRefusesWhatStoodBehindItAndForgetsItsState) {
  temporary_directory where;
  machine one{where.path()};
  one.ask(1, put_in{5});
  auto bad = one.send(1, explode{});
  auto behind = one.send(1, put_in{1});
  auto looked = one.send(1, look{});
  one.settle();
  EXPECT_EQ(bad()->why.code, errc::internal);
  EXPECT_EQ(behind()->why.code, errc::storage_unavailable) << "its state can't be trusted";
  EXPECT_FALSE(looked()->ok());
  EXPECT_EQ(one.ask(1, look{})->value, 5);
}

TEST(Failure, OfRowsThatCantBeReadStopsTheStart) {
  temporary_directory where;
  {
    machine one{where.path()};
    for (std::uint64_t i = 0; i < 50; ++i) one.ask(i, put_in{100});
    ASSERT_TRUE(one.running->checkpoint());
  }
  for (const auto& file : fs::directory_iterator{where.path() / "state"})
    if (file.path().extension() == ".sst") fs::resize_file(file.path(), 100);
  EXPECT_THROW(machine{where.path()}, std::runtime_error);
}

/// The disk's moods: a sync that fails, space that runs out and comes back.
class moody_disk {
public:
  void maybe_change(memory_disk& disk, std::mt19937_64& chance) {
    if (full_ && chance() % 20 == 0) {
      disk.limit(std::nullopt);
      full_ = false;
    } else if (!full_ && chance() % 60 == 0) {
      disk.limit(no_bytes);
      full_ = true;
    } else if (chance() % 200 == 0) {
      disk.fail_next_sync();
    }
  }
  void calm_down(memory_disk& disk) {
    disk.limit(std::nullopt);
    full_ = false;
  }

private:
  bool full_ = false;
};

void run_on_a_moody_disk(machine& in, memory_disk& disk, workload& load, std::mt19937_64& chance) {
  asking front{in.running->system(), load.listener()};
  moody_disk mood;
  for (int i = 0; i < 400; ++i) {
    load.give(*in.running, front, chance);
    for (auto steps = chance() % 6; steps > 0; --steps) in.step(chance);
    mood.maybe_change(disk, chance);
    if (chance() % 4 == 0) in.pump();
    if (chance() % 64 == 0) in.time.advance(2s);
    if (chance() % 100 == 0) (void)in.checkpoint();
  }
  mood.calm_down(disk);
  in.settle();
  EXPECT_EQ(front.waiting(), 0u);
  EXPECT_EQ(front.surplus(), 0u);
}

TEST(Failure, AtAnyTimeBreaksNoPromiseAndGivesNothingTwice) {
  const auto seeds = from_environment("GELOMBANG_CRASH_SEEDS", 20);
  std::uint64_t failures = 0, went_on = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 chance{seed};
    temporary_directory where;
    auto disk = std::make_unique<memory_disk>();
    workload load;
    load.open_banks(*open_on(where.path(), *disk));
    for (int round = 0; round < 3; ++round) {
      auto one = open_on(where.path(), *disk);
      run_on_a_moody_disk(*one, *disk, load, chance);
      failures += one->running->figures().commit_failures;
      if (one->running->writable()) {
        went_on += one->running->figures().commit_failures > 0;
        load.check(*one);
      }
      auto left = chance() % 2 == 0 ? disk->after_kill() : disk->after_power_loss(chance());
      one.reset();
      disk = std::move(left);
      auto again = open_on(where.path(), *disk);
      load.check(*again);
      ASSERT_TRUE(again->running->checkpoint());
    }
  }
  EXPECT_GT(failures, seeds) << "the disk was in too good a mood";
  EXPECT_GT(went_on, 0u);
}

}  // namespace
}  // namespace gelombang::runtime::test
