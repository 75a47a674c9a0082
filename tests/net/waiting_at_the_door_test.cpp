// Who waits, seen from outside: a front door whose sessions ask the room themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "net/waiting_room/answer.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

constexpr std::array<std::uint8_t, 32> key{7};

/// One person a second is let in to join; who only looks is not asked to wait.
class WaitingAtTheDoor : public ::testing::Test {
protected:
  WaitingAtTheDoor() {
    const auto served = [](exchange& x) { x.reply(200, "text/plain", "served"); };
    router routes;
    routes.add({.method = http::verb::get,
                .path = "/join",
                .who = access::anyone,
                .operation_id = "join",
                .answer = served,
                .when_busy = urgency::joining});
    routes.add({.method = http::verb::get,
                .path = "/look",
                .who = access::anyone,
                .operation_id = "look",
                .answer = served,
                .when_busy = urgency::browsing});
    add_house_routes(routes, server_);
    if (auto listening = server_.listen(); !listening) throw std::runtime_error(listening.error());
    server_.start(std::move(routes));
  }

  reply get(const std::string& path, const std::string& device, const std::string& ticket = "") {
    auto request = "GET " + path + " HTTP/1.1\r\nHost: a\r\nDevice-Id: " + device + "\r\n";
    if (!ticket.empty()) request += "Waiting-Ticket: " + ticket + "\r\n";
    return client{server_.port()}.ask(request + "\r\n");
  }
  static boost::json::object told(const reply& answer) {
    return boost::json::parse(answer.body).as_object();
  }
  static std::string ticket_of(const reply& answer) {
    return std::string{told(answer).at("ticket").as_string()};
  }
  /// The first who has to wait.
  reply fill() {
    for (auto number = 0; number < 100; ++number) {
      auto answer = get("/join", "device-of-" + std::to_string(1000 + number));
      if (answer.status == 503) return answer;
      EXPECT_EQ(answer.status, 200);
    }
    throw std::runtime_error("everybody was let in");
  }

  manual_clock time_{noon};
  waiting_room room_{
      {.mode = room_mode::on, .rate_per_second = 1, .places_kept = 1 << 12}, key, noon};
  server server_{{.bounds = front::quick(), .room = &room_}, time_};
};

TEST_F(WaitingAtTheDoor, ATicketLetsInInTurnAndOnce) {
  fill();
  const auto waits = get("/join", "device-that-waits");
  ASSERT_EQ(waits.status, 503);
  EXPECT_FALSE(waits.header("retry-after").empty());
  const auto ticket = ticket_of(waits);
  const auto again = get("/join", "device-that-waits", ticket);
  ASSERT_EQ(again.status, 503);
  EXPECT_EQ(told(again).at("place"), told(waits).at("place"));

  for (auto second = 0; second < 300; ++second) {
    time_.advance(std::chrono::seconds{1});
    const auto answer = get("/join", "device-that-waits", ticket);
    if (answer.status == 503) {
      ASSERT_EQ(told(answer).at("place"), told(waits).at("place"));
      continue;
    }
    ASSERT_EQ(answer.status, 200);
    fill();
    const auto used = get("/join", "device-that-waits", ticket);
    ASSERT_EQ(used.status, 503);
    EXPECT_NE(told(used).at("place"), told(waits).at("place"));
    return;
  }
  FAIL() << "was never let in";
}

TEST_F(WaitingAtTheDoor, AnotherDevicesTicketIsWorthNothing) {
  const auto waits = fill();
  const auto thief = get("/join", "device-of-a-thief", ticket_of(waits));
  ASSERT_EQ(thief.status, 503);
  EXPECT_NE(told(thief).at("place"), told(waits).at("place"));
}

TEST_F(WaitingAtTheDoor, WhoLooksAndWhoProbesDoNotWait) {
  fill();
  EXPECT_EQ(get("/look", "device-that-looks").status, 200);
  EXPECT_EQ(get("/healthz", "device-that-probes").status, 200);
}

}  // namespace
}  // namespace gelombang::net::test
