// What the waiting room says over HTTP: to who waits, to operators, and in /metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "net/command/settings.hpp"
#include "net/waiting_room/answer.hpp"
#include "net/waiting_room/metrics.hpp"
#include "net/waiting_room/operators.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<std::uint8_t, 32> key{5};

/// A front door with a room before /served, which has no room for newcomers.
class room_front {
public:
  explicit room_front(waiting_room_options with = {.mode = room_mode::on, .places_kept = 64})
      : room(with, key, noon) {
    const auto served = [this](exchange& x) {
      const auto done = room.arrive({.subject = subject_of(x),
                                     .ticket = x.header(ticket_header),
                                     .newcomers = node_room::none},
                                    time.now());
      if (done.what == verdict::kind::wait) return tell_to_wait(x, done.told);
      x.reply(200, "text/plain", "served");
    };
    door.add(http::verb::get, "/served", served);
    door.add(http::verb::get, "/mine", served, access::applicant);
    door.add(
        http::verb::get, "/room", [this](exchange& x) { show_room(room, x); }, access::operator_);
    door.add(
        http::verb::put, "/room", [this](exchange& x) { set_room(room, x); }, access::operator_);
    door.start();
  }

  reply get(const std::string& path, const std::string& headers = "") {
    return door.connect().ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
  }
  reply put(const std::string& body, roles held = role::operator_) {
    return door.connect().ask("PUT /room HTTP/1.1\r\nHost: a\r\nAccept-Language: en\r\n" +
                              bearer(held) + "Content-Length: " + std::to_string(body.size()) +
                              "\r\n\r\n" + body);
  }
  static std::string bearer(roles held) {
    return "Authorization: Bearer " + token_for(held) + "\r\n";
  }
  static boost::json::object json(const reply& answer) {
    return boost::json::parse(answer.body).as_object();
  }
  static std::string ticket(const reply& answer) {
    return "Waiting-Ticket: " + std::string{json(answer).at("ticket").as_string()} + "\r\n";
  }
  void pass(std::chrono::seconds left) {
    for (; left.count() > 0; --left) {
      time.advance(std::chrono::seconds{1});
      room.report({}, time.now());
    }
  }

  front door;
  waiting_room room;
  manual_clock time{noon};
};

TEST(WaitingRoomAnswers, SayWhatThereIsToKnowInBothLanguages) {
  room_front here;
  const auto told = here.get("/served", "Accept-Language: en\r\n");
  EXPECT_EQ(told.status, 503);
  EXPECT_EQ(told.header("content-type"), "application/problem+json");
  EXPECT_EQ(told.header("content-language"), "en");
  EXPECT_EQ(told.header("cache-control"), "no-store");
  EXPECT_GE(std::stoi(told.header("retry-after")), 1);
  const auto body = room_front::json(told);
  EXPECT_EQ(body.at("type"), "/problems/waiting");
  EXPECT_EQ(body.at("status"), 503);
  EXPECT_EQ(body.at("place"), 1);
  EXPECT_EQ(body.at("ahead"), 0);
  EXPECT_EQ(body.at("ticket").as_string().size(), waiting_tickets::text_bytes);
  ASSERT_TRUE(body.contains("ticket_header"));
  EXPECT_EQ(body.at("ticket_header"), "Waiting-Ticket");
  EXPECT_THAT(told.body, HasSubstr(R"("expected_at":"2027-01-15T08:00:00Z")"));
  EXPECT_THAT(told.body, HasSubstr("in the header Waiting-Ticket"));
  EXPECT_THAT(told.body, HasSubstr("Arriving first brings no advantage in the draw."));
  EXPECT_THAT(here.get("/served").body,
              HasSubstr("Datang lebih dulu tidak memberi keuntungan apa pun dalam undian."));
  // What every problem has: a page that explains it.
  EXPECT_EQ(here.get("/problems/waiting").status, 200);
}

TEST(WaitingRoomAnswers, LetInWhoBringsTheTicketBack) {
  room_front here;
  const auto told = here.get("/served");
  here.pass(std::chrono::seconds{5});
  EXPECT_EQ(here.get("/served", room_front::ticket(told)).status, 200);
  EXPECT_EQ(here.get("/served", room_front::ticket(told)).status, 503);
}

TEST(WaitingRoomAnswers, AreForAnAccountADeviceOrAnAddress) {
  room_front here;
  const std::string device = "Device-Id: ", someone = room_front::bearer(role::applicant);
  const auto of_account = here.get("/mine", someone);
  const auto of_device = here.get("/served", device + "12345678\r\n");
  const auto of_address = here.get("/served");
  here.pass(std::chrono::seconds{5});
  const auto status = [&](const reply& told, const std::string& path, const std::string& headers) {
    return here.get(path, room_front::ticket(told) + headers).status;
  };
  EXPECT_EQ(status(of_account, "/served", device + "12345678\r\n"), 503);
  EXPECT_EQ(status(of_device, "/served", device + "12345679\r\n"), 503);
  EXPECT_EQ(status(of_device, "/served", ""), 503);
  EXPECT_EQ(status(of_address, "/served", device + "12345678\r\n"), 503);
  EXPECT_EQ(here.room.counts().faults[static_cast<std::size_t>(ticket_fault::of_another)], 4u);
  // A signed-in person is his account, whatever device he names.
  EXPECT_EQ(status(of_account, "/mine", someone + device + "another-one\r\n"), 200);
  EXPECT_EQ(status(of_device, "/served", device + "12345678\r\n"), 200);
  // A name that is none counts for nothing: too short, too long, a blank, twice.
  EXPECT_EQ(status(of_address, "/served", device + "1234567\r\n"), 200);
  const auto is_of_address = [&](const std::string& headers) {
    const auto told = here.get("/served");
    here.pass(std::chrono::seconds{2});
    return status(told, "/served", headers) == 200;
  };
  EXPECT_TRUE(is_of_address(device + std::string(65, 'x') + "\r\n"));
  EXPECT_FALSE(is_of_address(device + std::string(64, 'x') + "\r\n"));
  EXPECT_TRUE(is_of_address(device + "1234 5678\r\n"));
  EXPECT_TRUE(is_of_address(device + "12345678\r\n" + device + "12345678\r\n"));
}

// ---- operators

TEST(WaitingRoomOperators, SeeTheRoomAndSetIt) {
  room_front here{{.places_kept = 64}};
  const auto see = [&] { return here.get("/room", room_front::bearer(role::operator_)).body; };
  EXPECT_EQ(see(),
            R"({"mode":"auto","is_open":false,"rate_per_second":null,"measured_rate":1000,)"
            R"("waiting":0,"now_serving":1,"next_place":1,"admitted":0,"show_up_permille":700})");
  const auto set = here.put(R"({"mode":"on","rate_per_second":25})");
  EXPECT_EQ(set.status, 200);
  EXPECT_THAT(set.body, HasSubstr(R"("mode":"on","is_open":true,"rate_per_second":25)"));
  EXPECT_EQ(set.body, see());
  here.get("/served");
  EXPECT_THAT(see(), HasSubstr(R"("waiting":1,"now_serving":1,"next_place":2)"));
  for (const auto* body : {R"({"mode":"off","rate_per_second":null})", R"({"mode":"off"})"}) {
    EXPECT_THAT(here.put(body).body,
                HasSubstr(R"("mode":"off","is_open":false,"rate_per_second":null)"))
        << body;
  }
  EXPECT_THAT(here.put(R"({"mode":"auto"})").body, HasSubstr(R"("mode":"auto","is_open":false)"));
}

TEST(WaitingRoomOperators, AreToldWhatIsWrong) {
  room_front here{{.places_kept = 64}};
  const struct {
    const char* body;
    int status;
    const char* text;
  } wrongs[] = {
      {"", 400, "body_malformed"},
      {"[]", 400, "body_malformed"},
      {"{}", 422, R"("pointer":"/mode","message":"is missing")"},
      {R"({"mode":"open"})", 422, R"("pointer":"/mode","message":"must be one of: auto, on, off)"},
      {R"({"mode":1})", 422, R"("pointer":"/mode")"},
      {R"({"mode":"on","rate_per_second":0})", 422, R"("pointer":"/rate_per_second")"},
      {R"({"mode":"on","rate_per_second":1000001})", 422, "must be from 1 to 1000000"},
      {R"({"mode":"on","rate_per_second":1.5})", 422, "must be a whole number"},
      {R"({"mode":"on","rate_per_second":"5"})", 422, "must be a whole number"},
  };
  for (const auto& [body, status, text] : wrongs) {
    const auto told = here.put(body);
    EXPECT_EQ(told.status, status) << body;
    EXPECT_THAT(told.body, HasSubstr(text)) << body;
  }
  EXPECT_EQ(here.put(R"({"mode":"on"})", role::applicant).status, 403);
  EXPECT_FALSE(here.room.is_open());
}

TEST(WaitingRoomMetrics, ShowTheLineAndTheTicketsThatWereRefused) {
  room_front here;
  const manual_clock time{noon};
  here.door.page().add(std::make_shared<waiting_room_metrics>(here.room, time));
  here.get("/served");
  here.get("/served", "Waiting-Ticket: none\r\n");
  EXPECT_EQ(here.door.metric("gelombang_waiting_room_open"), 1);
  EXPECT_EQ(here.door.metric("gelombang_waiting_places"), 2);
  EXPECT_EQ(here.door.metric("gelombang_waiting_places_total"), 2);
  EXPECT_EQ(here.door.metric("gelombang_waiting_room_openings_total"), 1);
  EXPECT_EQ(here.door.metric(R"(gelombang_waiting_tickets_refused_total{reason="malformed"})"), 1);
  EXPECT_EQ(here.door.metric(R"(gelombang_waiting_tickets_refused_total{reason="used"})"), 0);
}

// ---- configuration

TEST(WaitingRoomSettings, AreReadAndKeptWithinTheirBounds) {
  using command::load_settings;
  const auto set = load_settings(
      "", {"waiting_room.mode=on", "waiting_room.rate_per_second=250",
           "waiting_room.turn_seconds_max=60", "waiting_room.opens_after_milliseconds=500",
           "waiting_room.closes_after_seconds=20", "waiting_room.places_kept=65536"});
  ASSERT_TRUE(set.has_value()) << set.error();
  EXPECT_EQ(set->waiting_room.mode, room_mode::on);
  EXPECT_EQ(set->waiting_room.rate_per_second, 250u);
  EXPECT_EQ(set->waiting_room.turn_lasts, std::chrono::minutes{1});
  EXPECT_EQ(set->waiting_room.opens_after, std::chrono::milliseconds{500});
  EXPECT_EQ(set->waiting_room.closes_after, std::chrono::seconds{20});
  EXPECT_EQ(set->waiting_room.places_kept, 65'536u);
  for (const auto* wrong :
       {"mode=open", "mode=1", "rate_per_second=-1", "rate_per_second=1000001",
        "turn_seconds_max=31", "turn_seconds_max=86401", "opens_after_milliseconds=60001",
        "closes_after_seconds=0", "places_kept=65535", "places_kept=1073741825", "more=1"}) {
    const auto refused = load_settings("", {std::string{"waiting_room."} + wrong});
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_THAT(refused.error(), HasSubstr("waiting_room.")) << wrong;
  }
}

TEST(WaitingRoomSettings, AreThoseOfTheDocumentedFileWhenNothingIsSaid) {
  const auto file = command::load_settings(GELOMBANG_SOURCE_DIR "/config/dev.toml", {});
  ASSERT_TRUE(file.has_value()) << file.error();
  const waiting_room_options usual;
  const auto& read = file->waiting_room;
  EXPECT_EQ(read.mode, usual.mode);
  EXPECT_EQ(read.rate_per_second, usual.rate_per_second);
  EXPECT_EQ(read.turn_lasts, usual.turn_lasts);
  EXPECT_EQ(read.opens_after, usual.opens_after);
  EXPECT_EQ(read.closes_after, usual.closes_after);
  EXPECT_EQ(read.places_kept, usual.places_kept);
}

}  // namespace
}  // namespace gelombang::net::test
