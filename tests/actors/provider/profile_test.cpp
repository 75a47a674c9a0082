#include "actors/provider/profile.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace gelombang::provider {
namespace {

using namespace std::string_view_literals;

std::string repeated(std::string_view text, std::size_t times) {
  std::string whole;
  for (std::size_t i = 0; i < times; ++i) whole += text;
  return whole;
}

errc code_of(std::string_view website) {
  const auto kept = normalise_website(website);
  return kept ? errc::ok : kept.error().code;
}

// ---- names

TEST(ProviderName, HasThreeToAHundredAndTwentyCharactersOfAnyScript) {
  const auto min = name_characters_min, max = name_characters_max;
  for (auto letter : {"a"sv, "é"sv, "ꦗ"sv, "學"sv, "😀"sv}) {
    EXPECT_EQ(normalise_name(repeated(letter, min - 1)).error(),
              (refusal{errc::provider_name_invalid, "/name"}))
        << letter;
    EXPECT_EQ(normalise_name(repeated(letter, min)), repeated(letter, min));
    EXPECT_EQ(normalise_name(repeated(letter, max)), repeated(letter, max));
    EXPECT_FALSE(normalise_name(repeated(letter, max + 1))) << letter;
  }
}

TEST(ProviderName, IsKeptWithoutTheBlanksAroundIt) {
  EXPECT_EQ(normalise_name("  Balai Latihan  Kerja \xc2\xa0\xe3\x80\x80"), "Balai Latihan  Kerja");
  EXPECT_EQ(normalise_name(" PT Ilmu & Karya (Persero), 2/3 "), "PT Ilmu & Karya (Persero), 2/3");
  const auto longest = repeated("x", name_characters_max);
  EXPECT_EQ(normalise_name("   " + longest + "   "), longest);
  EXPECT_FALSE(normalise_name(longest + " x"));
  // Blanks between count, blanks around do not.
  EXPECT_EQ(normalise_name("a b"), "a b");
  EXPECT_FALSE(normalise_name(" ab "));
  EXPECT_FALSE(normalise_name(""));
  EXPECT_FALSE(normalise_name(repeated(" ", 50)));
}

TEST(ProviderName, CanBeSeenAsItIs) {
  struct fault {
    std::string_view what, bytes;
  };
  for (const fault& one : {fault{"NUL", "\0"sv},
                           {"tab", "\t"},
                           {"line feed", "\n"},
                           {"delete", "\x7f"},
                           {"next line", "\xc2\x85"},
                           {"soft hyphen", "\xc2\xad"},
                           {"no width", "\xe2\x80\x8b"},
                           {"right to left", "\xe2\x80\x8f"},
                           {"line", "\xe2\x80\xa8"},
                           {"override", "\xe2\x80\xae"},
                           {"isolate", "\xe2\x81\xa6"},
                           {"filler", "\xe3\x85\xa4"},
                           {"mark of order", "\xef\xbb\xbf"},
                           {"no character", "\xef\xbf\xbe"},
                           {"tag", "\xf3\xa0\x81\xa1"},
                           {"no character of plane 16", "\xf4\x8f\xbf\xbf"},
                           {"half a character", "\xc3"}}) {
    const std::string bytes{one.bytes};
    EXPECT_FALSE(normalise_name("Balai" + bytes + "Latihan")) << one.what;
    EXPECT_FALSE(normalise_name(bytes + "Balai")) << one.what;
    EXPECT_FALSE(normalise_name("Balai" + bytes)) << one.what;
  }
}

// ---- web addresses

TEST(ProviderWebsite, IsAPublicHttpsAddressOrNone) {
  for (auto text : {"", "https://contoh.id", "https://contoh.id/", "https://www.balai-1.co.id/a/b",
                    "https://contoh.id?x=1&y=%20", "https://contoh.id#kursus",
                    "https://contoh.id/a@b:c/(d);e,f'g*h!~$+?/?#/?", "https://xn--bcher-kva.id/",
                    "https://1.2.3.4.id/"})
    EXPECT_EQ(normalise_website(text), text);
}

TEST(ProviderWebsite, KeepsTheCaseOfWhatHasOne) {
  EXPECT_EQ(normalise_website("HTTPS://WWW.Contoh.ID/Kursus?A=B"),
            "https://www.contoh.id/Kursus?A=B");
}

TEST(ProviderWebsite, RefusesEverythingElse) {
  for (auto text : {" ",
                    "contoh.id",
                    "//contoh.id",
                    "http://contoh.id",
                    "ftp://contoh.id",
                    "javascript:alert(1)",
                    "https:",
                    "https://",
                    "https:///a",
                    "https://.id",
                    "https://contoh",
                    "https://localhost/",
                    "https://contoh.id.",
                    "https://contoh..id",
                    "https://-a.id",
                    "https://a-.id",
                    "https://con_toh.id",
                    "https://contoh.id:443",
                    "https://contoh.id:/",
                    "https://a@contoh.id",
                    "https://a:b@contoh.id",
                    "https://127.0.0.1/",
                    "https://contoh.1",
                    "https://[::1]/",
                    "https://contoh.id\\a",
                    "https://contoh.id/a b",
                    "https://contoh.id/a\"b",
                    "https://contoh.id/<a>",
                    "https://contoh.id/%",
                    "https://contoh.id/%2",
                    "https://contoh.id/%2g",
                    "https://contoh.id/a#b#c",
                    "https://contoh.id/\n",
                    "https://contoh.id/\xc3\xa9",
                    "https://b\xc3\xbc.id/",
                    " https://contoh.id"})
    EXPECT_EQ(code_of(text), errc::website_invalid) << text;
}

TEST(ProviderWebsite, HasItsLimits) {
  const std::string start = "https://contoh.id/";
  const auto longest = start + repeated("a", website_bytes_max - start.size());
  EXPECT_EQ(normalise_website(longest), longest);
  EXPECT_EQ(code_of(longest + "a"), errc::website_invalid);
  EXPECT_EQ(code_of("https://" + repeated("a", 63) + ".id"), errc::ok);
  EXPECT_EQ(code_of("https://" + repeated("a", 64) + ".id"), errc::website_invalid);
  EXPECT_EQ(code_of("https://contoh.id/\0"sv), errc::website_invalid);
}

}  // namespace
}  // namespace gelombang::provider
