// HTTP as clients speak it, and as attackers do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

using ::testing::HasSubstr;

class Protocol : public ::testing::Test {  // NOLINT(readability-identifier-naming): names the suite
protected:
  front front_;
  void SetUp() override { front_.start(); }
};

TEST_F(Protocol, AnswersAndKeepsTheConnection) {
  auto client = front_.connect();
  auto first = client.ask(post("/echo", "one"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "one");
  EXPECT_EQ(first.header("connection"), "");
  EXPECT_EQ(first.header("cache-control"), "no-store");
  EXPECT_EQ(first.header("date").size(), 29u);
  EXPECT_EQ(client.ask(post("/echo", "two")).body, "two");
}

TEST_F(Protocol, ClosesWhenAsked) {
  auto client = front_.connect();
  auto answer = client.ask(post("/echo", "x", "Connection: close\r\n"));
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(Protocol, SpeaksHttp10) {
  auto once = front_.connect();
  auto answer = once.ask("GET /who/ani HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.body, "ani");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(once.is_ended());

  auto kept = front_.connect();
  answer = kept.ask("GET /who/ani HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.header("connection"), "keep-alive");
  EXPECT_EQ(kept.ask("GET /who/budi HTTP/1.0\r\n\r\n").body, "budi");
}

TEST_F(Protocol, TakesARequestByteByByte) {
  auto client = front_.connect();
  for (auto byte : post("/echo", "slowly")) client.send({&byte, 1});
  EXPECT_EQ(client.read().body, "slowly");
}

TEST_F(Protocol, AnswersPipelinedRequestsInOrder) {
  auto client = front_.connect();
  constexpr int requests = 500;
  std::string all;
  for (int i = 0; i < requests; ++i) all += post("/echo", std::to_string(i));
  client.send(all);
  for (int i = 0; i < requests; ++i) ASSERT_EQ(client.read().body, std::to_string(i));
}

TEST_F(Protocol, LetsEmptyLinesBeforeARequestPass) {
  EXPECT_EQ(front_.connect().ask("\r\n\r\nGET /who/a HTTP/1.1\r\nHost: a\r\n\r\n").body, "a");
}

TEST_F(Protocol, JoinsChunks) {
  auto client = front_.connect();
  std::string_view head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(head);
  for (std::string_view piece :
       {"3\r\nabc\r", "\n5;note=1\r\nde", "fgh\r\n0\r\n", "Trailer: x\r\n"}) {
    client.send(piece);
  }
  client.send("\r\n");
  EXPECT_EQ(client.read().body, "abcdefgh");
  EXPECT_EQ(client.ask(post("/echo", "next")).body, "next");
}

TEST_F(Protocol, KeepsHeadersWhileChunksCome) {
  front other;
  other.add(http::verb::post, "/key", [](exchange& x) {
    x.reply(200, "text/plain",
            std::string(x.header("Idempotency-Key")) + std::to_string(x.body().size()));
  });
  other.start();
  auto client = other.connect();
  std::string request =
      "POST /key HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nIdempotency-Key: k-1\r\n\r\n";
  for (int chunk = 0; chunk < 300; ++chunk) request += "64\r\n" + std::string(100, 'x') + "\r\n";
  EXPECT_EQ(client.ask(request + "0\r\n\r\n").body, "k-130000");
}

TEST_F(Protocol, SaysContinueOnlyWhenTheBodyIsWanted) {
  auto client = front_.connect();
  std::string_view head =
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(client.ask(head).status, 100);
  EXPECT_EQ(client.ask("hello").body, "hello");

  auto unwanted = client.ask(
      "POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(unwanted.status, 404);
  EXPECT_TRUE(client.is_ended());
}

TEST_F(Protocol, AnswersHeadLikeGetWithoutTheBody) {
  auto client = front_.connect();
  client.send("HEAD /who/ani HTTP/1.1\r\nHost: a\r\n\r\n");
  auto answer = client.read(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "3");
  EXPECT_EQ(client.ask(post("/echo", "next")).body, "next");
}

TEST_F(Protocol, TellsWhichMethodsThereAre) {
  auto client = front_.connect();
  auto options = client.ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  auto wrong = client.ask("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "POST, OPTIONS");
  EXPECT_EQ(client.ask("OPTIONS /none HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
  EXPECT_EQ(client.ask("BREW /echo HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
}

TEST_F(Protocol, TakesAbsoluteAndEscapedTargets) {
  EXPECT_EQ(front_.get("http://a/who/ani").body, "ani");
  EXPECT_EQ(front_.get("/who/a%C3%A9%20b").body, "a\xc3\xa9 b");
  EXPECT_EQ(front_.get("/wh%6f/b").body, "b");
}

TEST_F(Protocol, RefusesTargetsThatCouldMeanTwoThings) {
  for (auto target :
       {"/who/a%2Fb", "/who/%00", "/who/%zz", "/who/%f", "/who/%ff", "/who/a#b", "who/a",
        "ftp://a/who/a", "http:///who/a", "http://u@a/who/a", "/who/%0d%0a"}) {
    auto answer = front_.get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(answer.body, HasSubstr("/problems/request_malformed")) << target;
  }
  for (auto target : {"/who/..", "/who/.", "//who/a", "/who//a", "/who/", "/who/a/b"}) {
    EXPECT_EQ(front_.get(target).status, 404) << target;
  }
}

struct attack {
  std::string_view name;
  std::string_view request;
  int status = 400;
};

std::ostream& operator<<(std::ostream& out, const attack& one) {
  return out << one.name;
}

/// A literal with the NULs in it.
template <std::size_t Size>
constexpr std::string_view whole(const char (&text)[Size]) {
  return {text, Size - 1};
}

class Malformed  // NOLINT(readability-identifier-naming): names the suite
    : public ::testing::TestWithParam<attack> {};

/// Whatever could be read as two different requests by two readers is refused, and the connection
/// ends: what follows on it can't be trusted to begin where it seems to.
TEST_P(Malformed, IsRefusedAndTheConnectionEnds) {
  front front;
  front.start();
  auto client = front.connect();
  auto answer = client.ask(GetParam().request);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_TRUE(client.is_ended());
  EXPECT_EQ(front.get("/healthz").status, 200);
}

#define HEAD "POST /echo HTTP/1.1\r\nHost: a\r\n"
#define SMUGGLED "GET /who/smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

INSTANTIATE_TEST_SUITE_P(
    Requests, Malformed,
    ::testing::Values(
        attack{"both lengths",
               HEAD "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED},
        attack{"both lengths, other order",
               HEAD "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" SMUGGLED},
        attack{"two lengths", HEAD "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"},
        attack{"the same length twice", HEAD "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"},
        attack{"list of lengths", HEAD "Content-Length: 4, 4\r\n\r\nabcd"},
        attack{"signed length", HEAD "Content-Length: +4\r\n\r\nabcd"},
        attack{"negative length", HEAD "Content-Length: -4\r\n\r\nabcd"},
        attack{"hexadecimal length", HEAD "Content-Length: 0x4\r\n\r\nabcd"},
        attack{"empty length", HEAD "Content-Length: \r\n\r\nabcd"},
        attack{"length beyond 64 bits", HEAD "Content-Length: 99999999999999999999\r\n\r\nabcd"},
        attack{"unknown coding", HEAD "Transfer-Encoding: gzip\r\n\r\nabcd"},
        attack{"coding before chunked", HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        attack{"chunked twice",
               HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        attack{"identity behind chunked",
               HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"},
        attack{"coding with a tail", HEAD "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"},
        attack{"chunked in HTTP/1.0",
               "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        attack{"chunk size is no number",
               HEAD "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"},
        attack{"chunk size is negative", HEAD "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n"},
        attack{"chunk size overflows",
               HEAD "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc"},
        attack{"chunk is longer than it says",
               HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"},
        attack{"chunk ends with a bare line feed",
               HEAD "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"},
        attack{"length among the trailers",
               HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n"},
        attack{"folded header", HEAD "X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"},
        attack{"folded with a tab", HEAD "X-A: b\r\n\tc\r\nContent-Length: 0\r\n\r\n"},
        attack{"folded first line", "GET /who/a HTTP/1.1\r\n Host: a\r\n\r\n"},
        attack{"bare line feeds", "GET /who/a HTTP/1.1\nHost: a\n\n\r\n\r\n"},
        attack{"one bare line feed", "GET /who/a HTTP/1.1\r\nHost: a\nX-B: c\r\n\r\n"},
        attack{"bare carriage return", "GET /who/a HTTP/1.1\r\nHost: a\rX-B: c\r\n\r\n"},
        attack{"NUL in a value", whole("GET /who/a HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n")},
        attack{"NUL in the target", whole("GET /who/a\0 HTTP/1.1\r\nHost: a\r\n\r\n")},
        attack{"blank before the colon", "GET /who/a HTTP/1.1\r\nHost : a\r\n\r\n"},
        attack{"blank before the coding's colon",
               HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
        attack{"no colon", "GET /who/a HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n"},
        attack{"empty name", "GET /who/a HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"},
        attack{"no host", "GET /who/a HTTP/1.1\r\n\r\n"},
        attack{"two hosts", "GET /who/a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        attack{"two tokens",
               "GET /who/a HTTP/1.1\r\nHost: a\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n"},
        attack{"host with a path", "GET /who/a HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        attack{"HTTP/2 in words", "GET /who/a HTTP/2.0\r\nHost: a\r\n\r\n"},
        attack{"HTTP/0.9", "GET /who/a\r\n\r\n\r\n"},
        attack{"version that is none", "GET /who/a HTTP/1.x\r\nHost: a\r\n\r\n"},
        attack{"two blanks", "GET  /who/a HTTP/1.1\r\nHost: a\r\n\r\n"},
        attack{"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
        attack{"asterisk without options", "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
        attack{"TLS at a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"}),
    [](auto& one) {
      std::string name;
      for (auto letter : one.param.name) {
        if (std::isalnum(static_cast<unsigned char>(letter))) name += letter;
      }
      return name;
    });

#undef HEAD
#undef SMUGGLED

TEST_F(Protocol, ProblemsSpeakTheLanguageAskedFor) {
  auto english = front_.connect().ask(
      "GET /none HTTP/1.1\r\nHost: a\r\nAccept-Language: en-GB, id;q=0.5\r\n\r\n");
  EXPECT_EQ(english.header("content-language"), "en");
  EXPECT_THAT(english.body, HasSubstr("Not found"));
  EXPECT_THAT(front_.get("/none").body, HasSubstr("Tidak ditemukan"));
}

TEST_F(Protocol, ServesTheHouse) {
  EXPECT_EQ(front_.get("/healthz").body, R"({"status":"alive"})");
  EXPECT_EQ(front_.get("/readyz").body, R"({"status":"ready"})");
  EXPECT_THAT(front_.get("/metrics").body, HasSubstr("gelombang_http_connections "));
  EXPECT_THAT(front_.get("/problems/nik_taken").body, HasSubstr("\"status\":409"));
  EXPECT_EQ(front_.get("/problems/nonsense").status, 404);
  auto document = front_.get("/openapi.json");
  EXPECT_THAT(document.body, HasSubstr("\"openapi\": \"3.1.0\""));
  auto again =
      front_.connect().ask("GET /openapi.json HTTP/1.1\r\nHost: a\r\nIf-None-Match: W/\"x\", " +
                           document.header("etag") + "\r\n\r\n");
  EXPECT_EQ(again.status, 304);
}

TEST_F(Protocol, ReadinessSaysWhyNot) {
  front other;
  other.server().on_readiness([] { return errc::storage_unavailable; });
  other.start();
  auto answer = other.get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("storage_unavailable"));
  EXPECT_GE(std::stoi(answer.header("retry-after")), 15);
}

TEST_F(Protocol, CountsRequestsByOperationAndClass) {
  front_.get("/who/a");
  front_.get("/who/b");
  front_.get("/none");
  EXPECT_EQ(
      front_.metric(R"(gelombang_http_requests_total{operation="GET /who/{name}",class="2xx"})"),
      2);
  EXPECT_EQ(front_.metric(R"(gelombang_http_requests_total{operation="none",class="4xx"})"), 1);
  EXPECT_EQ(front_.metric(R"(gelombang_http_turned_away_total{reason="not_routed"})"), 1);
  EXPECT_EQ(front_.metric(R"(gelombang_http_request_seconds_count{operation="GET /who/{name}"})"),
            2);
}

}  // namespace
}  // namespace gelombang::net::test
