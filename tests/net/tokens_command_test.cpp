#include <gtest/gtest.h>

#include <sstream>
#include <vector>

#include "net/command/tokens.hpp"
#include "tests/net/capture.hpp"

namespace gelombang::command {
namespace {

const keyring keys = keyring::from_bytes({7});
const net::token_key key{"1", keys.access_token_key()};
const instant now{std::chrono::hours{500'000}};

std::vector<std::string> printed(const token_order& order) {
  const testing::capture out;
  EXPECT_EQ(print_tokens(keys, key, order, out.file()), 0);
  std::vector<std::string> lines;
  std::istringstream text{out.text()};
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST(Tokens, AreThoseOfTheSeededInTheirOrder) {
  // More than two threads make between two writes, and no whole number of blocks.
  constexpr std::uint64_t count = 2 * 16 * 1024 + 5;
  const auto lines = printed({.count = count, .now = now});
  ASSERT_EQ(lines.size(), count);
  const net::access_tokens tokens{{key}};
  for (std::uint64_t number : {1ull, 2ull, 16384ull, 16385ull, 32768ull, 32769ull, 32773ull}) {
    const auto claims = tokens.verify(lines[number - 1], now);
    ASSERT_TRUE(claims) << number;
    EXPECT_EQ(claims->subject, keys.account_of("pemohon" + std::to_string(number) + "@contoh.id"));
    EXPECT_EQ(claims->held, net::roles{net::role::applicant});
    EXPECT_EQ(claims->expires_at - claims->issued_at, 24 * 3600);
  }
}

TEST(Tokens, LastAsLongAsTheyAreToldTo) {
  const auto lines = printed({.lifetime = std::chrono::seconds{60}, .now = now});
  const net::access_tokens tokens{{key}};
  EXPECT_TRUE(tokens.verify(lines.at(0), now + std::chrono::seconds{59}));
  EXPECT_EQ(tokens.verify(lines.at(0), now + std::chrono::seconds{60}).error().code,
            errc::token_expired);
}

TEST(Tokens, NobodyGetsNone) {
  EXPECT_TRUE(printed({.count = 0, .now = now}).empty());
}

TEST(Tokens, AnOperatorGetsOne) {
  const auto lines = printed({.role = net::role::operator_, .count = 5, .now = now});
  ASSERT_EQ(lines.size(), 1u);
  const auto claims = net::access_tokens{{key}}.verify(lines[0], now);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->held, net::roles{net::role::operator_});
}

TEST(Tokens, AFullDiskIsTheEnvironmentsFault) {
  auto* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  EXPECT_EQ(print_tokens(keys, key, {.count = 10, .now = now}, full), 3);
  std::fclose(full);
}

}  // namespace
}  // namespace gelombang::command
