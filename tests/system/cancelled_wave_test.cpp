#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned people = 20;
constexpr ending in_order{.code = 0};
constexpr auto why = "Bencana banjir di lima provinsi";

/// A node with a wave that is committed to.
class CancelledWave : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(seed(node_.where(), people).how, in_order);
    const auto tokens = applicant_tokens(node_.where(), people);
    officer_ = operator_token(node_.where());
    ASSERT_TRUE(node_.start()) << node_.log();
    const auto made = client().call(create_wave(officer_, 10));
    ASSERT_EQ(made.status, 201) << made.told();
    wave_ = static_cast<unsigned>(made.number("number").value_or(0));
    for (const auto& token : tokens) ASSERT_EQ(client().call(join_wave(token, wave_)).status, 201);
    for (const auto* what : {"close", "commit"})
      ASSERT_EQ(client().call(order_wave(officer_, wave_, what)).status, 200) << what;
  }

  programme_client client() const { return programme_client{node_.port()}; }
  std::string shown() const { return fmt::format("/v1/waves/{}", wave_); }
  std::string draw() const { return shown() + "/draw"; }
  answer cancel(const std::string& body) {
    return client().call(
        {"POST", fmt::format("/v1/operator/waves/{}/cancel", wave_), officer_, {}, body});
  }
  fs::path kept(const std::string& name, const std::string& target) {
    const auto path = place_.path() / name;
    std::ofstream{path, std::ios::binary} << client().get(target).body;
    return path;
  }

  scratch place_;
  node node_{home{place_.path()}};
  std::string officer_;
  unsigned wave_ = 0;
};

TEST_F(CancelledWave, IsToldWhereverItsDrawIs) {
  const auto before = client().get(draw());
  EXPECT_EQ(before.text("state"), "") << "the contract's members, and no others";
  const auto entries_before = client().get(draw() + "/entries.csv");
  const auto done = run(command({"wave", "cancel", "--url", node_.url(), "--token", officer_,
                                 "--reason", why, std::to_string(wave_)}));
  ASSERT_EQ(done.how, in_order) << done.err;
  const auto wave = client().get(shown());
  EXPECT_EQ(wave.text("state"), "cancelled");
  EXPECT_EQ(wave.text("cancel_reason"), why);
  EXPECT_FALSE(wave.text("cancelled_at").empty());

  const auto after = client().get(draw());
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.text("state"), "cancelled");
  EXPECT_EQ(after.text("cancel_reason"), why);
  EXPECT_FALSE(after.text("cancelled_at").empty());
  EXPECT_NE(after.headers.at("etag"), before.headers.at("etag"));
  const auto start = before.body.substr(0, before.body.size() - 1);
  EXPECT_TRUE(after.body.starts_with(start)) << "what was committed to stands as it did";
  const auto entries = client().get(draw() + "/entries.csv");
  EXPECT_EQ(entries.body, entries_before.body);
  EXPECT_EQ(entries.headers.at("etag"), entries_before.headers.at("etag"));

  const auto summary = kept("summary.json", draw()).string();
  const auto csv = kept("entries.csv", draw() + "/entries.csv").string();
  const auto told = run(command({"draw", "verify", "--summary", summary, "--entries", csv}));
  EXPECT_EQ(told.how, in_order) << told.err;
  EXPECT_NE(told.out.find("CANCELLED on "), std::string::npos) << told.out;
  EXPECT_NE(told.out.find(why), std::string::npos) << told.out;
  EXPECT_NE(node_.log().find(fmt::format("wave {}: cancelled by operator ", wave_)),
            std::string::npos)
      << node_.log();
}

TEST_F(CancelledWave, SaysSoAfterAKill) {
  ASSERT_EQ(cancel(fmt::format(R"({{"reason":" {} "}})", why)).status, 200);
  const auto before = client().get(draw());
  node_.kill();
  ASSERT_TRUE(node_.start()) << node_.log();
  EXPECT_EQ(client().get(draw()).body, before.body);
  EXPECT_EQ(before.text("cancel_reason"), why) << "without the blanks around it";
}

TEST_F(CancelledWave, NeedsNoBodyAndTakesNoBadOne) {
  for (const auto* wrong : {R"({"reason":"two\nlines"})", R"({"reason":" "})"})
    EXPECT_EQ(cancel(wrong).problem(), "reason_invalid") << wrong;
  EXPECT_EQ(cancel(R"({"reason":""})").status, 422) << "as of a script whose variable is not set";
  EXPECT_EQ(cancel(R"({"reason":7})").status, 422);
  EXPECT_EQ(cancel("[").status, 400);
  EXPECT_EQ(client().get(shown()).text("state"), "committed");
  EXPECT_EQ(cancel("").status, 200);
  const auto told = client().get(draw());
  EXPECT_EQ(told.text("state"), "cancelled");
  EXPECT_TRUE(told.json().at("cancel_reason").is_null());
}

/// As scripts of before there were reasons do it: `-d` alone declares a form.
TEST_F(CancelledWave, ABodyThatIsDeclaredAsSomethingElseIsNoReason) {
  const auto done = run({"/usr/bin/env", "curl", "-sS", "--fail", "--noproxy", "*", "-X", "POST",
                         "-d", "{}", "-H", "Authorization: Bearer " + officer_,
                         fmt::format("{}/v1/operator/waves/{}/cancel", node_.url(), wave_)});
  EXPECT_EQ(done.how, in_order) << done.err;
  const auto told = client().get(draw());
  EXPECT_EQ(told.text("state"), "cancelled");
  EXPECT_TRUE(told.json().at("cancel_reason").is_null());
}

/// As people on bad networks do it: with what curl has.
TEST_F(CancelledWave, ItsEntriesAreDownloadedInTwoGoes) {
  const auto whole = client().get(draw() + "/entries.csv").body;
  const auto path = place_.path() / "resumed.csv";
  std::ofstream{path, std::ios::binary} << whole.substr(0, whole.size() / 3);
  const auto resumed = run({"/usr/bin/env", "curl", "-sS", "--fail", "--noproxy", "*", "-C", "-",
                            "-o", path.string(), node_.url() + draw() + "/entries.csv"});
  EXPECT_EQ(resumed.how, in_order) << resumed.err;
  EXPECT_EQ(content_of(path), whole);
}

/// The same as docs/draw.md has it, in its own words, which tells two texts apart.
TEST_F(CancelledWave, GoingOnAsTheDocumentSaysGivesOneText) {
  const auto page = content_of(fs::path{GELOMBANG_SOURCE_DIR} / "docs/draw.md");
  const auto begin = page.find("```sh\n") + 6, end = page.find("```", begin);
  ASSERT_NE(end, std::string::npos);
  auto script = page.substr(begin, end - begin);
  const std::string any = "/waves/N/", pause = "# broken off,";
  script.replace(script.find(any), any.size(), fmt::format("/waves/{}/", wave_));
  script = fmt::format("set -e; export no_proxy='*'; cd '{}'; URL={}\n", place_.path().string(),
                       node_.url()) +
           script;
  const auto broken_off = script.find(pause);
  ASSERT_NE(broken_off, std::string::npos);
  const auto csv = place_.path() / "entries.csv";
  for (const bool is_drawn_meanwhile : {false, true}) {
    const auto first =
        run({"/bin/sh", "-c", script.substr(0, broken_off) + "truncate -s 700 entries.csv"});
    ASSERT_EQ(first.how, in_order) << first.err;
    if (is_drawn_meanwhile) {
      ASSERT_EQ(client().call(order_wave(officer_, wave_, "draw")).status, 200);
    }
    const auto head = script.substr(0, script.find("curl"));
    const auto then = run({"/bin/sh", "-c", head + script.substr(broken_off)});
    ASSERT_EQ(then.how, in_order) << then.err;
    const auto whole = client().get(draw() + "/entries.csv").body;
    EXPECT_EQ(content_of(csv), whole) << is_drawn_meanwhile;
    // Once more, where there is no more to come, and where nobody answers.
    (void)run({"/bin/sh", "-c", head + "set +e\n" + script.substr(broken_off)});
    EXPECT_EQ(content_of(csv), whole) << is_drawn_meanwhile;
    (void)run(
        {"/bin/sh", "-c", head + "set +e; csv=http://127.0.0.1:1/\n" + script.substr(broken_off)});
    EXPECT_EQ(content_of(csv), whole) << is_drawn_meanwhile;
  }
}

}  // namespace
}  // namespace gelombang::system_testing
