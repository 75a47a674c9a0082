#include "actors/seed/recount.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/applicant/participation.hpp"
#include "actors/registry/registry.pb.h"
#include "actors/roster/roster.pb.h"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/seed/seeding.hpp"
#include "storage/backup.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::seed {
namespace {

using runtime::counter;
using runtime::kind;
using runtime::shard_index;
using ::testing::HasSubstr;

constexpr std::uint32_t shards = 4;
constexpr std::uint64_t everybody = 100;

/// Seeded storage whose rows a test may damage.
class Recount : public ::testing::Test {
protected:
  void SetUp() override {
    const seed_options options{.data_directory = where_.path(),
                               .applicants = everybody,
                               .shards = shards,
                               .now = instant{std::chrono::hours{500'000}}};
    ASSERT_TRUE(seed_data(options, keys_));
    store_ =
        std::move(storage::state_store::open(
                      {.directory = state(), .block_cache_bytes = 8u << 20, .prewarm_bytes = 0})
                      .value());
  }

  std::filesystem::path state() const { return storage::layout{where_.path()}.state(); }

  applicant_id account(std::uint64_t number) const {
    return keys_.account_of(people{1}(number).email);
  }
  static shard_index home_of(std::uint64_t id) { return runtime::shard_of(id, shards); }

  std::optional<std::string> row(const std::string& key) const {
    return store_->get(std::vector<std::string>{key}).value().front();
  }
  void put(std::string key, std::optional<std::string> value) {
    ASSERT_TRUE(
        store_->ingest(std::vector<storage::row_change>{{std::move(key), std::move(value)}}));
  }

  template <class Message, class Change>
  void change(const std::string& key, const Change& how) {
    Message message;
    ASSERT_TRUE(message.ParseFromString(row(key).value()));
    how(message);
    put(key, message.SerializeAsString());
  }

  void count(shard_index shard, counter which, std::int64_t value) {
    change<runtime::wire::Shard>(runtime::shard_key(shard), [&](auto& own) {
      auto& one = *own.add_counters();
      one.set_key(which.packed());
      one.set_value(value);
    });
  }

  /// The first entity of a kind, in the order of ids.
  std::pair<std::string, std::string> first_of(kind what, shard_index shard = 0) const {
    const auto first = runtime::snapshot_prefix(shard, what);
    std::pair<std::string, std::string> found;
    EXPECT_TRUE(store_->scan(first, runtime::end_of(first), [&](auto key, auto value) {
      found = {std::string{key}, std::string{value}};
      return false;
    }));
    return found;
  }

  std::string disagreement() const {
    return recount(*store_, shards).value().disagreement.value_or("none");
  }

  const storage::testing::temporary_directory where_;
  const keyring keys_ = keyring::from_bytes({7});
  std::unique_ptr<storage::state_store> store_;
};

TEST_F(Recount, WhatWasSeededAddsUp) {
  const auto report = recount(*store_, shards).value();
  EXPECT_EQ(report.disagreement, std::nullopt);
  EXPECT_EQ(report.applicants, everybody);
  EXPECT_EQ(report.by_stage[static_cast<std::size_t>(applicant::stage::ready)], everybody);
  EXPECT_EQ(report.niks, everybody);
  EXPECT_EQ(report.phones, everybody);
  EXPECT_EQ(report.family_members, everybody);
}

TEST_F(Recount, FindsAnAccountThatIsGone) {
  const auto id = account(5);
  put(runtime::snapshot_key(home_of(id.value), runtime::ref_of(id)), std::nullopt);
  EXPECT_THAT(disagreement(), HasSubstr("the counter \"ready\" says"));
}

TEST_F(Recount, FindsAnAccountThatDoesNotRead) {
  const auto id = account(5);
  put(runtime::snapshot_key(home_of(id.value), runtime::ref_of(id)), "\xff\xff");
  EXPECT_THAT(disagreement(), HasSubstr("does not parse"));
}

TEST_F(Recount, ComparesJoinsWithTheirCounter) {
  const auto id = account(1);
  const auto home = home_of(id.value);
  count(home, {counter::family::joined, 7}, 1);
  EXPECT_THAT(disagreement(), HasSubstr("\"joined wave 7\" says 1, the rows 0"));
  put(runtime::participation_key(home, {7}, id), applicant::encode({}));
  EXPECT_EQ(disagreement(), "none");
  put(runtime::participation_key(home, {8}, id), applicant::encode({}));
  EXPECT_THAT(disagreement(), HasSubstr("\"joined wave 8\" says 0, the rows 1"));
}

TEST_F(Recount, ComparesMembersWithTheirCounter) {
  const auto id = account(1);
  const auto home = home_of(id.value);
  roster::wire::Member member;
  member.set_wave(7);
  put(runtime::member_key(home, id), member.SerializeAsString());
  EXPECT_THAT(disagreement(), HasSubstr("\"accepted in wave 7\" says 0, the rows 1"));
  count(home, {counter::family::accepted, 7}, 1);
  EXPECT_EQ(disagreement(), "none");
}

TEST_F(Recount, FindsAJoinOfNobody) {
  put(runtime::participation_key(0, {7}, {5}), applicant::encode({}));
  count(0, {counter::family::joined, 7}, 1);
  EXPECT_THAT(disagreement(), HasSubstr("has no account"));
}

TEST_F(Recount, FindsFamiliesWithTooManyPlaces) {
  put(runtime::family_places_key(0, 5), std::string(1, '\1'));
  EXPECT_THAT(disagreement(), HasSubstr("1 places of families are taken by 0 members"));
  put(runtime::family_places_key(0, 5), std::string(1, '\3'));
  EXPECT_THAT(disagreement(), HasSubstr("a family has 3 places taken"));
}

TEST_F(Recount, FindsANikThatIsNobodys) {
  put(first_of(kind::person).first, std::nullopt);
  EXPECT_THAT(disagreement(), HasSubstr("has a NIK that is nobody's"));
}

TEST_F(Recount, FindsANumberOfSomebodyUnknown) {
  change<registry::wire::Phone>(first_of(kind::phone).first,
                                [](auto& phone) { phone.mutable_owners(0)->set_owner(9); });
  EXPECT_THAT(disagreement(), HasSubstr("who has no account"));
}

TEST_F(Recount, FindsSomebodyWithTwoPhoneNumbers) {
  registry::wire::Phone phone;
  ASSERT_TRUE(phone.ParseFromString(first_of(kind::phone, 1).second));
  put(runtime::snapshot_key(0, {kind::phone, 5}), phone.SerializeAsString());
  EXPECT_THAT(disagreement(), HasSubstr("who has another one"));
  // While the old one is being given back there may be two.
  change<runtime::wire::Shard>(runtime::shard_key(2), [&](auto& own) {
    registry::wire::Ask ask;
    ask.mutable_release()->set_owner(phone.owners(0).owner());
    auto& letter = *own.add_outboxes()->add_waiting();
    letter.set_kind(static_cast<std::uint32_t>(kind::phone));
    letter.set_body(ask.SerializeAsString());
  });
  EXPECT_EQ(disagreement(), "none");
}

TEST_F(Recount, FindsSomebodyOnTwoFamilyCards) {
  registry::wire::Family family;
  ASSERT_TRUE(family.ParseFromString(first_of(kind::family, 1).second));
  put(runtime::snapshot_key(0, {kind::family, 5}), family.SerializeAsString());
  EXPECT_THAT(disagreement(), HasSubstr("who has another one"));
}

TEST_F(Recount, FindsARowInAnotherShard) {
  const auto id = account(1);
  const auto home = home_of(id.value);
  const auto other = static_cast<shard_index>((home + 1) % shards);
  put(runtime::snapshot_key(other, runtime::ref_of(id)),
      row(runtime::snapshot_key(home, runtime::ref_of(id))));
  EXPECT_THAT(disagreement(), HasSubstr("belongs elsewhere"));
}

TEST_F(Recount, FindsADivisionIntoAnotherNumberOfShards) {
  EXPECT_THAT(recount(*store_, 8).value().disagreement.value_or("none"),
              HasSubstr("of 4 shards, not 8"));
}

// An audit may run on a backup: not a byte of it may change.
TEST_F(Recount, ReadsAStoreThatMayNotChange) {
  store_.reset();
  const auto contents = [this] {
    std::map<std::string, std::filesystem::file_time_type> found;
    for (const auto& one : std::filesystem::recursive_directory_iterator(state()))
      found.emplace(one.path().string(), one.last_write_time());
    return found;
  };
  const auto before = contents();
  {
    auto store = storage::state_store::open_to_read({.directory = state(), .prewarm_bytes = 0});
    ASSERT_TRUE(store) << store.error().detail;
    ASSERT_TRUE((*store)->verify());
    EXPECT_EQ(recount(**store, shards_in(**store).value()).value().applicants, everybody);
    EXPECT_FALSE((*store)->ingest(std::vector<storage::row_change>{{"k", "v"}}));
  }
  EXPECT_EQ(contents(), before);
}

}  // namespace
}  // namespace gelombang::seed
