#include "storage/backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <set>
#include <thread>

#include "storage/checksum.hpp"
#include "storage/data_mark.hpp"
#include "storage/read_through.hpp"
#include "tests/storage/busy_disk.hpp"
#include "tests/storage/journal_support.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::storage::testing {
namespace {

using ::testing::HasSubstr;

/// A node's storage on the real file system.
struct node {
  layout where;
  std::unique_ptr<journal> log;
  std::unique_ptr<state_store> state;
  kept_history recovered;

  static result<node> open(const std::filesystem::path& root, const positions& checkpoint = {}) {
    node made{.where = {root}, .log = {}, .state = {}, .recovered = {}};
    state_store_options rows;
    rows.directory = made.where.state();
    rows.block_cache_bytes = 4u << 20;
    auto state = state_store::open(rows);
    if (!state) return tl::unexpected(state.error());
    made.state = std::move(*state);
    journal_options options;
    options.directory = made.where.journal();
    options.segment_bytes_max = 64 << 10;
    options.reserve_bytes_first = 16 << 10;
    frame_collector collector;
    auto log = journal::open(posix_file_system(), options, checkpoint, collector.visitor());
    if (!log) return tl::unexpected(log.error());
    made.log = std::move(*log);
    made.recovered = collector.history();
    return made;
  }
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(DirectoryLock, IsHeldByOneOnly) {
  const temporary_directory where;
  const layout data{where.path() / "data"};
  auto lock = directory_lock::take(data);
  ASSERT_OK(lock);
  EXPECT_FAULT(directory_lock::take(data), fault::in_use);
  {
    const auto moved = std::move(*lock);
    EXPECT_FAULT(directory_lock::take(data), fault::in_use);
  }
  EXPECT_TRUE(directory_lock::take(data).has_value());
}

TEST(Backup, OpensAsTheNodeOfItsMomentWhileWritingGoesOn) {
  const temporary_directory where;
  auto source = node::open(where.path() / "data");
  ASSERT_OK(source);
  write_file(source->where.draws() / "7" / "result.json", "drawn");
  write_file(source->where.key_mark(), "which key");
  cycle_maker maker(1);
  append_cycles(*source->log, maker, 100);
  const auto checkpoint = source->log->durable();
  const std::vector<row_change> rows{{"a", "of the checkpoint"}};
  ASSERT_OK(source->state->ingest(rows));
  ASSERT_OK(source->log->release(checkpoint));
  const auto before = maker.history();

  std::atomic<bool> stop = false;
  std::thread writer([&] {
    while (!stop) {
      append_cycles(*source->log, maker, 1);
      ASSERT_OK(source->log->release(source->log->durable()));
    }
  });
  const layout target{where.path() / "backup"};
  const auto done = backup(*source->state, *source->log, source->where, target);
  stop = true;
  writer.join();
  ASSERT_OK(done);
  EXPECT_FAULT(backup(*source->state, *source->log, source->where, target), fault::in_use);

  const layout restored{where.path() / "restored"};
  ASSERT_OK(restore(posix_file_system(), target, restored));
  EXPECT_EQ(read_file(restored.draws() / "7" / "result.json"), "drawn");
  EXPECT_EQ(read_file(restored.key_mark()), "which key") << "it would open with any";
  ASSERT_OK(verify_journal(posix_file_system(), restored.journal()));
  {
    const auto whole = node::open(restored.root);
    ASSERT_OK(whole);
    for (const auto& [shard, frames] : whole->recovered) {
      const auto& written = maker.history().at(shard);
      ASSERT_LE(frames.size(), written.size());
      EXPECT_TRUE(std::equal(frames.begin(), frames.end(), written.begin()));
      const auto least = before.find(shard);
      if (least == before.end()) continue;
      EXPECT_GE(frames.size(), least->second.size());
    }
    const std::vector<std::string> key{"a"};
    EXPECT_EQ(whole->state->get(key)->front(), "of the checkpoint");
  }
  EXPECT_TRUE(node::open(restored.root, checkpoint).has_value());
}

TEST(IsInside, FollowsLinksAndNeedsNothingToBeThere) {
  const temporary_directory where;
  const auto outer = where.path() / "outer";
  std::filesystem::create_directories(outer / "deep");
  std::filesystem::create_directory_symlink(outer, where.path() / "link");
  for (const auto& inside :
       {outer, outer / "", outer / "not" / "there", where.path() / "link" / "x",
        where.path() / "other" / ".." / "outer"}) {
    EXPECT_EQ(is_inside(inside, outer), true) << inside;
    EXPECT_EQ(is_inside(inside, outer / ""), true) << inside;
  }
  for (const auto& outside : {where.path(), where.path() / "outer.key", outer / ".."})
    EXPECT_EQ(is_inside(outside, outer), false) << outside;
  std::filesystem::create_symlink("loop", where.path() / "loop");
  EXPECT_FAULT(is_inside(where.path() / "loop", outer), fault::unfit);
}

class BackupTarget : public ::testing::Test {
protected:
  /// Says why no copy is made there.
  std::string refusal_of(const std::filesystem::path& target) {
    const auto made = backup(*source_.state, *source_.log, source_.where, {target});
    EXPECT_FALSE(made.has_value()) << target;
    if (made) return {};
    EXPECT_EQ(made.error().kind, fault::unfit) << made.error().detail;
    return made.error().detail;
  }

  temporary_directory where_;
  node source_{std::move(node::open(where_.path() / "data").value())};
};

TEST_F(BackupTarget, IsNotInsideTheDataDirectory) {
  std::filesystem::create_directory_symlink(source_.where.root, where_.path() / "link");
  for (const auto& inside :
       {source_.where.root / "copy", source_.where.root / "not" / "yet" / "there",
        source_.where.root, where_.path() / "link" / "copy",
        where_.path() / "elsewhere" / ".." / "data" / "copy"})
    EXPECT_THAT(refusal_of(inside), HasSubstr("inside the data directory"));
  EXPECT_FALSE(std::filesystem::exists(source_.where.root / "copy"));
}

TEST_F(BackupTarget, IsAnAbsolutePath) {
  EXPECT_THAT(refusal_of("copy"), HasSubstr("absolute"));
  EXPECT_THAT(refusal_of(""), HasSubstr("absolute"));
  EXPECT_FALSE(std::filesystem::exists("copy"));
}

TEST_F(BackupTarget, IsADirectoryThatCanBeWritten) {
  write_file(where_.path() / "file", "x");
  EXPECT_THAT(refusal_of(where_.path() / "file"), HasSubstr("no directory"));
  EXPECT_THAT(refusal_of(where_.path() / "file" / "below"), HasSubstr("Not a directory"));
  EXPECT_THAT(refusal_of("/proc/copy"), HasSubstr("can't be written"));
}

TEST_F(BackupTarget, LiesInADirectoryThatIsThere) {
  const auto typo = where_.path() / "backsup";
  for (const auto& target : {typo / "monday" / "copy", typo / "monday" / "copy" / ""}) {
    const auto told = refusal_of(target);
    EXPECT_THAT(told, HasSubstr((typo / "monday").string() + " is not there"));
    EXPECT_THAT(told, HasSubstr("make that directory first"));
  }
  EXPECT_FALSE(std::filesystem::exists(typo)) << "of a typo nothing is made";
  const layout good{where_.path() / "copy" / ""};
  ASSERT_OK(backup(*source_.state, *source_.log, source_.where, good));
  EXPECT_EQ(std::filesystem::status(good.root).permissions() & std::filesystem::perms::others_all,
            std::filesystem::perms::none);
}

TEST_F(BackupTarget, IsAPathOfTheSystem) {
  EXPECT_THAT(refusal_of(where_.path() / std::string("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(refusal_of(where_.path() / std::string(300, 'n')), HasSubstr("too long"));
  auto deep = where_.path();
  while (deep.native().size() < 4050) deep /= std::string(100, 'd');
  EXPECT_THAT(refusal_of(deep), HasSubstr("too long"));
}

class MadeBackup : public ::testing::Test {
protected:
  void SetUp() override {
    auto source = node::open(where_.path() / "data");
    ASSERT_OK(source);
    cycle_maker maker(2);
    append_cycles(*source->log, maker, 40);
    const std::vector<row_change> rows{{"a", "b"}};
    ASSERT_OK(source->state->ingest(rows));
    ASSERT_OK(mark_begun(posix_file_system(), source->where));
    write_file(source->where.key_mark(), "which key");
    write_file(source->where.draws() / "wave-1" / "committed.json", "committed");
    ASSERT_OK(backup(*source->state, *source->log, source->where, made_));
  }

  result<void> restored() { return restore(posix_file_system(), made_, target_); }
  result<backup_report> verified() { return verify_backup(posix_file_system(), made_); }

  temporary_directory where_;
  layout made_{where_.path() / "backup"};
  layout target_{where_.path() / "target"};
};

TEST_F(MadeBackup, HoldsNoDraftsOfDraws) {
  auto source = node::open(where_.path() / "data");
  ASSERT_OK(source);
  const auto draws = source->where.draws();
  for (const auto* draft : {"wave-1/drawn.json.new", "wave-1.again/roster.bin"})
    write_file(draws / draft, "half of it");
  std::filesystem::create_symlink("nowhere", draws / "wave-1" / "tree.bin.new");
  const layout other{where_.path() / "other"};
  ASSERT_OK(backup(*source->state, *source->log, source->where, other));
  EXPECT_TRUE(std::filesystem::exists(other.draws() / "wave-1" / "committed.json"));
  EXPECT_FALSE(std::filesystem::exists(other.draws() / "wave-1" / "drawn.json.new"));
  EXPECT_FALSE(std::filesystem::exists(other.draws() / "wave-1.again"));
  write_file(other.draws() / "wave-1" / "drawn.json.new", "more");
  EXPECT_FAULT(verify_backup(posix_file_system(), other), fault::corrupt);
}

/// What was damaged before it was copied.
TEST_F(MadeBackup, SaysWhatOfItDoesNotHold) {
  auto& files = posix_file_system();
  EXPECT_THAT(read_through(files, made_), ::testing::IsEmpty());
  auto source = node::open(where_.path() / "data");
  ASSERT_OK(source);
  ASSERT_OK(source->log->release(source->log->durable()));
  const auto flip_in_the_middle = [](const std::filesystem::path& path) {
    auto bytes = read_file(path);
    auto& middle = bytes[bytes.size() / 2];
    middle = static_cast<char>(middle ^ 1);
    std::filesystem::remove(path);  // it may have other names
    write_file(path, bytes);
  };
  const auto first_with = [](const std::filesystem::path& folder, std::string_view ending) {
    std::set<std::filesystem::path> all;
    for (const auto& one : std::filesystem::directory_iterator{folder})
      if (one.path().extension() == ending) all.insert(one.path());
    return all.empty() ? std::filesystem::path{} : *all.begin();
  };
  const auto archive = first_with(source->where.journal(), ".gwa");
  ASSERT_FALSE(archive.empty());
  flip_in_the_middle(archive);
  const layout second{where_.path() / "second"};
  ASSERT_OK(backup(*source->state, *source->log, source->where, second));
  ASSERT_OK(verify_backup(files, second));  // it is what was copied
  EXPECT_THAT(read_through(files, second),
              ::testing::ElementsAre(HasSubstr(archive.filename().string())));
  const auto rows = first_with(second.state(), ".sst");
  ASSERT_FALSE(rows.empty());
  flip_in_the_middle(rows);
  EXPECT_EQ(read_through(files, second).size(), 2u);
  std::filesystem::remove_all(second.state());
  EXPECT_EQ(read_through(files, second).size(), 2u);
}

TEST_F(MadeBackup, IsNotCalledDamagedForWhatTheMachineCouldNotRead) {
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  rlimit none = usual;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto told = read_through(posix_file_system(), made_);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
  const auto is_not_read =
      ::testing::AllOf(::testing::StartsWith("could not be read through: "), HasSubstr("Too many"));
  EXPECT_THAT(told, ::testing::ElementsAre(is_not_read, is_not_read));
}

TEST_F(MadeBackup, IsReadNoFurtherOnceTheNodeIsToStop) {
  const auto told_when_stopped_at = [&](int look) {
    std::stop_source stop;
    int looks = 0;
    busy_disk disk{posix_file_system(), [&] {
                     if (looks++ == look) stop.request_stop();
                   }};
    return read_through(disk, made_, stop.get_token());
  };
  const auto is_cut_short =
      ::testing::ElementsAre("was not read through: the node was told to stop; audit it");
  for (const int look : {0, 3}) EXPECT_THAT(told_when_stopped_at(look), is_cut_short);
  EXPECT_THAT(told_when_stopped_at(1 << 30), ::testing::IsEmpty());
}

TEST_F(MadeBackup, IsLeftUnfinishedOnceTheNodeIsToStop) {
  auto source = node::open(where_.path() / "data");
  ASSERT_OK(source);
  std::stop_source stop;
  stop.request_stop();
  const layout half{where_.path() / "half"};
  const auto made = backup(*source->state, *source->log, source->where, half, stop.get_token());
  EXPECT_FAULT(made, fault::io);
  EXPECT_THAT(made.error().detail, HasSubstr("told to stop"));
  EXPECT_TRUE(std::filesystem::exists(half.journal()));
  EXPECT_FALSE(has_backup_mark(half));
  const auto beside = where_.path() / "beside";
  std::filesystem::create_directory(beside);
  EXPECT_FAULT(source->log->copy_to(beside, stop.get_token()), fault::io);
  EXPECT_FAULT(source->state->copy_to(beside, stop.get_token()), fault::io);
}

/// So that one that was not finished is told from what an older program has restored.
TEST_F(MadeBackup, SaysFromItsBeginningOfWhichFormatItIs) {
  auto source = node::open(where_.path() / "data");
  ASSERT_OK(source);
  std::filesystem::remove_all(source->where.state());
  const layout broken{where_.path() / "broken"};
  ASSERT_FALSE(backup(*source->state, *source->log, source->where, broken).has_value());
  EXPECT_FALSE(has_backup_mark(broken));
  EXPECT_EQ(read_file(broken.format_mark()), "gelombang data 2\n");
}

TEST_F(MadeBackup, IsRestoredWhereANameEndsWithASlash) {
  target_.root = where_.path() / "target" / "";
  ASSERT_OK(restored());
  EXPECT_TRUE(std::filesystem::exists(where_.path() / "target" / "journal"));
}

TEST_F(MadeBackup, IsNotRestoredOverAnything) {
  write_file(target_.root / "something", "here");
  EXPECT_FAULT(restored(), fault::in_use);
  EXPECT_EQ(read_file(target_.root / "something"), "here");
}

TEST_F(MadeBackup, IsRestoredIntoAnEmptyDirectory) {
  std::filesystem::create_directories(target_.root);
  ASSERT_OK(restored());
  EXPECT_TRUE(std::filesystem::exists(target_.state() / "CURRENT"));
}

TEST_F(MadeBackup, WithoutItsMarkIsNoBackup) {
  std::filesystem::remove(made_.root / "BACKUP");
  EXPECT_FAULT(restored(), fault::missing);
  EXPECT_FAULT(verified(), fault::missing);
  EXPECT_FALSE(std::filesystem::exists(target_.root));
}

TEST_F(MadeBackup, WithAnyFileChangedMissingOrCutIsRefused) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(made_.root)) {
    if (entry.is_regular_file() && entry.file_size() > 0) files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 5u);
  for (const auto& path : files) {
    const auto whole = read_file(path);
    // Removed first: the files are hard links, and the node's own must stay as they are.
    const auto replace = [&](std::string_view bytes) {
      std::filesystem::remove(path);
      write_file(path, bytes);
    };
    auto flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 1);
    replace(flipped);
    EXPECT_FAULT(restored(), fault::corrupt);
    EXPECT_FAULT(verified(), fault::corrupt);
    replace(std::string_view(whole).substr(0, whole.size() - 1));
    EXPECT_FAULT(restored(), fault::corrupt);
    EXPECT_FAULT(verified(), fault::corrupt);
    replace(whole + "more");
    EXPECT_FAULT(restored(), fault::corrupt);
    EXPECT_FAULT(verified(), fault::corrupt);
    std::filesystem::remove(path);
    EXPECT_FAULT(restored(), fault::missing);
    EXPECT_FAULT(verified(), fault::missing);
    write_file(path, whole);
    EXPECT_FALSE(std::filesystem::exists(target_.root));
  }
  ASSERT_OK(restored());
  const auto report = verified();
  ASSERT_OK(report);
  EXPECT_EQ(report->files + 1, files.size()) << "all but the mark";
}

TEST_F(MadeBackup, HoldsTheMarksOfFormatAndKey) {
  EXPECT_EQ(read_file(made_.format_mark()), "gelombang data 2\n");
  EXPECT_EQ(read_file(made_.key_mark()), "which key");
  std::filesystem::remove(made_.format_mark());
  EXPECT_FAULT(verified(), fault::missing);
}

TEST_F(MadeBackup, WhatItDoesNotListIsFoundAndNotRestored) {
  for (const auto& other : {made_.root / "notes.txt", made_.draws() / "wave-1" / "drawn.json"}) {
    write_file(other, "more");
    const auto told = verified();
    EXPECT_FAULT(told, fault::corrupt);
    EXPECT_THAT(told.error().detail, HasSubstr(other.string()));
    ASSERT_OK(restored());
    EXPECT_FALSE(std::filesystem::exists(target_.root / other.lexically_relative(made_.root)));
    std::filesystem::remove_all(target_.root);
    std::filesystem::remove(other);
  }
  ASSERT_OK(verified());
}

/// What is not a file in a backup: how it is made at a place, and what it is called.
struct foreign {
  std::function<void(const std::filesystem::path&)> make;
  std::string called;
};

/// @param elsewhere  holds what a file held before
std::vector<foreign> foreign_kinds(const std::filesystem::path& elsewhere) {
  return {
      {[elsewhere](const auto& at) { std::filesystem::create_symlink(elsewhere, at); },
       "a symbolic link"},
      {[](const auto& at) { std::filesystem::create_symlink("nowhere", at); }, "a symbolic link"},
      {[](const auto& at) { std::filesystem::create_symlink("/dev/zero", at); }, "a symbolic link"},
      {[](const auto& at) { EXPECT_EQ(::mkfifo(at.c_str(), 0600), 0); }, "a FIFO"},
      {[](const auto& at) { EXPECT_EQ(::mknod(at.c_str(), S_IFSOCK | 0600, 0), 0); }, "a socket"}};
}

TEST_F(MadeBackup, OfFilesInPlaceOfWhichSomethingElseStandsIsRefusedAndThatIsNotOpened) {
  const auto aside = where_.path() / "aside";
  for (const auto* name : {"draws/wave-1/committed.json", "KEY", "FORMAT", "BACKUP"}) {
    const auto file = made_.root / name;
    std::filesystem::rename(file, aside);
    for (const auto& kind : foreign_kinds(aside)) {
      kind.make(file);
      EXPECT_TRUE(has_backup_mark(made_));
      const auto told = verified();
      EXPECT_FAULT(told, fault::corrupt);
      EXPECT_THAT(told.error().detail, HasSubstr(file.string() + " is " + kind.called));
      EXPECT_FAULT(restored(), fault::corrupt);
      EXPECT_FALSE(std::filesystem::exists(target_.root));
      std::filesystem::remove(file);
    }
    std::filesystem::rename(aside, file);
  }
  std::filesystem::rename(made_.state(), aside);
  std::filesystem::create_directory_symlink(aside, made_.state());
  EXPECT_FAULT(verified(), fault::corrupt);
  EXPECT_FAULT(restored(), fault::corrupt);
}

TEST_F(MadeBackup, BesideWhichSomethingElseStandsIsReportedAndRestoredWithoutIt) {
  for (const auto& kind : foreign_kinds(where_.path())) {
    const auto other = made_.draws() / "other";
    kind.make(other);
    const auto told = verified();
    EXPECT_FAULT(told, fault::corrupt);
    EXPECT_THAT(told.error().detail, HasSubstr(other.string() + " is " + kind.called));
    ASSERT_OK(restored());
    EXPECT_FALSE(
        std::filesystem::exists(std::filesystem::symlink_status(target_.draws() / "other")));
    std::filesystem::remove_all(target_.root);
    std::filesystem::remove(other);
  }
  ASSERT_OK(verified());
}

TEST_F(MadeBackup, IsRestoredAsADataDirectory) {
  EXPECT_TRUE(has_backup_mark(made_));
  EXPECT_FALSE(std::filesystem::exists(made_.lock()));
  ASSERT_OK(restored());
  EXPECT_FALSE(has_backup_mark(target_));
  EXPECT_TRUE(std::filesystem::exists(target_.lock()));
  EXPECT_TRUE(directory_lock::take(target_).has_value());
}

TEST_F(MadeBackup, AListThatLeadsOutOfTheBackupIsRefused) {
  const auto list = [&](const std::string& path) {
    std::string text = "gelombang backup 1\n" + std::string(64, '0') + " 0 " + path + "\n";
    text += "end " + to_hex(sha256(text)) + "\n";
    write_file(made_.root / "BACKUP", text);
  };
  for (const auto* path : {"../outside", "state/../../outside", "/etc/passwd", ""}) {
    list(path);
    EXPECT_FAULT(restored(), fault::corrupt);
  }
}

}  // namespace
}  // namespace gelombang::storage::testing
