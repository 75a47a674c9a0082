#include "net/command/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/storage/temporary_directory.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;

std::string fault_of(const std::string& override_text, const std::string& file = {}) {
  std::vector<std::string> overrides;
  if (!override_text.empty()) overrides.push_back(override_text);
  const auto read = load_settings(file, overrides);
  return read ? "" : read.error();
}

/// No key is a date in TOML's sense, and a shell takes the quotes away.
TEST(Settings, WhatReadsAsADateIsTheTextThatItWasWrittenAs) {
  for (const std::string anchor : {"waves.anchor=2026-01-09", "waves.anchor=\"2026-01-09\""}) {
    const auto read = load_settings({}, {anchor});
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->waves.schedule.anchor, std::chrono::year{2026} / 1 / 9) << anchor;
  }
  for (const std::string start :
       {"2026-01-09T12:00:00+07:00", "\"2026-01-09T12:00:00+07:00\"", "2026-01-09T05:00:00Z"}) {
    const auto read = load_settings({}, {"clock.kind=manual", "clock.start=" + start});
    ASSERT_TRUE(read) << read.error();
    EXPECT_EQ(read->clock.start, parse_time("2026-01-09T12:00:00+07:00")) << start;
  }
}

TEST(Settings, ADateThatWillNotDoIsToldByItsKeyAndItsForm) {
  for (const std::string anchor : {"2026-01-01T00:00:00Z", "2026-13-01", "1"}) {
    const auto told = fault_of("waves.anchor=" + anchor);
    EXPECT_THAT(told, HasSubstr("waves.anchor must be a ")) << anchor;
  }
  EXPECT_THAT(fault_of("waves.anchor=2026-01-01T00:00:00Z"), HasSubstr("\"2026-01-02\""));
}

TEST(Settings, ATextWithoutItsQuotesIsToldHowItIsWritten) {
  EXPECT_THAT(fault_of("mail.user=12"), HasSubstr("mail.user must be a text"));
  EXPECT_THAT(fault_of("mail.user=12"), HasSubstr("--set 'mail.user=\"12\"'"));
  EXPECT_THAT(fault_of("log.level=true"), HasSubstr("--set 'log.level=\"true\"'"));
  EXPECT_THAT(fault_of("mail.user=[]"), HasSubstr("mail.user must be a text"));
  const storage::testing::temporary_directory where;
  const auto file = (where.path() / "node.toml").string();
  std::ofstream{file} << "[waves]\nanchor = 2026-01-02\n";
  EXPECT_THAT(fault_of({}, file), HasSubstr("waves.anchor must be a text"));
  EXPECT_THAT(fault_of({}, file), HasSubstr("anchor = \"2026-01-02\""));
}

}  // namespace
}  // namespace gelombang::command
