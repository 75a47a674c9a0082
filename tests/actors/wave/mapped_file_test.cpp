#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "actors/wave/draw/draw.hpp"
#include "actors/wave/draw/files.hpp"
#include "tests/actors/wave/draw_reference.hpp"

namespace gelombang::draw {
namespace {

namespace fs = std::filesystem;
using namespace gelombang::draw::testing;

constexpr std::size_t page = 4096;

class MappedFile : public ::testing::Test {
protected:
  mapped_file open_with(std::size_t size) const {
    write_file(path_, std::string(size, 'x'));
    return mapped_file::open(path_).value();
  }

  const temporary_directory where_;
  const fs::path path_ = where_.path() / "file";
};

TEST_F(MappedFile, ThatIsCutReadsAsZerosAndSaysThatItIsNotWhole) {
  const auto file = open_with(64 * page);
  EXPECT_TRUE(file.is_whole());
  fs::resize_file(path_, page);
  EXPECT_EQ(file.bytes()[0], 'x');
  EXPECT_EQ(file.bytes()[5 * page + 7], '\0');
  EXPECT_EQ(file.bytes()[64 * page - 1], '\0');
  EXPECT_EQ(file.bytes()[2 * page], '\0') << "before what was read first";
  EXPECT_FALSE(file.is_whole());
  write_file(path_, std::string(64 * page, 'x'));
  EXPECT_FALSE(file.is_whole()) << "what was read stays read";
}

TEST_F(MappedFile, ThatIsCutWithinAPageOrWrittenOverIsNotWholeEither) {
  for (const auto& other : {std::string(page + 10, 'x'), std::string(page + 20, 'y')}) {
    (void)open_with(page + 20);
    // As another moment than that of the writing above, which is within the clock's grain.
    fs::last_write_time(path_, fs::last_write_time(path_) - std::chrono::seconds{5});
    const auto opened = mapped_file::open(path_).value();
    EXPECT_TRUE(opened.is_whole());
    std::ofstream{path_, std::ios::binary | std::ios::trunc} << other;  // as cp does
    EXPECT_FALSE(opened.is_whole());
  }
}

TEST_F(MappedFile, ThatIsWrittenOverAndGivenItsTimeBackIsNotWhole) {
  (void)open_with(page);
  fs::last_write_time(path_, fs::last_write_time(path_) - std::chrono::seconds{5});
  const auto opened = mapped_file::open(path_).value();
  const auto before = fs::last_write_time(path_);
  // Until the file system's clock has moved on, which is what tells the two apart.
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
       opened.is_whole() && std::chrono::steady_clock::now() < end;) {
    std::fstream{path_, std::ios::in | std::ios::out | std::ios::binary} << 'y';
    fs::last_write_time(path_, before);
  }
  EXPECT_FALSE(opened.is_whole());
}

TEST_F(MappedFile, ThatIsReplacedOrRemovedIsStillWhole) {
  const auto file = open_with(3 * page);
  file_replacement other{path_};
  other.append("another");
  ASSERT_TRUE(other.finish());
  EXPECT_TRUE(file.is_whole());
  EXPECT_EQ(file.bytes()[3 * page - 1], 'x');
  fs::remove(path_);
  EXPECT_TRUE(file.is_whole());
}

TEST_F(MappedFile, IsAFileAndNothingThatOneWaitsFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const auto opened = mapped_file::open(path_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, errc::storage_unavailable);
}

TEST_F(MappedFile, ThatIsCutHarmsNoOther) {
  const auto other = mapped_file::open("/proc/self/exe").value();
  auto cut = open_with(8 * page);
  fs::resize_file(path_, 0);
  EXPECT_EQ(cut.bytes()[page], '\0');
  EXPECT_FALSE(cut.is_whole());
  EXPECT_TRUE(other.is_whole());
  cut = open_with(8 * page);
  EXPECT_TRUE(cut.is_whole()) << "in the place of one that was not";
  EXPECT_EQ(cut.bytes()[8 * page - 1], 'x');
}

TEST_F(MappedFile, MayBeReadByManyWhileItIsCut) {
  const auto file = open_with(256 * page);
  fs::resize_file(path_, 0);
  std::vector<std::thread> readers;
  readers.reserve(4);
  std::atomic<int> others = 0;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      for (const auto one : file.bytes())
        if (one != '\0') ++others;
      if (file.is_whole()) ++others;
    });
  for (auto& one : readers) one.join();
  EXPECT_EQ(others, 0);
}

TEST_F(MappedFile, IsRefusedWhenTooManyAre) {
  write_file(path_, "x");
  std::vector<mapped_file> all;
  while (all.size() < 2 * mapped_regions_max) {
    auto one = mapped_file::open(path_);
    if (!one) {
      EXPECT_EQ(one.error().code, errc::storage_unavailable);
      break;
    }
    all.push_back(std::move(*one));
  }
  EXPECT_LE(all.size(), mapped_regions_max);
  EXPECT_GT(all.size(), mapped_regions_max / 2);
  all.pop_back();
  EXPECT_TRUE(mapped_file::open(path_));
}

/// A mapping that nobody has told the handler of.
void read_behind_the_end_of(const fs::path& path) {
  const auto registered = mapped_file::open(path).value();
  const int file = ::open(path.c_str(), O_RDONLY);
  const auto* bytes =
      static_cast<volatile char*>(::mmap(nullptr, 2 * page, PROT_READ, MAP_SHARED, file, 0));
  (void)bytes[page];
}

TEST_F(MappedFile, LeavesAnyOtherBusErrorItsEffect) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  write_file(path_, "x");
  EXPECT_EXIT(read_behind_the_end_of(path_), ::testing::KilledBySignal(SIGBUS), "");
  EXPECT_EXIT(
      {
        const auto registered = mapped_file::open(path_).value();
        ::raise(SIGBUS);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST(DrawFiles, ThatAreCutWhileTheyAreOpenAreNamed) {
  auto sample = make_sample(35, 3000);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  ASSERT_TRUE(run(directory.path(), sample.beacon, sample.secret, 1));
  for (const auto* name : {"roster.bin", "tree.bin", "verdicts.bin"}) {
    const auto good = read_file(directory / name);
    const auto files = draw_files::open(directory.path()).value();
    EXPECT_EQ(files.changed(), "");
    for (const auto size : {good.size() - 1, std::size_t{0}}) {
      fs::resize_file(directory / name, size);
      (void)files.rows(0, 3000);
      (void)files.proof(2999);
      EXPECT_EQ(files.changed(), name);
      const auto checked = files.check(2);
      ASSERT_FALSE(checked);
      EXPECT_NE(checked.error().detail.find(std::string{name} + ": was cut"), std::string::npos)
          << checked.error().detail;
    }
    write_file(directory / name, good);
    EXPECT_EQ(draw_files::open(directory.path())->changed(), "") << "opened anew";
  }
}

}  // namespace
}  // namespace gelombang::draw
