#include <gtest/gtest.h>

#include <optional>

#include "storage/newest_segment.hpp"
#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {
namespace {

/// A node's life on a disk that may lose power at any change.
class life {
public:
  explicit life(std::uint64_t seed) : maker_(seed) {}

  /// Appends, archives and restarts until something fails or `steps` are done.
  void run(memory_disk& disk, int steps) {
    std::unique_ptr<journal> log;
    for (int step = 0; step < steps; ++step) {
      if (!log) {
        auto opened = open_journal(disk, named_journal());
        if (!opened) return;
        log = std::move(opened->log);
      }
      if (!act(log)) return;
    }
  }

  const cycle_maker& made() const { return maker_; }

  /// What may be there beside it: the cycle whose append failed.
  kept_history with_unanswered() const {
    auto maker = maker_;
    if (unanswered_) maker.accept(*unanswered_);
    return maker.history();
  }

  cycle_maker& maker() { return maker_; }

private:
  bool act(std::unique_ptr<journal>& log) {
    const auto choice = maker_.random() % 100;
    if (choice < 2) {
      log.reset();
      return true;
    }
    if (choice < 5) return log->release(log->durable()).has_value();
    auto cycle = maker_.next();
    if (!log->append(as_frames(cycle))) {
      unanswered_ = std::move(cycle);
      return false;
    }
    maker_.accept(cycle);
    return true;
  }

  cycle_maker maker_;
  std::optional<std::vector<kept_frame>> unanswered_;
};

/// Opens what is left of the disk and checks that nothing answered is gone and nothing is half
/// there; then goes on with it.
void expect_whole(memory_disk& disk, life& before, std::uint64_t seed) {
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  const auto audit = verify_journal(disk, "/journal", {}, naming::must_be_there);
  ASSERT_OK(audit);
  auto opened = open_journal(disk, named_journal());
  ASSERT_OK(opened);
  const auto answered = opened->recovered == before.made().history();
  ASSERT_TRUE(answered || opened->recovered == before.with_unanswered());
  EXPECT_EQ(opened->log->recovered().torn_bytes != 0, !opened->log->recovered().torn_at.empty());
  if (!answered) return;
  append_cycles(*opened->log, before.maker(), 3);
  opened->log.reset();
  const auto again = open_journal(disk);
  ASSERT_OK(again);
  EXPECT_EQ(again->recovered, before.made().history());
  EXPECT_EQ(again->log->recovered().torn_bytes, 0u);
}

/// Four ranges of seeds, so that they can run beside each other.
class JournalCrashes : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, JournalCrashes, ::testing::Range<std::uint64_t>(0, 4));

TEST_P(JournalCrashes, PowerLossAtAnyChangeLosesNothingAnswered) {
  const std::uint64_t first = 0 + GetParam() * 750;
  for (auto seed = first; seed < first + 750 && !HasFatalFailure(); ++seed) {
    memory_disk disk;
    life node(seed);
    disk.power_off_after(seed % 300, seed);
    node.run(disk, 150);
    const auto left = disk.after_power_loss(seed);
    expect_whole(*left, node, seed);
  }
}

TEST_P(JournalCrashes, AKilledProcessLosesNothingAnswered) {
  const std::uint64_t first = 10'000 + GetParam() * 400;
  for (auto seed = first; seed < first + 400 && !HasFatalFailure(); ++seed) {
    memory_disk disk;
    life node(seed);
    disk.power_off_after(seed % 300, seed);
    node.run(disk, 150);
    const auto left = disk.after_kill();
    expect_whole(*left, node, seed);
  }
}

TEST_P(JournalCrashes, PowerLossDuringTheRecoveryFromAPowerLossLosesNothing) {
  const std::uint64_t first = 20'000 + GetParam() * 250;
  for (auto seed = first; seed < first + 250 && !HasFatalFailure(); ++seed) {
    memory_disk disk;
    life node(seed);
    disk.power_off_after(20 + seed % 200, seed);
    node.run(disk, 150);
    auto left = disk.after_power_loss(seed);
    for (std::uint64_t again = 0; again < 3; ++again) {
      left->power_off_after((seed / 3 + again) % 12, seed + again);
      (void)open_journal(*left, named_journal());
      left = left->after_power_loss(seed * 5 + again);
    }
    expect_whole(*left, node, seed);
  }
}

TEST(JournalCrash, ALastCycleCutAtAnyByteIsCutOffAndReported) {
  for (const std::uint64_t reserve : {0u, 8u << 10}) {
    auto options = small_journal();
    options.reserve_bytes_first = reserve;
    memory_disk disk;
    cycle_maker maker(1);
    auto opened = open_journal(disk, options);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 3);
    const std::string path = "/journal/000000000001.gwj";
    const auto end_of = [](const std::string& bytes) { return bytes.find_last_not_of('\0') + 1; };
    const auto start = (end_of(disk.get(path)) + 511) / 512 * 512;
    const auto last = maker.next();
    ASSERT_OK(opened->log->append(as_frames(last)));
    const auto whole = disk.get(path);
    const auto end = end_of(whole);
    for (auto cut = start; cut < end; ++cut) {
      auto bytes = whole.substr(0, cut);
      if (reserve != 0) bytes.resize(whole.size());
      memory_disk left;
      left.put(path, bytes);
      const auto recovered = open_journal(left, options);
      ASSERT_OK(recovered);
      ASSERT_EQ(recovered->recovered, maker.history()) << "cut at " << cut;
      const auto torn = bytes.find_last_not_of('\0') + 1;
      EXPECT_EQ(recovered->log->recovered().torn_bytes, torn > start ? torn - start : 0);
      if (torn > start) {
        EXPECT_EQ(recovered->log->recovered().torn_at, path + ":" + std::to_string(start));
      }
    }
  }
}

TEST(JournalCrash, ATornCycleBehindAnyDamageStillStopsTheStart) {
  memory_disk disk;
  cycle_maker maker(2);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 4);
  const std::string path = "/journal/000000000001.gwj";
  auto bytes = disk.get(path);
  const auto end = bytes.find_last_not_of('\0') + 1;
  bytes[end - 1] = '\0';
  bytes[600] = static_cast<char>(bytes[600] ^ 1);
  memory_disk left;
  left.put(path, bytes);
  EXPECT_FAULT(open_journal(left), fault::corrupt);
}

TEST(JournalCrash, ASyncThatFailsEndsWritingUntilARestart) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    memory_disk disk;
    cycle_maker maker(seed);
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    auto& log = *opened->log;
    append_cycles(log, maker, static_cast<int>(seed));
    const auto before = log.durable();
    disk.fail_next_sync();
    const auto cycle = maker.next();
    EXPECT_FAULT(log.append(as_frames(cycle)), fault::io);
    EXPECT_FAULT(log.append(as_frames(cycle)), fault::io);
    EXPECT_FAULT(log.resume(), fault::io);
    EXPECT_FAULT(log.append(as_frames(cycle)), fault::io);
    EXPECT_EQ(log.durable(), before);
    frame_collector seen;
    for (const auto& [shard, end] : before) ASSERT_OK(log.read(shard, 1, seen.visitor()));
    EXPECT_EQ(seen.history(), maker.history());
    opened->log.reset();
    for (const auto& left : {disk.after_kill(), disk.after_power_loss(seed)}) {
      const auto recovered = open_journal(*left);
      ASSERT_OK(recovered);
      auto with_failed = maker;
      with_failed.accept(cycle);
      EXPECT_TRUE(recovered->recovered == maker.history() ||
                  recovered->recovered == with_failed.history());
    }
  }
}

TEST(JournalCrash, AFullDiskRefusesUntilThereIsRoomAndLosesNothing) {
  for (std::uint64_t seed = 0; seed < 150 && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    memory_disk disk;
    cycle_maker maker(seed);
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    auto& log = *opened->log;
    disk.limit(9'000 + seed * 701);
    std::vector<kept_frame> cycle;
    for (;;) {
      cycle = maker.next();
      const auto done = log.append(as_frames(cycle));
      if (!done) {
        EXPECT_FAULT(done, fault::no_space);
        break;
      }
      maker.accept(cycle);
    }
    EXPECT_FAULT(log.append(as_frames(cycle)), fault::no_space);
    frame_collector seen;
    for (shard_index shard = 0; shard < 8; ++shard) ASSERT_OK(log.read(shard, 1, seen.visitor()));
    EXPECT_EQ(seen.history(), maker.history());

    const auto killed_while_full = disk.after_kill();
    const auto recovered = open_journal(*killed_while_full);
    ASSERT_OK(recovered);
    EXPECT_EQ(recovered->recovered, maker.history());

    disk.limit(500'000);
    ASSERT_OK(log.resume());
    ASSERT_OK(log.append(as_frames(cycle)));
    maker.accept(cycle);
    append_cycles(log, maker, 10);
    opened->log.reset();
    const auto again = open_journal(disk);
    ASSERT_OK(again);
    EXPECT_EQ(again->recovered, maker.history());
    EXPECT_EQ(again->log->recovered().torn_bytes, 0u);
    ASSERT_OK(verify_journal(disk, "/journal"));
  }
}

/// The zeros of a segment take its first cycle without more room; its name needs some.
TEST(JournalCrash, ACycleThatIsRefusedBecauseItsSegmentCannotBeNamedNeverComesBack) {
  std::uint64_t refused = 0;
  for (std::uint64_t room = 0; room < 48; ++room) {
    SCOPED_TRACE(::testing::Message() << "room " << room);
    for (const int before : {0, 3}) {
      memory_disk disk;
      cycle_maker maker(room);
      { append_cycles(*open_journal(disk, named_journal())->log, maker, before); }
      auto opened = open_journal(disk, named_journal());
      ASSERT_OK(opened);
      disk.limit(disk.bytes() + room);
      const auto cycle = maker.next();
      const auto done = opened->log->append(as_frames(cycle));
      if (done) maker.accept(cycle);
      if (!done) {
        ++refused;
        EXPECT_FAULT(done, fault::no_space);
      }

      const auto killed = disk.after_kill();
      const auto found = open_journal(*killed, named_journal());
      ASSERT_OK(found);
      EXPECT_EQ(found->recovered, maker.history()) << "killed before a resume";

      disk.limit(std::nullopt);
      ASSERT_OK(opened->log->resume());
      EXPECT_EQ(open_journal(*disk.after_kill(), named_journal())->recovered, maker.history());
      append_cycles(*opened->log, maker, 3);
      opened->log.reset();
      EXPECT_EQ(open_journal(disk, named_journal())->recovered, maker.history());
    }
  }
  EXPECT_GE(refused, 2 * 36u) << "the name has 36 bytes";
}

TEST(JournalCrash, ADurableCycleIsAcknowledgedThoughItsSegmentCannotBeNamed) {
  for (const int before : {0, 3}) {
    memory_disk disk;
    cycle_maker maker(31);
    { append_cycles(*open_journal(disk, named_journal())->log, maker, before); }
    auto opened = open_journal(disk, named_journal());
    ASSERT_OK(opened);
    disk.fail_next_rename();
    append_cycles(*opened->log, maker, 1);
    const auto next = maker.next();
    EXPECT_FAULT(opened->log->append(as_frames(next)), fault::io);
    EXPECT_FAULT(opened->log->resume(), fault::io);
    const auto killed = disk.after_kill();
    opened->log.reset();
    for (auto* left : {killed.get(), &disk}) {
      auto again = open_journal(*left, named_journal());
      ASSERT_OK(again);
      EXPECT_EQ(again->recovered, maker.history());
      auto last = left->paths();
      std::erase_if(last, [](const auto& path) { return path.ends_with("/NEWEST"); });
      // The last holds nothing yet; the one before it is named by the start.
      const auto newest = read_newest(*left, "/journal").value().value().number;
      EXPECT_TRUE(last[last.size() - 2].ends_with(std::to_string(newest) + ".gwj")) << newest;
      ASSERT_OK(again->log->append(as_frames(next)));
    }
  }
}

TEST(JournalCrash, AStartNamesTheCycleThatACrashHasLeftWithoutAName) {
  for (const int before : {0, 3}) {
    memory_disk disk;
    cycle_maker maker(37);
    { append_cycles(*open_journal(disk, named_journal())->log, maker, before); }
    auto opened = open_journal(disk, named_journal());
    ASSERT_OK(opened);
    const auto old_name = disk.has("/journal/NEWEST") ? disk.get("/journal/NEWEST") : "";
    append_cycles(*opened->log, maker, 1);
    const auto killed = disk.after_kill();
    if (old_name.empty())
      killed->erase("/journal/NEWEST");
    else
      killed->put("/journal/NEWEST", old_name);
    auto again = open_journal(*killed, named_journal());
    ASSERT_OK(again);
    EXPECT_EQ(again->recovered, maker.history());
    again->log.reset();
    // What has been read back has happened: from here on it is missed.
    auto paths = killed->paths();
    std::erase_if(paths, [](const auto& path) { return path.ends_with("/NEWEST"); });
    killed->erase(paths.back());
    EXPECT_FAULT(open_journal(*killed, named_journal()), fault::missing);
  }
}

TEST(JournalCrash, ResumeWithoutRoomFailsAndCanBeTriedAgain) {
  memory_disk disk;
  cycle_maker maker(9);
  auto options = small_journal();
  options.segment_bytes_max = 4096;
  options.reserve_bytes_first = 4096;
  auto opened = open_journal(disk, options);
  ASSERT_OK(opened);
  auto& log = *opened->log;
  ASSERT_OK(log.resume());  // nothing has failed
  append_cycles(log, maker, 5);
  disk.limit(0);
  auto cycle = maker.next();
  auto done = log.append(as_frames(cycle));
  while (done) {
    maker.accept(cycle);
    cycle = maker.next();
    done = log.append(as_frames(cycle));
  }
  for (int i = 0; i < 5; ++i) EXPECT_FAULT(log.resume(), fault::no_space);
  disk.limit(std::nullopt);
  ASSERT_OK(log.resume());
  append_cycles(log, maker, 0);
  ASSERT_OK(log.append(as_frames(cycle)));
  maker.accept(cycle);
  opened->log.reset();
  const auto again = open_journal(disk, options);
  ASSERT_OK(again);
  EXPECT_EQ(again->recovered, maker.history());
}

}  // namespace
}  // namespace gelombang::storage::testing
