#include "net/command/operator_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;

class OperatorToken : public ::testing::Test {
protected:
  void SetUp() override { ::setenv(token_variable, "of-the-environment", 1); }
  void TearDown() override { ::unsetenv(token_variable); }

  std::string file_with(const std::string& text) const {
    auto file = where_.path() / "token";
    std::ofstream{file} << text;
    return file.string();
  }

  const storage::testing::temporary_directory where_;
};

TEST_F(OperatorToken, ComesFromTheNearestPlace) {
  const auto file = file_with("of-the-file\nanything\n");
  EXPECT_EQ(token_from({.given = "given", .file = file}), "given");
  EXPECT_EQ(token_from({.given = {}, .file = file}), "of-the-file");
  EXPECT_EQ(token_from({.given = {}, .file = {}}), "of-the-environment");
  ::unsetenv(token_variable);
  EXPECT_EQ(token_from({.given = {}, .file = {}}), "");
}

TEST_F(OperatorToken, AFileWithoutOneIsTold) {
  const auto told = [](const std::string& file) {
    const auto token = token_from({.given = {}, .file = file});
    return token ? "a token: " + *token : token.error();
  };
  EXPECT_THAT(told((where_.path() / "none").string()), HasSubstr("No such file"));
  EXPECT_THAT(told(where_.path().string()), HasSubstr("can't be read"));
  EXPECT_THAT(told(file_with("")), HasSubstr("empty"));
  EXPECT_THAT(told(file_with("\ntoken\n")), HasSubstr("first line is empty"));
  EXPECT_THAT(told(file_with(std::string(token_bytes_max, 't'))), HasSubstr("too long"));
}

}  // namespace
}  // namespace gelombang::command
