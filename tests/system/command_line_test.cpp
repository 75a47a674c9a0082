#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

TEST(CommandLine, WhatIsSaidTwiceIsWhatWasSaidLast) {
  scratch place;
  const home here{place.path()};
  const auto told = run(command_at(here, {"seed", "--applicants", "1", "--config", "/nowhere.toml",
                                          "--data-dir", "/dev/null/first"}));
  EXPECT_EQ(told.how.code, 0) << told.err;
  EXPECT_TRUE(std::filesystem::exists(here.data));
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

/// Wrong usage, said in words that have all of `wanted` in them.
void expect_wrong_usage(const std::vector<std::string>& arguments,
                        const std::vector<std::string>& wanted) {
  const auto told = run(command(arguments));
  std::string line;
  for (const auto& one : arguments) line += one + " ";
  EXPECT_EQ(told.how.code, 2) << line << told.err;
  for (const auto& one : wanted)
    EXPECT_NE(told.err.find(one), std::string::npos) << line << told.err;
}

TEST(CommandLine, APathThatIsEmptyIsWrongUsage) {
  const std::vector<std::vector<std::string>> commands{
      {"serve", "--data-dir", ""},
      {"serve", "--config", ""},
      {"seed", "--applicants", "1", "--data-dir", ""},
      {"tokens", "--applicants", "1", "--data-dir", ""},
      {"audit", "verify", "--data-dir", ""},
      {"backup", "--token", "none", "--target", ""},
      {"backup", "--target", "/nowhere", "--token-file", ""},
      {"backup", "--target", "/nowhere", "--token", ""},
      {"restore", "--data-dir", "/nowhere", "--from", ""},
      {"restore", "--from", "/nowhere", "--data-dir", ""},
      {"draw", "verify", "--entries", "/nowhere", "--summary", ""},
      {"draw", "verify", "--summary", "/nowhere", "--entries", ""},
      {"draw", "verify", "--summary", "/nowhere", "--entries", "/nowhere", "--committed", ""},
      {"draw", "verify", "--summary", "/nowhere", "--entries", "/nowhere", "--entry", ""}};
  for (const auto& one : commands)
    expect_wrong_usage(one, {one[one.size() - 2], "must not be empty"});
  for (const char* key : {"storage.data_dir", "keys.file"})
    expect_wrong_usage({"serve", "--set", std::string{key} + "="}, {key, "must not be empty"});
}

TEST(CommandLine, ATextThatIsEmptyIsToldWhereItIsNeeded) {
  const scratch place;
  const auto refused = [&](const std::string& where_needed, const std::string& key) {
    auto settings = command_at(home{place.path()}, {"serve", "--listen", "127.0.0.1:0"});
    settings.erase(settings.begin());  // the program
    for (const auto& one : {where_needed, key + "=\"\""})
      settings.insert(settings.end(), {"--set", one});
    expect_wrong_usage(settings, {key, "must not be empty"});
  };
  refused("mail.kind=directory", "mail.path");
  refused("mail.kind=smtp", "mail.host");
  for (const auto* key : {"demo.operator_email", "demo.operator_password", "demo.applicant_email",
                          "demo.applicant_password"})
    refused("demo.enabled=true", key);
}

TEST(CommandLine, AFigureOutOfBoundsIsToldWithThem) {
  const scratch place;
  const auto data = (place.path() / "data").string();
  for (const char* count : {"-5", "0", "409559041", "x", "99999999999999999999"}) {
    expect_wrong_usage({"seed", "--data-dir", data, "--applicants", count},
                       {"--applicants", "1", "409559040"});
    expect_wrong_usage({"tokens", "--data-dir", data, "--applicants", count},
                       {"--applicants", "1", "409559040"});
  }
  expect_wrong_usage({"tokens", "--data-dir", data}, {"--applicants"});
  EXPECT_FALSE(std::filesystem::exists(data));
  for (const char* number : {"0", "-1", "4294967296", "seven"})
    expect_wrong_usage({"wave", "show", "--url", "http://127.0.0.1:1", "--wave", number},
                       {"--wave", "1", "4294967295"});
}

TEST(CommandLine, PlacesAndRoundsAreToldWithTheirBoundsInFewDigits) {
  const auto told = [](const std::vector<std::string>& arguments) {
    const auto done = run(command(arguments));
    EXPECT_EQ(done.how, (ending{.code = 2}));
    EXPECT_LT(done.err.size(), 400u) << done.err;
    return done.out + done.err;
  };
  for (const char* quota : {"0", "-1", "1e3", "99999999999999999999"})
    EXPECT_NE(told({"wave", "create", "--scheme", "s", "--opens-at", "t", "--closes-at", "t",
                    "--quota", quota})
                  .find("--quota"),
              std::string::npos);
  for (const char* round : {"-1", "99999999999999999999"})
    EXPECT_NE(told({"wave", "commit", "1", "--beacon-source", "s", "--operator-secret-hash", "h",
                    "--beacon-round", round})
                  .find("--beacon-round"),
              std::string::npos);
}

TEST(CommandLine, SettingsThatCannotBeHeldToAreNamed) {
  const scratch place;
  const auto data = (place.path() / "data").string();
  const std::pair<std::string, std::string> wrong[] = {
      {"node.name=\"%v\"", "node.name"},
      {"node.name=\"a\\nb\"", "node.name"},
      {"node.name=\"\"", "node.name"},
      {"waves.opens=\"1:5\"", "waves.opens"},
      {"waves.opens=\"+1:05\"", "waves.opens"},
      {"waves.opens=\"12:00x\"", "waves.opens"},
      {"waves.opens=\"24:00\"", "waves.opens"},
      {"waves.closes=\"12:60\"", "waves.closes"},
      {"waves.groups=[{name=\"left_handed\",share_permille=1}]", "waves.groups.name"},
      {"waves.groups=[{name=\"disability\",share_permille=1},{name=\"disability\"}]",
       "waves.groups.name"},
      {"waves.groups=[{name=\"disability\",share_permille=600},"
       "{name=\"returned_migrant\",share_permille=600}]",
       "waves.groups"},
      {"operators.emails=[\"nobody\"]", "operators.emails"}};
  for (const auto& [setting, key] : wrong)
    expect_wrong_usage({"serve", "--data-dir", data, "--set", setting}, {key});
  expect_wrong_usage({"serve", "--data-dir", data, "--set", "waves.closes_after_days=0", "--set",
                      "waves.closes=\"12:00\""},
                     {"waves.closes", "later"});
  expect_wrong_usage({"serve", "--data-dir", data, "--config", "/"}, {"can't be read"});
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST(CommandLine, WhereToListenIsAnAddressAndAPort) {
  const scratch place;
  const auto data = (place.path() / "data").string();
  for (const char* at : {"localhost:0", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536",
                         "127.0.0.1:-1", "::1:80", "", "127.0.0.1:80 "})
    expect_wrong_usage({"serve", "--data-dir", data, "--listen", at}, {"--listen", "IP address"});
  expect_wrong_usage({"serve", "--data-dir", data, "--set", "listen.address=localhost"},
                     {"listen.address", "IP address"});
  expect_wrong_usage({"serve", "--data-dir", data, "--set", "listen.metrics=localhost:9180"},
                     {"listen.metrics", "ADDR:PORT"});
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST(CommandLine, TokensLeaveTheDataAsItIs) {
  const scratch place;
  const home where{place.path()};
  ASSERT_EQ(seed(where, 3).how.code, 0);
  std::filesystem::remove(where.data / "KEY");
  EXPECT_EQ(applicant_tokens(where, 3).size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(where.data / "KEY")) << "a node may be writing it";
}

/// A node's data, and a backup of it made while it ran.
class Places : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(seed(where_, 1).how.code, 0);
    node running{where_};
    ASSERT_TRUE(running.start()) << running.log();
    const auto made = run(command({"backup", "--url", running.url(), "--token",
                                   operator_token(where_), "--target", copy_.string()}));
    ASSERT_EQ(made.how.code, 0) << made.err;
  }

  static finished restored(const std::filesystem::path& from, const std::filesystem::path& to) {
    return run(command({"restore", "--from", from.string(), "--data-dir", to.string()}));
  }

  const scratch place_;
  const home where_{place_.path()};
  const std::filesystem::path copy_ = place_.path() / "copy";
};

TEST_F(Places, ABackupIsRestoredWhereNoOtherDataIs) {
  const std::pair<std::filesystem::path, const char*> unfit[] = {
      {copy_, "is the backup itself"},  {place_.path() / "." / "copy", "is the backup itself"},
      {copy_ / "below", "lies inside"}, {copy_ / "state" / "below" / "deeper", "lies inside"},
      {where_.data, "holds data"},      {where_.data / "below", "lies inside"},
      {place_.path(), "is not empty"}};
  for (const auto& [to, why] : unfit) {
    const auto told = restored(copy_, to);
    EXPECT_EQ(told.how.code, 2) << to << told.err;
    EXPECT_NE(told.err.find(why), std::string::npos) << to << told.err;
  }
  EXPECT_FALSE(std::filesystem::exists(copy_ / "below.restoring"));
  EXPECT_EQ(restored(copy_, place_.path() / "fresh").how.code, 0);
  EXPECT_EQ(audit(copy_).how.code, 0);
  EXPECT_EQ(audit(where_.data).how.code, 0);
}

TEST_F(Places, WhatIsKeptIsNobodyElsesToRead) {
  const auto fresh = place_.path() / "fresh";
  ASSERT_EQ(restored(copy_, fresh).how.code, 0);
  constexpr auto others = std::filesystem::perms::others_all | std::filesystem::perms::group_write;
  const auto is_closed = [](const std::filesystem::directory_entry& one) {
    return (one.status().permissions() & others) == std::filesystem::perms::none;
  };
  for (const auto& root : {where_.data, copy_, fresh}) {
    EXPECT_TRUE(is_closed(std::filesystem::directory_entry{root})) << root;
    for (const auto& one : std::filesystem::recursive_directory_iterator{root})
      EXPECT_TRUE(is_closed(one)) << one.path();
  }
}

TEST_F(Places, ABackupMakesOneDirectoryAndNoPath) {
  node running{where_};
  ASSERT_TRUE(running.start()) << running.log();
  const auto missing = place_.path() / "backsup" / "monday";
  const auto told = run(command({"backup", "--url", running.url(), "--token",
                                 operator_token(where_), "--target", (missing / "copy").string()}));
  EXPECT_EQ(told.how.code, 1);
  EXPECT_NE(told.err.find(missing.string() + " is not there"), std::string::npos) << told.err;
  EXPECT_FALSE(std::filesystem::exists(missing.parent_path()));
}

TEST_F(Places, DataDoesNotLieWithinOtherData) {
  for (const auto& around : {where_.data, copy_}) {
    auto within = where_;
    within.data = around / "inner";
    within.key = place_.path() / "another.key";
    within.log = place_.path() / "another.log";
    node inner{within};
    EXPECT_FALSE(inner.start());
    EXPECT_EQ(inner.wait(), ending{.code = 2});
    EXPECT_NE(inner.log().find("lies inside"), std::string::npos) << inner.log();
    EXPECT_EQ(seed(within, 1).how.code, 2);
    EXPECT_FALSE(std::filesystem::exists(within.data));
    EXPECT_FALSE(std::filesystem::exists(within.key));
  }
}

}  // namespace
}  // namespace gelombang::system_testing
