#include "net/command/needed_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class NeededFiles : public ::testing::Test {
protected:
  std::string path_of(const std::string& name) const { return (where_.path() / name).string(); }

  std::string made(const std::string& name) const {
    std::ofstream{path_of(name)} << "x";
    return path_of(name);
  }

  const storage::testing::temporary_directory where_;
};

TEST_F(NeededFiles, AllThatAreNotThereAreToldAtOnce) {
  auto production = load_settings(GELOMBANG_SOURCE_DIR "/config/production.toml", {});
  ASSERT_TRUE(production) << production.error();
  auto& with = *production;
  const std::pair<std::string, std::string*> named[] = {
      {"listen.tls_certificate", &with.listen.tls_certificate},
      {"listen.tls_key", &with.listen.tls_key},
      {"keys.file", &with.keys.file},
      {"mail.password_file", &with.mail.password_file},
      {"programme.eligibility", &with.programme.eligibility},
      {"programme.assessment", &with.programme.assessment},
      {"programme.regions", &with.programme.regions}};
  // Not where the program looks on a machine that it is installed on: they are there.
  for (const auto& [key, path] : named) *path = path_of(key);
  const auto told = check_needed_files(with);
  ASSERT_FALSE(told);
  for (const auto& [key, path] : named)
    EXPECT_THAT(told.error(), HasSubstr("\n  " + key + " = " + *path + ": No such file"));
  EXPECT_THAT(told.error(), HasSubstr("7 files"));
  EXPECT_THAT(told.error(), HasSubstr("keys.create = true"));
}

TEST_F(NeededFiles, WhatIsNotUsedIsNotNeeded) {
  settings with;
  with.programme.eligibility = GELOMBANG_SOURCE_DIR "/config/eligibility";
  with.programme.assessment = GELOMBANG_SOURCE_DIR "/config/assessment.toml";
  with.programme.regions = GELOMBANG_SOURCE_DIR "/config/regions.csv";
  with.keys.file = path_of("to-be-made");
  with.mail.password_file = path_of("not-read");
  EXPECT_TRUE(check_needed_files(with)) << check_needed_files(with).error();
  with.mail.user = "somebody";
  EXPECT_TRUE(check_needed_files(with)) << "no letters go out by SMTP";
  with.mail.kind = "smtp";
  EXPECT_THAT(check_needed_files(with).error(), HasSubstr("mail.password_file"));
  with.mail.password_file = made("password");
  EXPECT_TRUE(check_needed_files(with));
  with.keys.create = false;
  EXPECT_THAT(check_needed_files(with).error(), HasSubstr("keys.file"));
}

TEST_F(NeededFiles, AShortPathIsToldWithWhereItWasLookedFor) {
  settings with;
  with.programme.regions = "no/such/regions.csv";
  const auto told = check_needed_files(with);
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error(),
              HasSubstr("(looked for in " + std::filesystem::current_path().string()));
}

TEST_F(NeededFiles, WhatIsNoFileIsToldAsWell) {
  settings with;
  with.keys.file = path_of("to-be-made");
  with.programme.eligibility = made("rules");
  with.programme.assessment = path_of("");
  with.programme.regions = path_of("pipe");
  ASSERT_EQ(::mkfifo(with.programme.regions.c_str(), 0600), 0);
  const auto told = check_needed_files(with);
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error(),
              HasSubstr("programme.eligibility = " + path_of("rules") + ": is no dir"));
  EXPECT_THAT(told.error(),
              HasSubstr("programme.assessment = " + path_of("") + ": is a directory"));
  EXPECT_THAT(told.error(),
              HasSubstr("programme.regions = " + path_of("pipe") + ": is no regular"));
  EXPECT_THAT(told.error(), Not(HasSubstr("keys.create")));
}

}  // namespace
}  // namespace gelombang::command
