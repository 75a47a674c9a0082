#include "actors/registry/rules.hpp"
#include "tests/actors/rooms.hpp"

namespace gelombang::rooms_test {
namespace {

using applicant::stage;

std::int64_t at_stage(const machine& in, stage which) {
  return in.running->count(
      {runtime::counter::family::funnel_stage, static_cast<std::uint32_t>(which)});
}

applicant::request_key key(std::uint64_t name, std::uint64_t request = 1) {
  return {name, request};
}

TEST(ApplicantActor, ComesThroughTheWholeFunnel) {
  world around;
  machine one{around};
  const auto who = one.account(1);
  ASSERT_TRUE(one.ask(who, applicant::enter_email{.email = one.person(1).email, .now = noon}));
  EXPECT_EQ(one.me(who).stage, stage::email_entered);
  EXPECT_EQ(one.code_for(who).size(), 6u) << "no letter";
  const auto wrong = one.code_for(who) == "000000" ? "000001" : "000000";
  EXPECT_EQ(
      code_of(one.ask<applicant::session_grant>(
          who, applicant::verify_email{.code = wrong, .password_verifier = "v", .now = noon})),
      errc::code_wrong);
  auto session = one.ask<applicant::session_grant>(
      who,
      applicant::verify_email{.code = one.code_for(who), .password_verifier = "v", .now = noon});
  ASSERT_TRUE(session);
  EXPECT_EQ(session->account, who);
  ASSERT_TRUE(one.ask(who, one.identity_of(1)));
  EXPECT_EQ(one.me(who).stage, stage::identity_verified);
  ASSERT_TRUE(one.ask(who, one.profile_of(1)));
  EXPECT_EQ(one.me(who).phone, one.person(1).phone);
  ASSERT_TRUE(one.ask<applicant::assessment_result>(who, one.answers()));
  EXPECT_EQ(one.me(who).stage, stage::ready);
  for (auto other : applicant::all_stages)
    EXPECT_EQ(at_stage(one, other), other == stage::ready ? 1 : 0) << name_of(other);
}

TEST(ApplicantActor, OfTwoWithOneNikExactlyOneIsVerified) {
  world around;
  machine one{around};
  ASSERT_TRUE(one.verify(1));
  ASSERT_TRUE(one.verify(2));
  const auto first = one.send<acknowledged>(runtime::ref_of(one.account(1)), one.identity_of(1));
  const auto second = one.send<acknowledged>(runtime::ref_of(one.account(2)), one.identity_of(1));
  one.settle();
  ASSERT_TRUE(first->value && second->value);
  EXPECT_NE(first->value->has_value(), second->value->has_value());
  const auto& loser = first->value->has_value() ? *second->value : *first->value;
  EXPECT_EQ(loser.error().code, errc::nik_taken);
  const auto rejected = first->value->has_value() ? one.account(2) : one.account(1);
  EXPECT_EQ(one.me(rejected).stage, stage::identity_rejected);
  // He may give his own.
  const std::uint64_t own = rejected == one.account(2) ? 2 : 3;
  EXPECT_TRUE(one.ask(rejected, one.identity_of(own)));
}

TEST(ApplicantActor, TheSameIdentityTwiceAtOnceIsAnsweredTwiceAndTakenOnce) {
  world around;
  machine one{around};
  ASSERT_TRUE(one.verify(1));
  const auto who = runtime::ref_of(one.account(1));
  const auto first = one.send<acknowledged>(who, one.identity_of(1));
  const auto second = one.send<acknowledged>(who, one.identity_of(1));
  one.settle();
  EXPECT_EQ(first->answers, 1);
  EXPECT_EQ(second->answers, 1);
  EXPECT_TRUE(first->value->has_value());
  EXPECT_TRUE(second->value->has_value());
  EXPECT_TRUE(one.ask(one.account(1), one.identity_of(1))) << "again, later";
  EXPECT_EQ(code_of(one.ask(one.account(1), one.identity_of(2))), errc::identity_fixed);
}

TEST(ApplicantActor, APhoneBelongsToOne) {
  world around;
  machine one{around};
  one.ready(1);
  ASSERT_TRUE(one.verify(2));
  ASSERT_TRUE(one.ask(one.account(2), one.identity_of(2)));
  auto profile = one.profile_of(2);
  const auto own = profile.phone;
  profile.phone = one.person(1).phone;
  EXPECT_EQ(code_of(one.ask(one.account(2), profile)), errc::phone_taken);
  profile.phone = own;
  EXPECT_TRUE(one.ask(one.account(2), profile));
  EXPECT_EQ(one.me(one.account(2)).phone, own);
}

TEST(ApplicantActor, ARepeatedRequestGetsTheSameAnswer) {
  world around;
  machine one{around};
  const auto who = one.account(1);
  ASSERT_TRUE(one.ask(who, applicant::enter_email{.email = one.person(1).email, .now = noon}));
  applicant::verify_email verify{
      .code = one.code_for(who), .password_verifier = "v", .request = key(5), .now = noon};
  auto first = one.ask<applicant::session_grant>(who, verify);
  ASSERT_TRUE(first);
  auto again = one.ask<applicant::session_grant>(who, verify);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *first);
  verify.request = key(5, 2);
  EXPECT_EQ(code_of(one.ask<applicant::session_grant>(who, verify)), errc::idempotency_conflict);
}

TEST(ApplicantActor, AnAnswerThatWasLostInACrashIsTheSameAfterIt) {
  world around;
  wave_number wave;
  applicant_id who;
  applicant::receipt given;
  {
    machine one{around};
    who = one.ready(1);
    wave = one.open_wave();
    auto joined = one.ask<applicant::receipt>(
        who, applicant::join{.wave = wave, .request = key(9), .now = one.time.now()});
    ASSERT_TRUE(joined);
    given = *joined;
  }
  machine again{around};
  auto repeated = again.ask<applicant::receipt>(
      who, applicant::join{.wave = wave, .request = key(9), .now = again.time.now() + 1min});
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->entry, given.entry);
  EXPECT_EQ(repeated->joined_at, given.joined_at);
}

TEST(ApplicantActor, JoinsWithdrawsAndJoinsAgain) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  const auto wave = one.open_wave();
  const runtime::counter joined{runtime::counter::family::joined, wave.value};
  auto first = one.join(who, wave);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->fresh, applicant::freshness::created);
  auto second = one.join(who, wave);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->fresh, applicant::freshness::repeated);
  EXPECT_EQ(second->entry, first->entry);
  EXPECT_EQ(one.running->count(joined), 1);
  ASSERT_TRUE(one.ask(who, applicant::withdraw{.wave = wave, .now = one.time.now()}));
  EXPECT_EQ(one.running->count(joined), 0);
  EXPECT_EQ(code_of(one.ask(who, applicant::withdraw{.wave = wave, .now = one.time.now()})),
            errc::not_joined);
  auto third = one.join(who, wave);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->fresh, applicant::freshness::created);
  EXPECT_EQ(one.running->count(joined), 1);
}

TEST(ApplicantActor, OneWhoSleptKnowsEverything) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  const auto wave = one.open_wave();
  ASSERT_TRUE(one.join(who, wave));
  const auto before = one.me(who);
  one.advance(400s);
  EXPECT_EQ(one.running->active(), 0u);
  const auto after = one.me(who);
  EXPECT_EQ(after.stage, before.stage);
  EXPECT_EQ(after.email, before.email);
  EXPECT_EQ(after.full_name, before.full_name);
  EXPECT_EQ(after.masked_nik, before.masked_nik);
  EXPECT_EQ(after.phone, before.phone);
  EXPECT_EQ(after.groups, before.groups);
  auto standing = one.standing(who, wave);
  ASSERT_TRUE(standing);
  EXPECT_TRUE(standing->own.joined);
}

TEST(ApplicantActor, FetchesItsStandingInAWaveOfLongAgo) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  const auto stranger = one.ready(2);
  const auto long_ago = one.open_wave();
  ASSERT_TRUE(one.join(who, long_ago));
  ASSERT_TRUE(one.order(long_ago, wave::cancel{one.time.now()}));
  for (int i = 0; i < 6; ++i) {
    const auto later = one.open_wave();
    ASSERT_TRUE(one.order(later, wave::cancel{one.time.now()}));
  }
  ASSERT_TRUE(one.running->checkpoint());
  one.advance(400s);
  ASSERT_EQ(one.running->active(), 0u);
  auto standing = one.standing(who, long_ago);
  ASSERT_TRUE(standing);
  EXPECT_TRUE(standing->own.joined);
  standing = one.standing(stranger, long_ago);
  ASSERT_TRUE(standing);
  EXPECT_FALSE(standing->own.joined);
  EXPECT_EQ(code_of(one.standing(who, wave_number{999})), errc::wave_unknown);
}

TEST(ApplicantActor, GoesOnWhereverTheNodeCrashedInAClaim) {
  for (int steps = 0; steps < 12; ++steps) {
    SCOPED_TRACE(steps);
    world around;
    {
      machine one{around};
      ASSERT_TRUE(one.verify(1));
      (void)one.send<acknowledged>(runtime::ref_of(one.account(1)), one.identity_of(1));
      for (int i = 0; i < steps; ++i) i % 2 == 0 ? one.running->pump() : one.step();
    }
    machine again{around};
    again.settle();
    EXPECT_TRUE(again.ask(again.account(1), again.identity_of(1)));
    EXPECT_EQ(again.me(again.account(1)).stage, stage::identity_verified);
    ASSERT_TRUE(again.verify(2));
    EXPECT_EQ(code_of(again.ask(again.account(2), again.identity_of(1))), errc::nik_taken);
  }
}

// --- rows that do not read

TEST(ApplicantActor, AnAccountWhoseRowDoesNotReadIsNotANewOne) {
  world around;
  applicant_id who, other;
  {
    machine one{around};
    who = one.ready(1);
    other = one.ready(2);
    ASSERT_TRUE(one.running->checkpoint());
  }
  around.store_row(machine::row_key(runtime::ref_of(who)), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.ask<applicant::me>(who, applicant::read_me{noon})),
            errc::storage_unavailable);
  const applicant::enter_email anew{.email = one.person(1).email, .now = one.time.now()};
  EXPECT_EQ(code_of(one.ask(who, anew)), errc::storage_unavailable);
  EXPECT_EQ(at_stage(one, stage::email_entered), 0) << "somebody new";
  EXPECT_EQ(one.me(other).stage, stage::ready) << "others go on";
}

TEST(ApplicantActor, AParticipationThatDoesNotReadIsNotAJoinThatNeverWas) {
  world around;
  applicant_id who;
  wave_number wave;
  {
    machine one{around};
    who = one.ready(1);
    wave = one.open_wave();
    ASSERT_TRUE(one.join(who, wave));
    ASSERT_TRUE(one.running->checkpoint());
  }
  const auto home = runtime::shard_of(who.value, machine::shards);
  around.store_row(runtime::participation_key(home, wave, who), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.join(who, wave)), errc::storage_unavailable);
  EXPECT_EQ(code_of(one.standing(who, wave)), errc::storage_unavailable);
  EXPECT_EQ(one.running->count({runtime::counter::family::joined, wave.value}), 1);
}

TEST(ApplicantActor, AnOldParticipationThatDoesNotReadIsNotAJoinThatNeverWas) {
  world around;
  applicant_id who;
  wave_number long_ago;
  {
    machine one{around};
    who = one.ready(1);
    long_ago = one.open_wave();
    ASSERT_TRUE(one.join(who, long_ago));
    for (int i = 0; i < 6; ++i)
      ASSERT_TRUE(one.order(one.open_wave(), wave::cancel{one.time.now()}));
    ASSERT_TRUE(one.order(long_ago, wave::cancel{one.time.now()}));
    ASSERT_TRUE(one.running->checkpoint());
  }
  const auto home = runtime::shard_of(who.value, machine::shards);
  around.store_row(runtime::participation_key(home, long_ago, who), unreadable_row);
  machine one{around};
  EXPECT_EQ(one.me(who).stage, stage::ready);
  EXPECT_EQ(code_of(one.standing(who, long_ago)), errc::storage_unavailable);
  EXPECT_EQ(code_of(one.standing(who, long_ago)), errc::storage_unavailable) << "asked again";
}

TEST(ApplicantActor, AMembershipThatDoesNotReadIsNotNone) {
  world around;
  applicant_id who;
  wave_number wave;
  {
    machine one{around};
    who = one.ready(1);
    wave = one.open_wave();
    ASSERT_TRUE(one.running->checkpoint());
  }
  const auto home = runtime::shard_of(who.value, machine::shards);
  around.store_row(runtime::member_key(home, who), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.join(who, wave)), errc::storage_unavailable);
}

TEST(ApplicantActor, ANikWhoseRowDoesNotReadIsNotFree) {
  world around;
  const auto nik = [&](const machine& in) {
    return registry::address_of(around.keys.nik_hash(in.person(1).nik.digits())).id;
  };
  std::uint64_t person = 0;
  {
    machine one{around};
    one.ready(1);
    ASSERT_TRUE(one.verify(2));
    person = nik(one);
    ASSERT_TRUE(one.running->checkpoint());
  }
  around.store_row(machine::row_key({runtime::kind::person, person}), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.ask(one.account(2), one.identity_of(1))), errc::timed_out);
  EXPECT_EQ(one.me(one.account(2)).stage, stage::identity_submitted);
}

// --- keys of joins

TEST(ApplicantActor, AJoinOfSomebodyWhoIsInAlreadyIsRememberedPastAWithdrawalAndACrash) {
  world around;
  applicant_id who;
  wave_number wave;
  applicant::join again;
  applicant::receipt told;
  {
    machine one{around};
    who = one.ready(1);
    wave = one.open_wave();
    ASSERT_TRUE(one.join(who, wave));
    again = {.wave = wave, .request = key(5), .now = one.time.now()};
    const auto second = one.ask<applicant::receipt>(who, again);
    ASSERT_TRUE(second);
    told = *second;
    EXPECT_EQ(told.fresh, applicant::freshness::repeated);
    ASSERT_TRUE(one.ask(who, applicant::withdraw{.wave = wave, .now = one.time.now()}));
  }
  machine one{around};
  const auto late = one.ask<applicant::receipt>(who, again);
  ASSERT_TRUE(late);
  EXPECT_EQ(*late, told);
  EXPECT_EQ(one.running->count({runtime::counter::family::joined, wave.value}), 0)
      << "joined again";
  again.request = key(5, 2);
  EXPECT_EQ(code_of(one.ask<applicant::receipt>(who, again)), errc::idempotency_conflict);
}

TEST(ApplicantActor, TheKeyOfAJoinServesNoOtherRequestAlsoAfterACrash) {
  world around;
  applicant_id who;
  wave_number wave, other;
  applicant::join click;
  applicant::receipt told;
  const auto expect_conflicts = [&](machine& one) {
    const auto now = one.time.now();
    const applicant::withdraw leave{.wave = wave, .request = key(5, 2), .now = now};
    EXPECT_EQ(code_of(one.ask(who, leave)), errc::idempotency_conflict);
    const applicant::join elsewhere{.wave = other, .request = key(5, 3), .now = now};
    EXPECT_EQ(code_of(one.ask<applicant::receipt>(who, elsewhere)), errc::idempotency_conflict);
    auto profile = one.profile_of(1);
    profile.phone = one.person(2).phone;
    profile.request = key(5, 4);
    EXPECT_EQ(code_of(one.ask(who, profile)), errc::idempotency_conflict);
    EXPECT_EQ(one.me(who).phone, one.person(1).phone);
    EXPECT_EQ(one.running->count({runtime::counter::family::joined, wave.value}), 1);
    EXPECT_EQ(one.running->count({runtime::counter::family::joined, other.value}), 0);
    EXPECT_EQ(one.ask<applicant::receipt>(who, click), told) << "the join's own repeat";
  };
  {
    machine one{around};
    who = one.ready(1);
    wave = one.open_wave();
    other = one.open_wave();
    click = {.wave = wave, .request = key(5), .now = one.time.now()};
    const auto joined = one.ask<applicant::receipt>(who, click);
    ASSERT_TRUE(joined);
    told = *joined;
    expect_conflicts(one);
  }
  machine one{around};
  expect_conflicts(one);
}

}  // namespace
}  // namespace gelombang::rooms_test
