#include <gtest/gtest.h>

#include <fstream>

#include "storage/archive.hpp"
#include "storage/checksum.hpp"
#include "tests/storage/golden_journal.hpp"

namespace gelombang::storage::testing {
namespace {

std::string golden(const std::string& name) {
  std::ifstream file(std::string(GELOMBANG_SOURCE_DIR) + "/tests/storage/golden/" + name,
                     std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Golden, SegmentsOfVersion1AreReadForEver) {
  memory_disk disk;
  for (const auto* name : {"000000000001.gwj", "000000000002.gwj"}) {
    disk.put(std::string("/journal/") + name, golden(name));
  }
  const auto opened = open_journal(disk);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->recovered, golden_history());
}

TEST(Golden, ArchivesOfVersion1AreReadForEver) {
  memory_disk disk;
  disk.put("/journal/000000000001.gwa", golden("000000000001.gwa"));
  disk.put("/journal/000000000002.gwj", golden("000000000002.gwj"));
  const auto opened = open_journal(disk);
  ASSERT_OK(opened);
  EXPECT_EQ(opened->recovered, golden_history());
  EXPECT_TRUE(verify_journal(disk, "/journal").has_value());
}

TEST(Golden, TheSameHistoryIsStillWrittenAsTheSameBytes) {
  memory_disk disk;
  make_golden(disk);
  for (const auto* name : {"000000000001.gwj", "000000000002.gwj"}) {
    EXPECT_TRUE(disk.get(std::string("/journal/") + name) == golden(name)) << name;
  }
}

TEST(Golden, TheArchiveHoldsTheSegmentToTheByte) {
  memory_disk disk;
  disk.put("/journal/000000000001.gwa", golden("000000000001.gwa"));
  const auto archive = load_archive(disk, "/journal/000000000001.gwa");
  ASSERT_OK(archive);
  std::string raw;
  for (const auto& chunk : archive->chunks) {
    const auto piece = read_chunk(disk, *archive, chunk);
    ASSERT_OK(piece);
    raw += *piece;
  }
  EXPECT_TRUE(raw == golden("000000000001.gwj"));
}

TEST(Golden, ADigestIsTheHashOfTheFrameBehindItsChecksum) {
  const auto bytes = golden("000000000001.gwj");
  // FORMAT.md: the first block begins at 512, its first frame 44 bytes behind that.
  const auto frame = std::string_view(bytes).substr(512 + 44, 72 + 13);
  memory_disk disk;
  make_golden(disk);
  const auto log = open_journal(disk);
  ASSERT_OK(log);
  digest first{};
  const auto stop = log->log->read(0, 1, [&](const stored_frame& each) {
    first = each.self;
    return result<void>(failed(fault::io, "one is enough"));
  });
  ASSERT_FALSE(stop);
  EXPECT_EQ(to_hex(first), to_hex(sha256(frame.substr(4))));
}

}  // namespace
}  // namespace gelombang::storage::testing
