// The line as a whole, on a clock of its own: who is served when, and when there is a line at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <queue>
#include <random>
#include <vector>

#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {
namespace {

using kind = verdict::kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr instant noon{milliseconds{1'800'000'000'000}};
constexpr std::array<std::uint8_t, 32> key{9};

/// A node that serves so many a second and refuses the others, people who come back when they are
/// told or never, and a room in front.
class rush {
public:
  struct plan {
    waiting_room_options room{.places_kept = 1u << 20};
    double capacity = 1'000;
    std::uint32_t no_show_percent = 40;
  };
  struct figures {
    std::uint64_t served = 0;
    std::uint64_t served_in_turn = 0;
    std::uint64_t lag_max = 0;    ///< places called between who was let in and the newest called
    std::uint64_t overtaken = 0;  ///< let by while somebody waited
    std::uint64_t given_up = 0;
    std::uint64_t polls_max = 0;
  };

  explicit rush(const plan& with) : with_(with), room(with.room, key, noon) {}

  /// From now on so many arrive in a second, evenly.
  void arrive(int a_second, milliseconds lasting) {
    for (milliseconds at{0}; at < lasting; at += tick) {
      due_ += a_second * std::chrono::duration<double>(tick).count();
      for (; due_ >= 1; due_ -= 1) come_at(now + at, {.subject = ++people_});
    }
  }
  void run(milliseconds time) {
    for (const auto end = now + time; now < end;) one_tick();
  }
  template <class Condition>
  bool run_until(milliseconds most, const Condition& is_met) {
    for (const auto end = now + most; now < end && !is_met();) one_tick();
    return is_met();
  }

  plan with_;
  waiting_room room;
  instant now = noon;
  figures seen;
  std::uint64_t on_their_way = 0;

private:
  static constexpr milliseconds tick{10};
  static constexpr milliseconds report_interval{100};

  struct person {
    std::uint64_t subject = 0;
    std::string ticket = {};
    std::uint64_t polls = 0;
  };
  struct visit {
    instant at;
    person who;
    bool operator<(const visit& other) const { return at > other.at; }
  };

  void come_at(instant when, person who) {
    visits_.push({when, std::move(who)});
    ++on_their_way;
  }

  void one_tick() {
    now += tick;
    const auto seconds_passed = std::chrono::duration<double>(tick).count();
    room_left_ = std::min(with_.capacity / 10, room_left_ + with_.capacity * seconds_passed);
    while (!visits_.empty() && visits_.top().at <= now) {
      auto who = visits_.top().who;
      visits_.pop();
      --on_their_way;
      come(std::move(who));
    }
    if (now - reported_ < report_interval) return;
    reported_ = now;
    served_a_second_ += (static_cast<double>(served_now_) * 10 - served_a_second_) * 0.2;
    room.report({.served_per_second = static_cast<std::uint32_t>(served_a_second_),
                 .now = refused_ ? node_room::none : node_room::spare},
                now);
    served_now_ = 0;
    refused_ = false;
  }

  void come(person who) {
    const auto newcomers = room_left_ >= 1 ? node_room::spare : node_room::none;
    refused_ = refused_ || newcomers == node_room::none;
    auto done =
        room.arrive({.subject = who.subject, .ticket = who.ticket, .newcomers = newcomers}, now);
    // Whose turn it is goes before others, and is still too much for a node that is far behind.
    if (done.what == kind::admit_in_turn && room_left_ < -with_.capacity / 10) {
      done = {.what = kind::wait, .told = room.take_back(done, now)};
    }
    if (done.what == kind::admit || done.what == kind::admit_in_turn) return serve(who, done);
    if (done.what == kind::refuse) return come_at(now + seconds{2}, std::move(who));
    const auto gives_up = who.polls == 0 && random_() % 100 < with_.no_show_percent;
    if (gives_up) {
      ++seen.given_up;
      return;
    }
    ++who.polls;
    who.ticket.assign(done.told.ticket.data(), done.told.ticket.size());
    // A second of his own dice, as the document asks of clients: Retry-After has whole seconds.
    const milliseconds on_the_way{50 + random_() % 1'000};
    come_at(now + seconds{done.told.retry_after_seconds} + on_the_way, std::move(who));
  }

  void serve(const person& who, const verdict& done) {
    room_left_ -= 1;
    ++served_now_;
    ++seen.served;
    seen.polls_max = std::max(seen.polls_max, who.polls);
    if (done.what != kind::admit_in_turn) {
      if (room.state(now).waiting > 0) ++seen.overtaken;
      return;
    }
    ++seen.served_in_turn;
    const auto serving = room.state(now).now_serving;
    seen.lag_max = std::max(seen.lag_max, serving - done.turn.place);
  }

  std::priority_queue<visit> visits_;
  std::mt19937 random_{42};
  double due_ = 0;
  std::uint64_t people_ = 0;
  double room_left_ = 0;
  bool refused_ = false;
  std::uint64_t served_now_ = 0;
  double served_a_second_ = 0;
  instant reported_ = noon;
};

/// The part of the capacity that is used while somebody waits: from two seconds after the opening,
/// when the first can be back, until the last is called.
double used_part(rush& one) {
  EXPECT_TRUE(one.run_until(seconds{5}, [&] { return one.room.is_open(); }));
  one.run(seconds{2});
  const auto began = one.now;
  const auto served_before = one.seen.served;
  EXPECT_TRUE(one.run_until(minutes{10}, [&] {
    return one.now - began > seconds{10} && one.room.state(one.now).waiting == 0;
  }));
  const auto took = std::chrono::duration<double>(one.now - began).count();
  return static_cast<double>(one.seen.served - served_before) / (took * one.with_.capacity);
}

TEST(WaitingLine, ServesAHundredThousandInOrderAndWastesNothing) {
  rush one{{}};
  one.arrive(10'000, seconds{10});
  EXPECT_GE(used_part(one), 0.95);
  // Nobody who came back starves, and who is called is let in within seconds, one after the other.
  ASSERT_TRUE(one.run_until(minutes{1}, [&] { return one.on_their_way == 0; }));
  EXPECT_EQ(one.seen.served + one.seen.given_up, 100'000u);
  EXPECT_LT(one.seen.lag_max, 20'000u) << "some 1,700 are called in a second";
  EXPECT_EQ(one.seen.overtaken, 0u);
  EXPECT_LE(one.seen.polls_max, 15u);
  EXPECT_EQ(one.room.state(one.now).admitted, one.seen.served_in_turn);
  EXPECT_NEAR(one.room.state(one.now).show_up_permille, 600, 50);
}

TEST(WaitingLine, WastesLittleWhoeverComesBack) {
  for (std::uint32_t no_shows : {0, 20, 60, 80}) {
    rush one{{.no_show_percent = no_shows}};
    // Some 60,000 who stay.
    one.arrive(static_cast<int>(1'200'000 / (100 - no_shows)), seconds{5});
    EXPECT_GE(used_part(one), 0.9) << no_shows << " %";
    EXPECT_TRUE(one.run_until(minutes{1}, [&] { return one.on_their_way == 0; })) << no_shows;
    EXPECT_NEAR(one.room.state(one.now).show_up_permille, 1000 - 10 * no_shows, 60);
  }
}

TEST(WaitingLine, LearnsThatTheNodeCanDoMore) {
  rush one{{}};
  one.arrive(10'000, seconds{20});
  one.run(seconds{10});
  one.with_.capacity = 3'000;
  one.run(seconds{20});
  EXPECT_GT(one.room.state(one.now).measured_rate, 2'300u);
  one.with_.capacity = 1'500;
  one.run(seconds{10});
  EXPECT_LT(one.room.state(one.now).measured_rate, 1'800u);
}

TEST(WaitingLine, DoesNotCallPeopleWhoFindNoRoom) {
  rush one{{}};
  one.arrive(10'000, seconds{10});
  one.run(seconds{10});
  one.with_.capacity = 10;
  one.run(seconds{5});
  const auto called = one.room.state(one.now).now_serving;
  one.run(seconds{20});
  EXPECT_LT(one.room.state(one.now).now_serving - called, 2'000u);
}

TEST(WaitingLine, IsClearedWhenNobodyComesBack) {
  rush one{{.no_show_percent = 100}};
  one.arrive(10'000, seconds{3});
  one.run(seconds{20});
  EXPECT_EQ(one.room.state(one.now).waiting, 0u);
  one.run(seconds{15});
  EXPECT_FALSE(one.room.is_open());
}

// ---- opening and closing

TEST(WaitingLine, OpensOnlyAfterTheNodeHasRefusedForAWhile) {
  rush one{{}};
  one.arrive(900, seconds{10});
  one.run(seconds{10});
  EXPECT_FALSE(one.room.is_open());
  waiting_room room{{.places_kept = 64}, key, noon};
  for (int tenths = 0; tenths < 40; ++tenths) {
    const auto is_refusing = tenths % 4 != 3;
    room.report({.served_per_second = 100, .now = is_refusing ? node_room::none : node_room::spare},
                noon + milliseconds{100} * tenths);
    EXPECT_FALSE(room.is_open()) << "short bursts pass";
  }
  for (int tenths = 40; tenths < 44; ++tenths) {
    EXPECT_FALSE(room.is_open()) << tenths;
    room.report({.served_per_second = 100, .now = node_room::none},
                noon + milliseconds{100} * tenths);
  }
  EXPECT_TRUE(room.is_open());
  EXPECT_EQ(room.counts().openings, 1u);
}

TEST(WaitingLine, OpensOnceForOneRushAndClosesAfterIt) {
  rush one{{}};
  // Offered moves around the capacity all the time, as real load does.
  for (int wave = 0; wave < 10; ++wave) {
    one.arrive(1'500, seconds{3});
    one.run(seconds{3});
    one.arrive(700, seconds{3});
    one.run(seconds{3});
  }
  EXPECT_EQ(one.room.counts().openings, 1u);
  EXPECT_TRUE(one.room.is_open());
  one.arrive(500, minutes{2});
  ASSERT_TRUE(one.run_until(minutes{2}, [&] { return !one.room.is_open(); }));
  one.run(seconds{30});
  EXPECT_FALSE(one.room.is_open());
  EXPECT_EQ(one.room.counts().openings, 1u);
}

TEST(WaitingLine, AnOperatorsRateHoldsWhateverTheNodeCouldDo) {
  rush one{{.room = {.mode = room_mode::on, .rate_per_second = 200, .places_kept = 1u << 20}}};
  one.arrive(2'000, seconds{5});
  one.run(seconds{25});
  EXPECT_LE(one.seen.served, 200u * 25 + 100);
  EXPECT_GE(one.seen.served, 200u * 25 * 8 / 10) << "the first few seconds nobody is back yet";
}

TEST(WaitingLine, AClockThatIsPutAheadCallsNoCrowd) {
  rush one{{}};
  one.arrive(10'000, seconds{10});
  one.run(seconds{10});
  const auto called = one.room.state(one.now).now_serving;
  EXPECT_LT(one.room.state(one.now + std::chrono::hours{24}).now_serving - called, 10'000u);
  // Set back again, the line still goes on.
  const auto before = one.room.state(one.now).now_serving;
  one.run(seconds{5});
  EXPECT_GT(one.room.state(one.now).now_serving, before + 2'000);
}

}  // namespace
}  // namespace gelombang::net
