#include "load-tests/generator/arrivals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gelombang::load {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

std::vector<nanoseconds> all_of(arrivals process) {
  std::vector<nanoseconds> times;
  while (auto time = process.next()) times.push_back(*time);
  return times;
}

std::vector<nanoseconds> even(const intensity& when) {
  return all_of(arrivals_plan{when}.share(0, 1, 1));
}

std::vector<nanoseconds> poisson(const intensity& when, std::uint64_t seed) {
  return all_of(arrivals_plan{when, spacing::poisson}.share(0, 1, seed));
}

std::vector<nanoseconds> all_shares(const arrivals_plan& plan, std::uint64_t count) {
  std::vector<nanoseconds> all;
  for (std::uint64_t index = 0; index != count; ++index) {
    const auto one = all_of(plan.share(index, count, 42));
    all.insert(all.end(), one.begin(), one.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

double count_before(const std::vector<nanoseconds>& times, nanoseconds when) {
  return static_cast<double>(std::lower_bound(times.begin(), times.end(), when) - times.begin());
}

std::string refusal_of(const intensity::made& made) {
  return made ? "accepted" : made.error();
}

intensity opening() {
  return intensity::spike({.base = 100,
                           .peak = 2100,
                           .at = 5s,
                           .rise = 2s,
                           .hold = 10s,
                           .fall = 4s,
                           .duration = 30s})
      .value();
}

/// One of each kind, and with stretches in which nobody comes.
std::vector<intensity> some_intensities() {
  return {intensity::constant(1000, 10s).value(),
          intensity::constant(1.0 / 3, 30s).value(),
          intensity::ramp(0, 1000, 10s).value(),
          intensity::ramp(800, 0, 7s).value(),
          opening(),
          intensity::spike({.peak = 500, .at = 2s, .hold = 1s, .duration = 5s}).value(),
          intensity::replay("second,count\n3,7\n4,0\n9,100\n", "a.csv").value(),
          intensity::ramp(0, 50, 4s).value().then(intensity::constant(50, 3s).value()).value()};
}

TEST(Intensity, AConstantRateIsDueAtItsMultiples) {
  const auto times = even(intensity::constant(1000, 10s).value());
  ASSERT_EQ(times.size(), 10'000u);
  for (std::size_t i = 0; i != times.size(); ++i) ASSERT_EQ(times[i], i * 1ms);
}

TEST(Intensity, ARampIsItsIntegralAndNotSteps) {
  const auto ramp = intensity::ramp(0, 1000, 10s).value();
  EXPECT_DOUBLE_EQ(ramp.expected(), 5000);
  EXPECT_DOUBLE_EQ(ramp.expected_before(5s), 1250);
  EXPECT_DOUBLE_EQ(ramp.rate_at(2500ms), 250);
  const auto times = even(ramp);
  ASSERT_EQ(times.size(), 5000u);
  for (std::size_t i = 0; i != times.size(); ++i) {
    // 50 t² are expected until t.
    const auto due = std::sqrt(static_cast<double>(i) / 50);
    ASSERT_NEAR(std::chrono::duration<double>(times[i]).count(), due, 1e-9);
  }
}

TEST(Intensity, ASpikeIsTheAreaBelowIt) {
  const auto spike = opening();
  EXPECT_EQ(spike.duration(), 30s);
  EXPECT_DOUBLE_EQ(spike.expected(), 100 * 30 + 2000 * (2.0 / 2 + 10 + 4.0 / 2));
  EXPECT_DOUBLE_EQ(spike.rate_at(0s), 100);
  EXPECT_DOUBLE_EQ(spike.rate_at(6s), 1100);
  EXPECT_DOUBLE_EQ(spike.rate_at(12s), 2100);
  EXPECT_DOUBLE_EQ(spike.rate_at(19s), 1100);
  EXPECT_DOUBLE_EQ(spike.rate_at(25s), 100);
  EXPECT_DOUBLE_EQ(spike.rate_at(30s), 0);
  EXPECT_DOUBLE_EQ(spike.rate_at(-1s), 0);
}

TEST(Intensity, EachArrivalComesWhenSoManyAreExpected) {
  for (const auto& when : some_intensities()) {
    const auto times = even(when);
    ASSERT_EQ(static_cast<double>(times.size()), std::ceil(when.expected() - 1e-6));
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    EXPECT_LT(times.back(), when.duration());
    for (std::size_t i = 0; i != times.size(); ++i) {
      // A nanosecond is at most 2100 / 10⁹ of an arrival here.
      ASSERT_NEAR(when.expected_before(times[i]), static_cast<double>(i), 1e-5) << i;
    }
  }
}

TEST(Intensity, ReplayGivesEachSecondItsCount) {
  const auto when = intensity::replay("second,count\r\n3,7\r\n4,0\r\n9,100\r\n", "a.csv").value();
  EXPECT_EQ(when.duration(), 10s);
  EXPECT_DOUBLE_EQ(when.expected(), 107);
  const auto times = even(when);
  ASSERT_EQ(times.size(), 107u);
  EXPECT_EQ(times[0], 3s);
  EXPECT_EQ(count_before(times, 4s), 7);
  EXPECT_EQ(times[7], 9s);
  EXPECT_EQ(times[8], 9s + 10ms);
}

TEST(Intensity, ReplayNamesTheLineThatIsWrong) {
  const auto refusal = [](std::string_view csv) {
    return refusal_of(intensity::replay(csv, "april.csv"));
  };
  EXPECT_EQ(refusal("second,count\n0,1"), "accepted");
  EXPECT_EQ(refusal(""), "april.csv:1: is not the header second,count");
  EXPECT_EQ(refusal("0,1\n"), "april.csv:1: is not the header second,count");
  EXPECT_EQ(refusal("second,count\n"), "april.csv:2: counts no second");
  EXPECT_EQ(refusal("second,count\n0,1\n1;2\n"), "april.csv:3: is not second,count");
  EXPECT_EQ(refusal("second,count\n0,1\n\n2,2\n"), "april.csv:3: is not second,count");
  for (auto line :
       {"0,-1", "0,1.5", "0,", ",1", " 0,1", "0,1,2", "0x1,2", "0,18446744073709551616"}) {
    EXPECT_EQ(refusal("second,count\n" + std::string(line)),
              "april.csv:2: is not second,count in whole numbers")
        << line;
  }
  EXPECT_EQ(refusal("second,count\n5,1\n5,1\n"),
            "april.csv:3: second 5 is not after 5, the one before");
  EXPECT_EQ(refusal("second,count\n5,1\n2,1\n"),
            "april.csv:3: second 2 is not after 5, the one before");
}

TEST(Intensity, ReplayHasItsLimits) {
  const auto refusal = [](const std::string& line) {
    return refusal_of(intensity::replay("second,count\n" + line, "a.csv"));
  };
  EXPECT_EQ(refusal("604799,1"), "accepted");
  EXPECT_EQ(refusal("604800,1"), "a.csv:2: is after the last second, 604799");
  EXPECT_EQ(refusal("0,10000000"), "accepted");
  EXPECT_EQ(refusal("0,10000001"), "a.csv:2: counts more than 10000000");
}

TEST(Intensity, RatesAndDurationsHaveTheirLimits) {
  EXPECT_EQ(refusal_of(intensity::constant(10'000'000, 168h)), "accepted");
  EXPECT_EQ(refusal_of(intensity::constant(0, 1s)), "accepted");
  EXPECT_EQ(refusal_of(intensity::constant(10'000'001, 1s)),
            "a rate of 10000001 is not between 0 and 10000000 a second");
  EXPECT_EQ(refusal_of(intensity::ramp(5, -1, 1s)),
            "a rate of -1 is not between 0 and 10000000 a second");
  EXPECT_NE(refusal_of(intensity::constant(std::nan(""), 1s)), "accepted");
  EXPECT_EQ(refusal_of(intensity::constant(1, 0s)),
            "a duration of 0 s is not above 0 and at most 168 h");
  EXPECT_NE(refusal_of(intensity::constant(1, -1s)), "accepted");
  EXPECT_NE(refusal_of(intensity::constant(1, 168h + 1ns)), "accepted");
  EXPECT_EQ(refusal_of(intensity::spike({.peak = 1, .at = 2s, .hold = 2s, .duration = 3s})),
            "a peak that ends after 4 s does not fit into 3 s");
  EXPECT_NE(refusal_of(intensity::spike({.peak = 1, .rise = -2s, .hold = 2s, .duration = 3s})),
            "accepted");
  const auto long_one = intensity::constant(1, 100h).value();
  EXPECT_NE(refusal_of(long_one.then(long_one)), "accepted");
}

TEST(Intensity, ScalesItsRatesAndNotItsTime) {
  const auto scaled = opening().scaled(0.5).value();
  EXPECT_DOUBLE_EQ(scaled.expected(), opening().expected() / 2);
  EXPECT_DOUBLE_EQ(scaled.rate_at(12s), 1050);
  EXPECT_EQ(scaled.duration(), 30s);
  EXPECT_EQ(refusal_of(opening().scaled(0)), "a scale of 0 is not above 0");
  EXPECT_EQ(refusal_of(opening().scaled(-1)), "a scale of -1 is not above 0");
  EXPECT_NE(refusal_of(opening().scaled(1e300)), "accepted");
}

TEST(Arrivals, EvenSharesTogetherAreTheWhole) {
  for (const auto& when : some_intensities()) {
    for (std::uint64_t count : {1u, 2u, 3u, 7u, 1000u}) {
      EXPECT_EQ(all_shares({when}, count), even(when)) << count;
    }
  }
}

TEST(Arrivals, PoissonHasItsMean) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto times = poisson(opening(), seed);
    EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
    EXPECT_LT(times.back(), 30s);
    for (auto when : {5s, 7s, 17s, 21s, 30s}) {
      const auto expected = opening().expected_before(when);
      EXPECT_NEAR(count_before(times, when), expected, 6 * std::sqrt(expected)) << seed;
    }
  }
}

/// Variance of the counts in windows of `width`, divided by their mean: 1 for a Poisson process.
double dispersion(const std::vector<nanoseconds>& times, nanoseconds width, std::size_t windows) {
  std::vector<double> counts(windows);
  for (auto time : times) ++counts[static_cast<std::size_t>(time / width)];
  const auto n = static_cast<double>(windows);
  const auto mean = std::accumulate(counts.begin(), counts.end(), 0.0) / n;
  double squares = 0;
  for (auto count : counts) squares += (count - mean) * (count - mean);
  return squares / (n - 1) / mean;
}

TEST(Arrivals, PoissonHasItsVariance) {
  const auto when = intensity::constant(2000, 10s).value();
  // The dispersion of 1000 windows with a mean of 20 has a deviation of √((2 + 1/20) / 999).
  const auto bound = 6 * std::sqrt(2.05 / 999);
  EXPECT_NEAR(dispersion(poisson(when, 5), 10ms, 1000), 1, bound);
  EXPECT_NEAR(dispersion(all_shares({when, spacing::poisson}, 4), 10ms, 1000), 1, bound);
  EXPECT_NEAR(dispersion(even(when), 10ms, 1000), 0, 0.01);
}

TEST(Arrivals, PoissonGapsAreExponential) {
  const auto times = poisson(intensity::constant(1000, 20s).value(), 9);
  double longer = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i] - times[i - 1] > 1ms) ++longer;
  }
  const auto n = static_cast<double>(times.size() - 1);
  const auto share = std::exp(-1.0);
  EXPECT_NEAR(longer, n * share, 6 * std::sqrt(n * share * (1 - share)));
}

TEST(Arrivals, PoissonSharesTogetherHaveTheWholesMean) {
  for (std::uint64_t count : {1u, 2u, 5u, 16u}) {
    const auto times = all_shares({opening(), spacing::poisson}, count);
    for (auto when : {7s, 17s, 30s}) {
      const auto expected = opening().expected_before(when);
      EXPECT_NEAR(count_before(times, when), expected, 6 * std::sqrt(expected)) << count;
    }
  }
}

TEST(Arrivals, ASeedMeansTheSameEverywhere) {
  const auto when = intensity::constant(10, 2s).value();
  EXPECT_EQ(poisson(when, 1), poisson(when, 1));
  EXPECT_NE(poisson(when, 1), poisson(when, 2));
  EXPECT_NE(poisson(when, 1), poisson(when, 1 + (std::uint64_t{1} << 32)));
  const arrivals_plan plan{when, spacing::poisson};
  EXPECT_NE(all_of(plan.share(0, 2, 1)), all_of(plan.share(1, 2, 1)));
}

TEST(Arrivals, ACopyGoesOnByItself) {
  auto one = arrivals_plan{opening(), spacing::poisson}.share(0, 1, 3);
  one.next();
  auto copy = one;
  EXPECT_EQ(all_of(copy), all_of(one));
}

TEST(Arrivals, NobodyComesAtARateOfNothing) {
  const auto never = intensity::constant(0, 5s).value();
  EXPECT_TRUE(even(never).empty());
  EXPECT_TRUE(poisson(never, 1).empty());
}

}  // namespace
}  // namespace gelombang::load
