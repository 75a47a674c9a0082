#include "net/command/key_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "actors/applicant/applicant.pb.h"
#include "actors/runtime/record.hpp"
#include "actors/seed/seeding.hpp"
#include "storage/backup.hpp"
#include "storage/journal.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

keyring key_filled_with(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return keyring::from_bytes(bytes);
}

/// As a start does it.
tl::expected<void, std::string> check_key(const fs::path& data, const keyring& keys) {
  if (auto fits = compare_key(data, keys); !fits) return fits;
  return write_key_mark(data, keys);
}

class KeyCheck : public testing::Test {
protected:
  void seed_with(const keyring& keys) const {
    ASSERT_TRUE(seed::seed_data({.data_directory = data_, .applicants = 3, .shards = 4}, keys));
  }

  /// Data of a node that was killed before its first checkpoint: an address was entered.
  void enter_email_with(const keyring& keys) const {
    const auto who = keys.account_of("budi@contoh.id");
    applicant::wire::Event event;
    event.mutable_email_entered()->set_sealed_email(keys.seal(who, "budi@contoh.id"));
    const auto body = event.SerializeAsString();
    std::string records;
    runtime::append_record(records, {.type = runtime::record_type::event,
                                     .who = {runtime::kind::applicant, who.value},
                                     .body = body});
    const storage::layout where{data_};
    auto log = storage::journal::open(storage::posix_file_system(),
                                      {.directory = where.journal(), .prepare_next = false}, {},
                                      [](const auto&) { return storage::result<void>{}; });
    ASSERT_TRUE(log);
    const storage::frame one{runtime::shard_of(who.value, 4), 1, 1, 1, 0, records};
    ASSERT_TRUE((*log)->append(std::array{one}));
  }

  settings with() const {
    settings made;
    made.storage.data_dir = data_.string();
    made.keys.file = key_.string();
    return made;
  }

  std::string complaint(const settings& about, key_use use = key_use::to_begin_or_go_on) const {
    const auto key = key_of(about, use);
    EXPECT_FALSE(key.has_value());
    return key ? std::string{} : key.error();
  }

  static void write(const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream{file} << "something";
  }

  const storage::testing::temporary_directory where_;
  const fs::path data_ = where_.path() / "data";
  const fs::path key_ = where_.path() / "secret" / "master.key";
};

TEST_F(KeyCheck, TheKeyOfTheBeginningIsTheOnlyOne) {
  const auto& data = where_.path();
  EXPECT_TRUE(check_key(data, key_filled_with(1)));
  EXPECT_TRUE(check_key(data, key_filled_with(1)));
  const auto other = check_key(data, key_filled_with(2));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("keys.file"));
  EXPECT_TRUE(check_key(data, key_filled_with(1)));
}

TEST_F(KeyCheck, SaysWhereItCannotWrite) {
  const auto unwritable = check_key("/proc/no-such-place", key_filled_with(1));
  ASSERT_FALSE(unwritable);
  EXPECT_THAT(unwritable.error(), HasSubstr("/proc/no-such-place"));
}

TEST_F(KeyCheck, WithoutItsMarkTheSeededDataTellsWhetherTheKeyFits) {
  seed_with(key_filled_with(1));
  const auto mark = storage::layout{data_}.key_mark();
  const auto other = check_key(data_, key_filled_with(2));
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(), HasSubstr("does not open"));
  EXPECT_FALSE(fs::exists(mark)) << "the mark of a wrong key would shut the right one out";
  EXPECT_TRUE(check_key(data_, key_filled_with(1)));
  EXPECT_TRUE(fs::exists(mark));
}

TEST_F(KeyCheck, WithoutItsMarkTheJournalTellsWhetherTheKeyFits) {
  enter_email_with(key_filled_with(1));
  EXPECT_FALSE(check_key(data_, key_filled_with(2)));
  EXPECT_TRUE(check_key(data_, key_filled_with(1)));
}

TEST_F(KeyCheck, ANewKeyIsMadeForNewDataOnly) {
  auto manual = with();
  manual.keys.create = false;
  EXPECT_THAT(complaint(manual), HasSubstr("keys.create"));
  const auto made = key_of(with(), key_use::to_begin_or_go_on);
  ASSERT_TRUE(made) << made.error();
  seed_with(*made);
  ASSERT_TRUE(check_key(data_, *made));
  fs::remove(key_);
  const auto told = complaint(with());
  EXPECT_THAT(told, HasSubstr(key_.string() + " is missing"));
  EXPECT_THAT(complaint(with(), key_use::to_go_on), HasSubstr(key_.string()));
  EXPECT_FALSE(fs::exists(key_));
}

TEST_F(KeyCheck, WhoeverGoesOnNeedsData) {
  EXPECT_THAT(complaint(with(), key_use::to_go_on), HasSubstr("holds no data of a node"));
  EXPECT_FALSE(fs::exists(key_));
  EXPECT_FALSE(fs::exists(data_));
}

TEST_F(KeyCheck, AKeyInsideTheDataIsRefused) {
  fs::create_directories(data_);
  fs::create_directory_symlink(data_, where_.path() / "link");
  auto inside = with();
  for (const auto& file : {data_ / "master.key", data_ / "deep" / "er" / "master.key",
                           where_.path() / "link" / "master.key"}) {
    inside.keys.file = file.string();
    EXPECT_THAT(complaint(inside), HasSubstr("inside the data directory"));
    EXPECT_FALSE(fs::exists(file));
  }
  auto beside = with();
  beside.keys.file = data_.string() + ".key";
  EXPECT_TRUE(key_of(beside, key_use::to_begin_or_go_on));
}

TEST_F(KeyCheck, ADirectoryOfSomethingElseIsNamedWithWhatItHolds) {
  write(data_ / "passwd");
  write(data_ / "notes" / "one.txt");
  const auto told = complaint(with());
  EXPECT_THAT(told, HasSubstr(data_.string()));
  EXPECT_THAT(told, HasSubstr("notes, passwd"));
  EXPECT_FALSE(fs::exists(key_));
  write(data_ / "a");
  write(data_ / "b");
  EXPECT_THAT(complaint(with()), HasSubstr("a, b, notes and 1 more"));
}

TEST_F(KeyCheck, AKeyThatCannotBeLookedForIsNotMissing) {
  seed_with(key_filled_with(1));
  auto looped = with();
  looped.keys.file = (where_.path() / "loop").string();
  fs::create_symlink("loop", looped.keys.file);
  const auto told = complaint(looped);
  EXPECT_THAT(told, HasSubstr(looped.keys.file + ": "));
  EXPECT_THAT(told, Not(HasSubstr("missing")));
}

TEST_F(KeyCheck, AStartThatFailedWhileItWroteTheMarkMayBeRepeated) {
  write(data_ / "KEY.new");
  const auto key = key_of(with(), key_use::to_begin_or_go_on);
  ASSERT_TRUE(key) << key.error();
  EXPECT_TRUE(check_key(data_, *key));
  EXPECT_FALSE(fs::exists(data_ / "KEY.new")) << "the draft's name is the one expected above";
}

TEST_F(KeyCheck, AStartThatFailedBeforeItHadAStateMayBeRepeated) {
  for (const auto* left : {"LOCK", "state/000001.log", "journal/journal.tmp", "FORMAT.tmp"})
    write(data_ / left);
  EXPECT_EQ(look_at(data_), holding::nothing);
}

TEST_F(KeyCheck, MarksOfDataThatIsGoneAreNotBegunWith) {
  for (const auto* left : {"KEY", "FORMAT", "draws/wave-1/committed.json"}) {
    write(data_ / left);
    fs::create_directories(data_ / "state");
    const auto told = complaint(with());
    EXPECT_THAT(told, HasSubstr("state/ and journal/ are gone")) << left;
    EXPECT_THAT(told, HasSubstr(std::string{left}.substr(0, 3)));
    EXPECT_FALSE(fs::exists(key_));
    fs::remove_all(data_);
  }
}

TEST_F(KeyCheck, AMarkThatIsDamagedIsNamedAndNotTakenForAnotherKey) {
  seed_with(key_filled_with(1));
  ASSERT_TRUE(check_key(data_, key_filled_with(1)));
  const auto mark = storage::layout{data_}.key_mark();
  std::string good;
  std::ifstream{mark} >> good;
  const auto expect_damaged = [&](std::string_view what) {
    for (const std::uint8_t fill : {1, 2}) {
      const auto told = check_key(data_, key_filled_with(fill));
      ASSERT_FALSE(told) << what;
      EXPECT_THAT(told.error(), HasSubstr(mark.string() + " is damaged")) << what;
      EXPECT_THAT(told.error(), Not(HasSubstr("keys.file"))) << what;
    }
  };
  for (const auto& bad :
       {std::string{}, std::string{"\n"}, good.substr(1), good + "0", good + "\n\n",
        "g" + good.substr(1), std::string(good.size(), 'A'), " " + good}) {
    std::ofstream{mark, std::ios::trunc} << bad;
    expect_damaged(bad);
  }
  fs::remove(mark);
  fs::create_directory(mark);
  expect_damaged("a directory");
  fs::remove(mark);
  std::ofstream{mark} << good;
  EXPECT_TRUE(check_key(data_, key_filled_with(1)));
}

TEST_F(KeyCheck, AFileInThePlaceOfTheDrawsIsNamed) {
  seed_with(key_filled_with(1));
  write(data_ / "draws");
  EXPECT_THAT(complaint(with()), HasSubstr((data_ / "draws").string() + " is no directory"));
}

TEST_F(KeyCheck, AFileIsNoDataDirectory) {
  write(data_);
  EXPECT_THAT(complaint(with()), HasSubstr("is no directory"));
}

TEST_F(KeyCheck, AnEmptyFileSystemOfItsOwnIsNothing) {
  fs::create_directories(data_ / "lost+found");
  write(data_ / "LOCK");
  EXPECT_EQ(look_at(data_), holding::nothing);
  seed_with(key_filled_with(1));
  EXPECT_EQ(look_at(data_), holding::data);
}

}  // namespace
}  // namespace gelombang::command
