#include "net/admission.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <utility>
#include <vector>

namespace gelombang::net {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using time_point = admission::time_point;
using verdict = admission::verdict;
using came_on = admission::came_on;

const time_point start{1h};

asker somebody(std::uint64_t number) {
  return {.account = number, .address = number};
}

/// Tells of so many intervals in which everything waited for `wait`.
void stand(admission& one, nanoseconds wait, int intervals, time_point& now) {
  for (auto interval = 0; interval < intervals; ++interval) {
    now += one.settings().interval;
    for (auto sample = 0; sample < 8; ++sample) one.waited(came_on::kept_connection, wait, now);
  }
}

int refused_of_1000(admission& one, urgency what) {
  auto refused = 0;
  for (std::uint64_t who = 0; who < 1000; ++who)
    refused += one.decide(somebody(who * 7919), what, who) == verdict::refuse;
  return refused;
}

TEST(admission, serves_everybody_while_nothing_stands) {
  admission one{{}, start};
  auto now = start;
  stand(one, 1ms, 100, now);
  for (auto what : {urgency::browsing, urgency::entering, urgency::joining, urgency::house})
    EXPECT_EQ(refused_of_1000(one, what), 0);
  EXPECT_EQ(one.pressure(), 0u);
}

TEST(admission, a_burst_that_passes_is_no_overload) {
  admission one{{}, start};
  auto now = start;
  for (auto interval = 0; interval < 100; ++interval) {
    now += 50ms;
    for (auto sample = 0; sample < 50; ++sample)
      one.waited(came_on::new_connection, sample * 2ms, now);
  }
  EXPECT_EQ(one.pressure(), 0u);
  EXPECT_EQ(one.backlog(), one.settings().backlog_max);
}

TEST(admission, browsing_goes_first_then_entering_then_joining_and_the_house_never) {
  admission one{{.account_requests_max = 1'000'000}, start};
  auto now = start;
  const auto raise_to = [&](std::uint32_t pressure) {
    while (one.pressure() < pressure) stand(one, 8ms, 1, now);
  };
  raise_to(250);
  EXPECT_GT(refused_of_1000(one, urgency::browsing), 700);
  EXPECT_EQ(refused_of_1000(one, urgency::entering), 0);
  EXPECT_EQ(refused_of_1000(one, urgency::joining), 0);
  raise_to(550);
  EXPECT_EQ(refused_of_1000(one, urgency::browsing), 1000);
  EXPECT_GT(refused_of_1000(one, urgency::entering), 500);
  EXPECT_EQ(refused_of_1000(one, urgency::joining), 0);
  raise_to(1000);
  EXPECT_EQ(refused_of_1000(one, urgency::joining), 1000);
  EXPECT_EQ(refused_of_1000(one, urgency::house), 0);
}

TEST(admission, is_back_to_normal_within_two_seconds) {
  admission one{{}, start};
  auto now = start;
  stand(one, 100ms, 100, now);
  ASSERT_EQ(one.pressure(), 1000u);
  const auto ended = now;
  while (one.pressure() > 0 && now < ended + 10s) stand(one, 0ms, 1, now);
  EXPECT_LE(now - ended, 2s);
}

TEST(admission, a_pause_ends_an_overload_at_once) {
  admission one{{}, start};
  auto now = start;
  stand(one, 100ms, 100, now);
  now += 30s;
  for (auto sample = 0; sample < 4; ++sample) one.waited(came_on::new_connection, 0ms, now);
  EXPECT_EQ(one.pressure(), 0u);
}

TEST(admission, a_pause_ends_an_overload_also_when_nobody_comes) {
  admission one{{}, start};
  auto now = start;
  stand(one, 100ms, 100, now);
  one.look(now + 1s);
  EXPECT_EQ(one.pressure(), 1000u);
  one.look(now + 3s);
  EXPECT_EQ(one.pressure(), 0u);
}

TEST(admission, refusals_have_an_eighth_of_what_is_served_and_then_people_are_served_late) {
  admission one{
      {.refusals_saved_max = 30, .refusals_per_second_min = 0, .account_requests_max = 1'000'000},
      start};
  auto now = start;
  stand(one, 100ms, 20, now);
  auto refused = 0;
  for (std::uint64_t who = 0; who < 90'000; ++who)
    refused += one.decide(somebody(who), urgency::joining, who) == verdict::refuse;
  EXPECT_NEAR(refused, 10'000, 50);
  EXPECT_NEAR(static_cast<double>(one.unaffordable()), 80'000, 50);
}

TEST(admission, where_credit_is_short_it_goes_to_browsing) {
  admission one{{.refusals_saved_max = 30, .account_requests_max = 1'000'000}, start};
  auto now = start;
  stand(one, 100ms, 20, now);
  auto browsing = 0, joining = 0;
  for (std::uint64_t who = 0; who < 50'000; ++who) {
    const auto what = who % 5 == 0 ? urgency::browsing : urgency::joining;
    const auto is_refused = one.decide(somebody(who), what, who) == verdict::refuse;
    (what == urgency::browsing ? browsing : joining) += is_refused;
  }
  EXPECT_GT(browsing, 5'000);
  EXPECT_LT(joining, 100);
}

TEST(admission, where_nothing_is_served_refusals_go_on) {
  admission one{{.refusals_saved_max = 400, .refusals_per_second_min = 20}, start};
  auto now = start;
  stand(one, 100ms, 20, now);
  while (one.decide(somebody(1), urgency::joining, 1) == verdict::refuse) {
  }
  stand(one, 100ms, 20, now);  // a second
  auto refused = 0;
  while (one.decide(somebody(2), urgency::joining, 1) == verdict::refuse) ++refused;
  EXPECT_GE(refused, 19);
}

TEST(admission, under_pressure_an_account_has_its_part_of_a_second) {
  admission one{{}, start};
  auto now = start;
  stand(one, 12ms, 2, now);
  auto served = 0;
  for (auto request = 0; request < 100; ++request)
    served += one.decide(somebody(5), urgency::joining, 0) == verdict::serve;
  EXPECT_EQ(served, static_cast<int>(one.settings().account_requests_max));
  EXPECT_EQ(one.decide(somebody(5), urgency::joining, 0), verdict::over_share);
  EXPECT_EQ(one.decide(somebody(6), urgency::joining, 0), verdict::serve);
  stand(one, 12ms, 21, now);
  EXPECT_NE(one.decide(somebody(5), urgency::joining, 0), verdict::over_share);
}

TEST(admission, an_address_beyond_its_share_is_refused_before_others) {
  admission one{{}, start};
  auto now = start;
  const auto target = std::chrono::duration_cast<nanoseconds>(one.settings().wait_target);
  while (one.pressure() < 250) stand(one, 2 * target, 1, now);
  const auto from = [](std::uint64_t address) { return asker{.account = {}, .address = address}; };
  // A second in which one address asks as often as everybody else together.
  const auto one_second = [&] {
    std::pair<int, int> refused{0, 0};
    for (std::uint64_t number = 0; number < 2'000; ++number) {
      if (number % 100 == 0) stand(one, target, 1, now);
      refused.first += one.decide(from(77), urgency::joining, number * 31) == verdict::refuse;
      refused.second +=
          one.decide(from(1'000 + number), urgency::joining, number * 31) == verdict::refuse;
    }
    return refused;
  };
  one_second();
  ASSERT_GT(one.pressure(), 0u);
  ASSERT_LT(one.pressure(), 600u);
  const auto [large, others] = one_second();
  EXPECT_GT(large, 500);
  EXPECT_EQ(others, 0);
}

TEST(admission, what_a_slow_disk_can_answer_in_time_may_be_under_way) {
  admission one{{}, start};
  auto now = start;
  // 10,000 answers a second whatever is under way, so 500 are answered within 50 ms.
  std::size_t least = one.places(), most = 0;
  for (auto interval = 0; interval < 400; ++interval) {
    const auto under_way = static_cast<std::int64_t>(one.places());
    for (auto answer = 0; answer < 500; ++answer) one.answered(urgency::joining, under_way * 100us);
    stand(one, 0ms, 1, now);
    if (interval < 100) continue;
    least = std::min(least, one.places());
    most = std::max(most, one.places());
  }
  EXPECT_GE(least, 300u);
  EXPECT_LE(most, 800u);
  // Passwords are slow by nature.
  for (auto interval = 0; interval < 100; ++interval) {
    for (auto answer = 0; answer < 500; ++answer) one.answered(urgency::entering, 200ms);
    stand(one, 0ms, 1, now);
  }
  EXPECT_EQ(one.places(), one.settings().places_max);
}

TEST(admission, switched_off_it_only_looks_on) {
  admission one{{.is_on = false}, start};
  auto now = start;
  stand(one, 1s, 100, now);
  EXPECT_EQ(refused_of_1000(one, urgency::browsing), 0);
  EXPECT_EQ(one.backlog(), one.settings().backlog_max);
}

TEST(admission, at_fifty_thousand_people_a_second_nobody_pays_for_others) {
  admission one{{}, start};
  auto now = start;
  stand(one, 8ms, 1, now);
  auto over_share = 0;
  for (std::uint64_t who = 0; who < 50'000; ++who)
    over_share += one.decide(somebody(who * 0x9e3779b97f4a7c15u), urgency::joining, who) ==
                  verdict::over_share;
  EXPECT_LE(over_share, 5);
}

// ---- a whole overload, simulated

/// One thread with the kernel's queue of connections before it, on a clock of its own.
class opening {
public:
  /// Of every `period` the thread may run for `runs`, as a cgroup lets it.
  struct costs {
    nanoseconds served, refused;
    nanoseconds runs = 1s, period = 1s;
  };
  struct found {
    std::uint64_t offered = 0, served = 0, refused = 0, turned_away = 0;
    std::vector<nanoseconds> served_after, refused_after;
  };

  explicit opening(costs with) : costs_(with) {}

  /// Lets people come at `rate` a second for so long. Each comes on a connection of his own.
  found offer(double rate, nanoseconds how_long) {
    found seen;
    std::exponential_distribution<double> gap{rate};
    const auto end = now_ + how_long;
    auto next = now_ + nanoseconds{static_cast<std::int64_t>(gap(dice_) * 1e9)};
    while (now_ < end) {
      for (; next <= now_; next += nanoseconds{static_cast<std::int64_t>(gap(dice_) * 1e9)}) {
        ++seen.offered;
        if (queue_.size() < static_cast<std::size_t>(door_.backlog())) {
          queue_.push_back(next);
        } else {
          ++seen.turned_away;
        }
      }
      if (queue_.empty()) {
        now_ = std::min(next, end);
      } else {
        take(seen);
      }
    }
    return seen;
  }

  admission& door() { return door_; }
  double peak() const {
    const auto part =
        static_cast<double>(costs_.runs.count()) / static_cast<double>(costs_.period.count());
    return part * 1e9 / static_cast<double>(costs_.served.count());
  }

private:
  void take(found& seen) {
    const auto arrived = queue_.front();
    queue_.pop_front();
    // The kernel's clock ticks every 4 ms.
    if (door_.wants_sample())
      door_.waited(came_on::new_connection,
                   std::chrono::floor<std::chrono::milliseconds>(now_ - arrived) / 4 * 4, now_);
    const auto is_served =
        door_.decide(somebody(dice_()), urgency::joining, dice_()) != verdict::refuse;
    run_for(is_served ? costs_.served : costs_.refused);
    ++(is_served ? seen.served : seen.refused);
    (is_served ? seen.served_after : seen.refused_after).push_back(now_ - arrived);
  }

  void run_for(nanoseconds cost) {
    now_ += cost;
    if (costs_.runs == costs_.period) return;
    const auto period = (now_ - start) / costs_.period;
    if (std::exchange(period_, period) != period) used_ = 0ns;
    used_ += cost;
    if (used_ >= costs_.runs) now_ = start + (period + 1) * costs_.period;
  }

  costs costs_;
  time_point now_ = start;
  std::int64_t period_ = 0;
  nanoseconds used_{0};  ///< of the part that it may run
  admission door_{{}, start};
  std::deque<time_point> queue_;
  std::mt19937_64 dice_{2020};
};

nanoseconds percentile(std::vector<nanoseconds>& of, double part) {
  if (of.empty()) return 0ns;
  std::sort(of.begin(), of.end());
  return of[static_cast<std::size_t>(static_cast<double>(of.size() - 1) * part)];
}

class overload : public ::testing::TestWithParam<double> {};

void expect_goodput(opening& day, double times_the_peak) {
  auto before = day.offer(0.9 * day.peak(), 5s);
  EXPECT_EQ(before.refused + before.turned_away, 0u);
  auto seen = day.offer(times_the_peak * day.peak(), 60s);
  EXPECT_GE(static_cast<double>(seen.served), 0.9 * 60 * day.peak());
  EXPECT_LE(percentile(seen.served_after, 0.99), 100ms);
  EXPECT_LE(percentile(seen.refused_after, 0.50), 25ms);
  EXPECT_GT(seen.refused, 0u);
  day.offer(0.5 * day.peak(), 2s);
  EXPECT_EQ(day.door().pressure(), 0u);
  auto after = day.offer(0.9 * day.peak(), 5s);
  EXPECT_EQ(after.refused + after.turned_away, 0u);
}

TEST_P(overload, goodput_stays_and_nobody_waits_long) {
  // A node with a tenth of a core: 200 us for a click on a new connection, 70 us for a refusal.
  opening day{{.served = 200us, .refused = 70us}};
  expect_goodput(day, GetParam());
}

TEST_P(overload, a_node_that_is_held_to_a_millisecond_in_ten_gives_as_much) {
  opening day{{.served = 20us, .refused = 7us, .runs = 1ms, .period = 10ms}};
  expect_goodput(day, GetParam());
}

INSTANTIATE_TEST_SUITE_P(of_the_peak, overload, ::testing::Values(1.2, 2.0, 5.0, 10.0, 20.0));

TEST(overload, a_little_too_much_is_told_to_everybody) {
  opening day{{.served = 200us, .refused = 70us}};
  auto seen = day.offer(1.06 * day.peak(), 20s);
  EXPECT_GT(static_cast<double>(seen.refused), 0.05 * static_cast<double>(seen.offered));
  EXPECT_LT(static_cast<double>(seen.turned_away), 0.01 * static_cast<double>(seen.offered));
}

}  // namespace
}  // namespace gelombang::net
