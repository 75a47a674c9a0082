// The smaller parts of the front door, by themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "actors/wave/rules.hpp"
#include "net/language.hpp"
#include "net/metrics.hpp"
#include "net/openapi.hpp"
#include "net/password_pool.hpp"
#include "net/peer_address.hpp"
#include "net/problem.hpp"
#include "net/rate_limit.hpp"
#include "net/router.hpp"
#include "net/target.hpp"

namespace gelombang::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// ---- language

TEST(Language, FollowsTheWeights) {
  for (auto english : {"en", "EN-gb", "en-US,en;q=0.9,id;q=0.8", "id;q=0.1, en;q=0.2", "fr, en",
                       "id;q=0,*", "en;q=1.000", "fr;q=1, en;q=0.001", "id;q=0.5,*;q=0.7"}) {
    EXPECT_EQ(preferred_language(english), language::english) << english;
  }
  for (auto indonesian :
       {"", "id", "in", "id-ID,en;q=0.9", "fr", "*", "en;q=0.5,id;q=0.5", "en;q=0", "english",
        "en;q=2", "en;q=x", "en;q=0.1234", "en;q", "en;q=-1", ",,;", "en;q=1.001"}) {
    EXPECT_EQ(preferred_language(indonesian), language::indonesian) << indonesian;
  }
}

// ---- problems

TEST(Problems, EveryReasonHasAStatusAndWordsInBothLanguages) {
  int reasons = 0;
  for (std::uint16_t number = 1; number <= static_cast<std::uint16_t>(errc::internal); ++number) {
    auto code = static_cast<errc>(number);
    if (errc_named(name_of(code)) != code) continue;
    ++reasons;
    auto form = form_of(code);
    EXPECT_TRUE(form.status >= 400 && form.status <= 504) << name_of(code);
    for (auto speech : {language::indonesian, language::english}) {
      EXPECT_FALSE(form.title.in(speech).empty()) << name_of(code);
      EXPECT_FALSE(form.detail.in(speech).empty()) << name_of(code);
    }
    EXPECT_EQ(code != errc::internal && form.status == 500, false) << name_of(code);
  }
  EXPECT_GE(reasons, 55);
  EXPECT_EQ(errc_named("ok"), std::nullopt);
  EXPECT_EQ(errc_named(""), std::nullopt);
}

TEST(Problems, TellTheFieldAndTheTriesLeft) {
  std::string text;
  append_problem(text, refusal{errc::code_wrong, "/code", "3"}, language::english);
  EXPECT_EQ(text,
            R"({"type":"/problems/code_wrong","title":"Wrong code","status":422,)"
            R"("detail":"Check the six digits in your e-mail. Tries left: 3.","tries_left":3,)"
            R"("errors":[{"pointer":"/code","message":)"
            R"("Check the six digits in your e-mail. Tries left: 3."}]})");
}

TEST(Problems, TellAllFields) {
  std::string text;
  append_problem(
      text,
      problem{{{.pointer = "/a", .fault = field_fault::missing},
               {.pointer = "/b", .fault = field_fault::out_of_range, .least = 1, .most = 9}}},
      language::indonesian);
  EXPECT_THAT(text, HasSubstr(R"("type":"/problems/field_invalid")"));
  EXPECT_THAT(text, HasSubstr(R"({"pointer":"/a","message":"wajib diisi"})"));
  EXPECT_THAT(text, HasSubstr(R"({"pointer":"/b","message":"harus dari 1 sampai 9"})"));
}

std::string told(const problem& what) {
  std::string text;
  append_problem(text, what, language::english);
  return text;
}

TEST(Problems, AStepOutOfOrderNamesTheStateOrWhatStandsInTheWay) {
  const auto told_of = [](std::string detail) {
    return told(refusal{errc::wave_out_of_order, {}, std::move(detail)});
  };
  EXPECT_THAT(told_of("open"), HasSubstr(R"(in the state \"open\", which does not yet)"));
  EXPECT_THAT(
      told_of(std::string{wave::other_wave_first} + "12"),
      HasSubstr("Wave 12 is committed and not yet announced: draw and announce it first, or "
                "cancel it while it is not drawn."));
  EXPECT_THAT(told_of(std::string{wave::order_under_way}), HasSubstr("with another content"));
  EXPECT_THAT(told_of(std::string{wave::drawn_otherwise}),
              HasSubstr("of which the journal knows nothing"));
}

TEST(Problems, DamagedFilesOfADrawAreNamed) {
  EXPECT_THAT(told(refusal{errc::draw_damaged, {}, "wave-7/drawn.json: is not there"}),
              HasSubstr("put them back: wave-7/drawn.json: is not there."));
  EXPECT_THAT(told(errc::draw_damaged), HasSubstr("put them back."));
  EXPECT_EQ(form_of(errc::draw_damaged).status, 503);
  EXPECT_GT(retry_after_seconds(errc::draw_damaged, 5), 0u);
}

TEST(Problems, TellTheFormThatIsWanted) {
  const auto told_of = [](field_error fault) { return told(problem{std::move(fault)}); };
  EXPECT_THAT(told_of({.pointer = "/a", .fault = field_fault::not_time}),
              HasSubstr("2026-11-20T12:00:00+07:00"));
  EXPECT_THAT(told_of({.pointer = "/a", .fault = field_fault::not_hex}), HasSubstr("hex"));
  EXPECT_THAT(told_of({.pointer = "/a", .fault = field_fault::too_short, .least = 64, .most = 64}),
              HasSubstr("must have 64 characters"));
  EXPECT_THAT(told_of({.pointer = "/a", .fault = field_fault::not_allowed, .known = "x, y"}),
              HasSubstr("must be one of: x, y"));
  EXPECT_THAT(told(errc::media_type_unsupported), HasSubstr("application/json"));
  EXPECT_THAT(told(refusal{errc::media_type_unsupported, {}, "text/csv"}),
              HasSubstr("Send the body as one of: text/csv."));
}

TEST(Problems, SpreadThoseWhoComeBack) {
  unsigned least = 1000, most = 0;
  for (std::uint64_t dice = 0; dice < 100; ++dice) {
    auto seconds = retry_after_seconds(errc::too_many_requests, dice);
    least = std::min(least, seconds);
    most = std::max(most, seconds);
  }
  EXPECT_EQ(least, 30u);
  EXPECT_EQ(most, 90u);
  EXPECT_EQ(retry_after_seconds(errc::nik_taken, 5), 0u);
}

TEST(Problems, AnAnswerThatDoesNotComeInTimeIs504AndSaysWhenToAskAgain) {
  EXPECT_EQ(form_of(errc::timed_out).status, 504);
  EXPECT_GT(retry_after_seconds(errc::timed_out, 5), 0u);
  // What operators read must not say otherwise.
  std::ifstream config{GELOMBANG_SOURCE_DIR "/config/dev.toml"};
  std::string line;
  while (std::getline(config, line) && !line.starts_with("answer_seconds_max")) continue;
  EXPECT_THAT(line, HasSubstr("504"));
}

// ---- targets

TEST(Targets, QueriesAreStrict) {
  auto query = query_parameters::parse("limit=20&cursor=a%20b+c&flag", 5);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->number("limit", 1, 100, 7).value(), 20);
  EXPECT_EQ(query->number("absent", 1, 100, 7).value(), 7);
  EXPECT_EQ(query->number("limit", 1, 10, 7).error(),
            (field_error{"?limit", field_fault::out_of_range, 1, 10}));
  EXPECT_EQ(query->number("cursor", 1, 10, 7).error().pointer, "?cursor");
  EXPECT_EQ(query->find("cursor"), "a b+c");
  EXPECT_EQ(query->find("flag"), "");
  EXPECT_EQ(query->find("x"), std::nullopt);
  for (auto wrong :
       {"a=1&a=2", "=1", "a=%", "a=%2", "a=%gg", "a=%00", "a=%ff", "a&&b", "%61=1&a=2"}) {
    EXPECT_EQ(query_parameters::parse(wrong, 9), std::nullopt) << wrong;
  }
}

TEST(Targets, Utf8IsWhatTheStandardSays) {
  for (auto good : {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                    "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good));
  }
  for (auto bad : {"\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                   "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "a\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

// ---- routes

route line(http::verb method, std::string path) {
  return {method, std::move(path), access::anyone, "op", [](exchange&) {}};
}

TEST(Router, PrefersLiteralsAndGoesBackToParameters) {
  router routes;
  routes.add(line(http::verb::get, "/v1/waves/current"));
  routes.add(line(http::verb::get, "/v1/waves/{n}"));
  routes.add(line(http::verb::post, "/v1/waves/{n}/join"));
  std::string memory;
  auto found = [&](http::verb method, std::string_view path) {
    auto match = routes.match(method, path, memory);
    return match.found == nullptr ? std::string(name_of(match.failure))
                                  : match.found->path + ":" + std::string(match.parameters[0]);
  };
  EXPECT_EQ(found(http::verb::get, "/v1/waves/current"), "/v1/waves/current:");
  EXPECT_EQ(found(http::verb::get, "/v1/waves/7"), "/v1/waves/{n}:7");
  EXPECT_EQ(found(http::verb::post, "/v1/waves/current/join"), "/v1/waves/{n}/join:current");
  EXPECT_EQ(found(http::verb::head, "/v1/waves/7"), "/v1/waves/{n}:7");
  EXPECT_EQ(found(http::verb::get, "/v1/waves/7/join"), "method_not_allowed");
  EXPECT_EQ(found(http::verb::get, "/v1/waves/%37"), "/v1/waves/{n}:7");
  for (auto none : {"/", "/v1", "/v1/waves", "/v1/waves/", "/v1/waves/7/", "/v1/waves/7/join/x",
                    "/v1//7", "/V1/waves/7"}) {
    EXPECT_EQ(found(http::verb::get, none), "not_found") << none;
  }
}

TEST(Router, RefusesAWrongTable) {
  router routes;
  routes.add(line(http::verb::get, "/a/{b}"));
  EXPECT_THROW(routes.add(line(http::verb::get, "/a/{c}")), std::invalid_argument);
  EXPECT_THROW(routes.add(line(http::verb::get, "a")), std::invalid_argument);
  EXPECT_THROW(routes.add(line(http::verb::connect, "/a")), std::invalid_argument);
  EXPECT_THROW(routes.add(line(http::verb::get, "/{a}/{b}/{c}/{d}/{e}")), std::invalid_argument);
}

// ---- OpenAPI

TEST(OpenApi, TheDocumentIsTheFile) {
  std::ifstream file{GELOMBANG_SOURCE_DIR "/net/openapi.json"};
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(openapi_document() == text.str());
}

TEST(OpenApi, DifferencesAreNamed) {
  constexpr std::string_view document = R"({"paths":{
    "/same":{"get":{"operationId":"same","security":[]}},
    "/id":{"get":{"operationId":"there","security":[]}},
    "/who":{"post":{"operationId":"who","security":[{"bearer":["applicant"]}]}},
    "/gone":{"delete":{"operationId":"gone","security":[{"bearer":[]}]}}}})";
  router routes;
  auto add = [&](http::verb method, std::string path, access who, std::string id) {
    routes.add({method, std::move(path), who, std::move(id), [](exchange&) {}});
  };
  add(http::verb::get, "/same", access::anyone, "same");
  add(http::verb::get, "/id", access::anyone, "here");
  add(http::verb::post, "/who", access::operator_, "who");
  add(http::verb::get, "/new", access::anyone, "new");
  EXPECT_THAT(openapi_differences(routes, document),
              ::testing::UnorderedElementsAre("GET /id is here here and there there",
                                              "POST /who wants operator here and applicant there",
                                              "GET /new is served but not described",
                                              "DELETE /gone is described but not served"));
}

// ---- rates

const instant start{milliseconds{1'800'000'000'000}};

TEST(RateLimit, AllowsTheRateAndNoMore) {
  rate_limiter limiter{{.count_max = 3, .window = minutes{1}}, 1024};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take(7, start), std::nullopt);
  EXPECT_FALSE(limiter.has_room(7, start));
  auto wait = limiter.take(7, start);
  ASSERT_TRUE(wait.has_value());
  EXPECT_EQ(limiter.take(8, start), std::nullopt);
  limiter.forget(7);
  EXPECT_EQ(limiter.take(7, start), std::nullopt);
}

/// In no window, wherever it begins, may there be more than twice the edge's worth: with counts
/// that come evenly, no more than the rate itself.
TEST(RateLimit, TheWindowSlides) {
  constexpr std::uint32_t count_max = 10;
  rate_limiter limiter{{.count_max = count_max, .window = minutes{1}}, 1024};
  std::vector<instant> taken;
  for (auto at = start; at < start + minutes{10}; at += milliseconds{500}) {
    if (!limiter.take(1, at)) taken.push_back(at);
  }
  for (std::size_t i = 0; i + count_max < taken.size(); ++i) {
    EXPECT_GT(taken[i + count_max] - taken[i], milliseconds{45'000});
  }
  EXPECT_GE(taken.size(), 90u);
}

/// Waiting as long as one was told is always enough, and counts again.
TEST(RateLimit, TheTimeToWaitIsNeverTooShortByMuch) {
  rate_limiter limiter{{.count_max = 4, .window = minutes{1}}, 1024};
  auto now = start;
  int allowed = 0;
  for (int i = 0; i < 200; ++i) {
    auto wait = limiter.take(1, now);
    if (!wait) {
      ++allowed;
      continue;
    }
    EXPECT_GT(*wait, milliseconds{0});
    EXPECT_LE(*wait, minutes{2});
    now += *wait;
  }
  EXPECT_GE(allowed, 60);
}

TEST(RateLimit, MemoryIsBoundedAndActiveKeysStay) {
  rate_limiter limiter{{.count_max = 5, .window = minutes{1}}, 1024};
  for (int i = 0; i < 5; ++i) limiter.take(42, start);
  std::mt19937_64 random{1};
  for (int i = 0; i < 3'000; ++i) limiter.take(random(), start);
  // Whoever counts most in his row is the last to make way.
  EXPECT_FALSE(limiter.has_room(42, start));
}

TEST(RateLimit, AClockThatIsSetBackForgivesNothing) {
  rate_limiter limiter{{.count_max = 1, .window = minutes{1}}, 1024};
  EXPECT_EQ(limiter.take(1, start), std::nullopt);
  EXPECT_TRUE(limiter.take(1, start - minutes{5}).has_value());
}

TEST(PeerAddress, GroupsIpv6ByNetwork) {
  auto of = [](const char* text) { return peer_of(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
  EXPECT_NE(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
  EXPECT_EQ(of("::ffff:10.0.0.1"), of("10.0.0.1"));
  EXPECT_NE(of("10.0.0.1"), of("10.0.0.2"));
  EXPECT_NE(of("10.0.0.1").hash(), of("10.0.0.2").hash());
}

// ---- figures

TEST(Metrics, BucketsHoldWhatBelongsInThem) {
  for (std::uint64_t us = 0; us < 300'000; us += us / 50 + 1) {
    auto bucket = latency_histogram::bucket_of(us);
    EXPECT_LT(us, latency_histogram::end_of(bucket));
    auto begin = bucket == 0 ? 0 : latency_histogram::end_of(bucket - 1);
    EXPECT_GE(us, begin);
  }
  EXPECT_EQ(latency_histogram::bucket_of(~0ull), latency_histogram::buckets - 1);
}

TEST(Metrics, AreCollectedFromAllThreads) {
  http_metrics metrics{{"join"}, 2};
  for (std::size_t thread : {0, 1}) {
    auto& figures = metrics.of_thread(thread).routes[0];
    figures.by_class[2].add(10);
    figures.latency.record(std::chrono::microseconds{100});
  }
  metrics_page page;
  page.add(std::shared_ptr<prometheus::Collectable>(&metrics, [](auto*) {}));
  auto text = page.text();
  EXPECT_THAT(text,
              HasSubstr("gelombang_http_requests_total{operation=\"join\",class=\"2xx\"} 20"));
  EXPECT_THAT(text, HasSubstr("gelombang_http_request_seconds_count{operation=\"join\"} 2"));
  EXPECT_THAT(text, HasSubstr("le=\"0.000128\"} 2"));
  EXPECT_THAT(text, HasSubstr("le=\"6.4e-05\"} 0"));
}

// ---- passwords

class Passwords
    : public ::testing::Test {  // NOLINT(readability-identifier-naming): names the suite
protected:
  static constexpr password_cost cheap{.passes = 1, .memory_log2_kib = 3};

  template <class T>
  result<T> wait(std::optional<result<T>>& answer) {
    while (!answer) {
      context_.restart();
      context_.run_one_for(std::chrono::seconds{20});
    }
    return *answer;
  }
  result<std::string> hash(password_pool& pool, std::string password) {
    std::optional<result<std::string>> answer;
    pool.hash(std::move(password), context_, [&](auto given) { answer = given; });
    return wait(answer);
  }
  result<bool> verify(password_pool& pool, std::string password, std::optional<std::string> hash) {
    std::optional<result<bool>> answer;
    pool.verify(std::move(password), std::move(hash), context_,
                [&](auto given) { answer = given; });
    return wait(answer);
  }

  boost::asio::io_context context_;
};

TEST_F(Passwords, AreRightOrWrong) {
  password_pool pool{{.threads = 2, .queue_max = 8, .cost = cheap}};
  auto made = hash(pool, "rahasia sekali");
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->size(), password_hash_bytes);
  EXPECT_NE(*hash(pool, "rahasia sekali"), *made);
  EXPECT_TRUE(*verify(pool, "rahasia sekali", *made));
  EXPECT_FALSE(*verify(pool, "rahasia sekalI", *made));
  EXPECT_FALSE(*verify(pool, "", *made));
  EXPECT_FALSE(*verify(pool, "x", std::nullopt));
  auto damaged = *made;
  damaged[40] ^= 1;
  EXPECT_FALSE(*verify(pool, "rahasia sekali", damaged));
  EXPECT_FALSE(*verify(pool, "rahasia sekali", "short"));
  auto greedy = *made;
  greedy.back() = 40;
  EXPECT_FALSE(*verify(pool, "rahasia sekali", greedy));
}

TEST_F(Passwords, OfAnotherCostAreStillVerified) {
  password_pool before{{.cost = cheap}};
  password_pool after{{.cost = {.passes = 2, .memory_log2_kib = 4}}};
  EXPECT_TRUE(*verify(after, "p", *hash(before, "p")));
}

TEST_F(Passwords, AreRefusedWhenTheQueueIsFull) {
  password_pool pool{{.threads = 0, .queue_max = 2, .cost = cheap}};
  std::vector<errc> refused;
  for (int i = 0; i < 3; ++i) {
    pool.hash("p", context_, [&](auto given) { refused.push_back(given.error().code); });
  }
  pool.hash(std::string(password_pool::password_bytes_max + 1, 'x'), context_,
            [&](auto given) { refused.push_back(given.error().code); });
  context_.run();
  EXPECT_THAT(refused, ElementsAre(errc::overloaded, errc::field_invalid));
  EXPECT_EQ(pool.waiting(), 2u);
}

TEST_F(Passwords, ThatStillWaitAtTheEndAreToldSo) {
  std::vector<errc> refused;
  {
    password_pool pool{{.threads = 0, .queue_max = 2, .cost = cheap}};
    pool.verify("p", std::nullopt, context_,
                [&](auto given) { refused.push_back(given.error().code); });
  }
  context_.run();
  EXPECT_THAT(refused, ElementsAre(errc::shutting_down));
}

}  // namespace
}  // namespace gelombang::net
