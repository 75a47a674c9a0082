#include "net/tokens.hpp"

#include <gtest/gtest.h>

#include "actors/programme/base64url.hpp"
#include "actors/programme/hex.hpp"

namespace gelombang::net {
namespace {

constexpr std::int64_t issued = 1'800'000'000;
constexpr std::int64_t expires = issued + 900;

instant at(std::int64_t seconds) {
  return instant{std::chrono::seconds{seconds}};
}

const token_key old_key{"2025", {1}};
const token_key new_key{"2026", {2}};
const claims bearer{.subject = applicant_id{0x0123456789abcdef},
                    .session = 4'000'000'000,
                    .held = roles{role::applicant} | role::operator_,
                    .issued_at = issued,
                    .expires_at = expires};

/// A token with any header and payload, signed with `key`.
std::string signed_token(std::string_view header, std::string_view payload, const token_key& key) {
  auto text = to_base64url(header) + "." + to_base64url(payload);
  return text + "." + to_base64url(text_of(hmac_sha256{key.bytes}(text)));
}

const std::string payload =
    R"({"sub":"0123456789abcdef","sid":4000000000,"roles":["applicant","operator"],)"
    R"("iat":1800000000,"exp":1800000900})";

TEST(AccessTokens, SayWhatTheyWereMadeOf) {
  access_tokens tokens{{new_key}};
  for (auto held :
       {roles{}, roles{role::applicant}, roles{role::partner} | role::office, bearer.held}) {
    auto given = bearer;
    given.held = held;
    auto back = tokens.verify(tokens.mint(given), at(issued));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, given);
  }
}

TEST(AccessTokens, AreWhatOthersCallJwt) {
  access_tokens tokens{{new_key}};
  EXPECT_EQ(tokens.mint(bearer),
            signed_token(R"({"alg":"HS256","typ":"JWT","kid":"2026"})", payload, new_key));
  // Made by another library with our key: members in another order.
  auto other = signed_token(R"({ "kid" : "2026", "alg" : "HS256" })", payload, new_key);
  EXPECT_TRUE(tokens.verify(other, at(issued)).has_value());
}

TEST(AccessTokens, End) {
  access_tokens tokens{{new_key}};
  auto token = tokens.mint(bearer);
  EXPECT_TRUE(tokens.verify(token, at(expires - 1)).has_value());
  EXPECT_EQ(tokens.verify(token, at(expires)).error().code, errc::token_expired);
  EXPECT_TRUE(tokens.verify(token, at(issued - 60)).has_value());
  EXPECT_EQ(tokens.verify(token, at(issued - 61)).error().code, errc::token_invalid);
}

TEST(AccessTokens, KeysRotate) {
  access_tokens before{{old_key}};
  access_tokens between{{new_key, old_key}};
  access_tokens after{{new_key}};
  auto old_token = before.mint(bearer);
  EXPECT_TRUE(between.verify(old_token, at(issued)).has_value());
  EXPECT_EQ(after.verify(old_token, at(issued)).error().code, errc::token_invalid);
  EXPECT_TRUE(after.verify(between.mint(bearer), at(issued)).has_value());
}

TEST(AccessTokens, RefuseEveryChangeOfOneCharacter) {
  access_tokens tokens{{new_key, old_key}};
  auto token = tokens.mint(bearer);
  for (std::size_t position = 0; position < token.size(); ++position) {
    for (auto character : std::string_view{"ABZabz059-_.=+/ \0\xff", 18}) {
      if (token[position] == character) continue;
      auto changed = token;
      changed[position] = character;
      auto answer = tokens.verify(changed, at(issued));
      ASSERT_FALSE(answer.has_value()) << changed;
      ASSERT_EQ(answer.error().code, errc::token_invalid);
    }
  }
}

TEST(AccessTokens, RefuseEveryCutAndAddition) {
  access_tokens tokens{{new_key}};
  auto token = tokens.mint(bearer);
  for (std::size_t length = 0; length < token.size(); ++length) {
    EXPECT_FALSE(tokens.verify(token.substr(0, length), at(issued)).has_value());
    EXPECT_FALSE(tokens.verify(token.substr(token.size() - length), at(issued)).has_value());
  }
  for (auto more : {"=", ".", "A", ".A"}) {
    EXPECT_FALSE(tokens.verify(token + more, at(issued)).has_value());
  }
  EXPECT_FALSE(tokens.verify(std::string(100'000, 'A'), at(issued)).has_value());
}

TEST(AccessTokens, TheHeaderChoosesNoAlgorithm) {
  access_tokens tokens{{new_key}};
  for (std::string_view header :
       {R"({"alg":"none","typ":"JWT","kid":"2026"})", R"({"alg":"HS512","kid":"2026"})",
        R"({"alg":"RS256","kid":"2026"})", R"({"kid":"2026"})", R"({"alg":"HS256"})",
        R"({"alg":"HS256","kid":"2025"})", R"({"alg":["HS256"],"kid":"2026"})", R"([])", "x",
        R"({"alg":"HS256","kid":"2026","crit":["exp"]})"}) {
    EXPECT_EQ(tokens.verify(signed_token(header, payload, new_key), at(issued)).error().code,
              errc::token_invalid)
        << header;
  }
  auto unsigned_token =
      to_base64url(R"({"alg":"none","typ":"JWT"})") + "." + to_base64url(payload) + ".";
  EXPECT_FALSE(tokens.verify(unsigned_token, at(issued)).has_value());
}

TEST(AccessTokens, RefuseOtherClaims) {
  access_tokens tokens{{new_key}};
  for (std::string_view other :
       {"", "{}", R"({"sub":"1"})",
        R"({"sub":"0123456789abcdef","sid":1,"roles":["king"],"iat":1,"exp":9999999999})",
        R"({"sub":"0123456789ABCDEF","sid":1,"roles":[],"iat":1,"exp":9999999999})",
        R"({"sub":"0123456789abcdef","sid":1,"roles":[],"iat":1,"exp":9999999999}x)"}) {
    auto token = signed_token(R"({"alg":"HS256","typ":"JWT","kid":"2026"})", other, new_key);
    EXPECT_FALSE(tokens.verify(token, at(issued)).has_value()) << other;
  }
}

TEST(RefreshTokens, SayWhatTheyWereMadeOf) {
  refresh_tokens tokens{{7}};
  refresh_claims session{
      .subject = applicant_id{0xfedcba9876543210}, .session = 0xffffffff, .generation = 3};
  auto token = tokens.mint(session);
  EXPECT_EQ(token.size(), 43u);
  EXPECT_EQ(tokens.mint(session), token);
  EXPECT_EQ(*tokens.verify(token), session);
  EXPECT_FALSE(refresh_tokens{{8}}.verify(token).has_value());
}

TEST(RefreshTokens, RefuseEveryOtherCharacter) {
  refresh_tokens tokens{{7}};
  auto token = tokens.mint({.subject = applicant_id{1}, .session = 2, .generation = 3});
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (std::size_t position = 0; position < token.size(); ++position) {
    for (auto character : alphabet) {
      if (token[position] == character) continue;
      auto changed = token;
      changed[position] = character;
      ASSERT_FALSE(tokens.verify(changed).has_value()) << position << character;
    }
  }
  EXPECT_FALSE(tokens.verify("").has_value());
  EXPECT_FALSE(tokens.verify(token + "A").has_value());
  EXPECT_FALSE(tokens.verify(token.substr(1)).has_value());
}

}  // namespace
}  // namespace gelombang::net
