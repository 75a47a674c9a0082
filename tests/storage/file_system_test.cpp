#include "storage/file_system.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/storage/journal_support.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::storage::testing {
namespace {

class PosixFileSystem : public ::testing::Test {
protected:
  temporary_directory where_;
  std::filesystem::path path_ = where_.path() / "file";
  file_system& files_ = posix_file_system();
};

TEST_F(PosixFileSystem, WritesAtOffsetsAndReadsUpToTheEnd) {
  auto file = files_.create(path_);
  ASSERT_OK(file);
  ASSERT_OK((*file)->write_at(4, "behind"));
  ASSERT_OK((*file)->write_at(0, "fore"));
  ASSERT_OK((*file)->sync());
  EXPECT_EQ(files_.read(path_, 0, 100).value(), "forebehind");
  EXPECT_EQ(files_.read(path_, 4, 3).value(), "beh");
  EXPECT_EQ(files_.read(path_, 10, 3).value(), "");
  EXPECT_EQ(files_.read(path_, 99, 3).value(), "");
  ASSERT_OK((*file)->truncate(4));
  EXPECT_EQ(files_.size(path_).value(), 4u);
  EXPECT_EQ(files_.create(path_) ? files_.size(path_).value() : 99, 0u);
}

TEST_F(PosixFileSystem, ReserveAddsZerosBehindWhatIsThere) {
  auto file = files_.create(path_);
  ASSERT_OK(file);
  ASSERT_OK((*file)->write_at(0, "abc"));
  ASSERT_OK((*file)->reserve(3'000'000));
  const auto bytes = files_.read(path_, 0, 4'000'000);
  ASSERT_OK(bytes);
  EXPECT_TRUE(*bytes == "abc" + std::string(3'000'000 - 3, '\0'));
  ASSERT_OK((*file)->reserve(10));
  EXPECT_EQ(files_.size(path_).value(), 3'000'000u);
}

TEST_F(PosixFileSystem, SaysWhatIsMissing) {
  EXPECT_FAULT(files_.read(path_, 0, 1), fault::missing);
  EXPECT_FAULT(files_.size(path_), fault::missing);
  EXPECT_FAULT(files_.open(path_), fault::missing);
  EXPECT_FAULT(files_.remove(path_), fault::missing);
  EXPECT_FAULT(files_.rename(path_, where_.path() / "other"), fault::missing);
  EXPECT_FAULT(files_.list(path_), fault::missing);
  EXPECT_FAULT(files_.create(path_ / "below"), fault::missing);
}

TEST_F(PosixFileSystem, ReadsNothingButFilesAndWaitsForNobody) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_FAULT(files_.read(path_, 0, 1), fault::io);
  EXPECT_FAULT(files_.read("/dev/zero", 0, 1), fault::io);
  EXPECT_FAULT(files_.read(where_.path(), 0, 1), fault::io);
}

TEST_F(PosixFileSystem, AFullDeviceIsNoSpace) {
  auto full = files_.open("/dev/full");
  ASSERT_OK(full);
  EXPECT_FAULT((*full)->write_at(0, "x"), fault::no_space);
}

TEST_F(PosixFileSystem, ListsRegularFilesSorted) {
  ASSERT_OK(files_.make_directories(where_.path() / "a" / "b"));
  ASSERT_OK(files_.make_directories(where_.path() / "a" / "b"));
  for (const auto* name : {"z", "b", "m"}) ASSERT_OK(files_.create(where_.path() / name));
  ASSERT_OK(files_.rename(where_.path() / "z", where_.path() / "c"));
  ASSERT_OK(files_.link(where_.path() / "c", where_.path() / "d"));
  EXPECT_FAULT(files_.link(where_.path() / "c", where_.path() / "d"), fault::io);
  ASSERT_OK(files_.remove(where_.path() / "m"));
  ASSERT_OK(files_.sync_directory(where_.path()));
  EXPECT_EQ(files_.list(where_.path()).value(), (std::vector<std::string>{"b", "c", "d"}));
}

}  // namespace
}  // namespace gelombang::storage::testing
