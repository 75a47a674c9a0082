#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/storage/busy_disk.hpp"
#include "tests/storage/journal_support.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::storage::testing {
namespace {

/// Checks that a shard's frames follow each other, and counts them.
journal::visitor in_order(lsn& next) {
  return [&next](const stored_frame& each) -> result<void> {
    if (each.first != next) return failed(fault::corrupt, "out of order");
    next = each.last() + 1;
    return {};
  };
}

/// Readers, archiving and copying beside a thread that appends, with segments prepared on another.
void append_beside_others(file_system& files, const std::filesystem::path& directory, int cycles) {
  auto options = small_journal();
  options.directory = directory;
  options.prepare_next = true;
  cycle_maker maker(1);
  {
    auto opened = open_journal(files, options);
    ASSERT_OK(opened);
    auto& log = *opened->log;
    std::atomic<bool> done = false;
    std::atomic<int> reads = 0;
    std::thread reader([&] {
      do {
        const auto ends = log.durable();
        for (const auto& [shard, end] : ends) {
          lsn next = 1;
          EXPECT_TRUE(log.read(shard, 1, in_order(next)).has_value());
          EXPECT_GT(next, end.last);
          ++reads;
        }
      } while (!done);
    });
    std::thread archiver([&] {
      do {
        EXPECT_TRUE(log.release(log.durable()).has_value());
      } while (!done);
    });
    append_cycles(log, maker, cycles);
    done = true;
    reader.join();
    archiver.join();
    EXPECT_GT(reads, 0);
  }
  const auto again = open_journal(files, options);
  ASSERT_OK(again);
  EXPECT_EQ(again->recovered, maker.history());
  EXPECT_EQ(again->log->recovered().torn_bytes, 0u);
}

TEST(JournalThreads, AppendingReadingAndArchivingGoOnBesideEachOtherInMemory) {
  memory_disk disk;
  append_beside_others(disk, "/journal", 1500);
}

TEST(JournalThreads, AppendingReadingAndArchivingGoOnBesideEachOtherOnADisk) {
  const temporary_directory where;
  append_beside_others(posix_file_system(), where.path() / "journal", 400);
}

TEST(JournalThreads, AnAuditBesideANodeThatWritesFindsNothingWrong) {
  memory_disk disk;
  auto options = small_journal();
  options.prepare_next = true;
  cycle_maker maker(2);
  auto opened = open_journal(disk, options);
  ASSERT_OK(opened);
  std::atomic<bool> done = false;
  std::atomic<int> audits = 0;
  std::thread auditor([&] {
    do {
      const auto audit = verify_journal(disk, "/journal");
      EXPECT_TRUE(audit.has_value()) << audit.error().detail;
      ++audits;
    } while (!done);
  });
  for (int i = 0; i < 75; ++i) {
    append_cycles(*opened->log, maker, 20);
    ASSERT_OK(opened->log->release(opened->log->durable()));
  }
  done = true;
  auditor.join();
  EXPECT_GT(audits, 0);
}

TEST(JournalThreads, AnAuditBetweenWhoseStepsANodeWritesFindsNothingWrong) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    memory_disk disk;
    auto options = small_journal();
    options.segment_bytes_max = seed % 2 == 0 ? 16 << 10 : 128 << 10;
    options.reserve_bytes_first = options.segment_bytes_max;
    cycle_maker maker(seed);
    auto opened = open_journal(disk, options);
    ASSERT_OK(opened);
    auto& log = *opened->log;
    append_cycles(log, maker, 20);
    auto steps_left = 200;
    busy_disk seen(disk, [&] {
      if (steps_left-- <= 0) return;
      if (maker.random() % 4 == 0) append_cycles(log, maker, 1);
      if (maker.random() % 32 == 0) ASSERT_OK(log.release(log.durable()));
    });
    const auto before = log.durable();
    const auto audit = verify_journal(seen, "/journal");
    ASSERT_OK(audit);
    for (const auto& [shard, end] : before) EXPECT_GE(audit->ends.at(shard).last, end.last);
    EXPECT_LE(steps_left, 190);
  }
}

TEST(JournalThreads, AnAuditThatReadsAHeaderWhileItIsWrittenLooksAgain) {
  const std::string path = "/journal/000000000001.gwj";
  memory_disk disk;
  cycle_maker maker(4);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 3);
  const auto before = disk.get(path);
  append_cycles(*opened->log, maker, 1);
  const auto after = disk.get(path);
  const auto changed = std::mismatch(before.begin(), before.end(), after.begin()).first;
  // Written at each step of an audit in turn, until it has come to its end before.
  auto written = true;
  for (auto step = 1; written; ++step) {
    written = false;
    auto steps = 0;
    memory_disk writing;
    writing.put(path, before);
    busy_disk seen(writing, [&] {
      if (++steps != step) return;
      writing.put(path, after);
      written = true;
    });
    seen.split_reads_at(static_cast<std::uint64_t>(changed - before.begin()) + 8);
    const auto audit = verify_journal(seen, "/journal");
    EXPECT_TRUE(audit.has_value()) << "step " << step << ": " << audit.error().detail;
    EXPECT_GE(steps, 8);
  }
}

TEST(JournalThreads, AnAuditFindsAnArchiveThatItsListingHasMissed) {
  memory_disk disk;
  cycle_maker maker(5);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 60);
  ASSERT_OK(opened->log->release(opened->log->durable()));
  const auto whole = verify_journal(disk, "/journal");
  ASSERT_OK(whole);
  ASSERT_GE(whole->archives, 2u);
  for (const std::string missed : {"000000000001.gwa", "000000000002.gwa"}) {
    busy_disk seen(disk, [] {});
    seen.hide_from_listings(missed);
    const auto audit = verify_journal(seen, "/journal");
    ASSERT_OK(audit);
    EXPECT_EQ(audit->frames, whole->frames);
  }
}

TEST(JournalThreads, APreparedSegmentIsTakenAndNoneIsLeftBehind) {
  memory_disk disk;
  auto options = small_journal();
  options.prepare_next = true;
  options.reserve_bytes_first = 1024;
  cycle_maker maker(3);
  {
    auto opened = open_journal(disk, options);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 300);
  }
  for (const auto& path : disk.paths()) {
    EXPECT_TRUE(path.ends_with(".gwj") || path.ends_with("/NEWEST")) << path;
  }
  const auto again = open_journal(disk, options);
  ASSERT_OK(again);
  EXPECT_EQ(again->recovered, maker.history());
}

}  // namespace
}  // namespace gelombang::storage::testing
