#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr unsigned people = 400;
constexpr ending in_order{.code = 0};
constexpr ending check_failed{.code = 1};
constexpr ending wrong_usage{.code = 2};
constexpr ending environment_failed{.code = 3};

std::vector<std::string> generator(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), GELOMBANG_LOAD_PROGRAM);
  return arguments;
}

const fs::path ci = fs::path{GELOMBANG_SOURCE_DIR} / "load-tests/scenarios/ci.toml";

/// A node over seeded people, and what the generator needs to be them.
class LoadGeneratorTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(seed(here_, people).how, in_order);
    write(room_.path() / "tokens", applicant_tokens(here_, people));
    write(room_.path() / "operator", {operator_token(here_)});
    ASSERT_TRUE(node_.start()) << node_.log();
  }

  static void write(const fs::path& file, const std::vector<std::string>& lines) {
    std::ofstream out{file};
    for (const auto& line : lines) out << line << '\n';
  }

  std::string in_room(const char* name) const { return (room_.path() / name).string(); }

  std::vector<std::string> run_of(const fs::path& scenario) const {
    return generator({"run", scenario.string(), "--url", node_.url(), "--tokens", in_room("tokens"),
                      "--operator-token-file", in_room("operator"), "--log", in_room("log.csv"),
                      "--out", in_room("run.json"), "--report", in_room("run.html"), "--quiet"});
  }

  finished audit_of(const fs::path& log) const {
    return system_testing::run(
        generator({"audit", log.string(), "--url", node_.url(), "--tokens", in_room("tokens")}));
  }

  scratch room_;
  home here_{room_.path() / "node"};
  node node_{here_, {"front_door.answer_seconds_max=20"}};
};

TEST_F(LoadGeneratorTest, RunsTheShortScenarioAndItsAuditIsClean) {
  const auto ran = system_testing::run(run_of(ci));
  ASSERT_EQ(ran.how, in_order) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("join"), std::string::npos) << ran.out;
  const auto audited = audit_of(in_room("log.csv"));
  EXPECT_EQ(audited.how, in_order) << audited.out << audited.err;
  EXPECT_NE(audited.out.find("lost 0, twice 0, invented 0, unanswered 0"), std::string::npos)
      << audited.out;
  const auto page = content_of(in_room("run.html"));
  EXPECT_NE(page.find("</html>"), std::string::npos);
  EXPECT_EQ(page.find("src=\"http"), std::string::npos);
  const auto same =
      system_testing::run(generator({"compare", in_room("run.json"), in_room("run.json")}));
  EXPECT_EQ(same.how, in_order) << same.out << same.err;
}

/// The person of a line of the log: `at_ms,kind,person,…`.
std::string person_of(const std::string& line) {
  std::istringstream fields{line};
  std::string person;
  for (int field = 0; field < 3; ++field) std::getline(fields, person, ',');
  return person;
}

TEST_F(LoadGeneratorTest, AnAuditFindsWhatTheServerDoesNotHaveAndWhatNobodyAskedFor) {
  const auto ran = system_testing::run(run_of(ci));
  ASSERT_EQ(ran.how, in_order) << ran.out << ran.err;
  const auto lines = lines_of(content_of(in_room("log.csv")));
  std::set<std::string> came, withdrew;
  for (const auto& line : lines) {
    came.insert(person_of(line));
    if (line.find(",withdraw,") != std::string::npos) withdrew.insert(person_of(line));
  }
  // Of whoever has withdrawn nothing may be left to find: it is about somebody who stayed.
  const auto acknowledged = std::find_if(lines.begin(), lines.end(), [&](const auto& line) {
    return line.find(",join,") != std::string::npos &&
           line.find(",acknowledged,201,") != std::string::npos &&
           !withdrew.contains(person_of(line));
  });
  ASSERT_NE(acknowledged, lines.end());
  const auto who = person_of(*acknowledged);

  std::string absent = "1";
  while (came.contains(absent)) absent = std::to_string(std::stoul(absent) + 1);
  ASSERT_LE(std::stoul(absent), people) << "everybody came";
  auto made_up = *acknowledged;
  made_up.replace(made_up.find(",join,") + 6, who.size(), absent);
  auto altered = lines;
  altered.push_back(made_up);
  write(in_room("lost.csv"), altered);
  const auto lost = audit_of(in_room("lost.csv"));
  EXPECT_EQ(lost.how, check_failed) << lost.out << lost.err;
  EXPECT_NE(lost.out.find("person " + absent), std::string::npos) << lost.out << lost.err;

  altered.clear();
  for (const auto& line : lines)
    if (person_of(line) != who) altered.push_back(line);
  write(in_room("invented.csv"), altered);
  const auto invented = audit_of(in_room("invented.csv"));
  EXPECT_EQ(invented.how, check_failed) << invented.out << invented.err;
}

TEST_F(LoadGeneratorTest, NothingAcknowledgedIsLostWhenTheNodeIsKilledUnderLoad) {
  process running{run_of(ci), room_.path() / "generator.err"};
  programme_client client{node_.port()};
  const auto joined = [&] { return client.get("/v1/waves/current").number("joined").value_or(0); };
  while (joined() < people / 4) std::this_thread::yield();
  node again{here_, {"front_door.answer_seconds_max=20"}, node_.port()};
  node_.kill();
  ASSERT_TRUE(again.start()) << again.log();
  ASSERT_TRUE(running.wait(patience)) << running.output();
  const auto audited = system_testing::run(generator(
      {"audit", in_room("log.csv"), "--url", again.url(), "--tokens", in_room("tokens")}));
  EXPECT_EQ(audited.how, in_order) << audited.out << audited.err << running.output();
}

TEST_F(LoadGeneratorTest, WhatItCannotDoItSaysBeforeItBegins) {
  const auto said = [&](std::vector<std::string> arguments) {
    auto done = system_testing::run(generator(std::move(arguments)));
    EXPECT_NE(done.how, in_order);
    return done;
  };
  EXPECT_EQ(said({"run", "/no/such.toml"}).how, wrong_usage);
  EXPECT_EQ(said({"run", ci.string(), "--share", "3/2"}).how, wrong_usage);
  EXPECT_EQ(said({"run", ci.string(), "--share", "1/2"}).how, wrong_usage) << "without a start";
  EXPECT_EQ(said({"run", ci.string(), "--tokens", "/no/tokens"}).how, wrong_usage);
  EXPECT_EQ(said({"compare", "/no/a.json", "/no/b.json"}).how, wrong_usage);
  EXPECT_NE(
      said({"run", ci.string(), "--url", "https://127.0.0.1:1", "--tokens", in_room("tokens")})
          .err.find("http://"),
      std::string::npos);
  EXPECT_NE(said({"run", ci.string(), "--url", node_.url()}).err.find("--tokens"),
            std::string::npos);
  // A log is not written over.
  write(in_room("log.csv"), {"1,join,1,1,unknown,0,"});
  const auto twice = system_testing::run(run_of(ci));
  EXPECT_EQ(twice.how, environment_failed) << twice.err;
}

}  // namespace
}  // namespace gelombang::system_testing
