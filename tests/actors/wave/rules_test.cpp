#include "actors/wave/rules.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gelombang::wave {
namespace {

constexpr std::uint32_t shards = 3;
constexpr instant noon{std::chrono::milliseconds{1'800'000'000'000}};
constexpr std::chrono::hours hour{1};

state scheduled() {
  event created;
  created.mutable_created()->set_number(7);
  auto& plan = *created.mutable_created()->mutable_plan();
  plan.set_opens_at((noon + hour).time_since_epoch().count());
  plan.set_closes_at((noon + 2 * hour).time_since_epoch().count());
  state wave;
  apply(wave, created, shards);
  return wave;
}

wire::Heard heard_by(std::uint32_t shard, wire::Phase phase) {
  wire::Heard notice;
  notice.set_shard(shard);
  notice.set_phase(phase);
  return notice;
}

errc hear(state& wave, const wire::Heard& notice) {
  auto what = heard(wave, notice, noon);
  if (!what) return what.error().code;
  apply(wave, *what, shards);
  return errc::ok;
}

/// What the rules allow happens.
template <class Command>
void obey(state& wave, const Command& command) {
  apply(wave, decide(wave, command).value(), shards);
}

TEST(WaveRules, AWaveIsKnownEverywhereWhenEachShardHasSaidSoOfThisPhase) {
  auto wave = scheduled();
  EXPECT_FALSE(is_known_everywhere(state{}, shards));
  EXPECT_FALSE(is_known_everywhere(wave, shards));
  for (std::uint32_t i = 0; i < shards; ++i)
    EXPECT_EQ(hear(wave, heard_by(i, wire::SCHEDULED)), errc::ok);
  EXPECT_TRUE(is_known_everywhere(wave, shards));
  EXPECT_EQ(hear(wave, heard_by(1, wire::SCHEDULED)), errc::wave_out_of_order) << "twice";
  obey(wave, open{noon});
  EXPECT_FALSE(is_known_everywhere(wave, shards));
  EXPECT_EQ(hear(wave, heard_by(0, wire::SCHEDULED)), errc::wave_out_of_order) << "late";
  EXPECT_EQ(hear(wave, heard_by(0, wire::OPEN)), errc::ok);
  EXPECT_EQ(hear(wave, heard_by(1, wire::OPEN)), errc::ok);
  EXPECT_FALSE(is_known_everywhere(wave, shards));
  EXPECT_EQ(hear(wave, heard_by(2, wire::OPEN)), errc::ok);
  EXPECT_TRUE(is_known_everywhere(wave, shards));
  obey(wave, close{noon});
  EXPECT_EQ(wave.reported_size(), 0) << "these count who has frozen";
  EXPECT_EQ(hear(wave, heard_by(0, wire::OPEN)), errc::wave_out_of_order);
}

TEST(WaveRules, WhatIsOpenByTheClockCanBeClosed) {
  const auto wave = scheduled();
  EXPECT_EQ(decide(wave, close{noon}).error().code, errc::wave_out_of_order);
  const auto closed = decide(wave, close{noon + hour});
  ASSERT_TRUE(closed);
  EXPECT_TRUE(closed->has_closing());
  EXPECT_EQ(decide(wave, close{noon + 2 * hour}).error().code, errc::wave_out_of_order);
}

TEST(WaveRules, ClosingEndsTheTimeToJoinAndNeverProlongsIt) {
  for (auto at : {noon + std::chrono::minutes{75}, noon + 2 * hour, noon + 3 * hour}) {
    auto wave = scheduled();
    obey(wave, open{noon + hour});
    obey(wave, close{at});
    EXPECT_EQ(wave.plan().closes_at(), std::min(at, noon + 2 * hour).time_since_epoch().count());
  }
}

TEST(WaveRules, AnOrderIsKnownByItsKeyAndOtherwiseNew) {
  auto wave = scheduled();
  const request_key mine{1, 2};
  EXPECT_FALSE(find_repeat(wave, mine));
  obey(wave, open{noon, mine});
  ASSERT_TRUE(find_repeat(wave, mine));
  EXPECT_EQ(*find_repeat(wave, mine), wire::OPEN);
  EXPECT_EQ(find_repeat(wave, request_key{1, 3})->error().code, errc::idempotency_conflict);
  EXPECT_FALSE(find_repeat(wave, request_key{4, 2}));
  EXPECT_FALSE(find_repeat(wave, std::nullopt));
  obey(wave, close{noon, request_key{4, 2}});
  EXPECT_EQ(*find_repeat(wave, request_key{4, 2}), wire::CLOSED);
  EXPECT_EQ(*find_repeat(wave, mine), wire::OPEN);
}

TEST(WaveRules, ACancellationForgetsOrdersThatWereStillUnderWay) {
  const request_key opening{1, 2}, closing{3, 4}, cancelling{5, 6};
  auto wave = scheduled();
  obey(wave, open{noon, opening});
  auto cancelled_early = wave;  // not every shard takes joins yet
  obey(cancelled_early, cancel{noon, cancelling});
  EXPECT_FALSE(find_repeat(cancelled_early, opening));
  EXPECT_EQ(*find_repeat(cancelled_early, cancelling), wire::CANCELLED);
  for (std::uint32_t i = 0; i < shards; ++i) hear(wave, heard_by(i, wire::OPEN));
  obey(wave, close{noon, closing});
  ASSERT_EQ(wave.phase(), wire::CLOSING);
  obey(wave, cancel{noon, cancelling});
  EXPECT_EQ(*find_repeat(wave, opening), wire::OPEN) << "this one was done";
  EXPECT_FALSE(find_repeat(wave, closing));
  EXPECT_EQ(*find_repeat(wave, cancelling), wire::CANCELLED);
}

TEST(WaveRules, AnOrderThatFindsItselfUnderWayIsRememberedUpToALimit) {
  auto wave = scheduled();
  obey(wave, open{noon});
  obey(wave, close{noon, request_key{1, 2}});
  for (std::uint64_t key = 2; wave.orders_size() < orders_max; ++key)
    apply(wave, also_ordered(wave, wire::CLOSED, {key, 2}, noon).value(), shards);
  EXPECT_EQ(wave.phase(), wire::CLOSING);
  for (std::uint64_t key = 1; key <= orders_max; ++key)
    EXPECT_EQ(*find_repeat(wave, request_key{key, 2}), wire::CLOSED) << key;
  EXPECT_EQ(find_repeat(wave, request_key{2, 3})->error().code, errc::idempotency_conflict);
  EXPECT_EQ(also_ordered(wave, wire::CLOSED, {1000, 2}, noon).error().code,
            errc::too_many_requests);
  obey(wave, cancel{noon});
  EXPECT_FALSE(find_repeat(wave, request_key{2, 2})) << "what was not done is not repeated";
}

TEST(WaveRules, AStepOutOfOrderNamesTheState) {
  auto wave = scheduled();
  EXPECT_EQ(decide(wave, announce{noon}).error().detail, "scheduled");
  obey(wave, cancel{noon});
  EXPECT_EQ(decide(wave, open{noon}).error().detail, "cancelled");
}

TEST(WaveRules, ABeaconsSourceIsOneLineOfText) {
  state closed;
  closed.set_phase(wire::CLOSED);
  const auto with = [&](std::string source) {
    const commit command{.beacon_source = std::move(source),
                         .operator_secret_hash = std::string(32, 'x'),
                         .now = noon};
    const auto allowed = may(closed, command);
    return allowed ? errc::ok : allowed.error().code;
  };
  EXPECT_EQ(with("dadu, disaksikan notaris ☕"), errc::ok);
  EXPECT_EQ(with(std::string(beacon_source_bytes_max, 'x')), errc::ok);
  for (const auto& wrong : {std::string{}, std::string(beacon_source_bytes_max + 1, 'x'),
                            std::string{"a\nb"}, std::string{"a\0b", 3}, std::string{"\x7f"}})
    EXPECT_EQ(with(wrong), errc::beacon_invalid) << wrong;
}

// ---- plans

const std::vector<region_code> two_regions = {region_code{1101}, region_code{3171}};

wire::Plan good_plan() {
  wire::Plan plan;
  plan.set_opens_at((noon - hour).time_since_epoch().count());
  plan.set_closes_at((noon + hour).time_since_epoch().count());
  plan.set_quota(10);
  plan.set_minimum_per_region(10);
  auto& weight = *plan.add_weights();
  weight.set_region(3171);
  weight.set_weight(weight_max);
  return plan;
}

refusal refused_plan(const std::function<void(wire::Plan&)>& spoil) {
  auto plan = good_plan();
  spoil(plan);
  const auto checked = check(plan, two_regions, noon);
  return checked ? refusal{errc::ok} : checked.error();
}

TEST(WaveRules, APlanIsRefusedWithTheMemberAtFault) {
  EXPECT_EQ(refused_plan([](wire::Plan&) {}), refusal{errc::ok});
  const auto over = noon.time_since_epoch().count();
  EXPECT_EQ(refused_plan([&](wire::Plan& one) { one.set_closes_at(over); }),
            (refusal{errc::schedule_invalid, "/closes_at"}))
      << "its whole window has passed";
  EXPECT_EQ(refused_plan([&](wire::Plan& one) { one.set_closes_at(over + 1); }), refusal{errc::ok});
  EXPECT_EQ(refused_plan([](wire::Plan& one) { one.set_closes_at(one.opens_at()); }),
            (refusal{errc::schedule_invalid, "/closes_at"}));
  EXPECT_EQ(refused_plan([](wire::Plan& one) { one.set_quota(quota_max + 1); }),
            (refusal{errc::quota_invalid, "/quota"}));
  EXPECT_EQ(refused_plan([](wire::Plan& one) { one.set_minimum_per_region(11); }),
            (refusal{errc::quota_invalid, "/minimum_per_region"}))
      << "more than the quota";
  EXPECT_EQ(refused_plan([](wire::Plan& one) { one.mutable_weights(0)->set_weight(0); }),
            (refusal{errc::quota_invalid, "/weights"}))
      << "places for nobody";
  EXPECT_EQ(
      refused_plan([](wire::Plan& one) { one.mutable_weights(0)->set_weight(weight_max + 1); }),
      (refusal{errc::field_invalid, "/weights/3171"}));
  EXPECT_EQ(refused_plan([](wire::Plan& one) { one.mutable_weights(0)->set_region(9999); }),
            (refusal{errc::region_unknown, "/weights/9999"}));
}

TEST(WaveRules, TheCalendarRemembersTheNewestCreations) {
  wire::Calendar calendar;
  for (std::uint64_t i = 1; i <= creations_max; ++i)
    apply(calendar, next_wave(calendar, {{}, noon, request_key{i, 1}}));
  apply(calendar, next_wave(calendar, {{}, noon}));
  EXPECT_EQ(*find_repeat(calendar, request_key{1, 1}), wave_number{1});
  EXPECT_EQ(find_repeat(calendar, request_key{1, 2})->error().code, errc::idempotency_conflict);
  apply(calendar, next_wave(calendar, {{}, noon, request_key{5000, 1}}));
  EXPECT_EQ(*find_repeat(calendar, request_key{5000, 1}), wave_number{creations_max + 2});
  EXPECT_FALSE(find_repeat(calendar, request_key{1, 1}));
  EXPECT_EQ(*find_repeat(calendar, request_key{2, 1}), wave_number{2});
  EXPECT_EQ(calendar.requests_size(), creations_max);
}

}  // namespace
}  // namespace gelombang::wave
