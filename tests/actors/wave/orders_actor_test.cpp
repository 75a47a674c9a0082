#include "tests/actors/wave/announcing.hpp"

/// Orders that come again: with their own key, with another, after a crash.
namespace gelombang::rooms_test {
namespace {

request_key key(std::uint64_t name, std::uint64_t request = 1) {
  return {name, request};
}

TEST(WaveActor, ARepeatedCreationIsTheSameWaveAlsoAfterACrash) {
  world around;
  wave_number made;
  wave::create command;
  {
    machine one{around};
    command = {one.plan(noon + 1h, 2h), noon, key(5)};
    auto first = one.ask<wave_number>(runtime::calendar_ref, command);
    ASSERT_TRUE(first);
    made = *first;
    EXPECT_EQ(one.ask<wave_number>(runtime::calendar_ref, command), made);
    command.request = key(5, 2);
    EXPECT_EQ(code_of(one.ask<wave_number>(runtime::calendar_ref, command)),
              errc::idempotency_conflict);
    EXPECT_EQ(one.board.all().size(), 1u);
  }
  command.request = key(5);
  {
    machine replayed{around};
    EXPECT_EQ(replayed.ask<wave_number>(runtime::calendar_ref, command), made);
    ASSERT_TRUE(replayed.running->checkpoint());
  }
  machine read{around};
  EXPECT_EQ(read.ask<wave_number>(runtime::calendar_ref, command), made);
  command.request = key(5, 2);
  EXPECT_EQ(code_of(read.ask<wave_number>(runtime::calendar_ref, command)),
            errc::idempotency_conflict);
  EXPECT_EQ(read.board.all().size(), 1u);
}

TEST(WaveActor, ARepeatedOrderGetsItsAnswerWhateverHasHappenedSince) {
  world around;
  wave_number number;
  wave::close close;
  {
    machine one{around};
    number = one.open_wave();
    close = {one.time.now(), key(5)};
    ASSERT_TRUE(one.order(number, close));
    one.desk_in_use = true;
    auto commit = one.commitment();
    commit.request = key(6);
    const auto first = one.send<wave::facts>(runtime::ref_of(number), commit);
    const auto second = one.send<wave::facts>(runtime::ref_of(number), commit);
    commit.request = key(6, 2);
    const auto other = one.send<wave::facts>(runtime::ref_of(number), commit);
    one.settle();
    ASSERT_TRUE(first->value && second->value && other->value);
    EXPECT_EQ(code_of(*first->value), errc::ok);
    EXPECT_EQ(code_of(*second->value), errc::ok) << "while the desk is at it";
    EXPECT_EQ(code_of(*other->value), errc::idempotency_conflict);
  }
  machine one{around};
  auto again = one.order(number, close);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->wave->phase(), wave::wire::CLOSED);
  EXPECT_EQ(phase_of(one, number), wave::wire::COMMITTED);
  EXPECT_EQ(code_of(one.order(number, wave::close{one.time.now(), key(5, 2)})),
            errc::idempotency_conflict);
  EXPECT_EQ(code_of(one.order(number, wave::close{one.time.now(), key(7)})),
            errc::wave_out_of_order);
}

TEST(WaveActor, AnOrderWhoseAnswerWasLostInACrashIsAnsweredWhenItIsDone) {
  for (int steps = 0; steps < 40; steps += 3) {
    SCOPED_TRACE(steps);
    world around;
    wave_number number;
    wave::close close;
    {
      machine one{around};
      number = one.open_wave();
      close = {one.time.now(), key(5)};
      (void)one.send<wave::facts>(runtime::ref_of(number), close);
      for (int i = 0; i < steps; ++i)
        if (!one.step()) one.running->pump();
    }
    machine one{around};
    auto again = one.order(number, close);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->wave->phase(), wave::wire::CLOSED);
  }
}

TEST(WaveActor, ASecondKeyForWhatIsUnderWayGetsTheSameAnswerAlsoAfterACrash) {
  world around;
  wave_number number;
  wave::close close;
  wave::commit commit;
  {
    machine one{around};
    number = one.open_wave();
    const auto to = runtime::ref_of(number);
    close = {one.time.now(), key(5)};
    const auto first = one.send<wave::facts>(to, close);
    close.request = key(6);
    const auto second = one.send<wave::facts>(to, close);
    one.settle();
    ASSERT_TRUE(first->value && second->value);
    EXPECT_EQ(code_of(*first->value), errc::ok);
    EXPECT_EQ(code_of(*second->value), errc::ok);
    one.desk_in_use = true;
    commit = one.commitment();
    commit.request = key(7);
    const auto third = one.send<wave::facts>(to, commit);
    commit.request = key(8);
    const auto fourth = one.send<wave::facts>(to, commit);
    auto different = commit;
    different.beacon_round += 1;
    different.request = key(9, 2);
    const auto fifth = one.send<wave::facts>(to, different);
    one.settle();
    ASSERT_TRUE(third->value && fourth->value && fifth->value);
    EXPECT_EQ(code_of(*third->value), errc::ok);
    EXPECT_EQ(code_of(*fourth->value), errc::ok);
    EXPECT_EQ(code_of(*fifth->value), errc::wave_out_of_order);
    EXPECT_EQ(fifth->value->error().detail, wave::order_under_way);
  }
  machine one{around};
  for (auto name : {5, 6}) {
    close.request = key(static_cast<std::uint64_t>(name));
    auto again = one.order(number, close);
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(again->wave->phase(), wave::wire::CLOSED);
  }
  for (auto name : {7, 8}) {
    commit.request = key(static_cast<std::uint64_t>(name));
    auto again = one.order(number, commit);
    ASSERT_TRUE(again) << name;
    EXPECT_EQ(again->wave->phase(), wave::wire::COMMITTED);
  }
  close.request = key(6, 2);
  EXPECT_EQ(code_of(one.order(number, close)), errc::idempotency_conflict);
}

TEST(WaveActor, AnOpeningOrderedTwiceIsAnsweredTwice) {
  world around;
  machine one{around};
  const auto number = planned_wave(one);
  const auto to = runtime::ref_of(number);
  const auto first = one.send<wave::facts>(to, wave::open{noon, key(1)});
  const auto second = one.send<wave::facts>(to, wave::open{noon, key(2)});
  one.settle();
  ASSERT_TRUE(first->value && second->value);
  EXPECT_EQ(code_of(*first->value), errc::ok);
  EXPECT_EQ(code_of(*second->value), errc::ok);
  EXPECT_EQ(code_of(one.order(number, wave::open{noon, key(2)})), errc::ok) << "again";
  EXPECT_EQ(code_of(one.order(number, wave::open{noon, key(3)})), errc::wave_out_of_order);
}

TEST(WaveActor, APlanThatIsOverIsRefusedAndItsRepeatIsNot) {
  world around;
  machine one{around};
  const wave::create made{one.plan(noon - 3h, 4h), noon, key(1)};
  const auto number = one.ask<wave_number>(runtime::calendar_ref, made);
  ASSERT_TRUE(number);
  one.advance(2h);
  auto again = made;
  again.now = one.time.now();
  EXPECT_EQ(one.ask<wave_number>(runtime::calendar_ref, again), *number);
  again.request = key(2);
  EXPECT_EQ(code_of(one.ask<wave_number>(runtime::calendar_ref, again)), errc::schedule_invalid);
  EXPECT_EQ(one.board.all().size(), 1u);
}

}  // namespace
}  // namespace gelombang::rooms_test
