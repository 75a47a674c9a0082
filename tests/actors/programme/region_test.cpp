#include "actors/programme/region.hpp"

#include <gtest/gtest.h>

#include <set>

namespace gelombang {
namespace {

TEST(Regions, AreThe514OfThe38Provinces) {
  const auto& table = region_table::standard();
  EXPECT_EQ(table.all().size(), 514u);
  std::set<std::string> provinces;
  std::set<int> province_codes;
  std::uint64_t population = 0;
  for (const auto& region : table.all()) {
    provinces.insert(region.province);
    province_codes.insert(region.province_code());
    population += region.population;
    EXPECT_EQ(table.find(region.code), &region);
    EXPECT_TRUE(region.name.starts_with("Kabupaten ") || region.name.starts_with("Kota "));
    EXPECT_EQ(region.name.find("  "), std::string::npos) << region.name;
    EXPECT_GT(region.population, 0u) << region.name;
  }
  EXPECT_EQ(provinces.size(), 38u);
  EXPECT_EQ(province_codes.size(), 38u);
  EXPECT_EQ(table.population(), population);
  EXPECT_GT(population, 270'000'000u);
}

TEST(Regions, AreFoundByCode) {
  const auto& table = region_table::standard();
  const auto* sorong = table.find(region_code{9671});
  ASSERT_TRUE(sorong);
  EXPECT_EQ(sorong->name, "Kota Sorong");
  EXPECT_EQ(sorong->province, "Papua Barat Daya");
  EXPECT_EQ(sorong->population, 286'028u);
  EXPECT_FALSE(table.find(region_code{9999}));
  EXPECT_FALSE(table.find(region_code{0}));
  EXPECT_FALSE(table.find(region_code{65535}));
}

TEST(Regions, OfTheFileAreThoseCompiledIn) {
  auto loaded = region_table::load(GELOMBANG_SOURCE_DIR "/config/regions.csv");
  ASSERT_TRUE(loaded) << loaded.error();
  const auto& compiled = region_table::standard();
  ASSERT_EQ(loaded->all().size(), compiled.all().size());
  for (std::size_t i = 0; i < compiled.all().size(); ++i) {
    EXPECT_EQ(loaded->all()[i].code, compiled.all()[i].code);
    EXPECT_EQ(loaded->all()[i].population, compiled.all()[i].population);
  }
}

TEST(Regions, CodesHaveFourDigits) {
  EXPECT_EQ(parse_region_code("3201"), region_code{3201});
  EXPECT_EQ(parse_region_code("9999"), region_code{9999});
  for (auto text : {"", "320", "32011", "32a1", " 321", "-321", "0901", "1001", "1100", "3200"}) {
    EXPECT_FALSE(parse_region_code(text)) << text;
  }
}

TEST(Regions, RefuseATableThatIsNone) {
  const std::string header = "code,name,province_code,province,population\n";
  EXPECT_TRUE(region_table::parse(header + "3201,Kabupaten Bogor,32,Jawa Barat,5\r\n"));
  struct bad {
    std::string csv, reason;
  };
  for (const auto& [csv, reason] : {
           bad{"", "line 1: the header"},
           {"code,name\n", "line 1: the header"},
           {header, "line 2: no regions"},
           {header + "3201,Bogor,32,Jawa Barat\n", "line 2: not five"},
           {header + "3201,Bogor,32,Jawa Barat,5,6\n", "line 2: not five"},
           {header + "32x1,Bogor,32,Jawa Barat,5\n", "line 2: not a region's code"},
           {header + "3201,Bogor,33,Jawa Barat,5\n", "line 2: the province's code"},
           {header + "3201,,32,Jawa Barat,5\n", "line 2: a name"},
           {header + "3201,Bogor,32,Jawa Barat,\n", "line 2: the population"},
           {header + "3201,Bogor,32,Jawa Barat,-5\n", "line 2: the population"},
           {header + "3201,Bogor,32,Jawa Barat,5x\n", "line 2: the population"},
           {header + "3201,B,32,J,5\n3201,B,32,J,5\n", "line 3: a region stands"},
       }) {
    auto table = region_table::parse(csv);
    ASSERT_FALSE(table) << csv;
    EXPECT_TRUE(table.error().starts_with(reason)) << table.error();
  }
  EXPECT_FALSE(region_table::load("/nowhere/regions.csv"));
}

}  // namespace
}  // namespace gelombang
