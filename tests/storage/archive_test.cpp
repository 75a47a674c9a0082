#include "storage/archive.hpp"

#include <gtest/gtest.h>

#include "storage/history.hpp"
#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {
namespace {

constexpr auto first_segment = "/journal/000000000001.gwj";
constexpr auto first_archive = "/journal/000000000001.gwa";

kept_history read_all(const journal& log) {
  frame_collector seen;
  for (shard_index shard = 0; shard < 8; ++shard) {
    EXPECT_TRUE(log.read(shard, 1, seen.visitor()));
  }
  return seen.history();
}

TEST(Archive, HoldsWhatWasReleasedAndTheChainGoesThroughIt) {
  memory_disk disk;
  cycle_maker maker(1);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 100);
  const auto checkpoint = opened->log->durable();
  append_cycles(*opened->log, maker, 60);
  ASSERT_OK(opened->log->release(checkpoint));
  EXPECT_FALSE(disk.has(first_segment));
  EXPECT_TRUE(disk.has(first_archive));
  EXPECT_EQ(read_all(*opened->log), maker.history());
  ASSERT_OK(opened->log->release(checkpoint));

  const auto audit = verify_journal(disk, "/journal");
  ASSERT_OK(audit);
  EXPECT_GT(audit->archives, 2u);
  EXPECT_GT(audit->segments, 2u);
  EXPECT_EQ(audit->ends, opened->log->durable());
  opened->log.reset();
  const auto replayed = open_journal(disk);
  ASSERT_OK(replayed);
  EXPECT_EQ(replayed->recovered, maker.history());
}

TEST(Archive, NothingBehindTheCheckpointIsReleased) {
  memory_disk disk;
  cycle_maker maker(2);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 100);
  auto checkpoint = opened->log->durable();
  checkpoint.erase(3);
  ASSERT_OK(opened->log->release(checkpoint));
  EXPECT_TRUE(disk.has(first_segment)) << "shard 3 still needs it";
  EXPECT_FALSE(disk.has(first_archive));
}

TEST(Archive, OfALargeSegmentIsReadFromTheChunkThatIsAskedFor) {
  memory_disk disk;
  auto options = small_journal();
  options.segment_bytes_max = 12u << 20;
  cycle_maker maker(3, 60'000);
  auto opened = open_journal(disk, options);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 200);
  ASSERT_OK(opened->log->release(opened->log->durable()));
  const auto archive = load_archive(disk, first_archive);
  ASSERT_OK(archive);
  EXPECT_GT(archive->chunks.size(), 5u);
  const auto range = archive->index.find(2);
  ASSERT_NE(range, nullptr);
  EXPECT_GT(archive->index.offset_for(2, range->end.last), archive->chunks[3].raw_offset);
  EXPECT_EQ(read_all(*opened->log), maker.history());
}

TEST(Archive, ACrashAtAnyStepOfArchivingLosesNothing) {
  for (std::uint64_t step = 0;; ++step) {
    memory_disk disk;
    cycle_maker maker(4);
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 70);
    disk.power_off_after(step, step);
    const auto finished = opened->log->release(opened->log->durable()).has_value();
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const auto left = seed == 0 ? disk.after_kill() : disk.after_power_loss(seed);
      ASSERT_OK(verify_journal(*left, "/journal"));
      const auto recovered = open_journal(*left);
      ASSERT_OK(recovered);
      ASSERT_EQ(recovered->recovered, maker.history()) << "step " << step << " seed " << seed;
      ASSERT_EQ(read_all(*recovered->log), maker.history());
      for (const auto& path : left->paths()) EXPECT_FALSE(path.ends_with(".tmp")) << path;
    }
    if (finished) break;
  }
}

/// A disk on which segment 1 stands beside its archive, as after a crash between two steps.
struct both_present {
  memory_disk disk;
  cycle_maker maker{5};

  void make() {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 70);
    const auto segment = disk.get(first_segment);
    ASSERT_OK(opened->log->release(opened->log->durable()));
    opened->log.reset();
    disk.put(first_segment, segment);
  }
};

TEST(Archive, BesideItsSegmentAWholeArchiveIsKept) {
  both_present both;
  both.make();
  const auto opened = open_journal(both.disk);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->recovered, both.maker.history());
  EXPECT_FALSE(both.disk.has(first_segment));
  EXPECT_TRUE(both.disk.has(first_archive));
}

TEST(Archive, BesideItsSegmentADamagedArchiveIsDropped) {
  both_present both;
  both.make();
  const auto bytes = both.disk.get(first_archive).size();
  for (std::uint64_t byte = 0; byte < bytes; byte += 97) {
    const auto left = both.disk.after_kill();
    left->flip(first_archive, byte * 8);
    const auto opened = open_journal(*left);
    ASSERT_OK(opened);
    EXPECT_EQ(opened->recovered, both.maker.history());
    EXPECT_TRUE(left->has(first_segment));
    EXPECT_FALSE(left->has(first_archive));
  }
}

TEST(Archive, ADamagedSegmentIsNotArchived) {
  memory_disk disk;
  cycle_maker maker(6);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 70);
  disk.flip(first_segment, std::uint64_t{8} * 3000);
  EXPECT_FAULT(opened->log->release(opened->log->durable()), fault::corrupt);
  EXPECT_TRUE(disk.has(first_segment));
  EXPECT_FALSE(disk.has(first_archive));
}

TEST(Archive, AFullDiskEndsArchivingAndAppendingGoesOn) {
  memory_disk disk;
  cycle_maker maker(7);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 70);
  disk.limit(0);
  EXPECT_FAULT(opened->log->release(opened->log->durable()), fault::no_space);
  disk.limit(std::nullopt);
  append_cycles(*opened->log, maker, 5);
  ASSERT_OK(opened->log->release(opened->log->durable()));
  EXPECT_EQ(read_all(*opened->log), maker.history());
}

}  // namespace
}  // namespace gelombang::storage::testing
