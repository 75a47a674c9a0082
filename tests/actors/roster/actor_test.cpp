#include "tests/actors/rooms.hpp"

namespace gelombang::rooms_test {
namespace {

std::uint64_t rows_of(const machine& in, wave_number wave) {
  std::uint64_t rows = 0;
  for (runtime::shard_index i = 0; i < machine::shards; ++i) {
    auto first = runtime::table_prefix(i, runtime::table::participation);
    runtime::append_big_endian(first, wave.value);
    (void)in.running->at(i).scan(first, runtime::end_of(first), [&](auto, auto) {
      ++rows;
      return true;
    });
  }
  return rows;
}

TEST(RosterActor, TakesJoinsFromOpeningUpToClosingAndNotAMomentLonger) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  auto number =
      one.ask<wave_number>(runtime::calendar_ref, wave::create{one.plan(noon + 1h, 2h), noon});
  ASSERT_TRUE(number);
  const auto join_at = [&](applicant_id whom, instant now) {
    return code_of(one.ask<applicant::receipt>(whom, applicant::join{.wave = *number, .now = now}));
  };
  EXPECT_EQ(join_at(who, noon + 1h - 1ms), errc::wave_not_open);
  const auto early = one.ready(2), late = one.ready(3);
  // The wave's actor need not have been told yet: the times stand in every shard.
  EXPECT_EQ(join_at(who, noon + 3h), errc::wave_not_open);
  EXPECT_EQ(join_at(early, noon + 1h), errc::ok);
  EXPECT_EQ(join_at(late, noon + 3h - 1ms), errc::ok);
  EXPECT_EQ(join_at(who, noon + 3h), errc::wave_not_open);
}

TEST(RosterActor, AFrozenRosterTakesNobodyWhateverTheClockSays) {
  world around;
  machine one{around};
  const auto in = one.ready(1), out = one.ready(2);
  const auto wave = one.open_wave();
  ASSERT_TRUE(one.join(in, wave));
  ASSERT_TRUE(one.order(wave, wave::close{one.time.now()}));
  EXPECT_EQ(code_of(one.join(out, wave)), errc::wave_not_open);
  EXPECT_EQ(code_of(one.ask(in, applicant::withdraw{.wave = wave, .now = one.time.now()})),
            errc::wave_not_open);
  EXPECT_EQ(rows_of(one, wave), 1u);
}

TEST(RosterActor, CountsExactlyTheJoinsThatWereTakenBeforeTheFreeze) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 chance{seed};
    world around;
    machine one{around};
    std::vector<applicant_id> people;
    for (std::uint64_t i = 1; i <= 24; ++i) people.push_back(one.ready(i));
    const auto number = one.open_wave();
    std::vector<std::shared_ptr<machine::waiting<applicant::receipt>>> answers;
    const auto closing_at = chance() % people.size();
    std::shared_ptr<machine::waiting<wave::facts>> closed;
    for (std::size_t i = 0; i < people.size(); ++i) {
      if (i == closing_at)
        closed = one.send<wave::facts>(runtime::ref_of(number), wave::close{one.time.now()});
      answers.push_back(one.send<applicant::receipt>(
          runtime::ref_of(people[i]), applicant::join{.wave = number, .now = one.time.now()}));
      for (auto steps = chance() % 4; steps > 0; --steps) one.step();
      if (chance() % 3 == 0) one.running->pump();
    }
    one.settle();
    std::uint64_t joined = 0;
    for (const auto& answer : answers) {
      ASSERT_EQ(answer->answers, 1);
      joined += answer->value->has_value();
      EXPECT_TRUE(answer->value->has_value() || answer->value->error().code == errc::wave_not_open);
    }
    ASSERT_TRUE(closed->value && closed->value->has_value());
    EXPECT_EQ((*closed->value)->wave->joined(), joined);
    EXPECT_EQ(rows_of(one, number), joined);
    std::uint64_t frozen = 0;
    for (runtime::shard_index i = 0; i < machine::shards; ++i) {
      EXPECT_EQ(one.roster_row(number, i).phase(), roster::wire::FROZEN);
      frozen += one.roster_row(number, i).joined();
    }
    EXPECT_EQ(frozen, joined);
  }
}

TEST(RosterActor, IsStillShutAfterACrash) {
  world around;
  wave_number number;
  applicant_id who;
  {
    machine one{around};
    who = one.ready(1);
    number = one.open_wave();
    ASSERT_TRUE(one.order(number, wave::close{one.time.now()}));
  }
  machine again{around};
  EXPECT_EQ(code_of(again.join(who, number)), errc::wave_not_open);
}

TEST(RosterActor, ACancelledWaveTakesNobody) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  const auto number = one.open_wave();
  ASSERT_TRUE(one.order(number, wave::cancel{one.time.now()}));
  EXPECT_EQ(code_of(one.join(who, number)), errc::wave_not_open);
  const auto next = one.open_wave();
  EXPECT_TRUE(one.join(who, next));
}

TEST(RosterActor, OneThatDoesNotReadIsNotAWaveThatNobodyKnows) {
  world around;
  wave_number number;
  std::vector<applicant_id> people;
  {
    machine one{around};
    for (std::uint64_t i = 1; i <= 12; ++i) people.push_back(one.ready(i));
    number = one.open_wave();
    ASSERT_TRUE(one.running->checkpoint());
  }
  const auto home = runtime::shard_of(people[0].value, machine::shards);
  around.store_row(machine::row_key(runtime::roster_ref(number, home, machine::shards)),
                   unreadable_row);
  machine one{around};
  std::size_t elsewhere = 0;
  for (auto who : people) {
    const bool is_here = runtime::shard_of(who.value, machine::shards) == home;
    elsewhere += is_here ? 0 : 1;
    const auto expected = is_here ? errc::storage_unavailable : errc::ok;
    EXPECT_EQ(code_of(one.join(who, number)), expected);
    EXPECT_EQ(code_of(one.standing(who, number)), expected);
    if (!is_here) continue;
    EXPECT_EQ(code_of(one.ask(who, applicant::withdraw{.wave = number, .now = one.time.now()})),
              errc::storage_unavailable);
    EXPECT_EQ(one.me(who).stage, applicant::stage::ready) << "the rest of it is there";
  }
  EXPECT_GT(elsewhere, 0u);
  const auto next = one.open_wave();
  EXPECT_TRUE(one.join(people[0], next)) << "other waves go on";
}

}  // namespace
}  // namespace gelombang::rooms_test
