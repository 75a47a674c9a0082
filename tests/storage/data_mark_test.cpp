#include "storage/data_mark.hpp"

#include <gtest/gtest.h>

#include "storage/newest_segment.hpp"
#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {
namespace {

const layout where{"/data"};

void begin(memory_disk& disk) {
  disk.put("/data/state/CURRENT", "MANIFEST-000001\n");
  ASSERT_OK(mark_begun(disk, where));
}

TEST(DataMark, ADirectoryWithNothingInItMayBegin) {
  memory_disk disk;
  EXPECT_TRUE(check_state_is_there(disk, where));
}

TEST(DataMark, ADirectoryOfBeforeTheMarkIsTakenAsItIs) {
  memory_disk disk;
  disk.put("/data/state/CURRENT", "MANIFEST-000001\n");
  disk.put("/data/journal/000000000001.gwj", "");
  EXPECT_TRUE(check_state_is_there(disk, where));
}

TEST(DataMark, AStateThatIsGoneIsMissed) {
  memory_disk disk;
  begin(disk);
  EXPECT_TRUE(check_state_is_there(disk, where));
  disk.erase("/data/state/CURRENT");
  EXPECT_FAULT(check_state_is_there(disk, where), fault::missing);
}

TEST(DataMark, AJournalWithoutAStateTellsThatOneIsGone) {
  for (const auto* name : {"/data/journal/000000000001.gwj", "/data/journal/000000000001.gwa"}) {
    memory_disk disk;
    disk.put(name, "");
    EXPECT_FAULT(check_state_is_there(disk, where), fault::missing);
  }
}

TEST(DataMark, AnotherFormatOrNoMarkAtAllIsNotGuessedAt) {
  memory_disk disk;
  begin(disk);
  disk.put("/data/FORMAT", "gelombang data 3\n");
  EXPECT_FAULT(check_state_is_there(disk, where), fault::version);
  for (const auto* text : {"", "gelombang data 1", "gelombang data 0\n", "gelombang data one\n",
                           "gelombang data 1 \n", "something else\n"}) {
    disk.put("/data/FORMAT", text);
    EXPECT_FAULT(check_state_is_there(disk, where), fault::corrupt);
    EXPECT_FAULT(mark_begun(disk, where), fault::corrupt);
  }
}

TEST(DataMark, IsWrittenOnceAndSurvivesALossOfPower) {
  memory_disk disk;
  begin(disk);
  const auto changes = disk.changes();
  ASSERT_OK(mark_begun(disk, where));
  EXPECT_EQ(disk.changes(), changes);
  const auto left = disk.after_power_loss(1);
  EXPECT_EQ(left->get("/data/FORMAT"), "gelombang data 2\n");
}

TEST(DataMark, SaysThatTheNewestSegmentIsNamedOnceItIs) {
  memory_disk disk;
  disk.put("/data/journal/000000000001.gwj", "");
  begin(disk);
  EXPECT_EQ(disk.get("/data/FORMAT"), "gelombang data 1\n") << "of before segments were named";
  EXPECT_EQ(naming_in(disk, where), naming::may_be_absent);
  ASSERT_OK(write_newest(disk, "/data/journal", {.number = 1, .salt = 2}));
  ASSERT_OK(mark_begun(disk, where));
  EXPECT_EQ(disk.get("/data/FORMAT"), "gelombang data 2\n");
  EXPECT_EQ(naming_in(disk, where), naming::must_be_there);
  disk.erase("/data/journal/NEWEST");
  ASSERT_OK(mark_begun(disk, where));
  EXPECT_EQ(naming_in(disk, where), naming::must_be_there) << "it does not go back";
}

TEST(DataMark, WithoutAMarkNothingNeedBeNamed) {
  memory_disk disk;
  EXPECT_EQ(naming_in(disk, where), naming::may_be_absent);
}

}  // namespace
}  // namespace gelombang::storage::testing
