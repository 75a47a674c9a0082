#include "tests/actors/rooms.hpp"
#include "tests/actors/wave/announcing.hpp"

namespace gelombang::rooms_test {
namespace {

TEST(WaveActor, OpensAndClosesByItself) {
  world around;
  machine one{around};
  const auto number = planned_wave(one);
  EXPECT_EQ(phase_of(one, number), wave::wire::SCHEDULED);
  one.advance(1h - 1ms);
  EXPECT_EQ(phase_of(one, number), wave::wire::SCHEDULED);
  one.advance(1ms);
  EXPECT_EQ(phase_of(one, number), wave::wire::OPEN);
  one.advance(2h - 1ms);
  EXPECT_EQ(phase_of(one, number), wave::wire::OPEN);
  one.advance(1ms);
  EXPECT_EQ(phase_of(one, number), wave::wire::CLOSED);
}

TEST(WaveActor, OpensAndClosesAlsoIfTheNodeWasAwayAtTheTime) {
  world around;
  wave_number number;
  {
    machine one{around};
    number = planned_wave(one);
  }
  around.now = noon + 90min;
  {
    machine one{around};
    one.settle();
    EXPECT_EQ(phase_of(one, number), wave::wire::OPEN);
  }
  around.now = noon + 5h;
  machine one{around};
  one.settle();
  EXPECT_EQ(phase_of(one, number), wave::wire::CLOSED);
}

TEST(WaveActor, AWindowThatPassedUnseenLeavesNoWaveThatNeverOpens) {
  world around;
  wave_number missed;
  {
    machine one{around};
    missed = planned_wave(one);
  }
  around.now = noon + 5h;
  machine one{around};
  one.settle();
  EXPECT_EQ(phase_of(one, missed), wave::wire::CANCELLED);
  auto next = one.ask<wave_number>(runtime::calendar_ref,
                                   wave::create{one.plan(noon + 6h, 2h), one.time.now()});
  ASSERT_TRUE(next);
  EXPECT_EQ(one.board.current(one.time.now())->number(), next->value);
}

TEST(WaveActor, RegularWavesAreCreatedAheadOnce) {
  world around;
  machine one{around};
  wave::keep_ahead ahead{.regular = {one.plan(noon + 1h, 2h), one.plan(noon + 25h, 2h)},
                         .now = noon};
  ASSERT_TRUE(one.ask<acknowledged>(runtime::calendar_ref, ahead));
  EXPECT_EQ(one.board.all().size(), 2u);
  ASSERT_TRUE(one.ask<acknowledged>(runtime::calendar_ref, ahead));
  EXPECT_EQ(one.board.all().size(), 2u) << "asked again, created again";
  ahead.regular.push_back(one.plan(noon + 49h, 2h));
  ASSERT_TRUE(one.ask<acknowledged>(runtime::calendar_ref, ahead));
  EXPECT_EQ(one.board.all().size(), 3u);
}

TEST(WaveActor, StepsOutOfOrderAreRefused) {
  world around;
  machine one{around};
  const auto number = one.open_wave();
  EXPECT_EQ(code_of(one.order(number, one.commitment())), errc::wave_out_of_order);
  EXPECT_EQ(code_of(one.order(number, one.draw())), errc::wave_out_of_order);
  EXPECT_EQ(code_of(one.order(number, wave::announce{one.time.now()})), errc::wave_out_of_order);
  ASSERT_TRUE(one.order(number, wave::close{one.time.now()}));
  EXPECT_EQ(code_of(one.order(number, wave::open{one.time.now()})), errc::wave_out_of_order);
  EXPECT_EQ(code_of(one.order(wave_number{77}, wave::show{})), errc::wave_unknown);
}

std::set<std::uint64_t> members(machine& in, const std::vector<applicant_id>& people,
                                wave_number number) {
  std::set<std::uint64_t> found;
  for (auto who : people) {
    auto own = in.standing(who, number);
    applicant::testing::must(own);
    if (own->accepted) found.insert(who.value);
  }
  return found;
}

TEST(WaveActor, DrawsAndMakesTheAcceptedMembers) {
  world around;
  machine one{around};
  const auto people = ready_people(one, 300);
  const auto first = one.open_wave(120);
  join_all(one, people, first);
  announce(one, first);
  const auto facts = one.order(first, wave::show{});
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->wave->joined(), 300u);
  EXPECT_EQ(facts->wave->commitment().entries(), 300u);
  auto files = one.desk->files_of(first, draw::stage::drawn);
  ASSERT_TRUE(files);
  ASSERT_TRUE((*files)->check(2));
  auto before = one.desk->files_of(first, draw::stage::committed);
  ASSERT_TRUE(before);
  EXPECT_FALSE((*before)->is_drawn()) << "what was published before the draw";
  const auto accepted = accepted_by_files(one, first);
  EXPECT_GT(accepted.size(), 50u);
  EXPECT_LE(accepted.size(), 120u);
  EXPECT_EQ(facts->wave->accepted(), accepted.size());
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, first.value}),
            static_cast<std::int64_t>(accepted.size()));
  EXPECT_EQ(members(one, people, first), accepted);
  // Once in a lifetime; also for those who have been asleep meanwhile.
  one.advance(400s);
  const auto second = one.open_wave(120);
  std::map<std::uint64_t, int> family;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const auto who = people[i - 1];
    const bool is_member = accepted.contains(who.value);
    EXPECT_EQ(code_of(one.join(who, second)), is_member ? errc::already_member : errc::ok);
    if (is_member) ++family[around.keys.family_of(one.person(i).kk.digits())];
  }
  // A family with two members has no third.
  std::size_t full = 0;
  announce(one, second);
  const auto later = accepted_by_files(one, second);
  for (std::uint64_t i = 1; i <= 300; ++i) {
    const auto found = family.find(around.keys.family_of(one.person(i).kk.digits()));
    if (found == family.end() || found->second < 2) continue;
    ++full;
    EXPECT_FALSE(later.contains(people[i - 1].value)) << "a third of a family";
  }
  EXPECT_GT(full, 0u);
  for (auto who : accepted) EXPECT_FALSE(later.contains(who));
}

/// A wave with people in it, on the disk of `around`.
wave_number prepare(world& around, std::vector<applicant_id>& people) {
  machine one{around};
  people = ready_people(one, 24);
  const auto number = one.open_wave(10);
  join_all(one, people, number);
  if (!one.running->checkpoint()) throw std::runtime_error("no checkpoint");
  return number;
}

void copy_world(const world& from, world& to) {
  namespace fs = std::filesystem;
  const auto old_root = from.where.path().string();
  for (const auto& path : from.disk->paths())
    to.disk->put(to.where.path().string() + path.substr(old_root.size()), from.disk->get(path));
  fs::copy(from.where.path(), to.where.path(),
           fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  to.now = from.now;
}

/// `steps` messages and rounds of the order that comes next, and then the power goes.
void order_and_crash(world& around, wave_number number, int steps) {
  machine one{around};
  one.settle();
  one.desk_in_use = true;
  const auto shown = one.board.find(number);
  const auto to = runtime::ref_of(number);
  switch (shown->phase()) {
    case wave::wire::OPEN:
      (void)one.send<wave::facts>(to, wave::close{one.time.now()});
      break;
    case wave::wire::CLOSED:
      (void)one.send<wave::facts>(to, one.commitment());
      break;
    case wave::wire::COMMITTED:
      (void)one.send<wave::facts>(to, one.draw());
      break;
    default:
      (void)one.send<wave::facts>(to, wave::announce{one.time.now()});
  }
  for (int i = 0; i < steps; ++i)
    if (!one.step()) one.running->pump();
}

TEST(WaveActor, EndsInTheSameResultWhereverItCrashed) {
  world prepared;
  std::vector<applicant_id> people;
  const auto number = prepare(prepared, people);
  std::string seed;
  std::set<std::uint64_t> accepted;
  {
    world around;
    copy_world(prepared, around);
    machine one{around};
    announce(one, number);
    seed = one.board.find(number)->result().seed();
    accepted = accepted_by_files(one, number);
    ASSERT_FALSE(accepted.empty());
  }
  std::mt19937_64 chance{3};
  const auto runs = runtime::test::from_environment("GELOMBANG_CRASH_SEEDS", 10);
  for (std::uint64_t run = 0; run < runs; ++run) {
    SCOPED_TRACE(run);
    world around;
    copy_world(prepared, around);
    for (int crash = 0; crash < 6; ++crash)
      order_and_crash(around, number, static_cast<int>(chance() % 40));
    machine one{around};
    one.settle();
    announce(one, number);
    EXPECT_EQ(one.board.find(number)->result().seed(), seed);
    EXPECT_EQ(one.board.find(number)->accepted(), accepted.size());
    EXPECT_EQ(accepted_by_files(one, number), accepted);
    EXPECT_EQ(members(one, people, number), accepted);
  }
}

// --- shards hear of a wave

TEST(WaveActor, IsOpenWhenEveryShardTakesJoins) {
  for (int seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 chance{static_cast<std::uint64_t>(seed)};
    world around;
    machine one{around};
    const auto number = planned_wave(one);
    EXPECT_TRUE(wave::is_known_everywhere(*one.board.find(number), machine::shards));
    const auto opened = one.send<wave::facts>(runtime::ref_of(number), wave::open{noon + 1min});
    for (int i = 0; !opened->value && i < 10'000; ++i)
      if (!one.step() || chance() % 3 == 0) one.running->pump();
    ASSERT_TRUE(opened->value && opened->value->has_value());
    const auto now = (noon + 1min).time_since_epoch().count();
    for (runtime::shard_index i = 0; i < machine::shards; ++i)
      EXPECT_EQ(one.roster_row(number, i).opens_at(), now) << i;
    EXPECT_TRUE(wave::is_known_everywhere(*one.board.find(number), machine::shards));
  }
}

TEST(WaveActor, WhoeverWaitsForAWaveThatIsCancelledIsTold) {
  world around;
  machine one{around};
  const auto number = one.open_wave();
  const auto closed = one.send<wave::facts>(runtime::ref_of(number), wave::close{one.time.now()});
  const auto cancelled =
      one.send<wave::facts>(runtime::ref_of(number), wave::cancel{one.time.now()});
  one.settle();
  ASSERT_TRUE(closed->value && cancelled->value);
  EXPECT_EQ(code_of(*closed->value), errc::wave_out_of_order);
  EXPECT_EQ(code_of(*cancelled->value), errc::ok);
}

TEST(WaveActor, ClosedByHandShowsWhenAndByItselfTheHourThatWasPlanned) {
  world around;
  machine one{around};
  const auto by_hand = one.open_wave();
  const auto at = one.time.now() + 5min;
  ASSERT_TRUE(one.order(by_hand, wave::close{at}));
  EXPECT_EQ(one.board.find(by_hand)->plan().closes_at(), at.time_since_epoch().count());
  const auto by_itself = one.open_wave();
  const auto planned = one.board.find(by_itself)->plan().closes_at();
  one.advance(25h);
  ASSERT_EQ(phase_of(one, by_itself), wave::wire::CLOSED);
  EXPECT_EQ(one.board.find(by_itself)->plan().closes_at(), planned);
}

TEST(WaveActor, ClosedBeforeItsOpeningWasNoticedItStaysClosed) {
  world around;
  machine one{around};
  const auto who = one.ready(1);
  const auto number = planned_wave(one);
  one.time.advance(1h);
  const auto closed = one.send<wave::facts>(runtime::ref_of(number), wave::close{one.time.now()});
  one.settle();
  ASSERT_TRUE(closed->value && closed->value->has_value());
  one.advance(1s);
  EXPECT_EQ(phase_of(one, number), wave::wire::CLOSED);
  EXPECT_EQ(code_of(one.join(who, number)), errc::wave_not_open);
  one.advance(3h);
  EXPECT_EQ(phase_of(one, number), wave::wire::CLOSED);
}

// --- rows that do not read

/// An open wave whose rows are in the checkpoint; the node is gone.
wave_number stored_wave(world& around) {
  machine one{around};
  const auto number = one.open_wave();
  if (!one.running->checkpoint()) throw std::runtime_error("no checkpoint");
  return number;
}

TEST(WaveActor, ACalendarThatDoesNotReadNumbersNoWaveTwice) {
  world around;
  stored_wave(around);
  around.store_row(machine::row_key(runtime::calendar_ref), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.ask<wave_number>(runtime::calendar_ref,
                                         wave::create{one.plan(noon + 1h, 2h), noon})),
            errc::storage_unavailable);
}

TEST(WaveActor, AWaveThatDoesNotReadIsNotUnknown) {
  world around;
  const auto damaged = stored_wave(around), other = stored_wave(around);
  around.store_row(machine::row_key(runtime::ref_of(damaged)), unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.order(damaged, wave::show{})), errc::storage_unavailable);
  EXPECT_TRUE(one.board.is_damaged(damaged));
  EXPECT_FALSE(one.board.is_damaged(other));
  EXPECT_EQ(code_of(one.order(other, wave::show{})), errc::ok);
}

TEST(WaveActor, ARosterThatDoesNotReadIsNotFrozenAsIfNobodyHadJoined) {
  world around;
  const auto number = stored_wave(around);
  around.store_row(machine::row_key(runtime::roster_ref(number, 2, machine::shards)),
                   unreadable_row);
  machine one{around};
  EXPECT_EQ(code_of(one.order(number, wave::close{one.time.now()})), errc::timed_out);
  EXPECT_EQ(phase_of(one, number), wave::wire::CLOSING);
}

TEST(WaveActor, WhatCannotBeReplayedOnARowThatDoesNotReadStopsTheStart) {
  world around;
  stored_wave(around);
  machine{around}.open_wave();
  around.store_row(machine::row_key(runtime::calendar_ref), unreadable_row);
  EXPECT_THROW(machine{around}, std::runtime_error);
}

}  // namespace
}  // namespace gelombang::rooms_test
