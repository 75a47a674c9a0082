#include "actors/wave/shelf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "tests/actors/wave/small_draw.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::wave {
namespace {

using storage::testing::temporary_directory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class Bytes>
std::string text(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// A wave that has been drawn, and its files.
class Shelf : public ::testing::Test {
protected:
  void SetUp() override {
    const auto given = draw::testing::parameters_for_three({7}, 2, secret);
    const auto committed = draw::commit(folder_, draw::testing::roster_of_three(), given, 1);
    ASSERT_TRUE(committed);
    wave_ = draw::testing::committed_state(given, *committed);
    write(std::string{owners_name}, std::string(24, 'o'));
  }

  void draw_it() {
    const auto drawn = draw::run(folder_, beacon, secret, 1);
    ASSERT_TRUE(drawn);
    wave_.set_phase(wire::DRAWN);
    auto& result = *wave_.mutable_result();
    result.set_beacon_value(beacon);
    result.set_operator_secret(secret);
    result.set_seed(text(drawn->drawn->seed));
    result.set_accepted(2);
    result.set_summary_sha256(text(sha256(draw::to_json(*drawn))));
  }

  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream{folder_ / name, std::ios::binary | std::ios::trunc} << bytes;
  }
  std::string read(const std::string& name) const {
    std::ifstream in{folder_ / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

  /// What is said of the files now.
  std::string complaint() const {
    const auto sound = shelf_.check(wave_);
    if (sound) return {};
    EXPECT_EQ(sound.error().code, errc::draw_damaged) << sound.error().detail;
    EXPECT_EQ(sound.error().detail.find(where_.path().string()), std::string::npos)
        << "it is shown to everybody";
    return sound.error().detail;
  }

  static constexpr const char* beacon = "randomness";
  static constexpr const char* secret = "our secret";
  const temporary_directory where_;
  const shelf shelf_{where_.path() / "draws"};
  const std::filesystem::path folder_ = shelf_.folder_of({7});
  wire::State wave_;
};

TEST_F(Shelf, FilesAsTheyWereMadeAgreeAtEachStage) {
  EXPECT_EQ(complaint(), "");
  draw_it();
  EXPECT_EQ(complaint(), "");
  EXPECT_FALSE(shelf_.open(wave_, draw::stage::committed)->is_drawn());
  EXPECT_TRUE(shelf_.open(wave_, draw::stage::drawn)->is_drawn());
  EXPECT_TRUE(shelf_.check(wire::State{})) << "nothing is committed, nothing need be there";
}

TEST_F(Shelf, AFileThatIsGoneIsNamed) {
  draw_it();
  for (const auto* name :
       {"roster.bin", "tree.bin", "committed.json", "owners.bin", "verdicts.bin", "drawn.json"}) {
    const auto whole = read(name);
    std::filesystem::remove(folder_ / name);
    EXPECT_THAT(complaint(), HasSubstr(std::string{"wave-7/"} + name + ": is not there"));
    const auto stage =
        std::string_view{name} == "verdicts.bin" || std::string_view{name} == "drawn.json"
            ? draw::stage::drawn
            : draw::stage::committed;
    EXPECT_THAT(shelf_.missing({7}, stage), ElementsAre(name));
    write(name, whole);
  }
  EXPECT_THAT(shelf_.missing({7}, draw::stage::committed), IsEmpty());
  EXPECT_EQ(complaint(), "");
}

TEST_F(Shelf, EveryWordOfASummaryIsTheOnePublished) {
  draw_it();
  const std::pair<const char*, std::pair<const char*, const char*>> changes[] = {
      {"committed.json", {"\"seats\":2", "\"seats\":1"}},
      {"committed.json", {"\"quota\":2", "\"quota\":3"}},
      {"committed.json", {"\"weight\":10", "\"weight\":11"}},
      {"drawn.json", {"\"weight\":10", "\"weight\":11"}},
      {"drawn.json", {"\"accepted\":2", "\"accepted\":1"}},
      {"drawn.json", {"drand", "dice!"}}};
  for (const auto& [name, change] : changes) {
    const auto whole = read(name);
    auto other = whole;
    const auto at = other.find(change.first);
    ASSERT_NE(at, std::string::npos) << change.first;
    write(name, other.replace(at, std::string_view{change.first}.size(), change.second));
    EXPECT_THAT(complaint(), HasSubstr(std::string{"wave-7/"} + name)) << change.second;
    write(name, whole);
  }
  EXPECT_EQ(complaint(), "");
}

TEST_F(Shelf, WavesOfBeforeTheDigestWasKeptAreComparedByMember) {
  draw_it();
  wave_.mutable_commitment()->clear_summary_sha256();
  wave_.mutable_result()->clear_summary_sha256();
  EXPECT_EQ(complaint(), "");
  const std::pair<const char*, std::function<void(wire::State&)>> changes[] = {
      {"entries", [](auto& wave) { wave.mutable_commitment()->set_entries(2); }},
      {"roster_root", [](auto& wave) { wave.mutable_commitment()->set_roster_root("other"); }},
      {"quota", [](auto& wave) { wave.mutable_plan()->set_quota(3); }},
      {"minimum_per_region", [](auto& wave) { wave.mutable_plan()->set_minimum_per_region(1); }},
      {"beacon_source", [](auto& wave) { wave.mutable_commitment()->set_beacon_source("dice"); }},
      {"beacon_round", [](auto& wave) { wave.mutable_commitment()->set_beacon_round(1); }},
      {"operator_secret_hash",
       [](auto& wave) { wave.mutable_commitment()->set_operator_secret_hash("other"); }},
      {"beacon_value", [](auto& wave) { wave.mutable_result()->set_beacon_value("other"); }},
      {"operator_secret", [](auto& wave) { wave.mutable_result()->set_operator_secret("other"); }},
      {"seed", [](auto& wave) { wave.mutable_result()->set_seed("other"); }},
      {"accepted", [](auto& wave) { wave.mutable_result()->set_accepted(1); }}};
  for (const auto& [member, change] : changes) {
    const auto before = wave_;
    change(wave_);
    EXPECT_THAT(complaint(), HasSubstr(std::string{member} + " is not what the journal has"));
    wave_ = before;
  }
}

TEST_F(Shelf, OwnersAreAsManyAsEntries) {
  for (const auto& other : {std::string{}, std::string(23, 'o'), std::string(32, 'o')}) {
    write("owners.bin", other);
    EXPECT_THAT(complaint(), HasSubstr("owners.bin: has not one owner for each entry"));
  }
}

TEST_F(Shelf, WhatTheJournalDoesNotKnowIsNamed) {
  EXPECT_EQ(shelf_.ahead(wave_), std::nullopt);
  const auto committed = wave_;
  draw_it();
  EXPECT_EQ(shelf_.ahead(wave_), std::nullopt);
  EXPECT_THAT(shelf_.ahead(committed).value_or(""), HasSubstr("wave-7/drawn.json"));
  wire::State closed;
  closed.set_number(7);
  EXPECT_THAT(shelf_.ahead(closed).value_or(""), HasSubstr("wave-7/drawn.json"));
  std::filesystem::remove(folder_ / "drawn.json");
  EXPECT_THAT(shelf_.ahead(closed).value_or(""), HasSubstr("wave-7/committed.json"));
  closed.set_number(8);
  EXPECT_EQ(shelf_.ahead(closed), std::nullopt);
}

}  // namespace
}  // namespace gelombang::wave
