#include "net/command/audit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>

#include "actors/applicant/applicant.pb.h"
#include "actors/runtime/record.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/seed/seeding.hpp"
#include "actors/wave/draw/draw.hpp"
#include "storage/backup.hpp"
#include "tests/net/capture.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using runtime::shard_index;
using ::testing::HasSubstr;

constexpr std::uint32_t shards = 4;

/// A node's data as it stops, without the node: seeded rows, a journal, a draw.
class Audit : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(seed::seed_data({.data_directory = at_.root,
                                 .applicants = 60,
                                 .shards = shards,
                                 .now = instant{std::chrono::hours{500'000}}},
                                keys_));
    auto log = open_journal();
    for (storage::lsn first = 1; first <= 5; ++first) {
      const std::string records(1000, 'r');
      std::vector<storage::frame> cycle;
      for (shard_index shard = 0; shard < shards; ++shard)
        cycle.push_back({shard, 1, first, 1, 1'700'000'000'000, records});
      ASSERT_TRUE(log->append(cycle));
    }
    checkpoint(log->durable());
  }

  std::unique_ptr<storage::journal> open_journal() const {
    return std::move(storage::journal::open(storage::posix_file_system(),
                                            {.directory = at_.journal(), .prepare_next = false}, {},
                                            [](const auto&) { return storage::result<void>{}; })
                         .value());
  }

  /// The state says that it knows the journal up to these positions.
  void checkpoint(const storage::positions& known) {
    auto store = std::move(
        storage::state_store::open({.directory = at_.state(), .prewarm_bytes = 0}).value());
    std::vector<storage::row_change> rows;
    for (const auto& [shard, position] : known) {
      const auto key = runtime::shard_key(shard);
      runtime::wire::Shard own;
      ASSERT_TRUE(own.ParseFromString(*store->get(std::vector{key}).value().front()));
      own.set_last(position.last);
      own.set_chain(position.chain.data(), position.chain.size());
      rows.push_back({key, own.SerializeAsString()});
    }
    ASSERT_TRUE(store->ingest(rows));
  }

  void commit_draw() const {
    std::vector<draw::roster_entry> roster(3);
    for (std::uint8_t i = 0; i < 3; ++i) {
      roster[i].id[0] = i;
      roster[i].family = i;
      roster[i].region = {3201};
      roster[i].family_room = 2;
    }
    ASSERT_TRUE(draw::commit(at_.draws() / "wave-1", roster,
                             {.wave = {1},
                              .quota = 2,
                              .groups = {},
                              .weights = {{{3201}, 10}},
                              .beacon_source = "drand"},
                             1));
  }

  /// A wave's first join, durable but behind the checkpoint: what a kill leaves.
  void append_join_of(applicant_id who) const {
    applicant::wire::Event joined;
    joined.set_at(1'700'000'000'000);
    joined.mutable_joined()->set_wave(7);
    joined.mutable_joined()->set_region(3201);
    const auto body = joined.SerializeAsString();
    std::string records;
    runtime::append_record(records, {.type = runtime::record_type::event,
                                     .who = {runtime::kind::applicant, who.value},
                                     .body = body});
    append(runtime::shard_of(who.value, shards), records);
  }

  void append(shard_index shard, const std::string& records) const {
    const auto log = open_journal();
    const auto next = log->durable()[shard].last + 1;
    const storage::frame one{shard, 1, next, 1, 1'700'000'000'000, records};
    ASSERT_TRUE(log->append(std::array{one}));
  }

  /// Every file with its size and the time of its last change.
  std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> files() const {
    std::map<std::string, std::pair<std::uintmax_t, std::filesystem::file_time_type>> all;
    for (const auto& one : std::filesystem::recursive_directory_iterator{at_.root})
      all[one.path().string()] = {one.is_regular_file() ? one.file_size() : 0,
                                  one.last_write_time()};
    return all;
  }

  static void flip(const std::filesystem::path& file, std::streamoff at) {
    std::fstream bytes{file, std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekg(at);
    const auto byte = static_cast<char>(bytes.get() ^ 1);
    bytes.seekp(at);
    bytes.put(byte);
    ASSERT_TRUE(bytes.good());
  }

  std::filesystem::path first_segment() const {
    const auto names = storage::posix_file_system().list(at_.journal()).value();
    return at_.journal() / names.front();
  }

  int run() {
    const testing::capture out, complaints;
    const auto code = audit(at_.root, out.file(), complaints.file());
    said_ = out.text();
    complaint_ = complaints.text();
    return code;
  }

  const keyring keys_ = keyring::from_bytes({7});
  const storage::testing::temporary_directory where_;
  const storage::layout at_{where_.path() / "data"};
  std::string said_, complaint_;
};

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
  EXPECT_NE(complaint_, "");
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
}

TEST_F(Audit, ADrawThatWasNotCommittedIsNoFault) {
  std::filesystem::create_directories(at_.draws() / "wave-4");
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_THAT(said_, HasSubstr("wave-4: not committed"));
}

TEST_F(Audit, CannotTellWhileANodeRuns) {
  const auto lock = storage::directory_lock::take(at_);
  ASSERT_TRUE(lock);
  EXPECT_EQ(run(), 3);
}

TEST_F(Audit, CannotTellOfWhatIsNotThere) {
  const testing::capture complaints;
  EXPECT_EQ(audit(where_.path() / "nothing", stdout, complaints.file()), 3);
  EXPECT_FALSE(std::filesystem::exists(where_.path() / "nothing"));
}

TEST_F(Audit, ABackupGetsNoNewFile) {
  std::filesystem::remove(at_.lock());
  EXPECT_EQ(run(), 0) << complaint_;
  EXPECT_FALSE(std::filesystem::exists(at_.lock()));
}

}  // namespace
}  // namespace gelombang::command
