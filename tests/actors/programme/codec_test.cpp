#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

#include "actors/programme/base64url.hpp"
#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/programme/money.hpp"
#include "actors/programme/sha256.hpp"

namespace gelombang {
namespace {

std::string random_bytes(std::mt19937_64& random, std::size_t count) {
  std::string bytes(count, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST(Hex, ReadsBackWhatItWrites) {
  std::mt19937_64 random{6};
  for (std::size_t size = 0; size < 300; ++size) {
    auto bytes = random_bytes(random, size);
    ASSERT_EQ(from_hex(to_hex(bytes_of(bytes)), size), bytes);
  }
  EXPECT_EQ(to_hex(bytes_of("\x01\xaf")), "01af");
}

TEST(Hex, HasOneSpelling) {
  std::array<std::uint8_t, 2> two;
  for (auto text : {"", "01", "01a", "01aff", "01AF", "01ag", "0x1f", " 1af", "01a\xff"}) {
    EXPECT_FALSE(read_hex(text, two)) << text;
  }
  EXPECT_FALSE(from_hex("0", 10));
  EXPECT_TRUE(from_hex("0011", 2));
  EXPECT_FALSE(from_hex("001122", 2)) << "longer than its limit";
}

TEST(Base64Url, FollowsTheRfc) {
  struct pair {
    const char *bytes, *text;
  };
  // RFC 4648 section 10, without padding.
  for (auto [bytes, text] : {pair{"", ""},
                             {"f", "Zg"},
                             {"fo", "Zm8"},
                             {"foo", "Zm9v"},
                             {"foob", "Zm9vYg"},
                             {"fooba", "Zm9vYmE"},
                             {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text, 6), bytes);
  }
  EXPECT_EQ(to_base64url("\xfb\xff"), "-_8");
}

TEST(Base64Url, HasOneSpelling) {
  for (auto text : {"Z", "Zg==", "Zh", "Zm9", "Zm9v ", "Zm9v\n", "+_8", "-/8", "Zm9vY"}) {
    EXPECT_FALSE(from_base64url(text, 100)) << text;
  }
  EXPECT_TRUE(from_base64url("Zm9v", 3));
  EXPECT_FALSE(from_base64url("Zm9vYg", 3)) << "longer than its limit";
  std::mt19937_64 random{7};
  for (std::size_t size = 0; size < 300; ++size) {
    auto bytes = random_bytes(random, size);
    ASSERT_EQ(from_base64url(to_base64url(bytes), size), bytes);
  }
}

TEST(Sha256, GivesThePublishedDigests) {
  // FIPS 180-4 examples.
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, IsRightForEveryLengthAroundTheBlocks) {
  // The expected end of the chain comes from Python's hashlib, length by length the same way.
  digest running{};
  for (std::size_t size = 0; size <= 300; ++size) {
    std::string message(size, static_cast<char>(size));
    auto hashed = sha256(message);
    for (std::size_t i = 0; i < running.size(); ++i) running[i] ^= hashed[i];
    running = sha256(running);
  }
  EXPECT_EQ(to_hex(running), "dbeaa4050331530fa0623dbafb4bfb7bf203fdf42a1ba0c425a385dd436a3ce6");
}

TEST(Hmac, GivesThePublishedDigests) {
  // RFC 4231, test cases 1, 2, 3, 6 and 7.
  struct test_case {
    std::string key, message, digest;
  };
  for (const auto& [key, message, expected] : {
           test_case{std::string(20, '\x0b'), "Hi There",
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
           {"Jefe", "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
           {std::string(20, '\xaa'), std::string(50, '\xdd'),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
           {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
           {std::string(131, '\xaa'),
            "This is a test using a larger than block-size key and a larger than block-size data. "
            "The key needs to be hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
       }) {
    EXPECT_EQ(to_hex(hmac_sha256{bytes_of(key)}(message)), expected);
  }
}

TEST(Money, NeverWrapsAround) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(rupiah{3'500'000} + rupiah{600'000}, rupiah{4'100'000});
  EXPECT_EQ(rupiah{50'000} - rupiah{600'000}, rupiah{-550'000});
  EXPECT_EQ(rupiah{most} + rupiah{1}, std::nullopt);
  EXPECT_EQ(rupiah{least} - rupiah{1}, std::nullopt);
  EXPECT_EQ(rupiah{0} - rupiah{least}, std::nullopt);
  EXPECT_LT(rupiah{-1}, rupiah{0});
}

TEST(Ids, HaveOneSpelling) {
  EXPECT_EQ(fmt::format("{}", applicant_id{0xabc}), "0000000000000abc");
  EXPECT_EQ(parse_applicant_id("0000000000000abc"), applicant_id{0xabc});
  EXPECT_EQ(parse_applicant_id("ffffffffffffffff"), applicant_id{~0ull});
  for (auto text : {"", "abc", "0000000000000ABC", "0000000000000abcd", "000000000000000x"}) {
    EXPECT_FALSE(parse_applicant_id(text)) << text;
  }
  EXPECT_EQ(fmt::format("{} {}", region_code{1101}, wave_number{68}), "1101 68");
  EXPECT_EQ(parse_entry_id(to_string(entry_id{1, 2, 0xff})), (entry_id{1, 2, 0xff}));
  EXPECT_FALSE(parse_entry_id("01"));
}

TEST(Refusals, EachHaveANameOfTheirOwn) {
  std::set<std::string_view> names;
  for (std::uint16_t code = 0; code < 100; ++code) names.insert(name_of(static_cast<errc>(code)));
  // Numbers without a meaning are named `internal` too.
  EXPECT_TRUE(names.contains("internal"));
  EXPECT_TRUE(names.contains("wave_not_open"));
  EXPECT_GT(names.size(), 50u);
}

}  // namespace
}  // namespace gelombang
