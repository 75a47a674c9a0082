#include "load-tests/replay/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "load-tests/replay/crowd.hpp"

namespace gelombang::load::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const timetable& history() {
  static const auto read =
      load_timetable(GELOMBANG_SOURCE_DIR "/load-tests/replay/timetable.toml").value();
  return read;
}

constexpr std::string_view head = R"(years_later = 5
scheme = "semi-social-aid-2020"
[funnel]
verified = 739
identified = 437
profiled = 370
ready = 350
)";

std::string file_of(std::string_view steps) {
  return std::string{head} + std::string{steps};
}

constexpr std::string_view one_wave = R"(
[[step]]
do = "accounts"
day = "2020-04-11"
accounts = 10_000
[[step]]
do = "open"
day = "2020-04-11"
until = "2020-04-13"
wave = 1
places = 100
[[step]]
do = "join"
day = "2020-04-12"
joins = 1_000
[[step]]
do = "close"
day = "2020-04-13"
)";

TEST(Apportion, AddsUpAndGivesTheRestToTheLargestRemainders) {
  const std::vector<std::uint64_t> weights{1, 1, 1}, uneven{7, 2, 1};
  EXPECT_THAT(apportion(weights, 10), ElementsAre(4, 3, 3));
  EXPECT_THAT(apportion(weights, 0), ElementsAre(0, 0, 0));
  EXPECT_THAT(apportion(uneven, 5), ElementsAre(4, 1, 0));
  EXPECT_THAT(apportion(uneven, 10), ElementsAre(7, 2, 1));
  // Products beyond 64 bits.
  const std::vector<std::uint64_t> large{1ull << 62, 1ull << 62};
  EXPECT_THAT(apportion(large, (1ull << 62) + 1), ElementsAre((1ull << 61) + 1, 1ull << 61));
}

TEST(Timetable, HasThePublicFigures) {
  const auto all = scaled(history(), 1);
  ASSERT_TRUE(all) << all.error();
  EXPECT_EQ(all->people(), 86'000'000u);
  EXPECT_EQ(all->waves(), 22u);
  EXPECT_EQ(all->cohorts.front().size(), 1'432'133u);
  EXPECT_EQ(all->total(act::verify), 63'554'000u);
  EXPECT_EQ(all->total(act::identity), 37'582'000u);
  std::uint64_t in_2020 = 0, in_2021 = 0, first_day = 0;
  std::uint32_t joined_in_8 = 0, places_of_8 = 0;
  for (const auto& one : all->steps) {
    if (one.what == deed::open) (one.wave <= 11 ? in_2020 : in_2021) += one.places;
    if (one.what == deed::open && one.wave == 8) places_of_8 += one.places;
    if (one.what == deed::join && one.wave == 8) joined_in_8 += one.joins;
    if (one.what == deed::join && first_day == 0) first_day = one.joins;
  }
  EXPECT_EQ(in_2020, 5'500'000u);
  EXPECT_EQ(in_2021, 5'900'000u);
  EXPECT_EQ(joined_in_8, 4'700'000u);
  EXPECT_EQ(places_of_8, 800'000u);
  EXPECT_EQ(first_day, 77'335u);
}

TEST(Timetable, KeepsItsSumsAtEveryScale) {
  for (const double scale : {0.0002, 0.001, 0.01, 0.123}) {
    const auto all = scaled(history(), scale);
    ASSERT_TRUE(all) << scale << ": " << all.error();
    const auto people = static_cast<std::uint64_t>(std::llround(86e6 * scale));
    EXPECT_EQ(all->people(), people) << scale;
    EXPECT_EQ(all->total(act::verify), (people * 739 + 500) / 1000) << scale;
    EXPECT_EQ(all->total(act::assessment), (people * 350 + 500) / 1000) << scale;
    std::uint64_t places = 0;
    for (const auto& one : all->steps) places += one.what == deed::open ? one.places : 0;
    EXPECT_EQ(places, static_cast<std::uint64_t>(std::llround(11.4e6 * scale))) << scale;
  }
}

TEST(Timetable, SaysWhichScaleItCannotHave) {
  for (const double scale : {0.0, -1.0, 1.1, 1e-9, 1e-6}) {
    const auto all = scaled(history(), scale);
    EXPECT_FALSE(all) << scale;
  }
}

TEST(Timetable, RefusesAHistoryThatCannotHaveBeen) {
  ASSERT_TRUE(timetable_in(file_of(one_wave), "t"));
  const auto without = [](std::string text, std::string_view what, std::string_view instead) {
    text.replace(text.find(what), what.size(), instead);
    return text;
  };
  const auto good = file_of(one_wave);
  const std::pair<std::string, std::string> wrong[] = {
      {without(good, "ready = 350", "ready = 371"), "funnel.ready"},
      {without(good, "ready = 350", "ready = 350\nwilling = 3"), "funnel.willing"},
      {without(good, "accounts = 10_000", "accounts = 0"), "step 1: accounts"},
      {without(good, "accounts = 10_000", ""), "step 1: accounts is missing"},
      {without(good, "wave = 1", "wave = 2"), "step 2: wave"},
      {without(good, "until = \"2020-04-13\"", "until = \"2020-04-11\""), "step 2: until"},
      {without(good, "day = \"2020-04-12\"", "day = \"2020-04-10\""), "step 3: day"},
      {without(good, "day = \"2020-04-12\"", "day = \"2020-02-30\""), "step 3: day"},
      {without(good, "joins = 1_000", "joins = 1_000\nrate = 1.5"), "step 3: rate"},
      {without(good, "do = \"close\"", "do = \"end\""), "step 4: do"},
      {without(good, "do = \"close\"", "do = "), "t:"},
      {file_of({one_wave.substr(0, one_wave.rfind("[[step]]"))}), "not closed"},
      {std::string{head}, "step is missing"}};
  for (const auto& [text, why] : wrong) {
    const auto read = timetable_in(text, "t");
    ASSERT_FALSE(read) << why;
    EXPECT_THAT(read.error(), HasSubstr(why));
  }
}

TEST(Timetable, IsOfTheFileItWasReadFrom) {
  const auto one = timetable_in(file_of(one_wave), "t"),
             same = timetable_in(file_of(one_wave), "u"),
             other = timetable_in(file_of(one_wave) + "# later\n", "t");
  ASSERT_TRUE(one && same && other);
  EXPECT_EQ(one->digest, same->digest);
  EXPECT_NE(one->digest, other->digest);
  EXPECT_FALSE(load_timetable("/no/such.toml"));
}

TEST(Plan, KnowsWhenMoreJoinThanThereAre) {
  auto text = file_of(one_wave);
  const std::string_view joins = "joins = 1_000";
  text.replace(text.find(joins), joins.size(), "joins = 3_501");
  const auto read = timetable_in(text, "t");
  ASSERT_TRUE(read) << read.error();
  const auto all = scaled(*read, 1);
  ASSERT_FALSE(all);
  EXPECT_THAT(all.error(), HasSubstr("step 3"));
}

TEST(Crowd, HasAsManyAtEachStageAsThePlanSays) {
  const auto all = scaled(history(), 0.001).value();
  const crowd who{all};
  std::vector<std::array<std::uint64_t, funnel_acts>> counts(all.cohorts.size());
  for (std::uint64_t number = 1; number <= all.people(); ++number)
    for (std::size_t done = 0; done < who.acts_of(number); ++done)
      ++counts[who.cohort_of(number)][done];
  for (std::size_t i = 0; i < counts.size(); ++i) EXPECT_EQ(counts[i], all.cohorts[i].counts) << i;
}

TEST(Crowd, IsAskedInTheOrderOfItsNumbersFromAnyPlaceOn) {
  const auto all = scaled(history(), 0.0005).value();
  const crowd who{all};
  const auto numbers = [&](std::uint64_t from) {
    doers those{who, act::identity, from, 5000};
    std::vector<std::uint64_t> found;
    while (const auto one = those.next()) found.push_back(*one);
    return found;
  };
  const auto everybody = numbers(1);
  ASSERT_FALSE(everybody.empty());
  EXPECT_TRUE(std::is_sorted(everybody.begin(), everybody.end()));
  const auto later = numbers(everybody[100]);
  EXPECT_EQ(later, (std::vector<std::uint64_t>{everybody.begin() + 100, everybody.end()}));
}

class Joiners : public testing::Test {
protected:
  std::vector<std::uint64_t> those_of(const step& which, std::uint64_t from = 1) {
    joiners those{who_, who_.joined(), which};
    those.skip_to(from);
    std::vector<std::uint64_t> found;
    while (const auto one = those.next()) found.push_back(*one);
    return found;
  }

  plan all_ = scaled(history(), 0.001).value();
  crowd who_{all_};
};

TEST_F(Joiners, AreExactlyAsManyAsPlannedInEveryWave) {
  std::uint64_t members = 0;
  for (const auto& one : all_.steps) {
    if (one.what == deed::join) {
      const auto those = those_of(one);
      EXPECT_EQ(those.size(), one.joins) << "wave " << one.wave;
      for (const auto number : those) {
        ASSERT_TRUE(who_.is_ready(number));
        ASSERT_LE(number, one.accounts_so_far);
        ASSERT_FALSE(who_.members().at(number));
        who_.joined().set(number);
      }
    }
    if (one.what != deed::close) continue;
    // The first of them are accepted.
    std::uint64_t left = one.places;
    for (std::uint64_t number = 1; left > 0 && number <= all_.people(); ++number)
      if (who_.joined().at(number)) who_.members().set(number), --left;
    members += one.places;
    who_.joined().clear();
  }
  EXPECT_EQ(who_.members().count(), members);
}

TEST_F(Joiners, GoOnWhereTheyWereLeft) {
  const auto& first = *std::find_if(all_.steps.begin(), all_.steps.end(),
                                    [](const step& one) { return one.what == deed::join; });
  const auto everybody = those_of(first);
  const auto later = those_of(first, everybody[40]);
  EXPECT_EQ(later, (std::vector<std::uint64_t>{everybody.begin() + 40, everybody.end()}));
  EXPECT_TRUE(those_of(first, UINT64_MAX).empty());
}

TEST(Bits, AreKeptAndRefusedWhenTheyAreOfOthers) {
  bits one{1000}, same{1000}, others{1001};
  one.set(1);
  one.set(64);
  one.set(1000);
  EXPECT_EQ(one.count(), 3u);
  ASSERT_TRUE(same.read(one.text()));
  EXPECT_TRUE(same.at(1) && same.at(64) && same.at(1000));
  EXPECT_EQ(same.count(), 3u);
  EXPECT_FALSE(others.read(one.text()));
  EXPECT_FALSE(same.read(one.text().substr(1)));
  EXPECT_FALSE(same.read(""));
}

}  // namespace
}  // namespace gelombang::load::replay
