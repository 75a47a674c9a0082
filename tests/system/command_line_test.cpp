#include <gtest/gtest.h>

#include <filesystem>

#include "tests/system/support/node.hpp"
#include "tests/system/support/process.hpp"

namespace gelombang::system_testing {
namespace {

finished create_with_group(const std::string& group) {
  return run(
      command({"wave", "create", "--url", "http://127.0.0.1:1", "--token", "none", "--scheme",
               "normal-2023", "--opens-at", "2030-01-04T12:00:00+07:00", "--closes-at",
               "2030-01-07T23:59:00+07:00", "--quota", "100", "--group", group}));
}

TEST(CommandLine, AGroupThatDoesNotReadIsWrongUsage) {
  for (const char* group :
       {"disability", "disability:", ":50", ":", "disability:x", "disability:50x", "disability:-1",
        "disability:4294967346", "disability:99999999999999999999"}) {
    const auto told = create_with_group(group);
    EXPECT_EQ(told.how.code, 2) << group;
    EXPECT_NE(told.err.find("NAME:PERMILLE"), std::string::npos) << told.err;
  }
  EXPECT_EQ(create_with_group("disability:50").how.code, 3) << "nobody is at that address";
}

TEST(CommandLine, ACommitmentNamesItsRound) {
  const auto told =
      run(command({"wave", "commit", "7", "--url", "http://127.0.0.1:1", "--token", "none",
                   "--beacon-source", "drand", "--operator-secret-hash", std::string(64, 'a')}));
  EXPECT_EQ(told.how.code, 2);
  EXPECT_NE(told.err.find("--beacon-round"), std::string::npos) << told.err;
}

TEST(CommandLine, ANewWavesNumberIsNotChosen) {
  auto create = create_with_group("disability:50");
  ASSERT_EQ(create.how.code, 3);
  const auto told =
      run(command({"wave", "create", "77", "--url", "http://127.0.0.1:1", "--token", "none",
                   "--scheme", "normal-2023", "--opens-at", "2030-01-04T12:00:00+07:00",
                   "--closes-at", "2030-01-07T23:59:00+07:00", "--quota", "100"}));
  EXPECT_EQ(told.how.code, 2);
  EXPECT_NE(told.err.find("77"), std::string::npos) << told.err;
}

TEST(CommandLine, SaysItsVersion) {
  const auto told = run(command({"--version"}));
  EXPECT_EQ(told.how.code, 0);
  EXPECT_EQ(told.out.rfind("gelombang 0.", 0), 0u) << told.out;
}

TEST(CommandLine, ABackupNeedsATokenAndAnAbsoluteTarget) {
  const auto without = run({"/usr/bin/env", "-u", "GELOMBANG_TOKEN", GELOMBANG_PROGRAM, "backup",
                            "--target", "/nowhere/copy"});
  EXPECT_EQ(without.how.code, 2);
  EXPECT_NE(without.err.find("GELOMBANG_TOKEN"), std::string::npos) << without.err;
  const auto relative = run(command({"backup", "--token", "none", "--target", "copy"}));
  EXPECT_EQ(relative.how.code, 2);
  EXPECT_NE(relative.err.find("absolute"), std::string::npos) << relative.err;
  const auto two = run(command(
      {"backup", "--token", "none", "--token-file", "/dev/null", "--target", "/nowhere/copy"}));
  EXPECT_EQ(two.how.code, 2);
}

TEST(CommandLine, TokensAreOfPeopleWhoExist) {
  const scratch place;
  const home where{place.path()};
  const auto nowhere = run(command_at(where, {"tokens", "--applicants", "1"}));
  EXPECT_EQ(nowhere.how.code, 2);
  EXPECT_NE(nowhere.err.find(where.data.string()), std::string::npos) << nowhere.err;
  EXPECT_FALSE(std::filesystem::exists(where.data));
  EXPECT_FALSE(std::filesystem::exists(where.key));

  ASSERT_EQ(seed(where, 37).how.code, 0);
  EXPECT_EQ(applicant_tokens(where, 37).size(), 37u);
  const auto more = run(command_at(where, {"tokens", "--applicants", "38"}));
  EXPECT_EQ(more.how.code, 2);
  EXPECT_EQ(more.out, "");
  EXPECT_NE(more.err.find("holds 37 seeded applicants"), std::string::npos) << more.err;

  std::filesystem::rename(where.key, place.path() / "elsewhere.key");
  const auto without_key = run(command_at(where, {"tokens", "--role", "operator"}));
  EXPECT_EQ(without_key.how.code, 2);
  EXPECT_NE(without_key.err.find(where.key.string()), std::string::npos) << without_key.err;
  EXPECT_FALSE(std::filesystem::exists(where.key)) << "another key would be of no use";
}

}  // namespace
}  // namespace gelombang::system_testing
