#include "actors/wave/draw/draw.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <random>
#include <set>

#include "actors/wave/draw/quota.hpp"
#include "actors/wave/draw/row.hpp"
#include "tests/actors/wave/draw_reference.hpp"

namespace gelombang::draw {
namespace {

using namespace gelombang::draw::testing;

std::string field(const boost::json::object& from, const char* name) {
  return std::string(from.at(name).as_string());
}

std::string csv_of(const boost::json::array& entries) {
  std::string text{entries_header};
  for (const auto& one : entries) {
    const auto& row = one.as_object();
    text += field(row, "entry_id") + "," + field(row, "region") + "," + field(row, "groups") + "," +
            field(row, "family") + "," + field(row, "family_room") + "," + field(row, "ticket") +
            "," + field(row, "outcome") + "," + field(row, "order") + "\n";
  }
  return text;
}

std::vector<roster_entry> roster_of(std::string_view csv) {
  std::vector<roster_entry> roster;
  csv.remove_prefix(entries_header.size());
  while (!csv.empty()) {
    auto end = csv.find('\n');
    roster.push_back(read_row(csv.substr(0, end)).value().entry);
    csv.remove_prefix(end + 1);
  }
  return roster;
}

TEST(Draw, ReproducesTheContractsVectors) {
  auto vectors =
      boost::json::parse(read_file(GELOMBANG_SOURCE_DIR "/tests/actors/wave/draw-vectors.json"));
  ASSERT_EQ(vectors.as_array().size(), 4u);
  for (const auto& vector : vectors.as_array()) {
    const auto& json = vector.as_object();
    auto name = field(json, "name");
    auto expected_csv = csv_of(json.at("entries").as_array());
    auto expected = read_summary(boost::json::serialize(json.at("summary")));
    ASSERT_TRUE(expected) << name << ": " << expected.error();
    auto roster = roster_of(expected_csv);
    std::shuffle(roster.begin(), roster.end(), std::mt19937_64{1});
    temporary_directory directory;
    auto committed = commit(directory.path(), roster, parameters_of(*expected), 2);
    ASSERT_TRUE(committed) << name << ": " << committed.error().detail;
    EXPECT_EQ(committed->roster_root, expected->roster_root) << name;
    auto drawn =
        run(directory.path(), expected->drawn->beacon_value, expected->drawn->operator_secret, 2);
    ASSERT_TRUE(drawn) << name << ": " << drawn.error().detail;
    EXPECT_EQ(*drawn, *expected) << name;
    EXPECT_EQ(boost::json::parse(to_json(*drawn)), json.at("summary")) << name;
    auto files = draw_files::open(directory.path());
    ASSERT_TRUE(files) << name << ": " << files.error().detail;
    EXPECT_EQ(std::string(entries_header) + files->rows(0, 1000), expected_csv) << name;
  }
}

TEST(Draw, AgreesWithTheContractReadWordByWord) {
  for (std::uint64_t seed = 0; seed < 250; ++seed) {
    auto sample = make_sample(seed, seed % 83);
    auto expected = reference::draw(sample.roster, sample.given, sample.beacon, sample.secret);
    temporary_directory directory;
    auto committed = commit(directory.path(), sample.roster, sample.given, 2);
    ASSERT_TRUE(committed) << seed << ": " << committed.error().detail;
    auto drawn = run(directory.path(), sample.beacon, sample.secret, 2);
    ASSERT_TRUE(drawn) << seed << ": " << drawn.error().detail;
    ASSERT_EQ(to_hex(drawn->roster_root), expected.root) << seed;
    ASSERT_EQ(to_hex(drawn->drawn->seed), expected.seed) << seed;
    auto json = to_json(*drawn);
    ASSERT_EQ(json.substr(json.find("\"regions\"")), reference::regions_json(expected)) << seed;
    auto files = draw_files::open(directory.path()).value();
    ASSERT_EQ(std::string(entries_header) + files.rows(0, 1000), reference::csv(expected)) << seed;
  }
}

std::vector<std::string> files_of_draw(const std::filesystem::path& directory) {
  std::vector<std::string> bytes;
  for (auto name : {"roster.bin", "tree.bin", "committed.json", "verdicts.bin", "drawn.json"}) {
    bytes.push_back(read_file(directory / name));
  }
  return bytes;
}

TEST(Draw, IsTheSameOnAnyNumberOfThreadsInAnyOrderOfArrivalAndRepeated) {
  for (std::uint64_t seed = 1000; seed < 1020; ++seed) {
    auto sample = make_sample(seed, 1500);
    std::optional<std::vector<std::string>> first;
    for (unsigned threads : {1u, 2u, 3u, 8u}) {
      std::shuffle(sample.roster.begin(), sample.roster.end(), std::mt19937_64{threads});
      temporary_directory directory;
      for (int repeated = 0; repeated < 2; ++repeated) {
        ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, threads));
        ASSERT_TRUE(run(directory.path(), sample.beacon, sample.secret, threads));
      }
      auto bytes = files_of_draw(directory.path());
      if (!first) first = bytes;
      ASSERT_EQ(bytes, *first) << seed << " on " << threads << " threads";
    }
  }
}

TEST(Draw, FillsEverySeatAndNoFamilyTwiceOver) {
  for (std::uint64_t seed = 2000; seed < 2040; ++seed) {
    auto sample = make_sample(seed, 800);
    temporary_directory directory;
    auto committed = commit(directory.path(), sample.roster, sample.given, 1).value();
    auto drawn = run(directory.path(), sample.beacon, sample.secret, 1).value();
    std::uint64_t seats = 0, usable = 0;
    for (const auto& region : drawn.regions) {
      EXPECT_EQ(region.accepted, region.seats);
      EXPECT_LE(region.seats, region.usable);
      seats += region.seats;
      usable += region.usable;
    }
    EXPECT_EQ(seats, std::min<std::uint64_t>(sample.given.quota, usable)) << "no place is wasted";
    std::map<std::uint64_t, int> accepted;
    std::set<entry_id> visited;
    draw_files::open(directory.path())->for_each_accepted([&](const roster_entry& entry) {
      visited.insert(entry.id);
      EXPECT_LE(++accepted[entry.family], entry.family_room);
    });
    EXPECT_EQ(visited.size(), seats);
  }
}

TEST(Draw, ShowsBeforeItWhatIsCommittedAndNothingElse) {
  auto sample = make_sample(7, 60);
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  auto files = draw_files::open(directory.path()).value();
  EXPECT_FALSE(files.is_drawn());
  auto json = boost::json::parse(to_json(files.published())).as_object();
  for (auto unknown : {"beacon_value", "operator_secret", "seed"}) {
    EXPECT_TRUE(json.at(unknown).is_null()) << unknown;
  }
  for (const auto& region : json.at("regions").as_array()) {
    EXPECT_TRUE(region.as_object().at("accepted").is_null());
    EXPECT_TRUE(region.as_object().at("cutoff").is_null());
    EXPECT_TRUE(region.as_object().at("seats").is_int64());
  }
  auto row = files.rows(0, 1);
  EXPECT_TRUE(row.ends_with(",,,\n")) << row;
  EXPECT_EQ(read_summary(to_json(files.published())), files.published());
}

TEST(Draw, RefusesAnotherSecretAndNoBeacon) {
  auto sample = make_sample(8, 60);
  temporary_directory directory;
  auto early = run(directory.path(), sample.beacon, sample.secret, 1);
  EXPECT_EQ(early.error().code, errc::draw_not_published);
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 1));
  EXPECT_EQ(run(directory.path(), sample.beacon, "another", 1).error().code, errc::secret_mismatch);
  EXPECT_EQ(run(directory.path(), sample.beacon, "", 1).error().code, errc::secret_mismatch);
  EXPECT_EQ(run(directory.path(), "", sample.secret, 1).error().code, errc::beacon_invalid);
  EXPECT_EQ(run(directory.path(), std::string(beacon_value_bytes_max + 1, 'x'), sample.secret, 1)
                .error()
                .code,
            errc::beacon_invalid);
  EXPECT_FALSE(draw_files::open(directory.path())->is_drawn());
  EXPECT_TRUE(run(directory.path(), std::string(beacon_value_bytes_max, 'x'), sample.secret, 1));
}

TEST(Draw, RefusesARosterThatCannotBe) {
  auto refused_for = [](auto change) {
    auto sample = make_sample(9, 40);
    change(sample);
    temporary_directory directory;
    auto committed = commit(directory.path(), sample.roster, sample.given, 2);
    EXPECT_FALSE(std::filesystem::exists(directory / "committed.json"));
    return committed ? errc::ok : committed.error().code;
  };
  EXPECT_EQ(refused_for([](sample& s) { s.roster[3].id = s.roster[4].id; }), errc::internal);
  EXPECT_EQ(refused_for([](sample& s) { s.roster[3].family_room = 0; }), errc::internal);
  EXPECT_EQ(refused_for([](sample& s) { s.roster[3].family_room = 3; }), errc::internal);
  EXPECT_EQ(refused_for([](sample& s) {
              s.roster[3].region = region_code{9999};
              s.roster[3].family = 123456789;
            }),
            errc::region_unknown);
  EXPECT_EQ(refused_for([](sample& s) {
              s.roster[3].region = region_code{60000};
              s.roster[3].family = 123456789;
            }),
            errc::region_unknown);
  EXPECT_EQ(refused_for([](sample& s) {
              s.given.weights.push_back({region_code{9999}, 1});
              s.roster[3].family = s.roster[4].family;
              s.roster[3].region = region_code{9999};
            }),
            errc::family_region_mismatch);
}

TEST(Draw, GivesAFamilyTheSmallestRoomThatItsEntriesSay) {
  auto sample = make_sample(10, 40);
  sample.given.quota = 40;
  for (std::size_t i = 0; i < 4; ++i) {
    sample.roster[i].family = 99;
    sample.roster[i].region = sample.given.weights[0].region;
    sample.roster[i].family_room = i == 2 ? 1 : 2;
  }
  temporary_directory directory;
  ASSERT_TRUE(commit(directory.path(), sample.roster, sample.given, 2));
  ASSERT_TRUE(run(directory.path(), sample.beacon, sample.secret, 2));
  auto files = draw_files::open(directory.path()).value();
  int accepted = 0;
  for (std::uint32_t i = 0; i < files.roster().size(); ++i) {
    if (files.roster()[i].family != 99) continue;
    EXPECT_EQ(files.roster()[i].family_room, 1);
    accepted += files.verdict_of(i).outcome() == outcome::accepted;
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_TRUE(files.check(2));
}

TEST(Draw, RefusesParametersThatCannotBe) {
  auto refused_for = [](auto change) {
    auto given = make_sample(11, 10).given;
    given.groups = {{"a", 0, 100}, {"b", 1, 100}};
    change(given);
    auto checked = check(given);
    return checked ? errc::ok : checked.error().code;
  };
  EXPECT_EQ(refused_for([](parameters&) {}), errc::ok);
  EXPECT_EQ(refused_for([](parameters& p) { p.wave = {}; }), errc::wave_unknown);
  EXPECT_EQ(refused_for([](parameters& p) { p.quota = quota_max; }), errc::ok);
  EXPECT_EQ(refused_for([](parameters& p) { p.quota = quota_max + 1; }), errc::quota_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.minimum_per_region = quota_max + 1; }),
            errc::quota_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.weights[0].weight = weight_max; }), errc::ok);
  EXPECT_EQ(refused_for([](parameters& p) { p.weights[0].weight = weight_max + 1; }),
            errc::quota_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.weights.push_back(p.weights[0]); }),
            errc::region_unknown);
  EXPECT_EQ(refused_for([](parameters& p) {
              p.weights.push_back({region_code{10000}, 1});
            }),
            errc::region_unknown);
  EXPECT_EQ(refused_for([](parameters& p) { p.beacon_source = ""; }), errc::beacon_invalid);
  EXPECT_EQ(refused_for([](parameters& p) {
              p.beacon_source = std::string(beacon_source_bytes_max + 1, 'x');
            }),
            errc::beacon_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].name = "a"; }), errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].name = ""; }), errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].name = "a\n"; }), errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) {
              p.groups[1].name = std::string(group_name_bytes_max + 1, 'x');
            }),
            errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].bit = 0; }), errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].bit = 32; }), errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].share_permille = 900; }), errc::ok);
  EXPECT_EQ(refused_for([](parameters& p) { p.groups[1].share_permille = 901; }),
            errc::groups_invalid);
  EXPECT_EQ(refused_for([](parameters& p) {
              p.groups.clear();
              for (std::uint8_t i = 0; i <= groups_max; ++i) p.groups.push_back({"g", i, 0});
            }),
            errc::groups_invalid);
}

TEST(Quota, ServesTheHeaviestFirstWhenTheMinimumIsTooMuch) {
  std::vector<region_demand> regions = {
      {region_code{1101}, 5, 10}, {region_code{1102}, 9, 10}, {region_code{1103}, 5, 10}};
  EXPECT_EQ(spread_seats(regions, 7, 4), (std::vector<std::uint32_t>{3, 4, 0}));
  EXPECT_EQ(spread_seats(regions, 0, 4), (std::vector<std::uint32_t>{0, 0, 0}));
}

TEST(Quota, ComparesQuotientsExactly) {
  // 3/1 against 9/3 and so on: equal quotients go to the lower code, whatever a division would say.
  std::vector<region_demand> regions = {{region_code{1101}, weight_max / 3, 100},
                                        {region_code{1102}, weight_max / 3 * 3, 100}};
  EXPECT_EQ(spread_seats(regions, 1, 0), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(spread_seats(regions, 2, 0), (std::vector<std::uint32_t>{1, 1}));
  regions[0].weight -= 1;
  EXPECT_EQ(spread_seats(regions, 2, 0), (std::vector<std::uint32_t>{0, 2}));
}

TEST(Quota, LetsARegionWithoutWeightHaveWhatNobodyElseCanUse) {
  std::vector<region_demand> regions = {{region_code{1101}, 0, 5}, {region_code{1102}, 7, 2}};
  EXPECT_EQ(spread_seats(regions, 2, 0), (std::vector<std::uint32_t>{0, 2}));
  EXPECT_EQ(spread_seats(regions, 9, 0), (std::vector<std::uint32_t>{5, 2}));
}

TEST(Merkle, GivesTheRootAndPathsOfTheRfc) {
  for (std::size_t size : {0u, 1u, 2u, 3u, 7u, 15u, 16u, 17u, 31u, 32u, 33u, 100u, 255u, 257u}) {
    auto roster = make_sample(size, size).roster;
    ASSERT_TRUE(sort_roster(roster, 1));
    std::vector<std::string> leaves;
    for (const auto& entry : roster) {
      std::array<char, committed_bytes_max> text;
      leaves.emplace_back(text.data(), write_committed(text.data(), entry));
    }
    auto nodes = tree::build(roster, 2);
    ASSERT_EQ(nodes.size(), tree::nodes_count(size));
    auto root = tree::root(nodes);
    ASSERT_EQ(to_hex(root), reference::hex(reference::merkle_tree_hash(leaves))) << size;
    for (std::size_t index = 0; index < size; ++index) {
      auto proof = tree::prove(nodes, roster, index);
      auto expected = reference::path(index, leaves);
      ASSERT_EQ(proof.size(), expected.size());
      for (std::size_t i = 0; i < proof.size(); ++i) {
        ASSERT_EQ(to_hex(proof[i]), reference::hex(expected[i])) << size << " " << index;
      }
      ASSERT_EQ(root_by_proof(leaf_of(roster[index]), index, size, proof), root);
    }
  }
}

TEST(Merkle, ProvesNothingElse) {
  auto roster = make_sample(3, 37).roster;
  ASSERT_TRUE(sort_roster(roster, 1));
  auto nodes = tree::build(roster, 1);
  auto root = tree::root(nodes);
  auto proof = tree::prove(nodes, roster, 20);
  auto leaf = leaf_of(roster[20]);
  EXPECT_NE(root_by_proof(leaf_of(roster[21]), 20, 37, proof), root);
  EXPECT_NE(root_by_proof(leaf, 21, 37, proof), root);
  EXPECT_EQ(root_by_proof(leaf, 37, 37, proof), std::nullopt);
  auto longer = proof;
  longer.push_back(root);
  EXPECT_EQ(root_by_proof(leaf, 20, 37, longer), std::nullopt);
  for (std::size_t i = 0; i < proof.size(); ++i) {
    auto touched = proof;
    touched[i][0] ^= 1;
    EXPECT_NE(root_by_proof(leaf, 20, 37, touched), root);
  }
  proof.pop_back();
  EXPECT_EQ(root_by_proof(leaf, 20, 37, proof), std::nullopt);
}

}  // namespace
}  // namespace gelombang::draw
