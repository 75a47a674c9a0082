#include "actors/wave/draw/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "actors/programme/hex.hpp"

namespace gelombang::draw {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

region_summary weighing(region_code region, std::uint64_t weight) {
  region_summary made;
  made.region = region;
  made.weight = weight;
  return made;
}

summary with_weights_of(const region_table& table) {
  summary made;
  for (const auto& one : table.all()) made.regions.push_back(weighing(one.code, one.population));
  return made;
}

TEST(Weights, ALineForEachRegionIsHashed) {
  summary made;
  made.regions = {weighing(region_code{1101}, 5), weighing(region_code{3171}, 0)};
  EXPECT_EQ(weights_sha256(made), sha256("1101,5\n3171,0\n"));
  EXPECT_EQ(weights_sha256(summary{}), sha256(""));
}

TEST(Weights, WithoutAnOperatorsAreTheTablesPopulations) {
  const auto& table = region_table::standard();
  const auto made = with_weights_of(table);
  EXPECT_EQ(weights_sha256(made), weights_sha256(table));
  EXPECT_THAT(describe_weights(made, table),
              HasSubstr("514 regions, SHA-256 " + to_hex(weights_sha256(table)) +
                        ": the populations of this"));
}

TEST(Weights, OfOneRegionMoreOrLessAreOthers) {
  const auto& table = region_table::standard();
  auto made = with_weights_of(table);
  made.regions[100].weight += 1;
  EXPECT_THAT(describe_weights(made, table), HasSubstr("not the populations"));
  made = with_weights_of(table);
  made.regions.pop_back();
  EXPECT_THAT(describe_weights(made, table), HasSubstr("513 regions"));
  EXPECT_THAT(describe_weights(made, table), HasSubstr("not the populations"));
}

/// What is told of the table beside it, so that it can be looked up without this program.
TEST(Weights, OfTheStandardTableAreDocumented) {
  std::ifstream in{GELOMBANG_SOURCE_DIR "/config/README.md"};
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_THAT(text.str(), HasSubstr(to_hex(weights_sha256(region_table::standard()))));
}

}  // namespace
}  // namespace gelombang::draw
