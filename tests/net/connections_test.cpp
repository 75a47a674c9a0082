#include "net/command/connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;

TEST(Connections, AreTheUsualWhereNothingIsAskedForAndAllFit) {
  for (const std::optional<std::uint64_t> descriptors :
       {std::optional<std::uint64_t>{}, {1u << 20}, {connections_usual + descriptors_kept}}) {
    const auto bound = connections_within(0, descriptors);
    EXPECT_EQ(bound.most, connections_usual);
    EXPECT_FALSE(bound.is_beyond);
    EXPECT_EQ(bound.note, std::nullopt);
  }
}

TEST(Connections, AreAsManyAsTheLimitOfFilesLeavesRoomForWhereNothingIsAskedFor) {
  const auto bound = connections_within(0, 20'000);
  EXPECT_EQ(bound.most, 20'000 - descriptors_kept);
  EXPECT_FALSE(bound.is_beyond) << "nobody asked for more";
  ASSERT_TRUE(bound.note);
  EXPECT_THAT(*bound.note, HasSubstr("17952 connections"));
  EXPECT_THAT(*bound.note, HasSubstr("20000 files"));
  EXPECT_THAT(*bound.note, HasSubstr("front_door.connections_max"));
}

TEST(Connections, AreAskedForBeyondTheLimitOnlyWithAWarning) {
  for (const std::uint64_t asked : {17'953u, 20'000u, 10'000'000u}) {
    const auto bound = connections_within(asked, 20'000);
    EXPECT_EQ(bound.most, asked);
    EXPECT_TRUE(bound.is_beyond);
    ASSERT_TRUE(bound.note);
    EXPECT_THAT(*bound.note, HasSubstr("front_door.connections_max = " + std::to_string(asked)));
    EXPECT_THAT(*bound.note, HasSubstr("LimitNOFILE"));
    EXPECT_THAT(*bound.note, HasSubstr("17952 at most"));
  }
  const auto fitting = connections_within(17'952, 20'000);
  EXPECT_EQ(fitting.most, 17'952u);
  EXPECT_EQ(fitting.note, std::nullopt);
}

TEST(Connections, AreSomeUnderAnyLimit) {
  EXPECT_EQ(connections_within(0, 1024).most, 512u);
  EXPECT_EQ(connections_within(0, 0).most, 1u);
  EXPECT_EQ(connections_within(0, UINT64_MAX).most, connections_usual);
}

TEST(Connections, AreNotChosenByTheConfigurationThatNewcomersUse) {
  const auto file = load_settings(GELOMBANG_SOURCE_DIR "/config/dev.toml", {});
  ASSERT_TRUE(file) << file.error();
  EXPECT_EQ(file->front_door.connections_max, 0u);
  EXPECT_EQ(settings{}.front_door.connections_max, 0u);
}

}  // namespace
}  // namespace gelombang::command
