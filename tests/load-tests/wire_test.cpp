#include "load-tests/engine/wire.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace gelombang::load {
namespace {

using progress = answer_parser::progress;

/// Feeds `text` in pieces of `piece` bytes. @returns the last progress.
progress feed(answer_parser& to, std::string_view text, std::size_t piece) {
  auto last = progress::more;
  while (!text.empty() && last == progress::more) {
    const auto bytes = std::min({piece, text.size(), to.space_bytes()});
    std::memcpy(to.space(), text.data(), bytes);
    text.remove_prefix(bytes);
    last = to.took(bytes);
  }
  return last;
}

constexpr std::string_view created =
    "HTTP/1.1 201 Created\r\nDate: Sun, 22 Nov 2026 05:00:00 GMT\r\nETag: \"abc\"\r\n"
    "content-length: 5\r\nRetry-After: 7\r\n\r\nhello";

TEST(AnswerParser, PutsAnAnswerTogetherHoweverItComes) {
  for (std::size_t piece : {1u, 2u, 3u, 17u, 1000u}) {
    answer_parser parser;
    ASSERT_EQ(feed(parser, created, piece), progress::complete) << piece;
    EXPECT_EQ(parser.found().status, 201);
    EXPECT_EQ(parser.found().body, "hello");
    EXPECT_EQ(parser.found().etag, "\"abc\"");
    EXPECT_EQ(parser.found().retry_after_seconds, 7);
    EXPECT_FALSE(parser.found().closes);
    parser.reset();
    ASSERT_EQ(feed(parser, created, piece), progress::complete) << "the next one on the connection";
  }
}

TEST(AnswerParser, AnAnswerLargerThanItsBufferKeepsItsFields) {
  const std::string body(300'000, 'x');
  answer_parser parser;
  ASSERT_EQ(feed(parser,
                 "HTTP/1.1 200 OK\r\nETag: \"t\"\r\nConnection: close\r\nContent-Length: 300000\r\n"
                 "\r\n" +
                     body,
                 4000),
            progress::complete);
  EXPECT_EQ(parser.found().body, body);
  EXPECT_EQ(parser.found().etag, "\"t\"");
  EXPECT_TRUE(parser.found().closes);
}

TEST(AnswerParser, AnswersWithoutABodyEndWithTheirHead) {
  for (const auto* text : {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\nContent-Length: 90\r\n\r\n"}) {
    answer_parser parser;
    EXPECT_EQ(feed(parser, text, 1000), progress::complete) << text;
    EXPECT_TRUE(parser.found().body.empty());
  }
}

TEST(AnswerParser, WhatIsNoAnswerIsMalformed) {
  for (const auto* text :
       {"HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "\r\n\r\n"}) {
    answer_parser parser;
    EXPECT_EQ(feed(parser, text, 1000), progress::malformed) << text;
  }
}

TEST(WriteRequest, HasWhatItIsGivenAndNothingElse) {
  std::string text = "left over";
  write_request(text, "host:1",
                {.method = "POST",
                 .path = "/p",
                 .token = "t",
                 .idempotency_key = "k",
                 .if_none_match = {},
                 .body = "{}"});
  EXPECT_EQ(text,
            "POST /p HTTP/1.1\r\nHost: host:1\r\nAuthorization: Bearer t\r\nIdempotency-Key: k\r\n"
            "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
  write_request(text, "h",
                {.method = "GET",
                 .path = "/",
                 .token = {},
                 .idempotency_key = {},
                 .if_none_match = "\"e\"",
                 .body = {}});
  EXPECT_EQ(text, "GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"e\"\r\n\r\n");
}

}  // namespace
}  // namespace gelombang::load
