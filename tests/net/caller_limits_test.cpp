// Limits on accounts, devices and addresses: the policy on a clock of its own, then from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "net/caller_limits.hpp"
#include "net/command/settings.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr std::uint64_t seed = 0x5eed;

peer_address peer(const char* text) {
  return peer_of(boost::asio::ip::make_address(text));
}

/// Small figures that tests reach one by one.
caller_limit_settings small() {
  return {.window = seconds{10},
          .account_requests_max = 5,
          .account_clicks_max = 2,
          .device_requests_max = 7,
          .address_requests_max = 9,
          .network_requests_max = 0,
          .loopback_is_exempt = true,
          .keys_kept = 1024};
}

class CallerLimits : public ::testing::Test {
protected:
  /// How many of a hundred such requests are let pass, and what stops the next one.
  static std::pair<int, std::optional<limit_kind>> passed(caller_limits& limits,
                                                          const caller& who) {
    limit_counters forgotten;
    for (int count = 0; count < 100; ++count)
      if (const auto over = limits.take(who, forgotten)) return {count, over->kind};
    return {100, std::nullopt};
  }

  manual_clock time_{noon};
};

using stop = std::pair<int, std::optional<limit_kind>>;

TEST_F(CallerLimits, EachKindHasItsOwn) {
  caller_limits limits{small(), time_, seed};
  const auto from = peer("203.0.113.7");
  EXPECT_EQ(passed(limits, {.account = 1, .from = peer("203.0.113.1")}),
            (stop{5, limit_kind::account}));
  EXPECT_EQ(passed(limits, {.account = 2, .clicks = true, .from = peer("203.0.113.2")}),
            (stop{2, limit_kind::clicks}));
  EXPECT_EQ(passed(limits, {.device = 3, .from = peer("203.0.113.3")}),
            (stop{7, limit_kind::device}));
  EXPECT_EQ(passed(limits, {.from = from}), (stop{9, limit_kind::address}));
  EXPECT_EQ(limits.keys_over(limit_kind::address), 1u);
  EXPECT_EQ(limits.keys_over(limit_kind::network), 0u);
  time_.advance(seconds{13});
  EXPECT_EQ(passed(limits, {.from = from}), (stop{9, limit_kind::address}));
}

TEST_F(CallerLimits, TheSameNumberIsAnotherCallerAsAnotherKind) {
  caller_limits limits{small(), time_, seed};
  EXPECT_EQ(passed(limits, {.account = 0, .from = peer("203.0.113.1")}),
            (stop{5, limit_kind::account}));
  EXPECT_EQ(passed(limits, {.device = 0, .from = peer("203.0.113.2")}),
            (stop{7, limit_kind::device}));
}

/// Looking goes on when clicking is over its limit.
TEST_F(CallerLimits, WhoHasClickedTooOftenMayLook) {
  caller_limits limits{small(), time_, seed};
  const auto from = peer("203.0.113.1");
  EXPECT_EQ(passed(limits, {.account = 1, .clicks = true, .from = from}),
            (stop{2, limit_kind::clicks}));
  EXPECT_EQ(passed(limits, {.account = 1, .from = from}), (stop{3, limit_kind::account}));
}

/// A bot behind the same address as a thousand people must not use up what they have together.
TEST_F(CallerLimits, WhatOneLimitRefusesCountsInNoOther) {
  caller_limits limits{small(), time_, seed};
  const auto from = peer("203.0.113.1");
  limit_counters forgotten;
  for (int i = 0; i < 1'000; ++i) limits.take({.account = 1, .device = 1, .from = from}, forgotten);
  EXPECT_EQ(passed(limits, {.account = 2, .from = from}), (stop{4, limit_kind::address}))
      << "five of nine were the bot's";
  // And who is refused for his address loses nothing of what his account has.
  time_.advance(seconds{1});
  EXPECT_EQ(passed(limits, {.account = 3, .from = from}), (stop{0, limit_kind::address}));
  EXPECT_EQ(passed(limits, {.account = 3, .from = peer("203.0.113.2")}),
            (stop{5, limit_kind::account}));
}

TEST_F(CallerLimits, AnIpv6HouseholdIsOneAddressAndItsCarrierOneNetwork) {
  auto with = small();
  with.network_requests_max = 12;
  caller_limits limits{with, time_, seed};
  EXPECT_EQ(passed(limits, {.from = peer("2001:db8:1:1::1")}), (stop{9, limit_kind::address}));
  EXPECT_EQ(passed(limits, {.from = peer("2001:db8:1:1:ffff::2")}), (stop{0, limit_kind::address}));
  EXPECT_EQ(passed(limits, {.from = peer("2001:db8:1:2::1")}), (stop{3, limit_kind::network}));
  EXPECT_EQ(passed(limits, {.from = peer("2001:db8:2:1::1")}), (stop{9, limit_kind::address}));
  // Those of IPv4 have no such network.
  for (const auto* one : {"203.0.113.1", "203.0.113.2", "::ffff:203.0.113.3"})
    EXPECT_EQ(passed(limits, {.from = peer(one)}), (stop{9, limit_kind::address})) << one;
}

TEST_F(CallerLimits, LoopbackHasNoAddressUnlessItIsToldOtherwise) {
  for (const auto is_exempt : {true, false}) {
    auto with = small();
    with.loopback_is_exempt = is_exempt;
    caller_limits limits{with, time_, seed};
    for (const auto* one : {"127.0.0.1", "127.200.3.4", "::1", "::ffff:127.0.0.2"}) {
      const auto expected = is_exempt ? stop{100, std::nullopt} : stop{9, limit_kind::address};
      EXPECT_EQ(passed(limits, {.from = peer(one)}), expected) << one;
    }
    EXPECT_EQ(passed(limits, {.account = 1, .from = peer("127.0.0.9")}),
              (stop{5, limit_kind::account}))
        << "accounts have theirs wherever they come from";
    EXPECT_EQ(passed(limits, {.from = peer("128.0.0.1")}), (stop{9, limit_kind::address}));
  }
}

TEST_F(CallerLimits, ClicksAloneCanBeLimited) {
  caller_limits limits{{.account_requests_max = 0,
                        .account_clicks_max = 2,
                        .device_requests_max = 0,
                        .address_requests_max = 0,
                        .keys_kept = 1024},
                       time_,
                       seed};
  const auto from = peer("203.0.113.1");
  EXPECT_EQ(passed(limits, {.account = 1, .clicks = true, .from = from}),
            (stop{2, limit_kind::clicks}));
  EXPECT_EQ(passed(limits, {.account = 1, .from = from}), (stop{100, std::nullopt}));
  EXPECT_EQ(limits.bytes(), 1024u * 16);
}

TEST_F(CallerLimits, TellHowManyAreOver) {
  caller_limits limits{small(), time_, seed};
  EXPECT_EQ(limits.keys_over(limit_kind::account), 0u);
  const auto from = peer("127.0.0.1");
  for (std::uint64_t one = 0; one < 5; ++one) passed(limits, {.account = one, .from = from});
  passed(limits, {.account = 9, .clicks = true, .from = from});
  EXPECT_EQ(limits.keys_over(limit_kind::account), 5u) << "each counts once";
  EXPECT_EQ(limits.keys_over(limit_kind::clicks), 1u);
  time_.advance(milliseconds{2'500});
  EXPECT_EQ(limits.keys_over(limit_kind::account), 5u);
  passed(limits, {.account = 0, .from = from});
  EXPECT_EQ(limits.keys_over(limit_kind::account), 5u) << "the quarter has only begun";
  time_.advance(milliseconds{2'500});
  EXPECT_EQ(limits.keys_over(limit_kind::account), 1u);
  time_.advance(milliseconds{2'500});
  EXPECT_EQ(limits.keys_over(limit_kind::account), 0u);
}

TEST_F(CallerLimits, ZeroIsNoLimitAndCostsNoMemory) {
  const caller_limit_settings none{.account_requests_max = 0,
                                   .account_clicks_max = 0,
                                   .device_requests_max = 0,
                                   .address_requests_max = 0,
                                   .network_requests_max = 0};
  caller_limits limits{none, time_, seed};
  EXPECT_EQ(limits.bytes(), 0u);
  const caller everything{.account = 1, .clicks = true, .device = 1, .from = peer("203.0.113.1")};
  EXPECT_EQ(passed(limits, everything), (stop{100, std::nullopt}));
  EXPECT_EQ(limits.keys_over(limit_kind::account), 0u);
}

TEST_F(CallerLimits, MemoryIsWhatIsDocumentedWhoeverComes) {
  caller_limits usual{{}, time_, seed};
  EXPECT_EQ(usual.bytes(), std::size_t{48} << 20)
      << "three tables of a million keys, 16 bytes each";
  limit_counters forgotten;
  for (std::uint32_t i = 0; i < 1'500'000; ++i)
    EXPECT_FALSE(usual.take({.from = {.network = 0x0b00'0000u + i}}, forgotten));
  EXPECT_EQ(usual.bytes(), std::size_t{48} << 20);
  EXPECT_GT(forgotten[static_cast<std::size_t>(limit_kind::address)].value(), 0u);
  EXPECT_EQ(forgotten[static_cast<std::size_t>(limit_kind::account)].value(), 0u);
}

TEST(CallerLimitsRetry, IsNeverTooEarlyAndSpread) {
  const auto told = [](milliseconds wait, std::uint64_t dice) {
    return retry_after_seconds({limit_kind::account, wait}, dice);
  };
  EXPECT_EQ(told(milliseconds{1}, 0), 1u);
  EXPECT_EQ(told(milliseconds{2'500}, 0), 3u);
  EXPECT_EQ(told(milliseconds{10'000}, 0), 10u);
  unsigned least = 100, most = 0;
  for (std::uint64_t dice = 0; dice < 100; ++dice) {
    least = std::min(least, told(milliseconds{10'000}, dice));
    most = std::max(most, told(milliseconds{10'000}, dice));
  }
  EXPECT_EQ(least, 10u);
  EXPECT_EQ(most, 16u);
}

TEST(CoarseSteadyClock, GoesOn) {
  const coarse_steady_clock time;
  const auto first = time.now();
  EXPECT_GT(first.time_since_epoch(), milliseconds{0});
  while (time.now() == first) {
  }
  EXPECT_GT(time.now(), first);
}

// ---- from outside

/// A front door with everything that a limit tells apart. Loopback counts as any address.
class LimitedFront : public ::testing::Test {
protected:
  LimitedFront() : limits_(outside(), time_, seed) {
    const auto served = [](exchange& x) { x.reply(200, "text/plain", "served"); };
    router routes;
    routes.add({http::verb::get, "/look", access::anyone, "look", served});
    routes.add({http::verb::get, "/me", access::applicant, "me", served, 0, urgency::entering});
    routes.add({http::verb::post, "/join", access::applicant, "join", served, 0, urgency::joining});
    routes.add({http::verb::get, "/join", access::applicant, "own", served, 0, urgency::joining});
    routes.add({http::verb::post, "/order", access::operator_, "order", served, 0, urgency::house});
    add_house_routes(routes, server_);
    add_metrics_route(routes, page_);
    if (auto listening = server_.listen(); !listening) throw std::runtime_error(listening.error());
    page_.add(std::make_shared<caller_limits_metrics>(limits_));
    server_.start(std::move(routes), &page_);
  }

  static caller_limit_settings outside() {
    auto with = small();
    with.loopback_is_exempt = false;
    return with;
  }
  client from(const char* address) {
    return client{server_.port(), boost::asio::ip::make_address_v4(address)};
  }
  static std::string get(const std::string& path, const std::string& headers = "") {
    return "GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n";
  }
  static std::string bearer(roles held = role::applicant) {
    return "Authorization: Bearer " + token_for(held) + "\r\n";
  }
  /// How many are served before the first that is not, which is returned as well.
  static std::pair<int, reply> served(client& by, const std::string& request) {
    for (int count = 0; count < 50; ++count) {
      auto answer = by.ask(request);
      if (answer.status == 429) return {count, answer};
    }
    return {50, {}};
  }
  double metric(const std::string& series) const {
    auto text = "\n" + page_.text();
    auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }

  manual_clock time_{noon};
  caller_limits limits_;
  metrics_page page_;
  server server_{{.house = server_options::house_port{"127.0.0.1", 0},
                  .threads = 2,
                  .bounds = front::quick(),
                  .callers = &limits_,
                  .tokens = &tokens()},
                 time_};
};

TEST_F(LimitedFront, AnAddressIsToldWhenToComeBackInBothLanguages) {
  auto bot = from("127.0.0.2");
  auto [count, answer] = served(bot, get("/look"));
  EXPECT_EQ(count, 9);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_EQ(answer.header("content-language"), "id");
  EXPECT_EQ(answer.header("cache-control"), "no-store");
  const auto told = boost::json::parse(answer.body).as_object();
  EXPECT_EQ(told.at("type").as_string(), "/problems/too_many_requests");
  EXPECT_EQ(told.at("status").as_int64(), 429);
  EXPECT_EQ(told.at("title").as_string(), "Terlalu sering");
  const auto seconds_told = std::stoi(answer.header("retry-after"));
  EXPECT_GE(seconds_told, 10);
  EXPECT_LE(seconds_told, 13 + 13 / 2 + 1);

  const auto english = bot.ask(get("/look", "Accept-Language: en\r\n"));
  EXPECT_EQ(english.status, 429);
  EXPECT_EQ(english.header("content-language"), "en");
  EXPECT_THAT(english.body, HasSubstr("Too many requests"));
  EXPECT_EQ(from("127.0.0.3").ask(get("/look")).status, 200) << "another address";

  time_.advance(seconds{seconds_told});
  EXPECT_EQ(bot.ask(get("/look")).status, 200) << "on the same connection, when he was told";
  EXPECT_EQ(metric(R"(gelombang_limits_refused_total{limit="address"})"), 2);
  EXPECT_EQ(metric(R"(gelombang_http_turned_away_total{reason="over_limit"})"), 2);
}

TEST_F(LimitedFront, AnAccountIsTheSameFromEverywhere) {
  auto here = from("127.0.0.2");
  EXPECT_EQ(served(here, get("/me", bearer())).first, 5);
  auto there = from("127.0.0.3");
  EXPECT_EQ(served(there, get("/me", bearer())).first, 0);
  EXPECT_EQ(there.ask(get("/look")).status, 200) << "who is nobody may look";
  EXPECT_EQ(metric(R"(gelombang_limits_refused_total{limit="account"})"), 2);
  EXPECT_EQ(metric(R"(gelombang_limits_keys_over{limit="account"})"), 1);
  EXPECT_EQ(metric("gelombang_limits_memory_bytes"), 3 * 1024 * 16);
}

/// Connections are divided among the io threads; an account's limit is not.
TEST_F(LimitedFront, AnAccountHasItsLimitOnceOverAllThreads) {
  constexpr int connections = 16;
  std::vector<std::unique_ptr<client>> all;
  all.reserve(connections);
  std::string five;
  for (int i = 0; i < 5; ++i) five += get("/me", bearer());
  for (int i = 0; i < connections; ++i)
    all.push_back(std::make_unique<client>(
        server_.port(), boost::asio::ip::make_address_v4("127.0.1." + std::to_string(i))));
  for (auto& one : all) one->send(five);
  int served = 0;
  for (auto& one : all)
    for (int i = 0; i < 5; ++i) served += one->read().status == 200;
  EXPECT_EQ(served, 5);
}

TEST_F(LimitedFront, ClicksAreFewerThanLooks) {
  auto person = from("127.0.0.2");
  EXPECT_EQ(served(person, post("/join", "", bearer())).first, 2);
  EXPECT_EQ(person.ask(get("/join", bearer())).status, 200);
  EXPECT_EQ(metric(R"(gelombang_limits_refused_total{limit="clicks"})"), 1);
}

TEST_F(LimitedFront, ADeviceIsWhatItsHeaderNames) {
  auto phone = from("127.0.0.2");
  EXPECT_EQ(served(phone, get("/look", "Device-Id: phone-of-a-family\r\n")).first, 7);
  EXPECT_EQ(metric(R"(gelombang_limits_refused_total{limit="device"})"), 1);
  // What names none, or two, has only its address.
  auto other = from("127.0.0.3");
  EXPECT_EQ(served(other, get("/look", "Device-Id: short\r\n")).first, 9);
  auto third = from("127.0.0.4");
  EXPECT_EQ(
      served(third, get("/look", "Device-Id: phone-of-a-family\r\nDevice-Id: another-phone\r\n"))
          .first,
      9);
}

TEST_F(LimitedFront, PipelinedRequestsCountOneByOne) {
  auto bot = from("127.0.0.2");
  std::string many;
  for (int i = 0; i < 40; ++i) many += get("/look");
  bot.send(many);
  int served = 0;
  for (int i = 0; i < 40; ++i) {
    const auto status = bot.read().status;
    EXPECT_TRUE(status == 200 || status == 429) << status;
    EXPECT_EQ(status == 200, i < 9) << "in order, number " << i;
    served += status == 200;
  }
  EXPECT_EQ(served, 9);
}

/// The body of what is refused is read past, and a client that asks before sending it is told.
TEST_F(LimitedFront, ARefusedRequestMayHaveABody) {
  auto bot = from("127.0.0.2");
  EXPECT_EQ(served(bot, get("/look")).first, 9);
  EXPECT_EQ(bot.ask(post("/join", R"({"any":"thing"})", bearer())).status, 429);
  EXPECT_EQ(bot.ask(get("/look")).status, 429) << "the connection goes on";
  bot.send("POST /join HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(bot.read().status, 429);
  EXPECT_TRUE(bot.is_ended());
}

/// Guessing tokens and paths is asking as well.
TEST_F(LimitedFront, WhatLeadsNowhereCounts) {
  auto guesser = from("127.0.0.2");
  EXPECT_EQ(served(guesser, get("/me", "Authorization: Bearer guessed\r\n")).first, 9);
  auto scanner = from("127.0.0.3");
  EXPECT_EQ(served(scanner, get("/admin.php")).first, 9);
  auto asker = from("127.0.0.4");
  EXPECT_EQ(served(asker, "OPTIONS /look HTTP/1.1\r\nHost: a\r\n\r\n").first, 9);
  auto intruder = from("127.0.0.5");
  EXPECT_EQ(served(intruder, post("/order", "", bearer())).first, 9) << "no operator";
}

TEST_F(LimitedFront, OperatorsAndProbersHaveNoLimits) {
  auto office = from("127.0.0.2");
  EXPECT_EQ(served(office, get("/look")).first, 9);
  for (const auto* path : {"/healthz", "/readyz", "/metrics"})
    EXPECT_EQ(served(office, get(path)).first, 50) << path;
  EXPECT_EQ(served(office, post("/order", "", bearer(role::operator_))).first, 50);
  const auto both = bearer(roles{role::operator_} | role::applicant);
  EXPECT_EQ(served(office, get("/me", both)).first, 50) << "an operator who looks as a person";
  EXPECT_EQ(served(office, get("/openapi.json")).first, 0) << "a document like others";
  client house{server_.house_port(), boost::asio::ip::make_address_v4("127.0.0.2")};
  EXPECT_EQ(served(house, get("/look")).first, 50) << "the operators' own port";
}

// ---- configuration

TEST(CallerLimitSettings, AreReadAndKeptWithinTheirBounds) {
  using command::load_settings;
  const auto set = load_settings(
      "", {"limits.window_seconds=20", "limits.requests_by_account_max=70",
           "limits.clicks_by_account_max=8", "limits.requests_by_device_max=0",
           "limits.requests_by_address_max=65535", "limits.requests_by_network_max=60000",
           "limits.loopback_is_exempt=false", "limits.keys_kept=2048"});
  ASSERT_TRUE(set.has_value()) << set.error();
  EXPECT_EQ(set->limits.window, seconds{20});
  EXPECT_EQ(set->limits.account_requests_max, 70u);
  EXPECT_EQ(set->limits.account_clicks_max, 8u);
  EXPECT_EQ(set->limits.device_requests_max, 0u);
  EXPECT_EQ(set->limits.address_requests_max, caller_limit_max);
  EXPECT_EQ(set->limits.network_requests_max, 60'000u);
  EXPECT_FALSE(set->limits.loopback_is_exempt);
  EXPECT_EQ(set->limits.keys_kept, 2048u);
  for (const auto* wrong :
       {"window_seconds=0", "window_seconds=3601", "requests_by_account_max=-1",
        "requests_by_account_max=65536", "clicks_by_account_max=65536",
        "requests_by_device_max=65536", "requests_by_address_max=65536",
        "requests_by_network_max=65536", "requests_by_address_max=many", "loopback_is_exempt=1",
        "keys_kept=1023", "keys_kept=268435457", "more=1"}) {
    const auto refused = load_settings("", {std::string{"limits."} + wrong});
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_THAT(refused.error(), HasSubstr("limits.")) << wrong;
  }
}

TEST(CallerLimitSettings, AreThoseOfTheDocumentedFileWhenNothingIsSaid) {
  const auto file = command::load_settings(GELOMBANG_SOURCE_DIR "/config/dev.toml", {});
  ASSERT_TRUE(file.has_value()) << file.error();
  const caller_limit_settings usual;
  const auto& read = file->limits;
  EXPECT_EQ(read.window, usual.window);
  EXPECT_EQ(read.account_requests_max, usual.account_requests_max);
  EXPECT_EQ(read.account_clicks_max, usual.account_clicks_max);
  EXPECT_EQ(read.device_requests_max, usual.device_requests_max);
  EXPECT_EQ(read.address_requests_max, usual.address_requests_max);
  EXPECT_EQ(read.network_requests_max, usual.network_requests_max);
  EXPECT_EQ(read.loopback_is_exempt, usual.loopback_is_exempt);
  EXPECT_EQ(read.keys_kept, usual.keys_kept);
}

}  // namespace
}  // namespace gelombang::net::test
