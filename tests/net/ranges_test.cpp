#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "net/byte_range.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view text = "0123456789abcdefghij";
constexpr std::string_view etag = "\"the-tag\"";

/// A front with one text that comes in parts, once as a whole answer and once as a stream.
class Ranges : public ::testing::Test {
protected:
  void SetUp() override {
    front_.add(http::verb::get, "/text", [](exchange& x) {
      if (!x.not_modified(etag)) x.reply_in_parts(etag, "text/plain", text);
    });
    front_.add(http::verb::get, "/stream", [](exchange& x) { return stream(x); });
    front_.start();
  }

  static task<> stream(exchange& x) {
    if (x.not_modified(etag)) co_return;
    const auto part = x.part_wanted(etag, text.size());
    if (!part && part.error() == no_part::not_satisfiable) co_return x.refuse_part(text.size());
    EXPECT_EQ(x.wants_part(etag), part.has_value());
    x.offer_parts();
    if (part)
      x.stream_part("text/plain", *part, text.size());
    else
      x.stream(200, "text/plain");
    // In two pieces.
    const auto wanted = part ? text.substr(part->first, part->size()) : text;
    const auto half = wanted.size() / 2;
    if (!co_await x.write(wanted.substr(0, half)) || !co_await x.write(wanted.substr(half)))
      co_return;
    x.finish();
  }

  test::reply ask(const std::string& path, const std::string& headers) {
    return front_.connect().ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
  }

  test::front front_;
};

constexpr std::array paths{"/text", "/stream"};

TEST_F(Ranges, AreOfferedWithTheWhole) {
  for (const auto* path : paths) {
    const auto got = ask(path, "");
    EXPECT_EQ(got.status, 200) << path;
    EXPECT_EQ(got.header("accept-ranges"), "bytes") << path;
    EXPECT_EQ(got.body, text) << path;
  }
}

TEST_F(Ranges, GiveThePartThatIsAskedFor) {
  struct part {
    std::string asked_for;
    std::size_t first, last;
  };
  for (const auto* path : paths) {
    for (const auto& [asked_for, first, last] :
         {part{"bytes=0-0", 0, 0}, part{"bytes=3-7", 3, 7}, part{"bytes=3-", 3, 19},
          part{"bytes=0-", 0, 19}, part{"bytes=19-", 19, 19}, part{"bytes=5-1000", 5, 19},
          part{"bytes=-1", 19, 19}, part{"bytes=-20", 0, 19}, part{"bytes=-1000", 0, 19},
          part{"bytes=-99999999999999999999", 0, 19}, part{"BYTES=5-99999999999999999999", 5, 19},
          part{"bytes= 7-8 ", 7, 8}, part{"bytes=007-8", 7, 8}, part{"bytes=,7-8,", 7, 8}}) {
      const auto got = ask(path, "Range: " + asked_for + "\r\n");
      ASSERT_EQ(got.status, 206) << path << " " << asked_for;
      EXPECT_EQ(got.body, text.substr(first, last - first + 1)) << asked_for;
      EXPECT_EQ(got.header("content-length"), std::to_string(last - first + 1)) << asked_for;
      EXPECT_EQ(got.header("content-range"),
                "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/20")
          << asked_for;
      EXPECT_EQ(got.header("etag"), etag);
      EXPECT_EQ(got.header("content-type"), "text/plain");
      EXPECT_EQ(got.header("accept-ranges"), "bytes");
    }
  }
}

TEST_F(Ranges, AreNotTakenForWhatTheyAreNot) {
  for (const auto* path : paths) {
    for (const auto* wrong : {"bytes=0-1,5-6", "bytes=", "bytes=-", "bytes=9-5", "bytes=a-b",
                              "bytes=1", "bytes 1-2", "lines=1-2", "bytes=1-2-3", "bytes=+1-2",
                              "bytes=--1", "bytes=0x1-2", "bytes=1 - 2", ""}) {
      const auto got = ask(path, std::string{"Range: "} + wrong + "\r\n");
      EXPECT_EQ(got.status, 200) << path << " " << wrong;
      EXPECT_EQ(got.header("content-range"), "") << wrong;
      EXPECT_EQ(got.body, text) << wrong;
    }
    EXPECT_EQ(ask(path, "Range: bytes=0-1\r\nRange: bytes=2-3\r\n").status, 200) << path;
  }
}

TEST_F(Ranges, BehindTheEndAreToldTheLength) {
  for (const auto* path : paths) {
    for (const auto* behind : {"bytes=20-", "bytes=20-30", "bytes=-0",
                               "bytes=99999999999999999999-", "bytes=18446744073709551616-"}) {
      const auto got = ask(path, std::string{"Range: "} + behind + "\r\nAccept-Language: en\r\n");
      EXPECT_EQ(got.status, 416) << path << " " << behind;
      EXPECT_EQ(got.header("content-range"), "bytes */20") << behind;
      EXPECT_EQ(got.header("content-type"), "application/problem+json");
      EXPECT_THAT(got.body, HasSubstr("/problems/range_not_satisfiable"));
      EXPECT_THAT(got.body, HasSubstr("20 bytes"));
    }
  }
  EXPECT_EQ(front_.get("/problems/range_not_satisfiable").status, 200);
}

TEST_F(Ranges, AreOfWhatTheClientHasTheOtherPartOf) {
  for (const auto* path : paths) {
    const auto status = [&](const std::string& condition) {
      return ask(path, "Range: bytes=10-19\r\nIf-Range: " + condition + "\r\n").status;
    };
    EXPECT_EQ(status(std::string{etag}), 206) << path;
    EXPECT_EQ(status("\"another\""), 200);
    EXPECT_EQ(status("W/" + std::string{etag}), 200) << "only a strong tag says the same bytes";
    EXPECT_EQ(status(std::string{etag} + ", \"another\""), 200);
    EXPECT_EQ(status("*"), 200);
    EXPECT_EQ(status("Sun, 22 Nov 2026 10:00:00 GMT"), 200) << "nobody was told a time";
    EXPECT_EQ(status(""), 200);
    EXPECT_EQ(ask(path, "Range: bytes=1000-\r\nIf-Range: \"another\"\r\n").status, 200);
    EXPECT_EQ(ask(path, "Range: bytes=1-2\r\nIf-None-Match: " + std::string{etag} + "\r\n").status,
              304)
        << "comes before the range";
  }
}

TEST_F(Ranges, AHeadHasNone) {
  for (const std::string path : paths) {
    auto reader = front_.connect();
    reader.send("HEAD " + path + " HTTP/1.1\r\nHost: a\r\nRange: bytes=10-19\r\n\r\n");
    const auto got = reader.read(true);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.header("accept-ranges"), "bytes");
    EXPECT_EQ(reader.ask("GET /who/budi HTTP/1.1\r\nHost: a\r\n\r\n").body, "budi");
  }
}

TEST_F(Ranges, KeepTheConnection) {
  for (const std::string path : paths) {
    auto reader = front_.connect();
    for (const std::string range : {"bytes=0-3", "bytes=500-", "bytes=4-6"}) {
      const auto got =
          reader.ask("GET " + path + " HTTP/1.1\r\nHost: a\r\nRange: " + range + "\r\n\r\n");
      EXPECT_EQ(got.status, range == "bytes=500-" ? 416 : 206) << path;
    }
  }
}

TEST_F(Ranges, AreForClientsOfBeforeToo) {
  for (const std::string path : paths) {
    auto reader = front_.connect();
    reader.send("GET " + path + " HTTP/1.0\r\nRange: bytes=3-7\r\n\r\n");
    const auto got = reader.read();
    EXPECT_EQ(got.status, 206);
    EXPECT_EQ(got.body, text.substr(3, 5));
  }
}

TEST(ByteRange, OfNothingIsNothing) {
  EXPECT_EQ(part_in("bytes=0-", 0).error(), no_part::not_satisfiable);
  EXPECT_EQ(part_in("bytes=-5", 0).error(), no_part::not_satisfiable);
}

TEST(ByteRange, ReachesTheLastByteThatCanBeNumbered) {
  const auto part = part_in("bytes=18446744073709551614-18446744073709551615", UINT64_MAX);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->first, UINT64_MAX - 1);
  EXPECT_EQ(part->size(), 1u);
}

}  // namespace
}  // namespace gelombang::net
