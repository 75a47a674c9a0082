#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gelombang::system_testing
