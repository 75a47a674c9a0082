#include "load-tests/generator/histogram.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <random>

namespace gelombang::load {
namespace {

constexpr std::uint64_t minute = 60'000'000;

/// Spread evenly over the orders of magnitude, as latencies are.
std::vector<std::uint64_t> some_latencies(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 dice{seed};
  std::uniform_real_distribution<double> decades{0,
                                                 std::log(static_cast<double>(histogram_us_max))};
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i != count; ++i) {
    values.push_back(static_cast<std::uint64_t>(std::exp(decades(dice))));
  }
  return values;
}

histogram histogram_of(const std::vector<std::uint64_t>& values) {
  histogram result;
  for (auto value : values) result.record(value);
  return result;
}

std::string refusal_of(std::string_view json) {
  const auto read = histogram_from_json(boost::json::parse({json.data(), json.size()}), "/latency");
  return read ? "accepted" : read.error();
}

TEST(BucketLayout, HasNoGapsAndIsNeverWiderThanItsShare) {
  for (std::uint32_t index = 0; index != histogram_buckets; ++index) {
    const auto low = bucket_layout::low_of(index);
    const auto high = bucket_layout::high_of(index);
    ASSERT_LE(low, high);
    ASSERT_EQ(bucket_layout::index_of(low), index);
    ASSERT_EQ(bucket_layout::index_of(std::min(high, histogram_us_max)), index);
    ASSERT_LE((high - low) * 128, low) << low;
    ASSERT_EQ(bucket_layout::low_of(index + 1), high + 1);
  }
}

TEST(Histogram, IsEmptyAtFirst) {
  const histogram none;
  EXPECT_EQ(none.count(), 0u);
  EXPECT_EQ(none.min(), 0u);
  EXPECT_EQ(none.max(), 0u);
  EXPECT_EQ(none.mean(), 0);
  EXPECT_EQ(none.quantile(0.99), 0u);
  none.for_each_bucket([](auto, auto, auto) { FAIL() << "a bucket of nothing"; });
}

TEST(Histogram, QuantilesAreThoseOfTheSortedValuesWithinTheirError) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto values = some_latencies(seed, 1 + seed * 503 % 5000);
    const auto counted = histogram_of(values);
    std::sort(values.begin(), values.end());
    for (auto share : {0.0, 0.01, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
      const auto rank = std::max<double>(
          1, std::ceil(std::nextafter(share, 0.0) * static_cast<double>(values.size())));
      const auto exact = values[static_cast<std::size_t>(rank) - 1];
      const auto found = counted.quantile(share);
      EXPECT_GE(found, exact) << "seed " << seed << " share " << share;
      EXPECT_LE((found - exact) * 128, exact) << "seed " << seed << " share " << share;
    }
    EXPECT_EQ(counted.quantile(1), values.back());
    EXPECT_EQ(counted.min(), values.front());
    EXPECT_EQ(counted.max(), values.back());
  }
}

TEST(Histogram, AShareThatBinaryFractionsOnlyApproachIsNotRoundedUp) {
  histogram counted;
  for (std::uint64_t value = 1; value <= 100; ++value) counted.record(value);
  EXPECT_EQ(counted.quantile(0.07), 7u);  // 0.07 × 100 is 7.000000000000001 in binary.
  EXPECT_EQ(counted.quantile(0.5), 50u);
  EXPECT_EQ(counted.quantile(0.99), 99u);
}

TEST(Histogram, MeanAndSumAreExact) {
  const auto values = some_latencies(7, 1000);
  long double sum = 0;
  for (auto value : values) sum += static_cast<long double>(value);
  EXPECT_DOUBLE_EQ(histogram_of(values).mean(), static_cast<double>(sum / 1000));
}

TEST(Histogram, MergedIsAsRecordedTogether) {
  const auto first = some_latencies(1, 700);
  const auto second = some_latencies(2, 900);
  auto all = first;
  all.insert(all.end(), second.begin(), second.end());
  auto merged = histogram_of(first);
  merged.merge(histogram_of(second));
  EXPECT_EQ(merged, histogram_of(all));

  auto sparse = histogram_of(first).sparse();
  sparse.merge(histogram_of(second).sparse());
  EXPECT_EQ(sparse, histogram_of(all).sparse());
  EXPECT_EQ(histogram(sparse), histogram_of(all));

  merged.merge(histogram());
  EXPECT_EQ(merged, histogram_of(all));
}

TEST(Histogram, ManyAtOnceAreAsManyOneByOne) {
  histogram many;
  histogram one_by_one;
  many.record_many(1234, 50);
  many.record_many(99, 0);
  for (int i = 0; i != 50; ++i) one_by_one.record(1234);
  EXPECT_EQ(many, one_by_one);
}

TEST(Histogram, WhatIsLongerThanItTellsApartIsNeverMadeShorter) {
  histogram counted;
  counted.record_many(minute, 98);
  counted.record(histogram_us_max + 1);
  counted.record(5 * histogram_us_max);
  EXPECT_EQ(counted.beyond(), 2u);
  EXPECT_EQ(counted.count(), 100u);
  EXPECT_EQ(counted.quantile(0.99), 5 * histogram_us_max);
  EXPECT_EQ(counted.max(), 5 * histogram_us_max);
  EXPECT_LT(counted.quantile(0.98), 2 * minute);
}

TEST(Histogram, ASumThatDoesNotFitStaysAtItsLargest) {
  histogram counted;
  counted.record(std::numeric_limits<std::uint64_t>::max());
  counted.record(1);
  EXPECT_EQ(counted.sparse().totals.sum, std::numeric_limits<std::uint64_t>::max());
}

TEST(Histogram, BucketsAddUpAndAscend) {
  const auto counted = histogram_of(some_latencies(3, 2000));
  std::uint64_t total = 0;
  std::uint64_t after = 0;
  counted.for_each_bucket([&](std::uint64_t low, std::uint64_t high, std::uint64_t count) {
    EXPECT_GE(low, after);
    EXPECT_LE(low, high);
    EXPECT_GT(count, 0u);
    after = high + 1;
    total += count;
  });
  EXPECT_EQ(total, counted.count());
}

TEST(Histogram, ClearedIsAsNew) {
  auto counted = histogram_of(some_latencies(3, 20));
  counted.clear();
  EXPECT_EQ(counted, histogram());
}

TEST(HistogramJson, ReadsWhatItWrote) {
  auto counted = histogram_of(some_latencies(11, 3000));
  for (int round = 0; round != 2; ++round) {
    const auto text = boost::json::serialize(to_json(counted.sparse()));
    const auto read = histogram_from_json(boost::json::parse(text), "");
    ASSERT_TRUE(read.has_value()) << read.error();
    EXPECT_EQ(*read, counted.sparse());
    counted.record(3 * histogram_us_max);
  }
  const auto none = histogram_from_json(to_json(sparse_histogram()), "");
  ASSERT_TRUE(none.has_value()) << none.error();
  EXPECT_EQ(*none, sparse_histogram());
}

TEST(HistogramJson, RefusesRubbishAndSaysWhere) {
  EXPECT_EQ(refusal_of("17"), "/latency is not an object");
  EXPECT_EQ(refusal_of(R"({"min":0,"max":0,"sum":0,"beyond":0})"), R"(/latency has no "counts")");
  EXPECT_EQ(refusal_of(R"({"min":0,"max":0,"sum":0,"beyond":0,"counts":[],"mode":1})"),
            R"(/latency has a "mode", which is not known here)");
  const auto with_counts = [](std::string_view counts) {
    return R"({"min":5,"max":9,"sum":14,"beyond":0,"counts":)" + std::string(counts) + "}";
  };
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[9,1]]")), "accepted");
  EXPECT_EQ(refusal_of(with_counts("{}")), "/latency/counts is not a list");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],9]")), "/latency/counts/1 is not [bucket, count]");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[9,1,1]]")), "/latency/counts/1 is not [bucket, count]");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[9,-1]]")), "/latency/counts/1 is not [bucket, count]");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[9,1.5]]")), "/latency/counts/1 is not [bucket, count]");
  EXPECT_EQ(refusal_of(with_counts("[[5,0],[9,1]]")), "/latency/counts/0 counts nothing");
  EXPECT_EQ(refusal_of(with_counts("[[9,1],[5,1]]")), "/latency/counts/1 is out of order");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[5,1]]")), "/latency/counts/1 is out of order");
  EXPECT_EQ(refusal_of(with_counts("[[5,1],[3287,1]]")),
            "/latency/counts/1 names a bucket that does not exist");
  EXPECT_EQ(refusal_of(with_counts("[[5,9007199254740993]]")), "/latency/counts/0 counts too many");
  EXPECT_EQ(refusal_of(with_counts("[[5,9007199254740992],[9,1]]")),
            "/latency/counts/1 counts too many");
}

TEST(HistogramJson, RefusesTotalsThatCannotBe) {
  const auto with = [](int min, std::uint64_t max, int sum, int beyond) {
    return refusal_of(boost::json::serialize(boost::json::object{
        {"min", min},
        {"max", max},
        {"sum", sum},
        {"beyond", beyond},
        {"counts", boost::json::array{boost::json::array{5, 1}, boost::json::array{9, 2}}}}));
  };
  EXPECT_EQ(with(5, 9, 23, 0), "accepted");
  EXPECT_EQ(with(4, 9, 23, 0), "/latency/min is not in the first bucket");
  EXPECT_EQ(with(5, 10, 23, 0), "/latency/max is not in the last bucket");
  EXPECT_EQ(with(5, 9, 24, 0), "/latency/sum does not fit the counts");
  EXPECT_EQ(with(5, 9, -1, 0), "/latency/sum is not a whole number");
  EXPECT_EQ(with(5, 9, 23, 1), "/latency/beyond does not fit the longest");
  EXPECT_EQ(refusal_of(R"({"min":1,"max":0,"sum":0,"beyond":0,"counts":[]})"),
            "/latency/min is of nothing");
  EXPECT_EQ(refusal_of(R"({"min":0,"max":3,"sum":0,"beyond":0,"counts":[]})"),
            "/latency has totals of nothing");
}

}  // namespace
}  // namespace gelombang::load
