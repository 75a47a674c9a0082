#include "actors/programme/line.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gelombang {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Line, IsCountedInCharactersWithoutTheBlanksAroundIt) {
  EXPECT_EQ(line_of("  ab\xc2\xa0 ", 2, 2), "ab");
  EXPECT_EQ(line_of("éé", 2, 2), "éé");
  EXPECT_EQ(line_of("é", 2, 2), std::nullopt);
  EXPECT_EQ(line_of("ééé", 2, 2), std::nullopt);
  EXPECT_EQ(line_of("a  b", 4, 4), "a  b") << "blanks within it are the writer's";
  EXPECT_EQ(line_of("", 0, 2), "");
}

TEST(Reason, IsOneLineOfOneToTwoHundredCharacters) {
  EXPECT_EQ(normalise_reason(" izin dicabut "), "izin dicabut");
  EXPECT_EQ(normalise_reason("x"), "x");
  const auto longest = repeated("é", reason_characters_max);
  EXPECT_EQ(normalise_reason(longest), longest);
  for (const auto& text : {std::string{}, std::string{"  "}, longest + "x", std::string{"a\nb"},
                           std::string{"a\xc2\x9b"}, std::string{"\xff"}})
    EXPECT_EQ(normalise_reason(text).error(), (refusal{errc::reason_invalid, "/reason"}));
}

TEST(Printable, KeepsWhatIsSeenInEveryScript) {
  for (const auto* text :
       {"", "drand", "Bencana banjir: 5 provinsi?", "é ß 例え ᮞᮥᮔ᮪ᮓ اب 😀", "a\xc2\xa0z"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, LetsNothingThroughThatATerminalObeys) {
  struct sample {
    const char* what;
    std::string_view bytes;
    std::string_view shown = "?";
  };
  using namespace std::string_view_literals;
  for (const auto& one : {sample{"null", "\0"sv},
                          {"escape", "\x1b"},
                          {"line feed", "\n"},
                          {"delete", "\x7f"},
                          {"the first C1 control", "\xc2\x80"},
                          {"CSI in one character", "\xc2\x9b"},
                          {"OSC in one character", "\xc2\x9d"},
                          {"the last C1 control", "\xc2\x9f"},
                          {"CSI in one byte", "\x9b"},
                          {"right to left from here", "\xe2\x80\xae"},
                          {"an isolate", "\xe2\x81\xa6"},
                          {"Arabic letter mark", "\xd8\x9c"},
                          {"no width", "\xe2\x80\x8b"},
                          {"line separator", "\xe2\x80\xa8"},
                          {"byte order mark", "\xef\xbb\xbf"},
                          {"a tag", "\xf3\xa0\x80\xa0"},
                          {"no character", "\xef\xbf\xbf"},
                          {"half a character", "\xc3"},
                          {"an overlong escape", "\xc0\x9b", "??"},
                          {"a surrogate", "\xed\xa0\x80", "???"},
                          {"beyond Unicode", "\xf4\x90\x80\x80", "????"}}) {
    const std::string bytes{one.bytes}, shown{one.shown};
    EXPECT_EQ(printable(bytes), shown) << one.what;
    EXPECT_EQ(printable("a" + bytes + "z"), "a" + shown + "z") << one.what;
    EXPECT_EQ(printable(bytes + bytes), shown + shown) << one.what;
  }
}

}  // namespace
}  // namespace gelombang
