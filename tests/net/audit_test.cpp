#include "net/command/audit.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "storage/data_mark.hpp"
#include "tests/net/audited_data.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Audit : public audited_data {};

TEST_F(Audit, SaysWhatItHasChecked) {
  commit_draw();
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("20 records"));
  EXPECT_THAT(said_, HasSubstr("60 applicants, 60 NIKs, 60 phone numbers, 60 family members"));
  EXPECT_THAT(said_, HasSubstr("draw wave-1: 3 entries, committed"));
  EXPECT_THAT(said_, HasSubstr("everything holds"));
}

TEST_F(Audit, FindsADamagedJournal) {
  flip(first_segment(), 5000);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr(first_segment().string()));
  for (const auto& told : {"mv " + at_.root.string() + " " + at_.root.string() + ".damaged",
                           std::string{"gelombang audit verify --data-dir BACKUP"},
                           "gelombang restore --from BACKUP --data-dir " + at_.root.string()})
    EXPECT_THAT(complaint_, HasSubstr(told));
}

TEST_F(Audit, FindsAStateAheadOfTheJournal) {
  std::filesystem::remove_all(at_.journal());
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("shard 0 stands at record 5"));
}

TEST_F(Audit, MissesAStateThatIsGoneWithItsJournalOrAlone) {
  for (const auto& gone : {at_.state(), at_.journal()}) {
    std::filesystem::remove_all(gone);
    EXPECT_EQ(run(), 1);
    EXPECT_THAT(complaint_, HasSubstr(at_.state().string() + " is missing"));
  }
}

TEST_F(Audit, MissesSegmentsAtTheEndOfTheJournal) {
  // A node is killed: what is behind the last checkpoint stands in the newest segment alone.
  {
    const auto log = open_journal();
    const std::string records(100, 'r');
    ASSERT_TRUE(log->append(std::vector<storage::frame>{{0, 1, 6, 1, 1'700'000'000'000, records}}));
    ASSERT_TRUE(log->append(std::vector<storage::frame>{{0, 1, 7, 1, 1'700'000'000'000, records}}));
  }
  auto names = storage::posix_file_system().list(at_.journal()).value();
  std::erase_if(names, [](const auto& name) { return !name.ends_with(".gwj"); });
  std::filesystem::remove(at_.journal() / names.back());
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr(names.back() + " is missing"));
}

TEST_F(Audit, FindsAStateOfAnotherJournal) {
  auto other = open_journal()->durable();
  other[2].chain[7] ^= 1;
  checkpoint(other);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("shard 2 was written after another record 5"));
  EXPECT_THAT(complaint_, HasSubstr("gelombang restore --from BACKUP"));
}

TEST_F(Audit, FindsRowsThatDoNotAddUp) {
  auto store =
      std::move(storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}).value());
  const auto first = runtime::snapshot_prefix(0, runtime::kind::phone);
  std::string key;
  ASSERT_TRUE(store->scan(first, runtime::end_of(first), [&](auto found, auto) {
    key = found;
    return false;
  }));
  ASSERT_TRUE(store->ingest(std::vector<storage::row_change>{{key, std::nullopt}}));
  store.reset();
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("phone number that is nobody's"));
}

TEST_F(Audit, CountsWhatAKillHasLeftBehindTheCheckpoint) {
  for (std::uint64_t number : {1, 2, 3}) append_join_of(keys_.account_of(seed::email_of(number)));
  const auto before = files();
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("behind the checkpoint: 3 frames with 3 records"));
  EXPECT_THAT(said_, HasSubstr("60 family members, 3 participations"));
  EXPECT_EQ(files(), before) << "an audit changes nothing";
}

TEST_F(Audit, FindsWhatDoesNotAddUpBehindTheCheckpoint) {
  append_join_of(keys_.account_of("nobody@contoh.id"));
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("takes part in a wave and has no account"));
}

TEST_F(Audit, FindsARecordThatNobodyHasWrittenBehindTheCheckpoint) {
  append(2, "no record");
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("shard 2 record 6"));
}

TEST_F(Audit, SaysWhatItCannotCountBeforeTheFirstCheckpoint) {
  std::filesystem::remove_all(at_.state());
  // Made by a start, and nothing in it yet.
  ASSERT_TRUE(storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}));
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("20 frames of the journal are checked and not counted"));
}

TEST_F(Audit, FindsADamagedDraw) {
  commit_draw();
  flip(at_.draws() / "wave-1" / "roster.bin", 64 + 20);
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("draw wave-1"));
  EXPECT_THAT(complaint_, HasSubstr("the next start makes it again"));
}

TEST_F(Audit, SaysInWordsWhatStandsInThePlaceOfADrawsFile) {
  const auto made_otherwise = [](const std::filesystem::path& file, std::string_view what) {
    const auto bytes = std::filesystem::file_size(file);
    if (what == "cut") return std::filesystem::resize_file(file, bytes / 2);
    if (what == "empty") return std::filesystem::resize_file(file, 0);
    std::filesystem::remove(file);
    if (what == "directory") std::filesystem::create_directory(file);
    if (what == "pipe") ::mkfifo(file.c_str(), 0600);
  };
  for (const auto* name : {"roster.bin", "committed.json"}) {
    for (const std::string what : {"cut", "empty", "directory", "pipe", "gone"}) {
      std::filesystem::remove_all(at_.draws());
      commit_draw();
      const auto file = at_.draws() / "wave-1" / name;
      made_otherwise(file, what);
      if (what == "gone" && std::string_view{name} == "committed.json") continue;
      const bool is_no_file = what == "directory" || what == "pipe";
      EXPECT_EQ(run(), is_no_file ? 3 : 1) << name << " " << what;
      EXPECT_THAT(complaint_, Not(HasSubstr("Invalid argument")));
      EXPECT_THAT(complaint_, HasSubstr(is_no_file ? "is a " + what : name)) << what;
      EXPECT_THAT(complaint_, HasSubstr(is_no_file ? "aside" : "the next start makes it again"))
          << name << " " << what;
    }
  }
}

TEST_F(Audit, ADrawThatWasNotCommittedIsNoFault) {
  std::filesystem::create_directories(at_.draws() / "wave-4");
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("wave-4: not committed"));
}

TEST_F(Audit, FindsAFileInThePlaceOfTheDraws) {
  std::ofstream{at_.draws()} << "x";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr(at_.draws().string() + ": is no directory"));
}

TEST_F(Audit, CannotTellWhileANodeRuns) {
  const auto lock = storage::directory_lock::take(at_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(run(), 3);
}

TEST_F(Audit, CannotTellOfWhatIsNotThere) {
  const testing::capture complaints;
  EXPECT_EQ(audit({where_.path() / "nothing"}, stdout, complaints.file()), 3);
  EXPECT_FALSE(std::filesystem::exists(where_.path() / "nothing"));
}

TEST_F(Audit, MissesTheNameOfTheNewestSegment) {
  std::filesystem::remove(at_.journal() / "NEWEST");
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr((at_.journal() / "NEWEST").string() + " is missing"));
  std::ofstream{at_.format_mark()} << "gelombang data 1\n";
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: journal/NEWEST is not there"));
}

TEST_F(Audit, SaysThatTheMarkOfTheKeyIsNotThereAndWhetherAKeyFits) {
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: KEY is not there"));
  EXPECT_EQ(run(key_file()), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("key: is the one"));
  EXPECT_EQ(run(key_file(8)), 1);
  EXPECT_THAT(complaint_, HasSubstr("not the master key"));
  EXPECT_THAT(complaint_, Not(HasSubstr("restore"))) << "the data may well hold";
  EXPECT_EQ(run((where_.path() / "no.key").string()), 3);
}

TEST_F(Audit, FindsAMarkOfTheKeyThatIsNone) {
  for (const auto* bad : {"", "\n", "which key\n", "0123456789abcdef\n"}) {
    std::ofstream{at_.key_mark(), std::ios::trunc} << bad;
    EXPECT_EQ(run(), 1) << bad;
    EXPECT_THAT(complaint_, HasSubstr(at_.key_mark().string() + " is damaged"));
  }
  std::filesystem::remove(at_.key_mark());
  std::filesystem::create_directory(at_.key_mark());
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr(at_.key_mark().string() + " is damaged"));
}

TEST_F(Audit, SaysThatTheMarkOfTheFormatIsNotThere) {
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, Not(HasSubstr("FORMAT is not there")));
  std::filesystem::remove(at_.format_mark());
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: FORMAT is not there"));
}

// --- backups

class AuditOfABackup : public audited_data {
protected:
  void SetUp() override {
    audited_data::SetUp();
    std::ofstream{at_.key_mark()} << std::string(32, '0') << "\n";
    commit_draw();
    const auto log = open_journal();
    const auto store = std::move(
        storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}).value());
    const storage::layout copy{where_.path() / "backup"};
    ASSERT_TRUE(storage::backup(*store, *log, at_, copy));
    at_ = copy;
  }
};

TEST_F(AuditOfABackup, ChangesNothingInIt) {
  const auto before = files();
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("as BACKUP lists them"));
  EXPECT_THAT(said_, HasSubstr("draw wave-1: 3 entries"));
  EXPECT_EQ(files(), before);
}

TEST_F(AuditOfABackup, MissesEveryFile) {
  for (const auto& [name, what] : files()) {
    if (std::filesystem::is_directory(name)) continue;
    const auto aside = where_.path() / "aside";
    std::filesystem::rename(name, aside);
    EXPECT_EQ(run(), 1) << name;
    std::filesystem::rename(aside, name);
  }
  EXPECT_EQ(run(), 0) << complaint_;
}

TEST_F(AuditOfABackup, FindsAListThatIsGoneOrWentOn) {
  std::ofstream{at_.backup_mark(), std::ios::app} << "more\n";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("BACKUP is damaged"));
  std::filesystem::remove(at_.backup_mark());
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("neither LOCK"));
  std::ofstream{at_.format_mark(), std::ios::trunc} << "gelombang data 1\n";
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: neither LOCK nor BACKUP is there"));
  std::filesystem::remove(at_.format_mark());
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("note: neither LOCK nor BACKUP is there"));
  EXPECT_FALSE(std::filesystem::exists(at_.lock()));
}

TEST_F(AuditOfABackup, CannotTellWhatAListSaysThatCannotBeRead) {
  std::filesystem::remove(at_.backup_mark());
  std::filesystem::create_directory(at_.backup_mark());
  EXPECT_EQ(run(), 3);
  const auto restored =
      storage::restore(storage::posix_file_system(), at_, {where_.path() / "new"});
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().kind, storage::fault::io);
}

TEST_F(AuditOfABackup, FindsWhatDoesNotBelongToIt) {
  std::ofstream{at_.draws() / "more"} << "more";
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(complaint_, HasSubstr("does not belong to the backup"));
}

TEST_F(AuditOfABackup, FindsWhatIsNoFileAndNeitherFollowsNorOpensIt) {
  const auto aside = where_.path() / "aside";
  for (const auto& [name, what] : files()) {
    if (std::filesystem::is_directory(name)) continue;
    std::filesystem::rename(name, aside);
    std::filesystem::create_symlink(aside, name);
    EXPECT_EQ(run(), 1) << name;
    EXPECT_THAT(complaint_, HasSubstr(name + " is a symbolic link"));
    std::filesystem::remove(name);
    ASSERT_EQ(::mkfifo(name.c_str(), 0600), 0);
    EXPECT_EQ(run(), 1) << name;
    EXPECT_THAT(complaint_, HasSubstr(name + " is a FIFO"));
    std::filesystem::remove(name);
    std::filesystem::rename(aside, name);
  }
  EXPECT_EQ(run(), 0) << complaint_;
}

TEST_F(AuditOfABackup, WhatIsRestoredFromItHoldsBeforeAnyStart) {
  const storage::layout restored{where_.path() / "restored"};
  ASSERT_TRUE(storage::restore(storage::posix_file_system(), at_, restored));
  at_ = restored;
  EXPECT_EQ(run(), 0) << complaint_;
}

}  // namespace
}  // namespace gelombang::command
