#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/applicant/limits.hpp"
#include "tests/actors/applicant/people.hpp"

namespace gelombang::applicant {
namespace {

using namespace testing;

std::string wrong_code_of(const world& all, const account& who) {
  auto code = all.code(who);
  code[0] = code[0] == '9' ? '0' : static_cast<char>(code[0] + 1);
  return code;
}

int letters(const account& who) {
  return static_cast<int>(std::count_if(who.sent.begin(), who.sent.end(), [](const auto& mail) {
    return std::holds_alternative<wire::Letter>(mail);
  }));
}

// --- entering an address ---

TEST(EnterEmail, MakesTheAccountAndHasACodeMailed) {
  world all;
  account who{.id = {1}};
  EXPECT_EQ(stage_of(who.state), stage::none);
  ASSERT_TRUE(all.enter(who));
  EXPECT_EQ(stage_of(who.state), stage::email_entered);
  ASSERT_EQ(letters(who), 1);
  const auto& letter = std::get<wire::Letter>(who.sent[0]);
  EXPECT_EQ(letter.kind(), wire::Letter::CODE);
  EXPECT_EQ(letter.generation(), 1u);
  EXPECT_EQ(all.keys.open(who.id, letter.sealed_email()).value(), "siti@example.id");
  EXPECT_EQ(instant{std::chrono::milliseconds{letter.good_until()}}, noon + code_lifetime);
}

TEST(EnterEmail, NothingReadableIsStored) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  EXPECT_EQ(bytes_of(who.state).find("siti"), std::string::npos);
  EXPECT_EQ(bytes_of(std::get<wire::Letter>(who.sent[0])).find("siti"), std::string::npos);
  EXPECT_EQ(bytes_of(who.history[0]).find("siti"), std::string::npos);
}

TEST(EnterEmail, ResendsOnceAMinuteAndSaysNothingAboutIt) {
  world all;
  account who{.id = {1}};
  must(all.enter(who, noon));
  EXPECT_TRUE(all.enter(who, noon + 59s));
  EXPECT_EQ(letters(who), 1);
  EXPECT_TRUE(all.enter(who, noon + 60s));
  EXPECT_EQ(letters(who), 2);
}

TEST(EnterEmail, ResendsFiveTimesInAnyHour) {
  world all;
  account who{.id = {1}};
  for (int minute = 0; minute < 60; ++minute) must(all.enter(who, noon + minute * 1min));
  EXPECT_EQ(letters(who), codes_an_hour_max);
  must(all.enter(who, noon + 60min));
  EXPECT_EQ(letters(who), codes_an_hour_max + 1);
  must(all.enter(who, noon + 60min + 30s));
  EXPECT_EQ(letters(who), codes_an_hour_max + 1);
}

TEST(EnterEmail, MailsToTheStoredAddressOfAKnownAccount) {
  world all;
  auto who = all.verified();
  who.sent.clear();
  must(all.enter(who, noon + 1h, "somebody.else@example.id"));
  ASSERT_EQ(letters(who), 1);
  const auto& letter = std::get<wire::Letter>(who.sent[0]);
  EXPECT_EQ(all.keys.open(who.id, letter.sealed_email()).value(), "siti@example.id");
  EXPECT_EQ(stage_of(who.state), stage::email_verified);
}

// --- verifying it ---

TEST(VerifyEmail, TheRightCodeSetsThePasswordAndOpensASession) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  auto grant = all.verify(who, all.code(who), noon + 1min);
  ASSERT_TRUE(grant);
  EXPECT_EQ(*grant, (session_grant{.account = who.id,
                                   .session = 1,
                                   .generation = 1,
                                   .issued_at = noon + 1min,
                                   .expires_at = noon + 1min + session_idle,
                                   .roles = 0}));
  EXPECT_EQ(stage_of(who.state), stage::email_verified);
  EXPECT_EQ(answer_to(who.state, read_verifier{}).verifier, "verifier");
}

TEST(VerifyEmail, AWrongCodeCountsInTheStateAndTellsTheTriesLeft) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  for (int left = 4; left >= 0; --left) {
    auto answer = all.verify(who, wrong_code_of(all, who));
    EXPECT_EQ(code_of(answer), errc::code_wrong);
    EXPECT_EQ(answer.error().detail, std::to_string(left));
  }
  EXPECT_EQ(who.state.code().tries(), code_tries_max);
  EXPECT_EQ(code_of(all.verify(who, all.code(who))), errc::code_expired);
}

TEST(VerifyEmail, TriesSurviveARestart) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(all.verify(who, wrong_code_of(all, who)));
  account restarted{.id = who.id};
  for (const auto& event : who.history) apply(restarted.state, event);
  EXPECT_EQ(all.verify(restarted, wrong_code_of(all, restarted)).error().detail, "0");
}

TEST(VerifyEmail, ACodeIsGoodForFifteenMinutes) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  auto late = who;
  EXPECT_EQ(code_of(all.verify(late, all.code(late), noon + code_lifetime)), errc::code_expired);
  EXPECT_TRUE(all.verify(who, all.code(who), noon + code_lifetime - 1ms));
}

TEST(VerifyEmail, ANewCodeMakesTheOldOneWrongAndHasNewTries) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  auto old = all.code(who);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(all.verify(who, wrong_code_of(all, who)));
  must(all.enter(who, noon + 1min));
  ASSERT_NE(all.code(who), old);
  EXPECT_EQ(all.verify(who, old, noon + 1min).error().detail, "4");
  EXPECT_TRUE(all.verify(who, all.code(who), noon + 1min));
}

TEST(VerifyEmail, ACodeWorksOnce) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  auto code = all.code(who);
  must(all.verify(who, code));
  EXPECT_EQ(code_of(all.verify(who, code, noon, "another")), errc::code_expired);
  EXPECT_EQ(who.state.password(), "verifier");
}

TEST(VerifyEmail, WithoutAnAccountNoCodeIsRight) {
  world all;
  account who{.id = {1}};
  EXPECT_EQ(code_of(all.verify(who, all.code(who))), errc::code_expired);
  EXPECT_TRUE(who.history.empty());
}

TEST(VerifyEmail, RefusesCodesOfAnyOtherLength) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  for (const auto& code :
       {std::string{}, std::string{"1"}, std::string(7, '1'), std::string(4096, '1')}) {
    EXPECT_EQ(code_of(all.verify(who, code)), errc::code_wrong) << code.size();
  }
}

TEST(VerifyEmail, RefusesAPasswordVerifierThatIsNone) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  for (auto bytes : {std::size_t{0}, password_verifier_bytes_max + 1}) {
    auto answer = all.verify(who, all.code(who), noon, std::string(bytes, 'x'));
    EXPECT_EQ(code_of(answer), errc::field_invalid);
  }
  EXPECT_TRUE(all.verify(who, all.code(who), noon, std::string(password_verifier_bytes_max, 'x')));
}

TEST(VerifyEmail, OnAVerifiedAccountIsAPasswordResetThatEndsAllSessions) {
  world all;
  auto who = all.verified();
  must(all.enter(who, noon + 1h));
  auto grant = all.verify(who, all.code(who), noon + 1h, "new");
  ASSERT_TRUE(grant);
  ASSERT_EQ(who.state.sessions_size(), 1);
  EXPECT_EQ(grant->session, 2u);
  EXPECT_EQ(who.state.password(), "new");
}

TEST(VerifyEmail, ARepeatWithTheSameKeyGetsTheSameAnswer) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  auto code = all.code(who);
  request_key key{11, 12};
  auto grant = all.verify(who, code, noon, "verifier", key);
  auto events = who.history.size();
  EXPECT_EQ(all.verify(who, code, noon + 1h, "verifier", key), grant);
  EXPECT_EQ(who.history.size(), events);
  EXPECT_EQ(code_of(all.verify(who, code, noon, "verifier", request_key{11, 13})),
            errc::idempotency_conflict);
}

TEST(VerifyEmail, ARepeatedWrongCodeWithTheSameKeyCountsOnce) {
  world all;
  account who{.id = {1}};
  must(all.enter(who));
  for (int i = 0; i < 9; ++i) {
    auto answer = all.verify(who, wrong_code_of(all, who), noon, "verifier", request_key{1, 2});
    EXPECT_EQ(code_of(answer), errc::code_wrong);
    EXPECT_EQ(answer.error().detail, "4");
  }
  EXPECT_EQ(who.state.code().tries(), 1u);
}

// --- sessions ---

result<session_grant> open(account& who, instant now, std::string verifier = "verifier",
                           std::optional<request_key> request = {}) {
  return who.take(decide(who.id, who.state, open_session{std::move(verifier), request, now}));
}

result<session_grant> refresh(account& who, std::uint32_t session, std::uint32_t generation,
                              instant now, std::optional<request_key> request = {}) {
  return who.take(decide(who.id, who.state, refresh_session{session, generation, request, now}));
}

TEST(Sessions, OpenOnlyForThePasswordThatIsStillValid) {
  world all;
  auto who = all.verified();
  EXPECT_EQ(code_of(open(who, noon, "older")), errc::credentials_wrong);
  EXPECT_EQ(code_of(open(who, noon, "")), errc::credentials_wrong);
  EXPECT_EQ(open(who, noon)->session, 2u);
}

TEST(Sessions, AnAccountWithoutPasswordOpensNone) {
  world all;
  account nobody{.id = {1}};
  EXPECT_EQ(code_of(open(nobody, noon, "")), errc::credentials_wrong);
  must(all.enter(nobody));
  EXPECT_EQ(code_of(open(nobody, noon, "")), errc::credentials_wrong);
}

TEST(Sessions, ASixthEndsTheOneThatWasRefreshedLongestAgo) {
  world all;
  auto who = all.verified();
  for (int i = 1; i <= 4; ++i) must(open(who, noon + i * 1min));
  must(refresh(who, 1, 1, noon + 5min));
  must(open(who, noon + 6min));
  EXPECT_EQ(who.state.sessions_size(), sessions_max);
  EXPECT_NE(find_session(who.state, 1), nullptr);
  EXPECT_EQ(find_session(who.state, 2), nullptr);
}

TEST(Sessions, EndAfterThirtyDaysUnusedOrNinetyInAnyCase) {
  world all;
  auto who = all.verified();
  auto idle = who;
  EXPECT_EQ(code_of(refresh(idle, 1, 1, noon + session_idle)), errc::session_unknown);
  auto now = noon;
  std::uint32_t generation = 1;
  while (now + 20 * 24h < noon + session_lifetime) {
    now += 20 * 24h;
    auto grant = refresh(who, 1, generation, now);
    ASSERT_TRUE(grant);
    EXPECT_LE(grant->expires_at, noon + session_lifetime);
    generation = grant->generation;
  }
  EXPECT_EQ(code_of(refresh(who, 1, generation, noon + session_lifetime)), errc::session_unknown);
}

TEST(Sessions, RefreshGivesTheNextGeneration) {
  world all;
  auto who = all.verified();
  auto grant = refresh(who, 1, 1, noon + 1h);
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->generation, 2u);
  EXPECT_EQ(grant->issued_at, noon + 1h);
  EXPECT_EQ(grant->expires_at, noon + 1h + session_idle);
}

TEST(Sessions, ThePreviousTokenGetsTheSameGrantForAMinute) {
  world all;
  auto who = all.verified();
  auto first = refresh(who, 1, 1, noon + 1h);
  auto events = who.history.size();
  EXPECT_EQ(refresh(who, 1, 1, noon + 1h + refresh_grace), first);
  EXPECT_EQ(who.history.size(), events);
}

TEST(Sessions, ThePreviousTokenEndsTheSessionAfterAMinute) {
  world all;
  auto who = all.verified();
  must(refresh(who, 1, 1, noon + 1h));
  EXPECT_EQ(code_of(refresh(who, 1, 1, noon + 1h + refresh_grace + 1ms)), errc::session_unknown);
  EXPECT_EQ(code_of(refresh(who, 1, 2, noon + 1h + refresh_grace + 1ms)), errc::session_unknown);
}

TEST(Sessions, AnOldTokenEndsTheSessionAtOnce) {
  world all;
  auto who = all.verified();
  must(refresh(who, 1, 1, noon));
  must(refresh(who, 1, 2, noon));
  EXPECT_EQ(code_of(refresh(who, 1, 1, noon)), errc::session_unknown);
  EXPECT_EQ(who.state.sessions_size(), 0);
}

TEST(Sessions, ATokenFromTheFutureChangesNothing) {
  world all;
  auto who = all.verified();
  EXPECT_EQ(code_of(refresh(who, 1, 2, noon)), errc::session_unknown);
  EXPECT_EQ(who.state.sessions_size(), 1);
}

TEST(Sessions, ClosingTwiceIsFine) {
  world all;
  auto who = all.verified();
  EXPECT_TRUE(who.take(decide(who.state, close_session{1, noon})));
  EXPECT_EQ(who.state.sessions_size(), 0);
  auto events = who.history.size();
  EXPECT_TRUE(who.take(decide(who.state, close_session{1, noon})));
  EXPECT_EQ(who.history.size(), events);
}

TEST(Sessions, IdsAreNeverUsedTwice) {
  world all;
  auto who = all.verified();
  must(who.take(decide(who.state, close_session{1, noon})));
  EXPECT_EQ(open(who, noon)->session, 2u);
}

TEST(Sessions, RepeatsOfOpenAndRefreshHaveOneEffect) {
  world all;
  auto who = all.verified();
  auto opened = open(who, noon, "verifier", request_key{1, 1});
  EXPECT_EQ(open(who, noon + 1s, "verifier", request_key{1, 1}), opened);
  auto refreshed = refresh(who, opened->session, 1, noon, request_key{2, 2});
  EXPECT_EQ(refresh(who, opened->session, 1, noon + 10min, request_key{2, 2}), refreshed);
  EXPECT_EQ(who.state.sessions_size(), 2);
}

TEST(Sessions, CarryTheRoles) {
  world all;
  auto who = all.verified();
  must(who.take(decide(who.state, grant_roles{.roles = 5, .now = noon})));
  EXPECT_EQ(open(who, noon)->roles, 5u);
}

// --- requests remembered ---

TEST(Requests, OnlyTheLastEightOfADayAreRemembered) {
  world all;
  auto who = all.verified();
  for (std::uint64_t i = 1; i <= 9; ++i) {
    must(open(who, noon, "verifier", request_key{i, i}));
  }
  EXPECT_EQ(who.state.requests_size(), requests_max);
  EXPECT_FALSE(find_repeat(who.state, request_key{1, 1}, noon));
  EXPECT_TRUE(find_repeat(who.state, request_key{2, 2}, noon + request_lifetime - 1ms));
  EXPECT_FALSE(find_repeat(who.state, request_key{2, 2}, noon + request_lifetime));
  must(open(who, noon + request_lifetime, "verifier", request_key{10, 10}));
  EXPECT_EQ(who.state.requests_size(), 1);
}

TEST(Requests, WithoutAKeyNothingIsRemembered) {
  world all;
  auto who = all.verified();
  must(open(who, noon));
  EXPECT_EQ(who.state.requests_size(), 0);
}

// --- officers ---

TEST(Block, StopsEverythingButSigningInAndReading) {
  world all;
  human person;
  auto who = all.ready(person);
  must(who.take(decide(who.state, block{.reason = "fraud", .now = noon})));
  EXPECT_EQ(stage_of(who.state), stage::blocked);
  EXPECT_TRUE(open(who, noon));
  EXPECT_EQ(answer_to(who.id, who.state, read_me{}, all.keys)->block_reason, "fraud");
  EXPECT_EQ(code_of(all.submit(who, person)), errc::account_blocked);
  EXPECT_EQ(code_of(all.profile(who, person)), errc::account_blocked);
  EXPECT_EQ(code_of(all.assess(who)), errc::account_blocked);
  auto wave = all.open_wave();
  EXPECT_EQ(code_of(decide(who.state, join{.wave = {5}, .now = noon}, wave).reply),
            errc::account_blocked);
  must(who.take(decide(who.state, unblock{.now = noon})));
  EXPECT_EQ(stage_of(who.state), stage::ready);
}

TEST(Block, HasALimitOnItsReasonAndNeedsAnAccount) {
  world all;
  account nobody{.id = {1}};
  EXPECT_EQ(code_of(decide(nobody.state, block{.reason = "x", .now = noon}).reply),
            errc::not_found);
  auto who = all.verified();
  for (auto bytes : {std::size_t{0}, block_reason_bytes_max + 1}) {
    auto made = decide(who.state, block{.reason = std::string(bytes, 'x'), .now = noon});
    EXPECT_EQ(code_of(made.reply), errc::field_invalid);
    EXPECT_TRUE(made.events.empty());
  }
}

}  // namespace
}  // namespace gelombang::applicant
