#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "storage/newest_segment.hpp"
#include "tests/storage/format_support.hpp"
#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {
namespace {

/// A journal of an archive, closed segments and, killed in the middle, an open one.
struct worn_journal {
  memory_disk disk;
  cycle_maker maker{11, 300};
  std::unique_ptr<memory_disk> killed;

  void make() {
    auto options = small_journal();
    options.segment_bytes_max = 6 << 10;
    options.reserve_bytes_first = 6 << 10;
    auto opened = open_journal(disk, options);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 9);
    ASSERT_OK(opened->log->release(opened->log->durable()));
    append_cycles(*opened->log, maker, 14);
    killed = disk.after_kill();
  }
};

std::unique_ptr<memory_disk> copy_of(const memory_disk& disk) {
  return disk.after_kill();
}

/// Oldest first.
std::vector<std::string> segments_of(const memory_disk& disk) {
  auto paths = disk.paths();
  std::erase_if(paths, [](const std::string& path) { return path.ends_with("/NEWEST"); });
  return paths;
}

TEST(JournalDamage, NoFlippedBitGoesUnseen) {
  worn_journal worn;
  worn.make();
  std::mt19937_64 random(1);
  std::size_t archives = 0;
  std::size_t harmless = 0;
  for (const auto& path : worn.killed->paths()) {
    archives += path.ends_with(".gwa") ? 1 : 0;
    const auto bytes = worn.killed->get(path);
    const auto used = bytes.find_last_not_of('\0') + 1;
    for (std::size_t byte = 0; byte < bytes.size() && !HasFatalFailure(); ++byte) {
      const auto left = copy_of(*worn.killed);
      left->flip(path, byte * 8 + random() % 8);
      const auto audit = verify_journal(*left, "/journal");
      const auto opened = open_journal(*left);
      if (byte < used) {
        ASSERT_FALSE(opened) << path << ":" << byte;
        ASSERT_FALSE(audit) << path << ":" << byte;
        ASSERT_EQ(opened.error().kind, fault::corrupt) << opened.error().detail;
        ASSERT_NE(opened.error().detail.find(path + ":"), std::string::npos)
            << opened.error().detail << " must name " << path;
        continue;
      }
      // Behind the last cycle of a crashed segment stands its reserve, which holds nothing yet.
      if (!opened) {
        ASSERT_EQ(opened.error().kind, fault::corrupt);
        continue;
      }
      ASSERT_EQ(opened->recovered, worn.maker.history());
      ++harmless;
    }
  }
  EXPECT_GE(archives, 1u);
  EXPECT_GT(harmless, 0u);
}

TEST(JournalDamage, NoZeroedOrOverwrittenSectorOfAClosedFileGoesUnseen) {
  worn_journal worn;
  worn.make();
  const auto last = segments_of(*worn.killed).back();
  for (const auto& path : worn.killed->paths()) {
    if (path == last) continue;
    const auto bytes = worn.killed->get(path);
    for (std::size_t at = 0; at < bytes.size(); at += 512) {
      for (const char filler : {'\0', '\x5a'}) {
        auto changed = bytes;
        const auto count = std::min<std::size_t>(512, bytes.size() - at);
        changed.replace(at, count, count, filler);
        if (changed == bytes) continue;
        const auto left = copy_of(*worn.killed);
        left->put(path, changed);
        EXPECT_FAULT(open_journal(*left), fault::corrupt);
        EXPECT_FAULT(verify_journal(*left, "/journal"), fault::corrupt);
      }
    }
  }
}

TEST(JournalDamage, AFileCutShortIsFoundUnlessItIsTheLast) {
  worn_journal worn;
  worn.make();
  const auto last = segments_of(*worn.killed).back();
  for (const auto& path : worn.killed->paths()) {
    if (path == last) continue;
    const auto bytes = worn.killed->get(path);
    for (std::size_t size = 0; size < bytes.size(); size += 61) {
      const auto left = copy_of(*worn.killed);
      left->put(path, bytes.substr(0, size));
      EXPECT_FAULT(open_journal(*left), fault::corrupt);
      EXPECT_FAULT(verify_journal(*left, "/journal"), fault::corrupt);
    }
  }
}

TEST(JournalDamage, AMissingFileInTheMiddleIsMissed) {
  worn_journal worn;
  worn.make();
  const auto paths = segments_of(*worn.killed);
  ASSERT_GE(paths.size(), 4u);
  for (std::size_t i = 1; i + 1 < paths.size(); ++i) {
    const auto left = copy_of(*worn.killed);
    left->erase(paths[i]);
    EXPECT_FAULT(open_journal(*left), fault::missing);
    EXPECT_FAULT(verify_journal(*left, "/journal"), fault::missing);
  }
}

TEST(JournalDamage, FilesMissingAtTheEndAreMissed) {
  worn_journal worn;
  worn.make();
  const auto left = copy_of(*worn.killed);
  auto paths = segments_of(*left);
  for (; !paths.empty(); paths.pop_back()) {
    left->erase(paths.back());
    EXPECT_FAULT(open_journal(*left), fault::missing);
    EXPECT_FAULT(verify_journal(*left, "/journal"), fault::missing);
  }
}

TEST(JournalDamage, ASegmentThatIsNotTheOneNamedIsFound) {
  worn_journal worn;
  worn.make();
  const auto newest = read_newest(*worn.killed, "/journal");
  ASSERT_OK(newest);
  ASSERT_TRUE(newest->has_value());
  ASSERT_OK(write_newest(*worn.killed, "/journal",
                         {.number = (*newest)->number, .salt = (*newest)->salt + 1}));
  EXPECT_FAULT(open_journal(*worn.killed), fault::corrupt);
  EXPECT_FAULT(verify_journal(*worn.killed, "/journal"), fault::corrupt);
}

TEST(JournalDamage, ASegmentThatIsNamedAndHoldsNothingIsNoTornWrite) {
  memory_disk disk;
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  cycle_maker maker(23);
  append_cycles(*opened->log, maker, 1);
  const auto left = copy_of(disk);
  const auto path = segments_of(*left).back();
  const auto whole = left->get(path);
  auto zeroed = whole;
  std::fill(zeroed.begin() + sector_bytes, zeroed.end(), '\0');
  auto torn = whole;
  torn[sector_bytes + 8] = static_cast<char>(torn[sector_bytes + 8] ^ 1);
  for (const auto& bytes : {zeroed, torn, whole.substr(0, sector_bytes)}) {
    left->put(path, bytes);
    EXPECT_FAULT(open_journal(*left), fault::corrupt);
    EXPECT_FAULT(verify_journal(*left, "/journal"), fault::corrupt);
    EXPECT_EQ(left->get(path), bytes) << "left as it is, for whoever is to look into it";
  }
  left->put(path, whole);
  ASSERT_OK(open_journal(*left));
}

TEST(JournalDamage, TheFirstSegmentNeedsNoNameUntilItHoldsSomething) {
  memory_disk disk;
  { ASSERT_OK(open_journal(disk)); }
  EXPECT_FALSE(read_newest(disk, "/journal").value().has_value());
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  cycle_maker maker(5);
  append_cycles(*opened->log, maker, 1);
  EXPECT_EQ(read_newest(disk, "/journal").value().value().number, 1u);
}

TEST(JournalDamage, AJournalOfBeforeTheNewestWasNamedIsReadAndNamedFromThenOn) {
  worn_journal worn;
  worn.make();
  worn.killed->erase("/journal/NEWEST");
  auto opened = open_journal(*worn.killed);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->recovered, worn.maker.history());
  append_cycles(*opened->log, worn.maker, 1);
  EXPECT_TRUE(read_newest(*worn.killed, "/journal").value().has_value());
}

TEST(JournalDamage, ANameThatIsGoneIsMissedAlsoWithTheSegmentsThatItWouldMiss) {
  worn_journal worn;
  worn.make();
  {
    const auto whole = copy_of(*worn.killed);
    ASSERT_OK(open_journal(*whole, named_journal()));
  }
  worn.killed->erase("/journal/NEWEST");
  for (auto paths = segments_of(*worn.killed); paths.size() > 1; paths.pop_back()) {
    const auto left = copy_of(*worn.killed);
    const auto opened = open_journal(*left, named_journal());
    EXPECT_FAULT(opened, fault::missing);
    EXPECT_NE(opened.error().detail.find("/journal/NEWEST"), std::string::npos);
    EXPECT_FAULT(verify_journal(*left, "/journal", {}, naming::must_be_there), fault::missing);
    EXPECT_FALSE(left->has("/journal/NEWEST")) << "left as it is";
    worn.killed->erase(paths.back());
  }
}

TEST(JournalDamage, DataOfBeforeSegmentsWereNamedIsOpenedWithAWarning) {
  worn_journal worn;
  worn.make();
  {
    const auto whole = copy_of(*worn.killed);
    EXPECT_FALSE(open_journal(*whole)->log->recovered().newest_was_absent);
    EXPECT_FALSE(verify_journal(*whole, "/journal")->newest_is_absent);
  }
  worn.killed->erase("/journal/NEWEST");
  EXPECT_TRUE(verify_journal(*worn.killed, "/journal")->newest_is_absent);
  EXPECT_TRUE(open_journal(*worn.killed)->log->recovered().newest_was_absent);
  EXPECT_TRUE(open_journal(*worn.killed, named_journal())) << "the start has named it";
}

TEST(JournalDamage, OnlyTheFirstCycleOfAllMayLackAName) {
  memory_disk disk;
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  cycle_maker maker(29);
  for (const bool may_lack : {true, false}) {
    append_cycles(*opened->log, maker, 1);
    const auto left = copy_of(disk);
    left->erase("/journal/NEWEST");
    const auto again = open_journal(*left, named_journal());
    ASSERT_EQ(again.has_value(), may_lack);
    if (!may_lack) continue;
    EXPECT_FALSE(again->log->recovered().newest_was_absent) << "a crash explains it";
    EXPECT_EQ(read_newest(*left, "/journal").value().value().number, 1u);
  }
}

TEST(JournalDamage, ACopyNamesItsOwnNewestSegment) {
  worn_journal worn;
  worn.make();
  auto opened = open_journal(*worn.killed);
  ASSERT_OK(opened);
  for (const int cycles : {0, 3}) {
    const auto to = "/copy" + std::to_string(cycles);
    append_cycles(*opened->log, worn.maker, cycles);
    ASSERT_OK(opened->log->copy_to(to, {}));
    EXPECT_TRUE(verify_journal(*worn.killed, to).has_value());
    auto last = segments_of(*worn.killed);
    std::erase_if(last, [&](const std::string& path) { return !path.starts_with(to + "/"); });
    worn.killed->erase(last.back());
    EXPECT_FAULT(verify_journal(*worn.killed, to), fault::missing);
  }
}

TEST(JournalDamage, HistoryOlderThanTheCheckpointMayBeMovedAwayButNothingElse) {
  worn_journal worn;
  worn.make();
  const auto paths = segments_of(*worn.killed);
  positions whole;
  {
    const auto left = copy_of(*worn.killed);
    whole = open_journal(*left)->log->durable();
  }
  const auto left = copy_of(*worn.killed);
  left->erase(paths.front());
  EXPECT_FAULT(open_journal(*left), fault::missing);
  const auto opened = open_journal(*left, small_journal(), whole);
  ASSERT_OK(opened);
  EXPECT_TRUE(opened->recovered.empty());
  EXPECT_EQ(opened->log->durable(), whole);
}

TEST(JournalDamage, FilesThatHaveChangedPlacesAreFound) {
  worn_journal worn;
  worn.make();
  std::vector<std::string> segments;
  for (const auto& path : worn.killed->paths()) {
    if (path.ends_with(".gwj")) segments.push_back(path);
  }
  ASSERT_GE(segments.size(), 3u);
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    const auto left = copy_of(*worn.killed);
    left->put(segments[i], worn.killed->get(segments[i + 1]));
    left->put(segments[i + 1], worn.killed->get(segments[i]));
    EXPECT_FAULT(open_journal(*left), fault::corrupt);
  }
}

TEST(JournalDamage, AFileOfANewerFormatIsLeftAlone) {
  worn_journal worn;
  worn.make();
  for (const auto& path : worn.killed->paths()) {
    const auto left = copy_of(*worn.killed);
    left->put(path, newer_version_of(worn.killed->get(path)));
    EXPECT_FAULT(open_journal(*left), fault::version);
  }
}

TEST(JournalDamage, NothingFollowsAnIndexThatWasNotCutBehind) {
  memory_disk disk;
  cycle_maker maker(17);
  {
    auto opened = open_journal(disk);
    ASSERT_OK(opened);
    append_cycles(*opened->log, maker, 3);
  }
  const auto path = segments_of(disk).front();
  const auto closed = disk.get(path);
  auto interrupted = closed;
  interrupted.resize(next_sector(closed.size()) + 4096);
  disk.put(path, interrupted);
  const auto left = copy_of(disk);
  { ASSERT_OK(open_journal(*left)); }
  // Blocks 1 to 3 are cycles, 4 is the index: neither another 4 nor a 5 belongs behind it.
  for (const std::uint64_t sequence : {4u, 5u}) {
    auto block = closed.substr(sector_bytes, next_sector(number_at(closed, sector_bytes + 24)));
    std::memcpy(block.data() + 16, &sequence, sizeof(sequence));
    repair_block(block);
    auto bytes = interrupted;
    bytes.replace(next_sector(closed.size()), block.size(), block);
    disk.put(path, bytes);
    EXPECT_FAULT(open_journal(disk), fault::corrupt);
    EXPECT_FAULT(verify_journal(disk, "/journal"), fault::corrupt);
  }
}

TEST(JournalDamage, BytesThatLookLikeABlockInARecordAreOnlyARecord) {
  memory_disk disk;
  auto opened = open_journal(disk);
  ASSERT_OK(opened);
  const std::string path = "/journal/000000000001.gwj";
  frame first;
  first.first = 1;
  first.count = 1;
  const std::string short_record(100, 's');
  first.records = short_record;
  ASSERT_OK(opened->log->append(std::span(&first, 1)));
  // A whole earlier block, as somebody could have it stored who knows the format but not the salt.
  auto forged = disk.get(path).substr(512, 512);
  forged[8] = static_cast<char>(forged[8] ^ 1);
  repair_block(forged);
  std::string records(512 - 44 - 72, 'r');
  for (int i = 0; i < 4; ++i) records += forged;
  frame second = first;
  second.first = 2;
  second.records = records;
  const auto start = disk.get(path).find_last_not_of('\0') / 512 * 512 + 512;
  ASSERT_OK(opened->log->append(std::span(&second, 1)));
  auto bytes = disk.get(path);
  bytes.replace(start, 512, 512, '\0');  // torn: its first sector never arrived
  memory_disk left;
  left.put(path, bytes);
  const auto recovered = open_journal(left);
  ASSERT_OK(recovered);
  EXPECT_EQ(recovered->recovered.at(0).size(), 1u);
  EXPECT_GT(recovered->log->recovered().torn_bytes, 0u);
}

}  // namespace
}  // namespace gelombang::storage::testing
