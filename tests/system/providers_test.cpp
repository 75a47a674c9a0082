#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

constexpr auto shown_at = "/v1/providers/12";
constexpr auto balai = R"({"name":" Balai Latihan Kerja ","website":"https://Contoh.id/Kursus"})";

/// A node without a wave, and an operator.
class ProvidersTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(seed(node_.where(), 1).how.code, 0);
    applicant_ = applicant_tokens(node_.where(), 1).front();
    officer_ = operator_token(node_.where());
    ASSERT_TRUE(node_.start()) << node_.log();
  }

  answer enter(const std::string& body, const std::string& number = "12") {
    return client().call({"PUT", "/v1/operator/providers/" + number, officer_, {}, body});
  }
  answer order(const std::string& what, const std::string& body = {}, const std::string& key = {}) {
    return client().call(
        {"POST", std::string{"/v1/operator/providers/12/"} + what, officer_, key, body});
  }
  answer shown() { return client().get(shown_at); }

  programme_client client() const { return programme_client{node_.port()}; }

  scratch place_;
  node node_{home{place_.path()}, {"log.level=\"warn\""}};
  std::string applicant_, officer_;
};

TEST_F(ProvidersTest, AreRegisteredOnceAndShownToEverybody) {
  EXPECT_EQ(shown().status, 404);
  EXPECT_EQ(shown().problem(), "provider_unknown");
  const auto made = enter(balai);
  EXPECT_EQ(made.status, 201) << made.told();
  EXPECT_EQ(made.headers.at("location"), shown_at);
  EXPECT_EQ(made.number("number"), 12);
  EXPECT_EQ(made.text("name"), "Balai Latihan Kerja");
  EXPECT_EQ(made.text("website"), "https://contoh.id/Kursus");
  EXPECT_EQ(made.text("state"), "active");
  EXPECT_TRUE(made.json().at("suspension").is_null());

  const auto again = enter(balai);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, made.body);
  const auto found = shown();
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, made.body);
  EXPECT_FALSE(found.headers.at("etag").empty());
  EXPECT_EQ(found.headers.at("cache-control"), "public, max-age=10");

  const auto changed = enter(R"({"name":"Balai Baru"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.text("name"), "Balai Baru");
  EXPECT_TRUE(changed.json().at("website").is_null());
  EXPECT_NE(shown().headers.at("etag"), found.headers.at("etag"));
}

TEST_F(ProvidersTest, AreSuspendedAndReinstatedByKeyOnceAlsoAcrossAKill) {
  EXPECT_EQ(order("suspend", R"({"reason":"izin dicabut"})").problem(), "provider_unknown");
  ASSERT_EQ(enter(balai).status, 201);
  const auto stopped = order("suspend", R"({"reason":" izin dicabut "})", "stopped-once");
  EXPECT_EQ(stopped.status, 200) << stopped.told();
  EXPECT_EQ(stopped.text("state"), "suspended");
  EXPECT_EQ(stopped.text("suspension.reason"), "izin dicabut");
  EXPECT_EQ(shown().body, stopped.body);
  const auto back = order("reinstate", {}, "back-once");
  EXPECT_EQ(back.status, 200) << back.told();
  EXPECT_EQ(back.text("state"), "active");

  node_.kill();
  ASSERT_TRUE(node_.start()) << node_.log();
  EXPECT_EQ(order("suspend", R"({"reason":" izin dicabut "})", "stopped-once").body, stopped.body);
  EXPECT_EQ(order("suspend", R"({"reason":"lain"})", "stopped-once").problem(),
            "idempotency_conflict");
  EXPECT_EQ(shown().body, back.body);
}

TEST_F(ProvidersTest, NumbersHaveOneSpellingAndALimit) {
  for (const std::string number : {"0", "012", "-1", "100000", "4294967308", "x", "12x"}) {
    EXPECT_EQ(enter(balai, number).problem(), "provider_unknown") << number;
    EXPECT_EQ(client().get("/v1/providers/" + number).problem(), "provider_unknown") << number;
  }
  EXPECT_EQ(enter(balai, "99999").status, 201);
  EXPECT_EQ(enter(balai, "1").status, 201);
}

TEST_F(ProvidersTest, WhatIsWrongIsNamed) {
  const auto pointer = [](const answer& told) {
    return std::string{told.json().at("errors").at(0).at("pointer").as_string()};
  };
  struct wrong {
    std::string body, problem, pointer;
  };
  for (const auto& one :
       {wrong{"{}", "field_missing", "/name"}, wrong{R"({"name":12})", "field_invalid", "/name"},
        wrong{R"({"name":"  ab "})", "provider_name_invalid", "/name"},
        wrong{R"({"name":"a\u0000b c"})", "provider_name_invalid", "/name"},
        wrong{R"({"name":"Balai","website":7})", "field_invalid", "/website"},
        wrong{R"({"name":"Balai","website":"http://a.id"})", "website_invalid", "/website"},
        wrong{fmt::format(R"({{"name":"{:x>1001}"}})", ""), "field_invalid", "/name"}}) {
    const auto told = enter(one.body);
    EXPECT_EQ(told.status, 422) << one.body;
    EXPECT_EQ(told.problem(), one.problem) << one.body;
    EXPECT_EQ(pointer(told), one.pointer) << one.body;
  }
  EXPECT_EQ(enter("[]").problem(), "body_malformed");
  EXPECT_EQ(shown().status, 404);
  ASSERT_EQ(enter(balai).status, 201);
  EXPECT_EQ(order("suspend", "{}").problem(), "field_missing");
  EXPECT_EQ(order("suspend", R"({"reason":" "})").problem(), "reason_invalid");
  EXPECT_EQ(order("suspend", R"({"reason":"x"})", std::string(129, 'k')).problem(),
            "field_invalid");
  EXPECT_EQ(shown().text("state"), "active");
}

TEST_F(ProvidersTest, OnlyOperatorsChangeThem) {
  for (const auto& token : {std::string{}, applicant_}) {
    officer_ = token;
    const auto problem = token.empty() ? "token_missing" : "forbidden";
    EXPECT_EQ(enter(balai).problem(), problem);
    EXPECT_EQ(order("suspend", R"({"reason":"x"})").problem(), problem);
    EXPECT_EQ(order("reinstate").problem(), problem);
  }
}

}  // namespace
}  // namespace gelombang::system_testing
