#include "actors/seed/seeding.hpp"

#include <gtest/gtest.h>

#include <map>

#include "actors/applicant/names.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "storage/backup.hpp"
#include "tests/actors/applicant/people.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::seed {
namespace {

using applicant::testing::noon;
using runtime::kind;
using storage::testing::temporary_directory;

const keyring keys = keyring::from_bytes({7});
constexpr std::uint32_t shards = 8;

seed_options options_in(const temporary_directory& where, std::uint64_t applicants) {
  return {.data_directory = where.path() / "data",
          .applicants = applicants,
          .seed = 3,
          .shards = shards,
          .now = noon};
}

using stored_rows = std::map<std::string, std::string>;

std::unique_ptr<storage::state_store> open_store(const seed_options& options) {
  return std::move(storage::state_store::open(
                       {.directory = storage::layout{options.data_directory}.state(),
                        .block_cache_bytes = 8u << 20,
                        .prewarm_bytes = 0}))
      .value();
}

stored_rows rows_of(const seed_options& options) {
  stored_rows found;
  auto store = open_store(options);
  EXPECT_TRUE(store->scan("", "\xff\xff", [&](std::string_view key, std::string_view value) {
    found.emplace(key, value);
    return true;
  }));
  return found;
}

std::string key_of(runtime::entity_ref who, std::uint32_t of = shards) {
  return runtime::snapshot_key(runtime::shard_of(who.id, of), who);
}

template <class Message>
Message parsed(const stored_rows& rows, const std::string& key) {
  Message message;
  EXPECT_TRUE(rows.contains(key) && message.ParseFromString(rows.at(key)));
  return message;
}

/// The account that the rules make of the same person, through all their events.
applicant::testing::account account_by_rules(applicant::testing::world& all, const person& who) {
  using namespace applicant;
  using applicant::testing::must;
  applicant::testing::account made{.id = all.keys.account_of(who.email)};
  must(all.enter(made, noon, who.email));
  must(all.verify(made, all.code(made), noon, "!"));
  must(all.submit(made, {std::string{who.nik.digits()}, std::string{who.kk.digits()}, who.full_name,
                         who.birth_date, who.region, who.phone}));
  all.settle(made);
  must(all.profile(made, set_profile{.phone = who.phone,
                                     .education = *education_named(who.education),
                                     .employment = *employment_named(who.employment),
                                     .disability = who.disability,
                                     .returned_migrant = who.returned_migrant,
                                     .now = noon}));
  all.settle(made);
  must(all.assess(made));
  return made;
}

/// Random nonces make sealed bytes differ; the assessment is whatever was answered.
void take_over_what_may_differ(applicant::wire::State& to, const applicant::wire::State& from) {
  to.set_sealed_email(from.sealed_email());
  to.mutable_identity()->set_sealed(from.identity().sealed());
  to.mutable_phone()->set_sealed(from.phone().sealed());
  *to.mutable_assessment() = from.assessment();
}

TEST(Seeding, EverybodyIsAsTheRulesWouldHaveMadeThem) {
  const people everybody{3};
  applicant::testing::world all;
  for (std::uint64_t number = 1; number <= 300; ++number) {
    const auto who = everybody(number);
    ASSERT_EQ(applicant::normalise_name(who.full_name), who.full_name);
    auto by_rules = account_by_rules(all, who);
    const auto seeded = ready_state(all.keys, who, number, 1, noon);
    ASSERT_EQ(applicant::stage_of(seeded), applicant::stage::ready);
    ASSERT_EQ(applicant::open_email(all.keys, by_rules.id, seeded.sealed_email()), who.email);
    ASSERT_EQ(applicant::open_phone(all.keys, by_rules.id, seeded.phone().sealed()), who.phone);
    const auto papers = applicant::open_identity(all.keys, by_rules.id, seeded);
    ASSERT_TRUE(papers);
    ASSERT_EQ(papers->number, who.nik);
    ASSERT_EQ(papers->card, who.kk);
    ASSERT_EQ(papers->full_name, who.full_name);
    take_over_what_may_differ(by_rules.state, seeded);
    ASSERT_EQ(by_rules.state.SerializeAsString(), seeded.SerializeAsString()) << number;
  }
}

TEST(Seeding, WritesTheRowsThatTheRegistryWouldHave) {
  const temporary_directory where;
  const auto options = options_in(where, 300);
  const auto report = seed_data(options, keys);
  ASSERT_TRUE(report) << report.error().detail;
  auto rows = rows_of(options);
  EXPECT_EQ(report->applicants, 300u);
  EXPECT_EQ(report->rows, rows.size());
  EXPECT_GT(report->disk_bytes, 300u * 200);

  const people everybody{3};
  applicant::testing::world all;
  for (std::uint64_t number = 1; number <= 300; ++number) account_by_rules(all, everybody(number));
  for (const auto& [id, person] : all.persons)
    EXPECT_EQ(rows[key_of({kind::person, id})], person.SerializeAsString());
  for (const auto& [id, phone] : all.phones)
    EXPECT_EQ(rows[key_of({kind::phone, id})], phone.SerializeAsString());
  for (const auto& [id, family] : all.families)
    EXPECT_EQ(rows[key_of({kind::family, id})], family.SerializeAsString());
  EXPECT_EQ(rows.size(),
            300 + all.persons.size() + all.phones.size() + all.families.size() + shards);
}

TEST(Seeding, CountsTheReadyOfEachShard) {
  const temporary_directory where;
  const auto options = options_in(where, 500);
  ASSERT_TRUE(seed_data(options, keys));
  const auto rows = rows_of(options);
  std::int64_t sum = 0;
  for (runtime::shard_index shard = 0; shard < shards; ++shard) {
    const auto own = parsed<runtime::wire::Shard>(rows, runtime::shard_key(shard));
    const auto first = runtime::snapshot_prefix(shard, kind::applicant);
    const auto stored =
        std::distance(rows.lower_bound(first), rows.lower_bound(runtime::end_of(first)));
    ASSERT_EQ(own.counters_size(), 1);
    EXPECT_EQ(own.counters(0).key(), 1ull << 32 | 8);
    EXPECT_EQ(own.counters(0).value(), stored);
    EXPECT_EQ(own.shards(), shards);
    EXPECT_EQ(own.last(), 0u);
    sum += own.counters(0).value();
  }
  EXPECT_EQ(sum, 500);
}

// Families reach over the ends of chunks and of what one thread makes.
TEST(Seeding, RowsDoNotDependOnChunksAndThreads) {
  const temporary_directory whole, pieces;
  auto options = options_in(whole, 200);
  options.threads = 1;
  ASSERT_TRUE(seed_data(options, keys));
  auto others = options_in(pieces, 200);
  others.threads = 3;
  others.chunk = 7;
  std::vector<std::uint64_t> told;
  ASSERT_TRUE(seed_data(others, keys, [&](std::uint64_t done, std::uint64_t all) {
    EXPECT_EQ(all, 200u);
    told.push_back(done);
  }));
  ASSERT_EQ(told.size(), 29u);
  EXPECT_EQ(told.front(), 7u);
  EXPECT_EQ(told.back(), 200u);

  const auto once = rows_of(options), in_pieces = rows_of(others);
  ASSERT_EQ(once.size(), in_pieces.size());
  const auto applicants = static_cast<char>(16 + static_cast<int>(kind::applicant));
  for (auto left = once.begin(), right = in_pieces.begin(); left != once.end(); ++left, ++right) {
    ASSERT_EQ(left->first, right->first);
    // Sealed with another nonce.
    if (left->first[2] == applicants) continue;
    EXPECT_EQ(left->second, right->second);
  }
}

TEST(Seeding, KeepsWhatAShardKnowsAlready) {
  const temporary_directory where;
  auto options = options_in(where, 50);
  std::vector<storage::row_change> rows;
  for (runtime::shard_index shard = 0; shard < 4; ++shard) {
    runtime::wire::Shard own;
    own.set_last(12);
    own.set_epoch(2);
    own.set_shards(4);
    own.add_outboxes()->set_to(3);
    auto& counter = *own.add_counters();
    counter.set_key(1ull << 32 | 8);
    counter.set_value(1000);
    rows.push_back({runtime::shard_key(shard), own.SerializeAsString()});
  }
  ASSERT_TRUE(open_store(options)->ingest(rows));

  options.shards = 64;
  ASSERT_TRUE(seed_data(options, keys));
  const auto after = rows_of(options);
  std::int64_t sum = 0;
  for (runtime::shard_index shard = 0; shard < 4; ++shard) {
    const auto own = parsed<runtime::wire::Shard>(after, runtime::shard_key(shard));
    EXPECT_EQ(own.last(), 12u);
    EXPECT_EQ(own.epoch(), 2u);
    EXPECT_EQ(own.shards(), 4u);
    EXPECT_EQ(own.outboxes_size(), 1);
    sum += own.counters(0).value();
  }
  EXPECT_EQ(sum, 4 * 1000 + 50);
  const auto first = people{3}(1);
  EXPECT_TRUE(after.contains(key_of(runtime::ref_of(keys.account_of(first.email)), 4)));
}

TEST(Seeding, IsRefusedWhereThereAreApplicants) {
  const temporary_directory where;
  const auto options = options_in(where, 3);
  ASSERT_TRUE(seed_data(options, keys));
  const auto again = seed_data(options, keys);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, storage::fault::in_use);
  EXPECT_NE(again.error().detail.find("holds applicants already"), std::string::npos);
}

TEST(Seeding, IsRefusedWhileANodeHasTheDirectory) {
  const temporary_directory where;
  const auto options = options_in(where, 3);
  const auto lock = storage::directory_lock::take({options.data_directory});
  ASSERT_TRUE(lock);
  const auto refused = seed_data(options, keys);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, storage::fault::in_use);
}

TEST(Seeding, ThereAreNoMorePeopleThanPeopleMax) {
  const temporary_directory where;
  EXPECT_FALSE(seed_data(options_in(where, people_max + 1), keys));
  auto options = options_in(where, 1);
  options.shards = runtime::shards_max + 1;
  EXPECT_FALSE(seed_data(options, keys));
}

}  // namespace
}  // namespace gelombang::seed
