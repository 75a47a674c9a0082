// The door of the waiting room: who is let in, who is told what, and which tickets count.
#include "net/waiting_room/waiting_room.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "actors/programme/base64url.hpp"

namespace gelombang::net {
namespace {

using kind = verdict::kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr instant noon{milliseconds{1'800'000'000'000}};
constexpr std::array<std::uint8_t, 32> key{7, 7, 7};

waiting_room_options always_open(std::uint32_t rate = 10) {
  return {.mode = room_mode::on, .rate_per_second = rate, .places_kept = 1u << 12};
}

std::string ticket_of(const verdict& one) {
  return {one.told.ticket.data(), one.told.ticket.size()};
}

/// A room, and a time of its own.
struct lobby {
  waiting_room room;
  instant now;

  explicit lobby(const waiting_room_options& with = always_open(), instant start = noon)
      : room(with, key, start), now(start) {}

  verdict come(std::uint64_t subject, std::string_view ticket = {},
               node_room newcomers = node_room::none) {
    return room.arrive({.subject = subject, .ticket = ticket, .newcomers = newcomers}, now);
  }
  void pass(milliseconds time) {
    for (auto left = time; left.count() > 0; left -= milliseconds{100}) {
      now += std::min(left, milliseconds{100});
      room.report({.served_per_second = 10, .now = node_room::none}, now);
    }
  }
  std::uint64_t faults(ticket_fault why) const {
    return room.counts().faults[static_cast<std::size_t>(why)];
  }
};

TEST(WaitingRoom, GivesPlacesInOrderAndSaysWhenTheirTurnIs) {
  lobby here;
  for (std::uint64_t nth = 1; nth <= 50; ++nth) {
    const auto told = here.come(nth);
    ASSERT_EQ(told.what, kind::wait);
    EXPECT_EQ(told.told.place, nth);
    EXPECT_EQ(told.told.ahead, nth - 1);
    // Ten people a second, and of ten places seven are presumed to come back for.
    EXPECT_NEAR((told.told.expected_at - noon).count(), static_cast<double>(nth * 70), 1);
    EXPECT_GE(told.told.retry_after_seconds, 1u);
    EXPECT_LE(told.told.retry_after_seconds, 6u);
  }
}

TEST(WaitingRoom, LetsInOnceWhoComesInTurn) {
  lobby here;
  const auto first = ticket_of(here.come(1));
  const auto second = ticket_of(here.come(2));
  here.pass(seconds{2});
  EXPECT_EQ(here.come(2, second).what, kind::admit_in_turn);
  EXPECT_EQ(here.come(1, first).what, kind::admit_in_turn);
  const auto again = here.come(1, first);
  EXPECT_EQ(again.what, kind::wait);
  EXPECT_EQ(again.told.place, 3u) << "a used ticket gives a new place at the end";
  EXPECT_EQ(here.faults(ticket_fault::used), 1u);
}

TEST(WaitingRoom, KeepsThePlaceOfWhoComesEarly) {
  lobby here;
  std::string last;
  for (std::uint64_t nth = 1; nth <= 100; ++nth) last = ticket_of(here.come(nth));
  here.pass(seconds{4});
  const auto early = here.come(100, last);
  ASSERT_EQ(early.what, kind::wait);
  EXPECT_EQ(early.told.place, 100u);
  EXPECT_LT(early.told.ahead, 99u);
  EXPECT_EQ(here.room.state(here.now).next_place, 101u) << "no new place";
  // Both texts are of one place: only one of them is let in.
  here.pass(minutes{1});
  EXPECT_EQ(here.come(100, ticket_of(early)).what, kind::admit_in_turn);
  EXPECT_EQ(here.come(100, last).what, kind::wait);
}

TEST(WaitingRoom, TicketsCanNotBeShared) {
  lobby here;
  const auto mine = ticket_of(here.come(1));
  here.pass(seconds{2});
  const auto theirs = here.come(2, mine);
  EXPECT_EQ(theirs.what, kind::wait);
  EXPECT_EQ(theirs.told.place, 2u);
  EXPECT_EQ(here.faults(ticket_fault::of_another), 1u);
  EXPECT_EQ(here.come(1, mine).what, kind::admit_in_turn) << "it is still good for whose it is";
}

TEST(WaitingRoom, TakesNothingForATicketThatIsNone) {
  lobby here;
  auto ticket = ticket_of(here.come(1));
  here.pass(seconds{2});
  auto changed = ticket;
  changed[20] = changed[20] == 'A' ? 'B' : 'A';
  EXPECT_EQ(here.come(1, changed).told.place, 2u);
  EXPECT_EQ(here.faults(ticket_fault::forged), 1u);
  EXPECT_EQ(here.come(1, ticket.substr(0, 67)).told.place, 3u);
  EXPECT_EQ(here.come(1, "x").told.place, 4u);
  EXPECT_EQ(here.faults(ticket_fault::malformed), 2u);
}

TEST(WaitingRoom, ATicketFromTheFutureGivesNoTurn) {
  lobby here;
  const waiting_tickets writer{key};
  const auto issued = [&](milliseconds later) {
    const auto text = writer.write({.epoch = noon,
                                    .place = 1,
                                    .issued_at = here.now + later,
                                    .expected_at = here.now,
                                    .subject = 1});
    return std::string{text.data(), text.size()};
  };
  here.come(1);
  here.pass(seconds{2});
  EXPECT_EQ(here.come(1, issued(waiting_room::clock_skew_max + milliseconds{1})).what, kind::wait);
  EXPECT_EQ(here.faults(ticket_fault::from_the_future), 1u);
  EXPECT_EQ(here.come(1, issued(waiting_room::clock_skew_max)).what, kind::admit_in_turn);
}

TEST(WaitingRoom, ATurnEndsAfterAWhile) {
  auto with = always_open();
  with.turn_lasts = minutes{2};
  lobby here{with};
  const auto first = ticket_of(here.come(1));
  const auto second = ticket_of(here.come(2));
  here.pass(minutes{2});
  EXPECT_EQ(here.come(1, first).what, kind::admit_in_turn) << "just in time";
  here.pass(seconds{10});
  EXPECT_EQ(here.come(2, second).told.place, 3u);
  EXPECT_EQ(here.faults(ticket_fault::expired), 1u);
}

TEST(WaitingRoom, PlacesThatTheRingHasOvertakenAreExpired) {
  auto with = always_open(room_rate_max);
  with.places_kept = 1024;
  lobby here{with};
  const auto first = ticket_of(here.come(1));
  std::string ticket;
  for (std::uint64_t nth = 2; nth <= 1025; ++nth) ticket = ticket_of(here.come(nth));
  here.pass(seconds{1});
  EXPECT_EQ(here.come(1025, ticket).what, kind::admit_in_turn);
  EXPECT_EQ(here.come(1, first).what, kind::wait);
  EXPECT_EQ(here.faults(ticket_fault::expired), 1u);
}

TEST(WaitingRoom, OfTwoWhoComeWithOneTicketAtOnceOneIsLetIn) {
  constexpr int rounds = 2'000;
  lobby here{always_open(room_rate_max)};
  std::vector<std::string> tickets;
  tickets.reserve(rounds);
  for (int round = 0; round < rounds; ++round) tickets.push_back(ticket_of(here.come(1)));
  here.pass(seconds{2});
  ASSERT_EQ(here.room.state(here.now).waiting, 0u);
  std::atomic<int> ready{0};
  std::vector<std::atomic<int>> let_in(rounds);
  const auto present = [&] {
    for (++ready; ready < 2;) std::this_thread::yield();
    for (int round = 0; round < rounds; ++round) {
      const visitor one{.subject = 1, .ticket = tickets[round], .newcomers = node_room::none};
      if (here.room.arrive(one, here.now).what == kind::admit_in_turn) ++let_in[round];
    }
  };
  std::thread other{present};
  present();
  other.join();
  for (int round = 0; round < rounds; ++round) ASSERT_EQ(let_in[round], 1) << round;
}

TEST(WaitingRoom, WhoFindsNoRoomInTurnKeepsTheTurn) {
  lobby here;
  const auto ticket = ticket_of(here.come(1));
  here.pass(seconds{2});
  const auto let_in = here.come(1, ticket);
  ASSERT_EQ(let_in.what, kind::admit_in_turn);
  const auto told = here.room.take_back(let_in, here.now);
  EXPECT_EQ(told.place, 1u);
  EXPECT_EQ(told.ahead, 0u);
  EXPECT_LE(told.retry_after_seconds, 3u);
  EXPECT_EQ(here.room.state(here.now).admitted, 0u);
  EXPECT_EQ(here.come(1, {told.ticket.data(), told.ticket.size()}).what, kind::admit_in_turn);
  EXPECT_EQ(here.come(1, ticket).what, kind::wait);
}

TEST(WaitingRoom, NewcomersDoNotOvertakeWhoWaits) {
  lobby here;
  const auto first = here.come(1, {}, node_room::none);
  ASSERT_EQ(first.what, kind::wait);
  EXPECT_EQ(here.come(2, {}, node_room::spare).what, kind::wait) << "though the node has room";
  here.pass(seconds{2});
  EXPECT_EQ(here.come(3, {}, node_room::spare).what, kind::admit) << "nobody waits any more";
}

TEST(WaitingRoom, NewcomersLeaveRoomForThoseWhoWereCalled) {
  lobby here{always_open(100)};
  std::vector<std::string> tickets;
  for (std::uint64_t nth = 0; nth < 12; ++nth) tickets.push_back(ticket_of(here.come(nth)));
  here.pass(seconds{2});
  ASSERT_EQ(here.room.state(here.now).waiting, 0u);
  int let_by = 0;
  for (std::uint64_t nth = 0; nth < 1000; ++nth) {
    let_by += here.come(1000 + nth, {}, node_room::spare).what == kind::admit;
  }
  EXPECT_EQ(let_by, 25) << "half of what half a second lets in";
  for (std::uint64_t nth = 0; nth < 12; ++nth) {
    EXPECT_EQ(here.come(nth, tickets[nth]).what, kind::admit_in_turn) << nth;
  }
}

TEST(WaitingRoom, AnOperatorsRateIsKeptHoweverManyComeInTurn) {
  lobby here{always_open(100)};
  std::vector<std::string> tickets;
  for (std::uint64_t nth = 0; nth < 1000; ++nth) tickets.push_back(ticket_of(here.come(nth)));
  here.pass(minutes{1});
  int let_in = 0;
  for (std::uint64_t nth = 0; nth < 1000; ++nth) {
    let_in += here.come(nth, tickets[nth]).what == kind::admit_in_turn;
  }
  EXPECT_LE(let_in, 50) << "half a second's";
  EXPECT_GE(let_in, 37) << "of which a quarter is for those who were turned back before";
}

// ---- restarts

TEST(WaitingRoom, ARestartKeepsTheOrderOfThoseWhoWait) {
  std::vector<std::string> tickets;
  instant last_expected;
  {
    lobby before;
    for (std::uint64_t nth = 0; nth < 100; ++nth) {
      const auto told = before.come(nth);
      tickets.push_back(ticket_of(told));
      last_expected = told.told.expected_at;
    }
  }
  ASSERT_GT(last_expected, noon + seconds{6});
  // Two seconds later the next process has opened its room.
  lobby after{always_open(), noon + seconds{2}};
  const auto newcomer = after.come(1000);
  EXPECT_EQ(newcomer.told.place, 1u);
  EXPECT_EQ(after.come(99, tickets[99]).what, kind::wait);
  EXPECT_EQ(after.come(99, tickets[99]).told.expected_at, last_expected);
  EXPECT_EQ(after.come(10, tickets[10]).what, kind::admit_in_turn);
  EXPECT_EQ(after.come(10, tickets[10]).what, kind::wait);
  EXPECT_EQ(after.faults(ticket_fault::used), 1u);
  after.pass(seconds{8});
  EXPECT_EQ(after.come(99, tickets[99]).what, kind::admit_in_turn);
  EXPECT_EQ(after.room.counts().admitted_from_before, 2u);
}

TEST(WaitingRoom, TurnsOfLongBeforeARestartAreTakenForUsed) {
  lobby before;
  const auto ticket = ticket_of(before.come(1));  // expected a tenth of a second after noon
  lobby soon{always_open(), noon + waiting_room::before_restart_max};
  EXPECT_EQ(soon.come(1, ticket).what, kind::admit_in_turn);
  lobby late{always_open(), noon + waiting_room::before_restart_max + seconds{1}};
  EXPECT_EQ(late.come(1, ticket).what, kind::wait);
  EXPECT_EQ(late.faults(ticket_fault::expired), 1u);
}

TEST(WaitingRoom, OnlyTheRoomJustBeforeIsTakenOver) {
  lobby first;
  const auto oldest = ticket_of(first.come(1));
  lobby second{always_open(), noon + seconds{10}};
  const auto older = ticket_of(second.come(1));
  lobby third{always_open(), noon + seconds{20}};
  third.pass(seconds{1});
  EXPECT_EQ(third.come(1, older).what, kind::admit_in_turn);
  EXPECT_EQ(third.come(1, oldest).what, kind::wait);
  EXPECT_EQ(third.faults(ticket_fault::of_another_room), 1u);
  // And a room knows nothing of those that come after it.
  EXPECT_EQ(second.come(1, ticket_of(third.come(2))).what, kind::wait);
  EXPECT_EQ(second.faults(ticket_fault::of_another) + second.faults(ticket_fault::of_another_room) +
                second.faults(ticket_fault::from_the_future),
            1u);
}

TEST(WaitingRoom, KnowsWhichOfTwoOldRoomsIsTheYoungerInAnyOrder) {
  lobby first;
  const auto oldest = ticket_of(first.come(1));
  lobby second{always_open(), noon + seconds{10}};
  const auto older = ticket_of(second.come(1));
  lobby third{always_open(), noon + seconds{20}};
  third.pass(seconds{1});
  EXPECT_EQ(third.come(1, oldest).what, kind::admit_in_turn);
  EXPECT_EQ(third.come(1, older).what, kind::admit_in_turn) << "the same place of another room";
}

// ---- closed

TEST(WaitingRoom, ClosedLetsByOrRefuses) {
  lobby here{{.mode = room_mode::off, .places_kept = 64}};
  EXPECT_EQ(here.come(1, {}, node_room::spare).what, kind::admit);
  EXPECT_EQ(here.come(1, {}, node_room::none).what, kind::refuse);
  here.pass(minutes{1});
  EXPECT_FALSE(here.room.is_open()) << "off is off";
}

TEST(WaitingRoom, SwitchedOffAndOnAgainItHasCalledWhoWaited) {
  lobby here;
  std::string last;
  for (std::uint64_t nth = 0; nth < 500; ++nth) last = ticket_of(here.come(nth));
  here.room.set(room_mode::off, std::nullopt, here.now);
  EXPECT_EQ(here.come(499, last, node_room::spare).what, kind::admit);
  here.room.set(room_mode::on, 10, here.now);
  EXPECT_EQ(here.come(499, last).what, kind::admit_in_turn);
}

TEST(WaitingRoom, ManyThreadsGiveEachPlaceOnce) {
  constexpr int parties = 4;
  constexpr int each = 2'000;
  lobby here{always_open(1'000)};
  std::vector<std::vector<std::uint64_t>> places(parties);
  std::atomic<std::uint64_t> let_in{0};
  std::vector<std::thread> threads;
  threads.reserve(parties);
  for (int party = 0; party < parties; ++party) {
    threads.emplace_back([&, party] {
      for (int nth = 0; nth < each; ++nth) {
        const auto now = noon + milliseconds{nth};
        const auto subject = static_cast<std::uint64_t>(party) << 32 | nth;
        const auto told = here.room.arrive({.subject = subject, .newcomers = node_room::none}, now);
        places[party].push_back(told.told.place);
        const auto ticket = ticket_of(told);
        const auto again = here.room.arrive(
            {.subject = subject, .ticket = ticket, .newcomers = node_room::none}, now);
        let_in += again.what == kind::admit_in_turn;
        if (nth % 100 == 0) here.room.report({.served_per_second = 1'000}, now);
      }
    });
  }
  for (auto& one : threads) one.join();
  std::vector<std::uint64_t> all;
  for (auto& some : places) all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end());
  for (std::size_t nth = 0; nth < all.size(); ++nth) ASSERT_EQ(all[nth], nth + 1);
  EXPECT_EQ(here.room.counts().admitted_in_turn, let_in);
}

}  // namespace
}  // namespace gelombang::net
