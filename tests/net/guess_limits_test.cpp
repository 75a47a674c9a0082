#include "net/guess_limits.hpp"

#include <gtest/gtest.h>

namespace gelombang::net {
namespace {

using std::chrono::minutes;

constexpr applicant_id siti{4711}, budi{4712};
/// The beginning of a window of 15 minutes, and of one of ten.
constexpr instant start{std::chrono::milliseconds{1'800'000'000'000}};
constexpr std::uint32_t each = guess_rates{}.by_account_and_address_max;
constexpr std::uint32_t together = guess_rates{}.by_account_max;
constexpr std::uint32_t plenty = 1'000'000;
constexpr guess_rates usual{.by_address_max = plenty};

peer_address address(std::uint32_t number) {
  return {.network = 0x0a000000u + number};
}

/// @returns how many guesses may be made before one may not.
std::uint32_t guesses(guess_limits& limits, applicant_id at, const peer_address& from,
                      instant now = start) {
  std::uint32_t made = 0;
  while (made < plenty && limits.take(at, from, now)) ++made;
  return made;
}

TEST(GuessLimits, AStrangerUsesUpOnlyWhatTheStrangerHas) {
  guess_limits limits{usual};
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
  EXPECT_EQ(guesses(limits, siti, address(2)), each);
  EXPECT_EQ(guesses(limits, budi, address(1)), each);
}

TEST(GuessLimits, AnIpv6NetworkIsOneStranger) {
  guess_limits limits{usual};
  const auto peer = [](const char* text) { return peer_of(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(guesses(limits, siti, peer("2001:db8:1:2::1")), each);
  EXPECT_EQ(guesses(limits, siti, peer("2001:db8:1:2:ffff::9")), 0u);
  EXPECT_EQ(guesses(limits, siti, peer("2001:db8:1:3::1")), each);
}

TEST(GuessLimits, ManyStrangersTogetherAreBounded) {
  guess_limits limits{usual};
  std::uint32_t made = 0;
  for (std::uint32_t one = 1; one <= 100; ++one) made += guesses(limits, siti, address(one));
  EXPECT_EQ(made, together);
  EXPECT_EQ(guesses(limits, budi, address(1)), each) << "another account is not concerned";
}

TEST(GuessLimits, AnAddressTriesAtManyAccountsOnlySoOften) {
  guess_limits limits{{.by_address_max = 25}};
  std::uint32_t made = 0;
  for (std::uint64_t account = 1; account <= 100; ++account)
    made += limits.take(applicant_id{account}, address(1), start) ? 1 : 0;
  EXPECT_EQ(made, 25u);
}

TEST(GuessLimits, BehindAProxyAStrangersTenLockNobodyOut) {
  guess_limits limits{{.by_address_max = plenty, .by_account_and_address_max = 0}};
  const auto proxy = address(1);
  for (std::uint32_t i = 0; i + 1 < together; ++i)
    ASSERT_TRUE(limits.take(siti, proxy, start)) << i;
  ASSERT_TRUE(limits.take(siti, proxy, start));
  limits.was_right(siti, proxy, start);
  EXPECT_EQ(guesses(limits, siti, proxy), 1u) << "a right one makes nobody's wrong ones undone";
  EXPECT_EQ(guesses(limits, budi, proxy), together);
}

TEST(GuessLimits, AreAsManyAsIsAskedFor) {
  guess_limits limits{
      {.by_address_max = plenty, .by_account_and_address_max = 3, .by_account_max = 5}};
  EXPECT_EQ(guesses(limits, siti, address(1)), 3u);
  EXPECT_EQ(guesses(limits, siti, address(2)), 2u);
}

TEST(GuessLimits, WhatIsRefusedForItsAddressIsNotCountedAtTheAccount) {
  guess_limits limits{usual};
  guesses(limits, siti, address(1));
  for (std::uint32_t i = 0; i < 10 * together; ++i)
    EXPECT_FALSE(limits.take(siti, address(1), start));
  EXPECT_EQ(guesses(limits, siti, address(2)), each);
}

TEST(GuessLimits, WhatIsRefusedForItsAccountIsNotCountedWithTheAddress) {
  guess_limits limits{usual};
  for (std::uint32_t one = 1; one <= together / each; ++one) guesses(limits, siti, address(one));
  for (std::uint32_t i = 0; i < each; ++i) EXPECT_FALSE(limits.take(siti, address(99), start));
  EXPECT_EQ(guesses(limits, siti, address(99), start + minutes{45}), each);
}

TEST(GuessLimits, WhatIsRightDoesNotCount) {
  guess_limits limits{usual};
  for (std::uint32_t i = 0; i < 10 * together; ++i) {
    ASSERT_TRUE(limits.take(siti, address(1), start)) << i;
    limits.was_right(siti, address(1), start);
  }
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
}

TEST(GuessLimits, WhoHasMistypedAndIsRightStartsAnew) {
  guess_limits limits{usual};
  for (std::uint32_t i = 0; i < each; ++i) ASSERT_TRUE(limits.take(siti, address(1), start));
  limits.was_right(siti, address(1), start);
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
}

TEST(GuessLimits, AnOwnerWhoSignsInDoesNotForgiveTheStrangers) {
  guess_limits limits{usual};
  std::uint32_t made = 0;
  for (std::uint32_t one = 2; one <= 100; ++one) {
    made += guesses(limits, siti, address(one));
    if (limits.take(siti, address(1), start)) limits.was_right(siti, address(1), start);
  }
  EXPECT_EQ(made, together);
}

TEST(GuessLimits, WhatWasNotLookedAtDoesNotCount) {
  guess_limits limits{usual};
  for (std::uint32_t i = 0; i < 10 * together; ++i) {
    ASSERT_TRUE(limits.take(siti, address(1), start)) << i;
    limits.was_not_looked_at(siti, address(1), start);
  }
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
}

TEST(GuessLimits, WhatWasNotLookedAtDoesNotCountAtItsAddress) {
  guess_limits limits{{.by_address_max = 25}};
  for (std::uint64_t account = 1; account <= 100; ++account) {
    ASSERT_TRUE(limits.take(applicant_id{account}, address(1), start)) << account;
    limits.was_not_looked_at(applicant_id{account}, address(1), start);
  }
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
}

TEST(GuessLimits, ManyAtOnceAreNotMore) {
  guess_limits limits{usual};
  for (std::uint32_t i = 0; i < each; ++i) ASSERT_TRUE(limits.take(siti, address(1), start));
  EXPECT_FALSE(limits.take(siti, address(1), start)) << "while ten are still being looked at";
}

TEST(GuessLimits, AreForgottenAfterTheirWindow) {
  guess_limits limits{usual};
  guesses(limits, siti, address(1));
  EXPECT_EQ(guesses(limits, siti, address(1), start + minutes{30}), each);
}

TEST(GuessLimits, TakingBackWhatIsNotThereIsNothing) {
  guess_limits limits{usual};
  limits.was_right(siti, address(1), start);
  limits.was_not_looked_at(siti, address(1), start);
  EXPECT_EQ(guesses(limits, siti, address(1)), each);
}

}  // namespace
}  // namespace gelombang::net
