#include "storage/journal.hpp"

#include <gtest/gtest.h>

#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {
namespace {

TEST(Journal, AnEmptyOneOpensAndStaysEmpty) {
  memory_disk disk;
  for (int i = 0; i < 3; ++i) {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    EXPECT_TRUE(opened->log->durable().empty());
    EXPECT_EQ(opened->log->recovered().frames, 0u);
  }
  EXPECT_TRUE(disk.paths().empty()) << "a journal without frames leaves no file behind";
}

TEST(Journal, GivesBackWhatWasAppendedInOrderAcrossManySegments) {
  memory_disk disk;
  cycle_maker maker(1);
  for (int round = 0; round < 5; ++round) {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    EXPECT_EQ(opened->recovered, maker.history());
    EXPECT_EQ(opened->log->recovered().torn_bytes, 0u) << "after a clean stop";
    EXPECT_EQ(opened->log->recovered().torn_at, "");
    append_cycles(*opened->log, maker, 60);
  }
  EXPECT_GT(disk.paths().size(), 10u);
  const auto audit = verify_journal(disk, "/journal");
  ASSERT_OK(audit);
  EXPECT_EQ(audit->ends, open_journal(disk)->log->durable());
}

TEST(Journal, RecoversOnlyWhatStandsBehindTheCheckpoint) {
  memory_disk disk;
  cycle_maker maker(2);
  positions checkpoint;
  kept_history behind;
  {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 90);
    checkpoint = opened->log->durable();
    behind = maker.history();
    append_cycles(*opened->log, maker, 25);
  }
  const auto opened = open_journal(disk, small_journal(), checkpoint);
  ASSERT_OK(opened);
  for (const auto& [shard, frames] : maker.history()) {
    const auto tail = std::vector<kept_frame>(
        frames.begin() + static_cast<std::ptrdiff_t>(behind[shard].size()), frames.end());
    const auto found = opened->recovered.find(shard);
    EXPECT_EQ(found == opened->recovered.end() ? std::vector<kept_frame>{} : found->second, tail);
  }
}

TEST(Journal, ACheckpointThatHasSeenAnotherHistoryStopsTheStart) {
  memory_disk disk;
  cycle_maker maker(3);
  positions checkpoint;
  {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 40);
    checkpoint = opened->log->durable();
    append_cycles(*opened->log, maker, 40);
  }
  for (const auto& [shard, at] : checkpoint) {
    auto other = checkpoint;
    other[shard].chain[0] ^= 1;
    EXPECT_FAULT(open_journal(disk, small_journal(), other), fault::corrupt);
    other = checkpoint;
    other[shard].last += 1'000'000;
    EXPECT_FAULT(open_journal(disk, small_journal(), other), fault::missing);
  }
  memory_disk empty;
  EXPECT_FAULT(open_journal(empty, small_journal(), checkpoint), fault::missing);
}

TEST(Journal, RefusesFramesThatDoNotFollowAndGoesOn) {
  memory_disk disk;
  auto options = small_journal();
  options.frame_bytes_max = 1000;
  options.cycle_bytes_max = 2000;
  auto opened = open_journal(disk, options);
  ASSERT_OK(opened);
  auto& log = *opened->log;
  frame good;
  good.shard = 5;
  good.epoch = 3;
  good.first = 1;
  good.count = 2;
  good.records = "two";
  ASSERT_OK(log.append(std::span(&good, 1)));

  const auto refused = [&](auto change) {
    auto bad = good;
    bad.first = 3;
    change(bad);
    EXPECT_FAULT(log.append(std::span(&bad, 1)), fault::corrupt);
  };
  const std::string long_records(1001, 'x');
  refused([](frame& bad) { bad.first = 4; });
  refused([](frame& bad) { bad.first = 2; });
  refused([](frame& bad) { bad.epoch = 2; });
  refused([](frame& bad) { bad.count = 0; });
  refused([&](frame& bad) { bad.records = long_records; });
  auto next = good;
  next.first = 3;
  const std::vector<frame> twice{next, next};
  EXPECT_FAULT(log.append(twice), fault::corrupt);
  std::vector<frame> many;
  const auto half = std::string_view(long_records).substr(0, 999);
  for (shard_index shard = 10; shard < 12; ++shard) {
    many.push_back(good);
    many.back().shard = shard;
    many.back().records = half;
  }
  EXPECT_FAULT(log.append(many), fault::corrupt);

  ASSERT_OK(log.append(std::span(&next, 1)));
  EXPECT_EQ(log.durable().at(5).last, 4u);
}

TEST(Journal, ReadsFromAnyPosition) {
  memory_disk disk;
  cycle_maker maker(4);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 150);
  for (const auto& [shard, frames] : maker.history()) {
    const auto end = frames.back().first + frames.back().count;
    for (lsn from = 0; from <= end; ++from) {
      frame_collector collector;
      ASSERT_OK(opened->log->read(shard, from, collector.visitor()));
      const auto first = std::find_if(frames.begin(), frames.end(), [&](const kept_frame& each) {
        return each.first + each.count - 1 >= from;
      });
      const std::vector<kept_frame> expected(first, frames.end());
      const auto found = collector.history().find(shard);
      ASSERT_EQ(found == collector.history().end() ? std::vector<kept_frame>{} : found->second,
                expected)
          << "shard " << shard << " from " << from;
    }
  }
  frame_collector nothing;
  ASSERT_OK(opened->log->read(60000, 1, nothing.visitor()));
  EXPECT_EQ(nothing.count(), 0u);
}

TEST(Journal, AReadersRefusalEndsTheReading) {
  memory_disk disk;
  cycle_maker maker(5);
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  append_cycles(*opened->log, maker, 50);
  int visited = 0;
  const auto answer = opened->log->read(0, 1, [&](const stored_frame&) -> result<void> {
    if (++visited == 3) return failed(fault::missing, "enough");
    return {};
  });
  EXPECT_FAULT(answer, fault::missing);
  EXPECT_EQ(visited, 3);
}

TEST(Journal, ACycleLargerThanASegmentHasOneOfItsOwn) {
  memory_disk disk;
  const std::string records(100'000, 'r');
  frame large;
  large.first = 1;
  large.count = 1;
  large.records = records;
  {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    ASSERT_OK(opened->log->append(std::span(&large, 1)));
    large.first = 2;
    ASSERT_OK(opened->log->append(std::span(&large, 1)));
  }
  const auto opened = open_journal(disk);
  ASSERT_OK(opened);
  ASSERT_EQ(opened->recovered.at(0).size(), 2u);
  EXPECT_EQ(opened->recovered.at(0)[1].records, records);
}

TEST(Journal, IndexMarksLeadReadersIntoALargeSegment) {
  memory_disk disk;
  auto options = small_journal();
  options.segment_bytes_max = 16u << 20;
  cycle_maker maker(6, 40'000);
  {
    auto opened = open_journal(disk, options);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 120);
  }
  const auto opened = open_journal(disk, options);
  ASSERT_OK(opened);
  for (const auto& [shard, frames] : maker.history()) {
    for (const auto& each : frames) {
      std::optional<kept_frame> found;
      const auto stop = opened->log->read(shard, each.first, [&](const stored_frame& f) {
        found = keep(f);
        return result<void>(failed(fault::io, "one is enough"));
      });
      ASSERT_FALSE(stop);
      ASSERT_EQ(found, each);
    }
  }
}

}  // namespace
}  // namespace gelombang::storage::testing
