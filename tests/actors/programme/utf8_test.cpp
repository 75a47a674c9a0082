#include "actors/programme/utf8.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace gelombang {
namespace {

TEST(Utf8, ReadsCharactersOfEveryLength) {
  struct known {
    std::string_view text;
    char32_t value;
    std::size_t bytes;
  };
  for (const known& one : {known{"a", 'a', 1},
                           {"\x7f", 0x7F, 1},
                           {"\xc2\x80", 0x80, 2},
                           {"\xdf\xbf", 0x7FF, 2},
                           {"\xe0\xa0\x80", 0x800, 3},
                           {"\xed\x9f\xbf", 0xD7FF, 3},
                           {"\xee\x80\x80", 0xE000, 3},
                           {"\xef\xbf\xbf", 0xFFFF, 3},
                           {"\xf0\x90\x80\x80", 0x10000, 4},
                           {"\xf4\x8f\xbf\xbf", 0x10FFFF, 4},
                           {"\xc3\xa9t\xc3\xa9", 0xE9, 2}}) {
    const auto first = first_character(one.text);
    ASSERT_TRUE(first) << one.text;
    EXPECT_EQ(first->value, one.value);
    EXPECT_EQ(first->bytes, one.bytes);
  }
}

TEST(Utf8, RefusesWhatIsNone) {
  for (std::string_view text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2g", "\xe0\x9f\xbf", "\xe2\x82",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff"})
    EXPECT_FALSE(first_character(text)) << static_cast<int>(static_cast<unsigned char>(text[0]));
}

}  // namespace
}  // namespace gelombang
