#include "net/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>

#include "net/json_writer.hpp"

namespace gelombang::net {
namespace {

using ::testing::ElementsAre;

/// Owns the padded text that a reader wants.
class reading {
public:
  explicit reading(std::string_view text, std::size_t depth_max = 16)
      : text_(std::string(text) + std::string(json_padding_bytes, ' ')), reader_(depth_max) {
    body = reader_.read(std::string_view{text_}.substr(0, text.size()));
  }
  std::vector<std::string> pointers() const {
    std::vector<std::string> all;
    for (auto& error : body->faults().fields) all.push_back(error.pointer);
    return all;
  }
  json_body* body;

private:
  std::string text_;
  json_reader reader_;
};

TEST(JsonReader, ReadsWhatIsThere) {
  reading json{R"({"s":"kopi ☕","n":-7,"b":true,"o":{"x":1},"a":[1,2,3],"more":null})"};
  ASSERT_NE(json.body, nullptr);
  auto& body = *json.body;
  EXPECT_EQ(body.string("s", 1, 6), "kopi ☕");
  EXPECT_EQ(body.integer("n", -10, 10), -7);
  EXPECT_TRUE(body.boolean("b"));
  EXPECT_EQ(body.object("o").integer("x", 0, 9), 1);
  EXPECT_THAT(body.array("a", 0, 3).integers(0, 9), ElementsAre(1, 2, 3));
  EXPECT_EQ(body.optional_string("more", 0, 9), std::nullopt);
  EXPECT_EQ(body.optional_integer("absent", 0, 9), std::nullopt);
  EXPECT_TRUE(body.ok());
}

TEST(JsonReader, NumbersThatNoMachineHoldsAreOutOfRangeWhereTheyStand) {
  reading json{R"({"a":18446744073709551616,"b":-123456789012345678901234567890,"c":9e99,"d":1,
                   "text":"18446744073709551616 \"-99999999999999999999\\","e":1.5,
                   "fraction":0.1234567890123456789012345,"f":[99999999999999999999]})"};
  ASSERT_NE(json.body, nullptr);
  auto& body = *json.body;
  for (const auto* name : {"a", "b", "c", "d"}) body.integer(name, 0, 9);
  body.array("f", 1, 1).integers(0, 9);
  body.integer("e", 0, 9);
  EXPECT_THAT(body.faults().fields,
              ElementsAre(field_error{"/a", field_fault::out_of_range, 0, 9},
                          field_error{"/b", field_fault::out_of_range, 0, 9},
                          field_error{"/c", field_fault::out_of_range, 0, 9},
                          field_error{"/f/0", field_fault::out_of_range, 0, 9},
                          field_error{"/e", field_fault::not_integer}));
  EXPECT_EQ(body.string("text", 1, 60), "18446744073709551616 \"-99999999999999999999\\");
  for (const auto* wrong : {R"({"a":018446744073709551616})", R"({"a":18446744073709551616x})",
                            R"({"a":1844674407370955161-6})", R"({"a":--18446744073709551616})"})
    EXPECT_EQ(reading{wrong}.body, nullptr) << wrong;
}

TEST(JsonReader, NamesAllThatIsWrongAtOnce) {
  reading json{R"({"s":1,"n":"x","b":0,"o":[],"a":{},"long":"abcd","short":"","far":11,
                   "list":[1,"x",2.5,300],"items":[{"k":1},5,{}],"word":"c","slash/~":[]})"};
  ASSERT_NE(json.body, nullptr);
  auto& body = *json.body;
  body.string("missing", 1, 9);
  body.string("s", 1, 9);
  body.integer("n", 0, 9);
  body.boolean("b");
  body.object("o").string("never there", 1, 9);
  body.array("a", 0, 9);
  body.string("long", 1, 3);
  body.string("short", 1, 3);
  body.integer("far", 0, 10);
  EXPECT_THAT(body.array("list", 0, 9).integers(0, 255), ElementsAre(1));
  for (auto& item : body.array("items", 0, 9).objects()) item.integer("k", 0, 9);
  body.one_of("word", {"a", "b"});
  body.string("slash/~", 0, 9);
  EXPECT_FALSE(body.ok());
  EXPECT_THAT(json.pointers(), ElementsAre("/missing", "/s", "/n", "/b", "/o", "/a", "/long",
                                           "/short", "/far", "/list/1", "/list/2", "/list/3",
                                           "/items/1", "/items/2/k", "/word", "/slash~1~0"));
  EXPECT_EQ(body.faults().reason.code, errc::field_invalid);
}

TEST(JsonReader, OnlyMissingMembersAreCalledMissing) {
  reading json{R"({"a":1})"};
  json.body->string("b", 1, 2);
  json.body->object("c");
  EXPECT_EQ(json.body->faults().reason.code, errc::field_missing);
}

TEST(JsonReader, RefusesWhatIsNotOneSoundObject) {
  for (std::string_view text : {"",
                                " ",
                                "{",
                                "}",
                                "[]",
                                "1",
                                "null",
                                "\"a\"",
                                "{}x",
                                "{} {}",
                                "{\"a\":1,}",
                                "{'a':1}",
                                "{a:1}",
                                "{\"a\":01}",
                                "{\"a\":+1}",
                                "{\"a\":.5}",
                                "{\"a\":NaN}",
                                "{\"a\":1e999}",
                                "{\"a\":tru}",
                                "{\"a\":\"\t\"}",
                                "{\"a\":\"\\x\"}",
                                "{\"a\":\"\\ud800\"}",
                                "{\"a\":1 \"b\":2}",
                                "{\"a\":1,\"a\":2}",
                                "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}",
                                "{\"a\":[{\"b\":1,\"b\":1}]}",
                                "{\"a\":1,\"\\u0061\":2}",
                                "/**/{}",
                                "\xef\xbb\xbf{}"}) {
    EXPECT_EQ(reading{text}.body, nullptr) << text;
  }
}

TEST(JsonReader, RefusesWhatIsNotUtf8) {
  for (std::string_view bytes :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"}) {
    EXPECT_EQ(reading{"{\"a\":\"" + std::string(bytes) + "\"}"}.body, nullptr);
    EXPECT_EQ(reading{"{\"" + std::string(bytes) + "\":1}"}.body, nullptr);
  }
}

TEST(JsonReader, CountsDepth) {
  EXPECT_NE((reading{R"({"a":[[1]]})", 3}.body), nullptr);
  EXPECT_EQ((reading{R"({"a":[[[]]]})", 3}.body), nullptr);
  std::string deep(50'000, '[');
  EXPECT_EQ((reading{"{\"a\":" + deep, 16}.body), nullptr);
}

TEST(JsonReader, NumbersKeepTheirRange) {
  reading json{R"({"min":-9223372036854775808,"max":9223372036854775807,"over":9223372036854775808,
                   "half":0.5,"exponent":1e2})"};
  auto& body = *json.body;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(body.integer("min", least, most), least);
  EXPECT_EQ(body.integer("max", least, most), most);
  EXPECT_TRUE(body.ok());
  body.integer("over", least, most);
  body.integer("half", least, most);
  body.integer("exponent", least, most);
  EXPECT_THAT(json.pointers(), ElementsAre("/over", "/half", "/exponent"));
}

TEST(JsonReader, MembersThatAreData) {
  reading json{R"({"3171":5,"3172":-1,"3173":7})"};
  EXPECT_THAT(json.body->integer_members(0, 9),
              ElementsAre(std::pair{std::string_view{"3171"}, 5}, std::pair{"3173", 7}));
  EXPECT_THAT(json.pointers(), ElementsAre("/3172"));
}

TEST(JsonReader, IsUsedAgain) {
  json_reader reader{8};
  for (std::size_t size : {10, 5'000, 60'000, 20}) {
    auto text = "{\"a\":\"" + std::string(size, 'x') + "\"}";
    auto padded = text + std::string(json_padding_bytes, '\0');
    auto* body = reader.read(std::string_view{padded}.substr(0, text.size()));
    ASSERT_NE(body, nullptr);
    EXPECT_EQ(body->string("a", 0, 100'000).size(), size);
  }
}

/// Any text, written by our writer, comes back from another reader and from ours.
TEST(JsonWriter, EveryStringComesBack) {
  std::mt19937 random{20260102};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (auto left = random() % 40; left > 0; --left) {
      auto point = random() % 4 == 0 ? random() % 0x20 : random() % 0xd800;
      if (point < 0x80) {
        text += static_cast<char>(point);
      } else if (point < 0x800) {
        text += static_cast<char>(0xc0 | point >> 6);
        text += static_cast<char>(0x80 | (point & 63));
      } else {
        text += static_cast<char>(0xe0 | point >> 12);
        text += static_cast<char>(0x80 | (point >> 6 & 63));
        text += static_cast<char>(0x80 | (point & 63));
      }
    }
    std::string json;
    json_writer{json}.begin_object().member("text", text).member("n", round).end_object();
    auto parsed = boost::json::parse(json);
    ASSERT_EQ(parsed.at("text").as_string(), text);
    reading again{json};
    ASSERT_NE(again.body, nullptr);
    ASSERT_EQ(again.body->string("text", 0, 100), text);
    ASSERT_EQ(again.body->integer("n", 0, 2'000), round);
  }
}

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  std::string json;
  json_writer writer{json};
  writer.begin_object().member("a", 1).key("b").begin_array().value("x").value(false).null();
  writer.begin_object().end_object().end_array().key("c").raw("[1]").end_object();
  EXPECT_EQ(json, R"({"a":1,"b":["x",false,null,{}],"c":[1]})");
}

TEST(JsonWriter, WritesMomentsAsRfc3339) {
  auto text = [](std::int64_t milliseconds) {
    std::string out;
    append_rfc3339(out, instant{std::chrono::milliseconds{milliseconds}});
    return out;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(text(1'767'330'000'007), "2026-01-02T05:00:00.007Z");
  EXPECT_EQ(text(951'782'399'000), "2000-02-28T23:59:59Z");
}

}  // namespace
}  // namespace gelombang::net
