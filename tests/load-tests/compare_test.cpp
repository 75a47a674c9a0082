#include "load-tests/generator/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/load-tests/runs.hpp"

namespace gelombang::load {
namespace {

using testing::behaviour;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::made_up_run;

const compared& row_of(const comparison& of, std::string_view what) {
  for (const auto& row : of.rows) {
    if (row.what == what) return row;
  }
  throw std::out_of_range{std::string(what)};
}

difference rate_verdict(const comparison& of) {
  return row_of(of, "served a second").verdict;
}

difference p99_verdict(const comparison& of) {
  return row_of(of, "p99 ms").verdict;
}

/// As if everything in second `second` had taken `microseconds`.
void stall(run_result& run, std::size_t second, std::uint64_t microseconds) {
  auto& slot = run.timeline[second];
  histogram stalled;
  stalled.record_many(microseconds, slot.served);
  slot.latency = stalled.sparse();
  sparse_histogram all;
  for (const auto& one : run.timeline) all.merge(one.latency);
  run.kinds["join"].latency = histogram(all);
}

TEST(Compare, ARunIsNoRegressionOfItself) {
  const auto run = made_up_run({});
  const auto made = compare(run, run);
  EXPECT_FALSE(made.is_regression);
  EXPECT_EQ(rate_verdict(made), difference::within_noise);
  EXPECT_EQ(p99_verdict(made), difference::within_noise);
  EXPECT_EQ(row_of(made, "p99 ms").change, 0);
  EXPECT_TRUE(made.remarks.empty());
}

TEST(Compare, TheSameServerAgainIsNoRegression) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto made = compare(made_up_run({.served = 0.95, .seed = seed}),
                              made_up_run({.served = 0.95, .seed = seed + 100}));
    EXPECT_FALSE(made.is_regression) << seed << '\n' << comparison_text(made);
  }
}

TEST(Compare, ASlowerServerIsARegressionOnlyAboveTheShareAllowed) {
  const auto before = made_up_run({.seed = 1});
  const auto slower = made_up_run({.median_us = 2600, .seed = 2});
  const auto made = compare(before, slower);
  EXPECT_TRUE(made.is_regression);
  EXPECT_EQ(p99_verdict(made), difference::regression);
  EXPECT_EQ(rate_verdict(made), difference::within_noise);
  EXPECT_NEAR(row_of(made, "p99 ms").change.value(), 0.3, 0.1);

  const auto tolerated = compare(before, slower, {.worse_share_max = 0.5});
  EXPECT_FALSE(tolerated.is_regression);
  EXPECT_EQ(p99_verdict(tolerated), difference::worse);

  EXPECT_EQ(p99_verdict(compare(slower, before)), difference::better);
}

TEST(Compare, FewerServedAreARegressionOnlyAboveTheShareAllowed) {
  const auto before = made_up_run({.seed = 1});
  EXPECT_EQ(rate_verdict(compare(before, made_up_run({.served = 0.8, .seed = 2}))),
            difference::regression);
  const auto few = compare(before, made_up_run({.served = 0.95, .seed = 2}));
  EXPECT_EQ(rate_verdict(few), difference::worse);
  EXPECT_FALSE(few.is_regression);
  EXPECT_EQ(rate_verdict(compare(made_up_run({.served = 0.8, .seed = 2}), before)),
            difference::better);
}

TEST(Compare, OneStalledSecondIsNotYetMoreThanNoise) {
  const auto before = made_up_run({.seed = 1});
  auto once = made_up_run({.seed = 2});
  stall(once, 30, 1'000'000);
  const auto made = compare(before, once);
  EXPECT_GT(row_of(made, "p99 ms").change.value(), 10);
  EXPECT_EQ(p99_verdict(made), difference::within_noise);
  auto often = made_up_run({.seed = 2});
  for (std::size_t second = 3; second < 60; second += 6) stall(often, second, 1'000'000);
  EXPECT_EQ(p99_verdict(compare(before, often)), difference::regression);
}

/// Counts and times of `run` as if its phases were a slope from nobody to twice as many.
run_result sloping(run_result run) {
  auto& joins = run.kinds["join"];
  joins = {};
  for (std::size_t second = 0; second != run.timeline.size(); ++second) {
    auto& slot = run.timeline[second];
    slot.offered = slot.offered * 2 * second / run.timeline.size();
    slot.served = slot.served * 2 * second / run.timeline.size();
    joins.offered += slot.offered;
    joins.answers[201] += slot.served;
    joins.latency.merge(slot.latency);
  }
  return run;
}

TEST(Compare, TheSchedulesOwnUpsAndDownsAreNoNoise) {
  const auto before = sloping(made_up_run({.seed = 1}));
  const auto made = compare(before, sloping(made_up_run({.served = 0.85, .seed = 2})));
  EXPECT_EQ(rate_verdict(made), difference::regression) << comparison_text(made);
  const auto range = row_of(made, "served a second").range.value();
  EXPECT_LT(range.most - range.least, 0.1);
}

TEST(Compare, RunsOfOtherLengthsAreComparedByTheSecond) {
  const auto made =
      compare(made_up_run({.seconds = 40, .seed = 1}), made_up_run({.seconds = 90, .seed = 2}));
  EXPECT_FALSE(made.is_regression);
  EXPECT_THAT(made.remarks, Contains("the measured time differs: 40 and 90"));
  EXPECT_TRUE(row_of(made, "p99 ms").range.has_value());
}

TEST(Compare, WhatIsNotMeasuredDoesNotCount) {
  auto before = made_up_run({.seed = 1});
  before.phases[0].measured = false;
  auto after = before;
  for (std::size_t second = 0; second != 30; ++second) after.timeline[second] = {};
  const auto made = compare(before, after);
  EXPECT_FALSE(made.is_regression);
  EXPECT_EQ(row_of(made, "served a second").range.value().least, 0);
  EXPECT_EQ(row_of(made, "served a second").range.value().most, 0);
}

TEST(Compare, InAShortRunTheChangeAloneDecides) {
  const auto made = compare(made_up_run({.seconds = 9, .seed = 1}),
                            made_up_run({.seconds = 9, .median_us = 4000, .seed = 2}));
  EXPECT_TRUE(made.is_regression);
  EXPECT_FALSE(row_of(made, "p99 ms").range.has_value());
  EXPECT_THAT(made.remarks, Contains(HasSubstr("nothing is known of noise")));
  const auto better = compare(made_up_run({.seconds = 9, .median_us = 4000, .seed = 2}),
                              made_up_run({.seconds = 9, .seed = 1}));
  EXPECT_EQ(p99_verdict(better), difference::better);
}

TEST(Compare, AServerThatServesNobodyIsARegression) {
  const auto made = compare(made_up_run({.seed = 1}), made_up_run({.served = 0, .seed = 2}));
  EXPECT_TRUE(made.is_regression);
  EXPECT_EQ(rate_verdict(made), difference::regression);
  EXPECT_FALSE(row_of(made, "p99 ms").change.has_value());
  EXPECT_THAT(comparison_text(made), HasSubstr("-100.0 %"));
  EXPECT_FALSE(compare({}, {}).is_regression);
}

TEST(Compare, KindsExplainAndDoNotDecide) {
  auto before = made_up_run({.seed = 1});
  before.kinds["status"].offered = 10;
  before.kinds["status"].answers = {{200, 10}};
  before.kinds["status"].latency.record_many(1000, 10);
  auto after = before;
  after.kinds["status"].latency.clear();
  after.kinds["status"].latency.record_many(1500, 10);
  after.kinds["check"].offered = 1;
  const auto made = compare(before, after);
  EXPECT_FALSE(made.is_regression);
  EXPECT_EQ(row_of(made, "status: p99 ms").verdict, difference::worse);
  EXPECT_EQ(row_of(made, "status: served a second").verdict, difference::similar);
  EXPECT_FALSE(row_of(made, "check: p99 ms").before.has_value());
}

TEST(Compare, SaysWhatIsNotTheSame) {
  const auto before = made_up_run({.seed = 1});
  auto after = made_up_run({.offered_per_second = 250, .seed = 1});
  after.scenario = "bots";
  after.target = "b:1";
  after.generators = 2;
  EXPECT_EQ(compare(before, after).remarks,
            (std::vector<std::string>{"the scenario differs: opening-day and bots",
                                      "the target differs: 127.0.0.1:8080 and b:1",
                                      "the number of generators differs: 1 and 2",
                                      "what is offered a second differs by +25.0 %"}));
}

TEST(Compare, TheSameSeedSaysTheSame) {
  const auto before = made_up_run({.seed = 1});
  const auto after = made_up_run({.seed = 2});
  EXPECT_EQ(comparison_text(compare(before, after)), comparison_text(compare(before, after)));
  EXPECT_NE(comparison_text(compare(before, after)),
            comparison_text(compare(before, after, {.seed = 2})));
}

TEST(Compare, TheTextEndsWithTheDecision) {
  const auto before = made_up_run({.seed = 1});
  const auto text = comparison_text(compare(before, made_up_run({.served = 0.5, .seed = 2})));
  EXPECT_THAT(text, HasSubstr("served a second                    200.00"));
  EXPECT_THAT(text, HasSubstr("REGRESSION\n"));
  EXPECT_TRUE(text.ends_with("\nregression\n"));
  EXPECT_TRUE(comparison_text(compare(before, before)).ends_with("\nno regression\n"));
}

}  // namespace
}  // namespace gelombang::load
