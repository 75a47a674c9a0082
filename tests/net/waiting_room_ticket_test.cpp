// Tickets and the bits of their places: what can be forged, shared, repeated, or too old.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "actors/programme/base64url.hpp"
#include "net/waiting_room/ticket.hpp"
#include "net/waiting_room/used_places.hpp"

namespace gelombang::net {
namespace {

using taking = used_places::taking;

constexpr instant noon{std::chrono::milliseconds{1'800'000'000'000}};
const waiting_tickets tickets{{1, 2, 3}};

waiting_ticket some_ticket() {
  return {.epoch = noon,
          .place = 123'456,
          .issued_at = noon + std::chrono::seconds{5},
          .expected_at = noon + std::chrono::minutes{7},
          .subject = 0xfedc'ba98'7654'3210u};
}

std::string text_of_ticket(const waiting_ticket& ticket) {
  const auto text = tickets.write(ticket);
  return {text.data(), text.size()};
}

TEST(WaitingTicket, SaysWhatItWasMadeOf) {
  for (auto place : {std::uint64_t{0}, std::uint64_t{1}, waiting_ticket::places_end - 1}) {
    auto ticket = some_ticket();
    ticket.place = place;
    ticket.is_renewed = place == 1;
    const auto read = tickets.read(text_of_ticket(ticket));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, ticket);
  }
}

TEST(WaitingTicket, WithAnyBitFlippedIsForged) {
  const auto text = text_of_ticket(some_ticket());
  const auto bytes = *from_base64url(text, 1000);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    const auto read = tickets.read(to_base64url(changed));
    ASSERT_FALSE(read.has_value()) << bit;
    // Of the first byte, the last bit says that a ticket is renewed, and the others never change.
    EXPECT_EQ(read.error(), bit > 0 && bit < 8 ? ticket_fault::malformed : ticket_fault::forged)
        << bit;
  }
}

TEST(WaitingTicket, OfAnotherKeyIsForged) {
  const waiting_tickets others{{1, 2, 4}};
  const auto text = others.write(some_ticket());
  EXPECT_EQ(tickets.read({text.data(), text.size()}).error(), ticket_fault::forged);
}

TEST(WaitingTicket, HasOneSpelling) {
  const auto text = text_of_ticket(some_ticket());
  for (std::size_t kept = 0; kept < text.size(); ++kept) {
    EXPECT_EQ(tickets.read(std::string_view{text}.substr(0, kept)).error(), ticket_fault::malformed)
        << kept;
  }
  for (const auto& wrong : {text + "A", text + "=", " " + text.substr(1), text.substr(1) + "+",
                            text.substr(1) + "\xff", text + text, std::string(5000, 'A')}) {
    EXPECT_EQ(tickets.read(wrong).error(), ticket_fault::malformed) << wrong;
  }
}

TEST(UsedPlaces, AreFreshOnce) {
  used_places used{64};
  EXPECT_EQ(used.look(5), taking::fresh);
  EXPECT_EQ(used.take(5), taking::fresh);
  EXPECT_EQ(used.look(5), taking::used);
  EXPECT_EQ(used.take(5), taking::used);
  EXPECT_EQ(used.take(6), taking::fresh);
  used.give_back(5);
  EXPECT_EQ(used.take(5), taking::fresh);
  EXPECT_EQ(used.take(6), taking::used) << "another's bit was given back";
}

TEST(UsedPlaces, OvertakenOnesAreTooOldAndNeverFreshAgain) {
  used_places used{64};
  ASSERT_EQ(used.size(), 64u);
  EXPECT_EQ(used.take(3), taking::fresh);
  EXPECT_EQ(used.take(64 + 4), taking::fresh) << "a lap later";
  EXPECT_EQ(used.take(3), taking::too_old);
  EXPECT_EQ(used.look(5), taking::too_old) << "though it was never used";
  used.give_back(3);
  EXPECT_EQ(used.take(64 + 4), taking::used) << "who is too old gives nothing back";
  EXPECT_EQ(used.take(64 + 3), taking::fresh) << "the bit of the lap before is gone";
  EXPECT_EQ(used.take(40), taking::fresh) << "a word that nobody of a later lap came to";
}

TEST(UsedPlaces, OfAllWhoTakeOneAtOnceOneFindsItFresh) {
  constexpr std::uint64_t places = 20'000;
  constexpr int parties = 4;
  used_places used{places};
  std::vector<std::atomic<int>> taken(places);
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  threads.reserve(parties);
  for (int party = 0; party < parties; ++party) {
    threads.emplace_back([&] {
      for (++ready; ready < parties;) std::this_thread::yield();
      for (std::uint64_t place = 0; place < places; ++place) {
        if (used.take(place) == taking::fresh) ++taken[place];
      }
    });
  }
  for (auto& one : threads) one.join();
  for (std::uint64_t place = 0; place < places; ++place) ASSERT_EQ(taken[place], 1) << place;
}

}  // namespace
}  // namespace gelombang::net
