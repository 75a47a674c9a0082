#include <gtest/gtest.h>

#include "actors/applicant/limits.hpp"
#include "actors/registry/lists.hpp"
#include "tests/actors/applicant/people.hpp"

namespace gelombang::applicant {
namespace {

using namespace testing;

join click(std::optional<request_key> request = {}, instant now = noon) {
  return {.wave = {5}, .request = request, .now = now};
}

TEST(Join, GivesAReceiptAndARow) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  wave.entry = all.keys.entry_of({5}, who.id);
  auto made = decide(who.state, click(), wave);
  ASSERT_TRUE(made.reply);
  EXPECT_EQ(*made.reply, (receipt{.wave = {5},
                                  .entry = wave.entry,
                                  .region = region_code{3201},
                                  .joined_at = noon,
                                  .fresh = freshness::created}));
  ASSERT_TRUE(made.row);
  EXPECT_EQ(made.row->family, all.keys.family_of(human{}.kk_digits));
  EXPECT_EQ(made.row->groups, 0u);
}

TEST(Join, AgainGivesTheSameReceiptAlsoWhenTheWaveHasClosed) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  auto first = decide(who.state, click(), wave);
  wave.row = first.row;
  for (auto open : {true, false}) {
    wave.open = open;
    auto second = decide(who.state, click({}, noon + 1h), wave);
    ASSERT_TRUE(second.reply);
    EXPECT_FALSE(second.row);
    EXPECT_EQ(second.reply->fresh, freshness::repeated);
    EXPECT_EQ(second.reply->joined_at, noon);
  }
}

TEST(Join, SaysWhyNot) {
  world all;
  auto who = all.ready();
  auto closed = all.open_wave();
  closed.open = false;
  EXPECT_EQ(code_of(decide(who.state, click(), closed).reply), errc::wave_not_open);

  auto member = all.open_wave();
  member.member_since = wave_number{2};
  EXPECT_EQ(code_of(decide(who.state, click(), member).reply), errc::already_member);
  all.rules.once_in_lifetime = false;
  EXPECT_TRUE(decide(who.state, click(), member).reply);

  auto unready = all.identified(nth_human(5), 2);
  EXPECT_EQ(code_of(decide(unready.state, click(), all.open_wave()).reply), errc::not_ready);
  EXPECT_EQ(code_of(decide({}, click(), all.open_wave()).reply), errc::not_found);

  all.rules.age_min = 40;
  auto young = decide(who.state, click(), all.open_wave());
  EXPECT_EQ(code_of(young.reply), errc::not_eligible);
  EXPECT_EQ(young.reply.error().detail, "age_below_minimum");
  EXPECT_FALSE(young.row);
}

TEST(Join, ARepeatWithItsKeyGetsTheSameAnswerAndAnotherRequestAConflict) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  auto first = decide(who.state, click(request_key{1, 2}), wave);
  wave.row = first.row;
  EXPECT_EQ(decide(who.state, click(request_key{1, 2}), wave).reply, first.reply);
  EXPECT_EQ(code_of(decide(who.state, click(request_key{1, 3}), wave).reply),
            errc::idempotency_conflict);
  EXPECT_EQ(decide(who.state, click(request_key{4, 3}), wave).reply->fresh, freshness::repeated);
}

TEST(Join, AKeyThatServedAnotherRequestIsAConflict) {
  world all;
  auto who = all.identified();
  must(all.profile(who, human{}));
  all.settle(who);
  must(all.assess(who, {{"why", "b"}, {"sum", "a"}}, request_key{1, 2}));
  auto made = decide(who.state, click(request_key{1, 3}), all.open_wave());
  EXPECT_EQ(code_of(made.reply), errc::idempotency_conflict);
  EXPECT_FALSE(made.row);
}

TEST(Join, KeepsTheGroupsOfTheMoment) {
  world all;
  auto who = all.ready();
  set_profile changed{.phone = human{}.phone,
                      .education = education::smk,
                      .employment = employment::job_seeker,
                      .disability = true,
                      .returned_migrant = true,
                      .now = noon};
  must(all.profile(who, changed));
  registry::wire::Answer listed;
  listed.mutable_lists_changed()->set_lists(registry::mask_of(registry::list::ministry_priority));
  must(all.hear(who, listed));
  auto made = decide(who.state, click(), all.open_wave());
  EXPECT_EQ(made.row->groups, 0b111u);
}

TEST(Withdraw, OnlyFromAWaveThatIsJoinedAndOpen) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  withdraw leave{.wave = {5}, .now = noon};
  EXPECT_EQ(code_of(decide(who.state, leave, wave).reply), errc::not_joined);
  wave.row = decide(who.state, click(), wave).row;
  auto made = decide(who.state, leave, wave);
  ASSERT_TRUE(made.reply);
  ASSERT_EQ(made.events.size(), 1u);
  EXPECT_EQ(made.events[0].withdrawn().wave(), 5u);
  wave.open = false;
  EXPECT_EQ(code_of(decide(who.state, leave, wave).reply), errc::wave_not_open);
}

TEST(Withdraw, ALateRepeatOfTheJoinDoesNotJoinAgain) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  auto first = decide(who.state, click(request_key{1, 2}), wave);
  wave.row = first.row;
  must(who.take(decide(who.state, withdraw{.wave = {5}, .now = noon}, wave)));
  wave.row.reset();
  auto late = decide(who.state, click(request_key{1, 2}, noon + 1h), wave);
  EXPECT_EQ(late.reply, first.reply);
  EXPECT_FALSE(late.row);
  auto anew = decide(who.state, click(request_key{7, 2}, noon + 1h), wave);
  EXPECT_TRUE(anew.row);
  EXPECT_EQ(anew.reply->joined_at, noon + 1h);
}

TEST(Withdraw, ALateRepeatOfAJoinThatFoundItMadeDoesNotJoinAgain) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  wave.row = decide(who.state, click(request_key{1, 2}), wave).row;
  const auto second = decide(who.state, click(request_key{3, 4}, noon + 1min), wave);
  ASSERT_TRUE(second.reply);
  ASSERT_TRUE(second.event);
  apply(who.state, *second.event);
  EXPECT_FALSE(decide(who.state, click(request_key{3, 4}, noon + 2min), wave).event) << "twice";
  must(who.take(decide(who.state, withdraw{.wave = {5}, .now = noon + 1h}, wave)));
  wave.row.reset();
  const auto late = decide(who.state, click(request_key{3, 4}, noon + 2h), wave);
  EXPECT_EQ(late.reply, second.reply);
  EXPECT_FALSE(late.row);
  EXPECT_EQ(code_of(decide(who.state, click(request_key{3, 5}, noon + 2h), wave).reply),
            errc::idempotency_conflict);
}

TEST(Withdraw, JoinsThatFoundItMadeDoNotPushOutWhatHadAnEffect) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  const auto first = decide(who.state, click(request_key{1, 2}), wave);
  wave.row = first.row;
  must(who.take(decide(who.state, withdraw{.wave = {5}, .now = noon}, wave)));
  wave.row.reset();
  wave.row = decide(who.state, click(request_key{3, 4}, noon + 1min), wave).row;
  for (std::uint64_t i = 0; i < std::uint64_t{3} * requests_max; ++i) {
    const auto again = decide(who.state, click(request_key{100 + i, 1}, noon + 2min), wave);
    ASSERT_TRUE(again.event);
    apply(who.state, *again.event);
  }
  EXPECT_LE(who.state.requests_size(), requests_max);
  EXPECT_EQ(decide(who.state, click(request_key{1, 2}, noon + 1h), wave).reply, first.reply);
}

TEST(Join, AgainLeavesNothingToRememberWithoutAKeyOrWhenNobodyCanWithdraw) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  wave.row = decide(who.state, click(request_key{1, 2}), wave).row;
  EXPECT_FALSE(decide(who.state, click(), wave).event);
  EXPECT_FALSE(decide(who.state, click(request_key{1, 2}), wave).event) << "its own key";
  wave.open = false;
  EXPECT_FALSE(decide(who.state, click(request_key{3, 4}), wave).event);
}

TEST(Withdraw, ARepeatWithItsKeyIsFine) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  wave.row = decide(who.state, click(), wave).row;
  withdraw leave{.wave = {5}, .request = request_key{1, 2}, .now = noon};
  must(who.take(decide(who.state, leave, wave)));
  wave.row.reset();
  auto again = decide(who.state, leave, wave);
  EXPECT_TRUE(again.reply);
  EXPECT_TRUE(again.events.empty());
}

TEST(Withdraw, WithTheKeyOfItsJoinIsAConflictAndChangesNothing) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  const auto joined = decide(who.state, click(request_key{1, 2}), wave);
  wave.row = joined.row;
  for (auto age : {0h, 25h}) {
    const withdraw leave{.wave = {5}, .request = request_key{1, 9}, .now = noon + age};
    const auto made = decide(who.state, leave, wave);
    EXPECT_EQ(code_of(made.reply), errc::idempotency_conflict) << age.count();
    EXPECT_TRUE(made.events.empty());
  }
  EXPECT_EQ(decide(who.state, click(request_key{1, 2}, noon + 1h), wave).reply, joined.reply);
}

TEST(Join, ItsKeyIsThatOfNoOtherRequestForADay) {
  const participation row{.joined_at = noon, .request = request_key{1, 2}};
  EXPECT_TRUE(is_key_of_join(row, request_key{1, 3}, noon + 1h));
  EXPECT_FALSE(is_key_of_join(row, request_key{1, 2}, noon + 1h)) << "the join itself";
  EXPECT_FALSE(is_key_of_join(row, request_key{2, 3}, noon + 1h));
  EXPECT_FALSE(is_key_of_join(row, std::nullopt, noon + 1h));
  EXPECT_FALSE(is_key_of_join(row, request_key{1, 3}, noon + request_lifetime));
  EXPECT_FALSE(is_key_of_join({.joined_at = noon}, request_key{1, 3}, noon));
}

TEST(ReadWave, TellsTheReceiptAndWhatStandsInTheWay) {
  world all;
  auto who = all.ready();
  auto wave = all.open_wave();
  EXPECT_EQ(answer_to(who.state, read_wave{}, wave).hindrance, errc::ok);
  EXPECT_FALSE(answer_to(who.state, read_wave{}, wave).joined);
  wave.row = decide(who.state, click(), wave).row;
  wave.open = false;
  auto standing = answer_to(who.state, read_wave{}, wave);
  ASSERT_TRUE(standing.joined);
  EXPECT_EQ(standing.joined->joined_at, noon);
  EXPECT_EQ(standing.hindrance, errc::wave_not_open);
}

// --- the row and the event ---

TEST(Participation, RowsComeBackAsTheyWere) {
  participation row{
      .joined_at = noon, .region = region_code{9999}, .groups = 0xFFFFFFFF, .family = ~0ull};
  EXPECT_EQ(encode(row).size(), 21u);
  EXPECT_EQ(decode_participation(encode(row)), row);
  row.request = request_key{~0ull, 1};
  EXPECT_EQ(encode(row).size(), participation_bytes_max);
  EXPECT_EQ(decode_participation(encode(row)), row);
}

TEST(Participation, RefusesBytesThatAreNoRow) {
  auto row = encode({.joined_at = noon, .region = {1101}, .request = request_key{1, 2}});
  for (std::size_t bytes = 0; bytes < row.size(); ++bytes) {
    EXPECT_FALSE(decode_participation(std::string_view(row).substr(0, bytes))) << bytes;
  }
  EXPECT_FALSE(decode_participation(row + "x"));
  row[0] = 3;
  EXPECT_FALSE(decode_participation(row));
}

TEST(Participation, TheEventIsWhatProtobufWouldWrite) {
  for (auto request :
       {std::optional<request_key>{}, std::optional(request_key{}),
        std::optional(request_key{1, 0}), std::optional(request_key{~0ull, ~0ull})}) {
    for (std::uint32_t groups : {0u, 7u, ~0u}) {
      for (std::uint64_t family : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        participation row{noon, region_code{3201}, groups, family, request};
        wire::Event event = event_at(noon, request);
        event.mutable_joined()->set_wave(~0u);
        event.mutable_joined()->set_region(3201);
        event.mutable_joined()->set_groups(groups);
        event.mutable_joined()->set_family(family);
        EXPECT_EQ(joined_event({~0u}, row), bytes_of(event));
        EXPECT_EQ(participation_of(event), row);
      }
    }
  }
}

}  // namespace
}  // namespace gelombang::applicant
