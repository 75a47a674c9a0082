#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "actors/programme/clock.hpp"
#include "actors/programme/time.hpp"
#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

using std::chrono::hours;

constexpr ending wrong_configuration{.code = 2};
const std::vector<std::string> by_hand{"clock.kind=\"manual\""};

/// What the node says it is, from its clock route: a time that has passed changes nothing.
std::optional<instant> shown(programme_client& client, const std::string& officer) {
  const auto told =
      client.post("/v1/operator/clock", officer, R"({"not_before":"2020-01-01T00:00:00Z"})");
  return parse_time(told.text("now"));
}

answer put_to(programme_client& client, const std::string& officer, instant when) {
  return client.post("/v1/operator/clock", officer,
                     fmt::format(R"({{"not_before":"{}"}})", format_time(when)));
}

TEST(Clock, IsPutAheadAndDoesNotGoBackWhenTheNodeIsKilled) {
  scratch place;
  node first{home{place.path()}, by_hand};
  ASSERT_TRUE(first.start()) << first.log();
  EXPECT_NE(first.log().find("this node's time is not the world's"), std::string::npos);
  const auto officer = operator_token(first.where());
  const auto ahead = system_clock{}.now() + hours{5};
  {
    programme_client client{first.port()};
    const auto put = put_to(client, officer, ahead);
    ASSERT_EQ(put.status, 200) << put.told();
    EXPECT_GE(*shown(client, officer), ahead);
    EXPECT_LT(*shown(client, officer), ahead + hours{1});
    // What has passed already changes nothing.
    EXPECT_EQ(put_to(client, officer, ahead - hours{1}).status, 200);
    EXPECT_GE(*shown(client, officer), ahead);
  }
  first.kill();
  node second{first.where(), by_hand};
  ASSERT_TRUE(second.start()) << second.log();
  programme_client client{second.port()};
  EXPECT_GE(*shown(client, officer), ahead);
}

TEST(Clock, WhatIsDueByThenHappens) {
  scratch place;
  node one{home{place.path()}, by_hand};
  ASSERT_TRUE(one.start()) << one.log();
  const auto officer = operator_token(one.where());
  programme_client client{one.port()};
  const auto opens = system_clock{}.now() + hours{2};
  const auto made = client.post(
      "/v1/operator/waves", officer,
      fmt::format(R"({{"scheme":"normal-2023","opens_at":"{}","closes_at":"{}","quota":10,)"
                  R"("minimum_per_region":0,"groups":[]}})",
                  format_time(opens), format_time(opens + hours{2})));
  ASSERT_EQ(made.status, 201) << made.told();
  const auto wave = fmt::format("/v1/waves/{}", made.number("number").value_or(0));
  EXPECT_EQ(client.get(wave).text("state"), "scheduled");
  ASSERT_EQ(put_to(client, officer, opens).status, 200);
  const auto becomes = [&](std::string_view state) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end)
      if (client.get(wave).text("state") == state) return true;
    return false;
  };
  EXPECT_TRUE(becomes("open"));
  ASSERT_EQ(put_to(client, officer, opens + hours{3}).status, 200);
  EXPECT_TRUE(becomes("closed"));
}

TEST(Clock, IsTheSystemsUnlessTheConfigurationSaysOtherwise) {
  scratch place;
  node one{home{place.path()}};
  ASSERT_TRUE(one.start()) << one.log();
  const auto officer = operator_token(one.where());
  programme_client client{one.port()};
  EXPECT_EQ(put_to(client, officer, system_clock{}.now() + hours{5}).status, 404);
}

TEST(Clock, IsPutAheadByOperatorsAndToATimeOnly) {
  scratch place;
  node one{home{place.path()}, by_hand};
  ASSERT_TRUE(one.start()) << one.log();
  const auto officer = operator_token(one.where());
  programme_client client{one.port()};
  const auto put = [&](const std::string& token, const std::string& body) {
    return client.post("/v1/operator/clock", token, body).status;
  };
  EXPECT_EQ(put({}, R"({"not_before":"2090-01-01T00:00:00Z"})"), 401);
  EXPECT_EQ(put(officer, "{}"), 422);
  EXPECT_EQ(put(officer, R"({"not_before":"tomorrow"})"), 422);
  EXPECT_EQ(put(officer, R"({"not_before":"2100-01-01T00:00:01Z"})"), 422);
}

/// @returns what the node says about why it does not start.
std::string refusal_of(const home& where, std::vector<std::string> settings) {
  node wrong{where, std::move(settings)};
  EXPECT_FALSE(wrong.start());
  EXPECT_EQ(wrong.wait(), wrong_configuration);
  return wrong.log();
}

TEST(Clock, OfARehearsalIsNotForThePublic) {
  const std::vector<std::pair<std::string, std::string>> outside{
      {"listen.address=\"0.0.0.0\"", "loopback"},
      {"mail.kind=\"smtp\"", "mail.kind"},
  };
  for (const auto& [setting, why] : outside) {
    scratch place;
    const home where{place.path()};
    // The harness listens at 127.0.0.1, so the address is tried as people would give it.
    const auto done = system_testing::run(command_at(
        where, {"serve", "--listen", setting.starts_with("listen") ? "0.0.0.0:0" : "127.0.0.1:0",
                "--set", by_hand.front(), "--set", "demo.enabled=false", "--set", setting}));
    EXPECT_EQ(done.how, wrong_configuration);
    EXPECT_NE(done.err.find("clock.kind"), std::string::npos) << done.err;
    EXPECT_NE(done.err.find(why), std::string::npos) << done.err;
  }
}

TEST(Clock, DataKeepsTheKindItWasBegunWith) {
  scratch place;
  const home with_the_systems{place.path() / "a"}, by_hand_only{place.path() / "b"};
  for (const char* each : {"a", "b"}) std::filesystem::create_directory(place.path() / each);
  {
    node one{with_the_systems};
    ASSERT_TRUE(one.start()) << one.log();
    one.kill();
  }
  EXPECT_NE(refusal_of(with_the_systems, by_hand).find("begun with the system's clock"),
            std::string::npos);
  {
    node other{by_hand_only, by_hand};
    ASSERT_TRUE(other.start()) << other.log();
    other.kill();
  }
  EXPECT_NE(refusal_of(by_hand_only, {}).find("must stay \"manual\""), std::string::npos);
}

TEST(Passwords, MayCostLessAndTheLogSaysSo) {
  scratch place;
  const home where{place.path()};
  constexpr const char* email = "cheap@example.com";
  constexpr const char* password = "a-long-enough-password";
  {
    node one{where, {"passwords.passes=1", "passwords.memory_kib=8"}};
    ASSERT_TRUE(one.start()) << one.log();
    EXPECT_NE(one.log().find("passwords.memory_kib = 8"), std::string::npos) << one.log();
    programme_client client{one.port()};
    ASSERT_EQ(client.call(enter_email(email)).status, 202);
    mailbox letters{where.mail};
    const auto code = letters.wait_for_code(email, patience);
    ASSERT_TRUE(code);
    ASSERT_EQ(client.call(verify_email(email, *code, password)).status, 200);
    one.kill();
  }
  // A hash keeps the cost that it was made with.
  node usual{where};
  ASSERT_TRUE(usual.start()) << usual.log();
  programme_client client{usual.port()};
  EXPECT_EQ(client.call(sign_in(email, password)).status, 200);
}

TEST(Passwords, BeyondTheirShareOfTheProcessorsAreRefusedAtOnceAndThatIsNoTry) {
  scratch place;
  node one{home{place.path()},
           {"passwords.cpu_share_permille=1", "passwords.wait_milliseconds_max=1"}};
  ASSERT_TRUE(one.start()) << one.log();
  programme_client client{one.port()};
  int tried = 0, refused = 0;
  // More than an account has tries; what is saved up is enough for two or three.
  for (int i = 0; i < 30; ++i) {
    const auto told = client.call(sign_in("nobody@example.com", "a-long-enough-password"));
    EXPECT_TRUE(told.status == 401 || told.status == 503) << told.status;
    tried += told.status == 401;
    refused += told.status == 503;
    EXPECT_EQ(told.headers.contains("retry-after"), told.status == 503);
  }
  EXPECT_GE(tried, 1);
  EXPECT_GE(refused, 20);
}

TEST(Passwords, CostWhatArgon2TakesAndNoMoreThanAMachineHas) {
  for (const char* wrong : {"passwords.passes=0", "passwords.passes=17", "passwords.memory_kib=4",
                            "passwords.memory_kib=100", "passwords.memory_kib=2097152"}) {
    scratch place;
    const std::string key{wrong, std::string_view{wrong}.find('=')};
    EXPECT_NE(refusal_of(home{place.path()}, {wrong}).find(key), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace gelombang::system_testing
