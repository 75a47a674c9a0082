#include "actors/registry/rules.hpp"

#include <gtest/gtest.h>

#include "actors/registry/lists.hpp"

namespace gelombang::registry {
namespace {

wire::Ask take(std::uint64_t owner, std::uint64_t rest = 7, std::uint32_t claim = 1) {
  wire::Ask ask;
  ask.mutable_take()->set_rest(rest);
  ask.mutable_take()->set_owner(owner);
  ask.mutable_take()->set_claim(claim);
  return ask;
}

wire::Ask release(std::uint64_t owner, std::uint64_t rest = 7) {
  wire::Ask ask;
  ask.mutable_release()->set_rest(rest);
  ask.mutable_release()->set_owner(owner);
  return ask;
}

enum class standing { on, off };

wire::Ask listing(list which, std::uint64_t version, standing stands, std::uint64_t rest = 7) {
  wire::Ask ask;
  ask.mutable_list()->set_rest(rest);
  ask.mutable_list()->set_list(static_cast<std::uint32_t>(which));
  ask.mutable_list()->set_version(version);
  ask.mutable_list()->set_listed(stands == standing::on);
  return ask;
}

wire::Ask enroll(std::uint64_t owner, std::uint32_t region) {
  wire::Ask ask;
  ask.mutable_enroll()->set_owner(owner);
  ask.mutable_enroll()->set_claim(3);
  ask.mutable_enroll()->set_region(region);
  return ask;
}

wire::Ask leave(std::uint64_t owner) {
  wire::Ask ask;
  ask.mutable_leave()->set_owner(owner);
  return ask;
}

/// Hands `ask` to the entity and returns what is answered.
template <class Entity>
std::optional<reply> tell(Entity& entity, const wire::Ask& ask) {
  auto made = decide(entity, ask);
  if (made.event) apply(entity, *made.event);
  return made.answer;
}

template <class Entity>
class OwnedThing : public ::testing::Test {};
using owned_things = ::testing::Types<wire::Person, wire::Phone>;
TYPED_TEST_SUITE(OwnedThing, owned_things);

TYPED_TEST(OwnedThing, BelongsToTheFirstWhoTakesIt) {
  TypeParam thing;
  auto first = tell(thing, take(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->first, applicant_id{1});
  EXPECT_TRUE(first->second.has_taken());
  EXPECT_EQ(first->second.claim(), 1u);
  auto second = tell(thing, take(2, 7, 9));
  EXPECT_EQ(second->first, applicant_id{2});
  EXPECT_EQ(second->second.claim(), 9u);
  EXPECT_EQ(second->second.refused().reason(), wire::TAKEN);
  EXPECT_EQ(owner_of(thing, 7), applicant_id{1});
}

TYPED_TEST(OwnedThing, TakingAgainChangesNothingAndIsAnsweredAgain) {
  TypeParam thing;
  tell(thing, take(1));
  auto made = decide(thing, take(1, 7, 2));
  EXPECT_FALSE(made.event);
  EXPECT_TRUE(made.answer->second.has_taken());
  EXPECT_EQ(made.answer->second.claim(), 2u);
}

TYPED_TEST(OwnedThing, OnlyItsOwnerReleasesIt) {
  TypeParam thing;
  tell(thing, take(1));
  tell(thing, release(2));
  EXPECT_EQ(owner_of(thing, 7), applicant_id{1});
  tell(thing, release(1));
  EXPECT_EQ(owner_of(thing, 7), std::nullopt);
  EXPECT_EQ(thing.ByteSizeLong(), 0u) << "nothing is left behind";
  EXPECT_FALSE(decide(thing, release(1)).event);
  EXPECT_TRUE(tell(thing, take(2))->second.has_taken());
}

TYPED_TEST(OwnedThing, HashesThatShareTheirFirstHalfStayApart) {
  TypeParam thing;
  tell(thing, take(1, 7));
  EXPECT_TRUE(tell(thing, take(2, 8))->second.has_taken());
  EXPECT_EQ(tell(thing, take(3, 8))->second.refused().reason(), wire::TAKEN);
  tell(thing, release(1, 7));
  EXPECT_EQ(owner_of(thing, 8), applicant_id{2});
}

TYPED_TEST(OwnedThing, HasALimitOnHashesThatShareTheirFirstHalf) {
  TypeParam thing;
  for (std::uint64_t rest = 0; rest < entries_max; ++rest) {
    ASSERT_TRUE(tell(thing, take(1, rest))->second.has_taken());
  }
  EXPECT_TRUE(tell(thing, take(1, entries_max))->second.has_refused());
  EXPECT_TRUE(tell(thing, take(1, 0))->second.has_taken());
}

TYPED_TEST(OwnedThing, PassesOverWhatItDoesNotUnderstand) {
  TypeParam thing;
  for (const auto& ask : {wire::Ask{}, enroll(1, 3201), leave(1)}) {
    auto made = decide(thing, ask);
    EXPECT_FALSE(made.event);
    EXPECT_FALSE(made.answer);
  }
}

TYPED_TEST(OwnedThing, AnOwnerMayHaveTheIdZero) {
  TypeParam thing;
  tell(thing, take(0));
  EXPECT_EQ(owner_of(thing, 7), applicant_id{0});
  EXPECT_TRUE(tell(thing, take(1))->second.has_refused());
}

// --- lists ---

TEST(PersonLists, MayComeBeforeThePerson) {
  wire::Person person;
  EXPECT_FALSE(tell(person, listing(list::police, 1, standing::on)));
  EXPECT_EQ(lists_of(person, 7), mask_of(list::police));
  EXPECT_EQ(lists_of(person, 8), 0u);
  EXPECT_EQ(tell(person, take(1))->second.taken().lists(), mask_of(list::police));
}

TEST(PersonLists, TellTheOwnerWhatChanges) {
  wire::Person person;
  tell(person, take(1));
  tell(person, listing(list::police, 1, standing::on));
  auto told = tell(person, listing(list::students, 1, standing::on));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->first, applicant_id{1});
  EXPECT_EQ(told->second.lists_changed().lists(), mask_of(list::police) | mask_of(list::students));
  EXPECT_FALSE(tell(person, listing(list::students, 2, standing::on))) << "no change";
  told = tell(person, listing(list::police, 2, standing::off));
  EXPECT_EQ(told->second.lists_changed().lists(), mask_of(list::students));
}

TEST(PersonLists, AnOlderVersionThatComesLateDoesNotWin) {
  wire::Person person;
  tell(person, take(1));
  tell(person, listing(list::police, 2, standing::off));
  tell(person, listing(list::police, 3, standing::on));
  tell(person, listing(list::police, 4, standing::off));
  for (auto version : {3, 4}) {
    auto made =
        decide(person, listing(list::police, static_cast<std::uint64_t>(version), standing::on));
    EXPECT_FALSE(made.event);
    EXPECT_FALSE(made.answer);
  }
  EXPECT_EQ(lists_of(person, 7), 0u);
}

TEST(PersonLists, StayWhenTheOwnerGoes) {
  wire::Person person;
  tell(person, take(1));
  tell(person, listing(list::police, 1, standing::on));
  tell(person, release(1));
  EXPECT_EQ(tell(person, take(2))->second.taken().lists(), mask_of(list::police));
}

TEST(PersonLists, AListThatIsNoneIsPassedOver) {
  wire::Person person;
  for (auto number : {lists_count, 32u, ~0u}) {
    auto ask = listing(list::police, 1, standing::on);
    ask.mutable_list()->set_list(number);
    EXPECT_FALSE(decide(person, ask).event);
  }
}

// --- families ---

TEST(Family, TheFirstMembersRegionIsTheFamilys) {
  wire::Family family;
  EXPECT_TRUE(tell(family, enroll(1, 3201))->second.has_enrolled());
  EXPECT_TRUE(tell(family, enroll(2, 3201))->second.has_enrolled());
  auto other = tell(family, enroll(3, 3273));
  EXPECT_EQ(other->second.refused().reason(), wire::REGION_MISMATCH);
  EXPECT_EQ(other->second.claim(), 3u);
  EXPECT_EQ(family.members_size(), 2);
}

TEST(Family, TheRegionIsFreeAgainWhenTheLastHasLeft) {
  wire::Family family;
  tell(family, enroll(1, 3201));
  tell(family, enroll(2, 3201));
  tell(family, leave(1));
  EXPECT_TRUE(tell(family, enroll(3, 3273))->second.has_refused());
  tell(family, leave(2));
  EXPECT_EQ(family.ByteSizeLong(), 0u);
  EXPECT_TRUE(tell(family, enroll(3, 3273))->second.has_enrolled());
}

TEST(Family, EnrollingAndLeavingAgainChangesNothing) {
  wire::Family family;
  tell(family, enroll(1, 3201));
  auto again = decide(family, enroll(1, 3201));
  EXPECT_FALSE(again.event);
  EXPECT_TRUE(again.answer->second.has_enrolled());
  EXPECT_TRUE(decide(family, enroll(1, 3273)).answer->second.has_refused());
  EXPECT_FALSE(decide(family, leave(9)).event);
}

TEST(Family, HasALimitOnItsMembers) {
  wire::Family family;
  for (std::uint64_t owner = 0; owner < family_members_max; ++owner) {
    ASSERT_TRUE(tell(family, enroll(owner, 3201))->second.has_enrolled());
  }
  EXPECT_EQ(tell(family, enroll(999, 3201))->second.refused().reason(), wire::FAMILY_TOO_LARGE);
}

TEST(Family, PassesOverWhatItDoesNotUnderstand) {
  wire::Family family;
  for (const auto& ask :
       {wire::Ask{}, take(1), release(1), listing(list::police, 1, standing::on)}) {
    EXPECT_FALSE(decide(family, ask).event);
  }
}

TEST(Address, IsTheHashInTwoHalves) {
  auto where = address_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
  EXPECT_EQ(where.id, 0x0001020304050607u);
  EXPECT_EQ(where.rest, 0x08090a0b0c0d0e0fu);
}

}  // namespace
}  // namespace gelombang::registry
