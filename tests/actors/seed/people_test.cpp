#include "actors/seed/people.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "actors/programme/email.hpp"
#include "actors/programme/phone.hpp"

namespace gelombang::seed {
namespace {

constexpr std::uint64_t many = 200'000;

bool same(const person& left, const person& right) {
  return left.email == right.email && left.full_name == right.full_name &&
         left.phone == right.phone && left.nik == right.nik && left.kk == right.kk &&
         left.birth_date == right.birth_date && left.region == right.region &&
         left.education == right.education && left.employment == right.employment &&
         left.disability == right.disability && left.returned_migrant == right.returned_migrant;
}

TEST(People, AreTheSameForTheSameSeed) {
  people once{42}, again{42}, others{43};
  int different = 0;
  for (std::uint64_t number : {1ull, 2ull, 77ull, 1'000'000ull, 409'559'040ull}) {
    EXPECT_TRUE(same(once(number), again(number)));
    different += once(number).nik != others(number).nik;
  }
  EXPECT_EQ(different, 5);
}

// Benchmarks and clusters are seeded with these people: who they are may not change.
TEST(People, AreWhoTheyWere) {
  auto first = people{1}(1);
  EXPECT_EQ(first.email, "pemohon1@contoh.id");
  EXPECT_EQ(first.full_name, "Rizki Ramadhan");
  EXPECT_EQ(first.nik.digits(), "3671010202840001");
  EXPECT_EQ(first.kk.digits(), "3671012807130001");
  EXPECT_EQ(first.phone, "+62828567666592");
}

TEST(People, AreValidAndNoTwoShareANumber) {
  people all{7};
  std::unordered_set<std::string> niks, phones;
  for (std::uint64_t number = 1; number <= many; ++number) {
    auto one = all(number);
    ASSERT_EQ(normalise_email(one.email), one.email);
    ASSERT_EQ(normalise_phone(one.phone), one.phone);
    ASSERT_TRUE(one.nik.matches(one.birth_date)) << number;
    ASSERT_TRUE(region_table::standard().find(one.region));
    ASSERT_EQ(one.kk.digits().substr(0, 4), fmt::format("{}", one.region.value));
    ASSERT_TRUE(niks.insert(std::string(one.nik.digits())).second) << number;
    ASSERT_TRUE(phones.insert(one.phone).second) << number;
  }
}

TEST(People, DoNotShareANumberHoweverFarApartTheyAre) {
  // Those whose district and serial agree: only the dates keep them apart.
  constexpr std::uint64_t same_place = 9999ull * 40;
  people all{8};
  std::set<std::string> dates, cards;
  for (std::uint64_t number = 1; number <= people_max; number += same_place) {
    auto one = all(number);
    dates.insert(std::string(one.nik.digits().substr(4)));
    cards.insert(std::string(one.kk.digits()));
  }
  EXPECT_EQ(dates.size(), people_max / same_place);
  EXPECT_EQ(cards.size(), people_max / same_place);
}

TEST(People, LiveInFamiliesOfOneToFiveWithOneCardAndOneRegion) {
  people all{9};
  struct family {
    region_code region;
    std::uint64_t last;
    int members;
  };
  std::unordered_map<std::string, family> families;
  for (std::uint64_t number = 1; number <= many; ++number) {
    auto one = all(number);
    auto card = std::string(one.kk.digits());
    auto [found, fresh] = families.try_emplace(card, family{one.region, number, 0});
    ASSERT_EQ(found->second.region, one.region);
    ASSERT_LE(number - found->second.last, 1u) << "members are neighbours by number";
    found->second.last = number;
    ++found->second.members;
  }
  std::map<int, int> sizes;
  for (const auto& [card, one] : families) ++sizes[one.members];
  EXPECT_EQ(sizes.begin()->first, 1);
  EXPECT_EQ(sizes.rbegin()->first, 5);
  for (int size = 1; size <= 5; ++size) EXPECT_GT(sizes[size], 1000) << size;
}

TEST(People, LiveWherePeopleLive) {
  people all{10};
  std::unordered_map<region_code, double> families_in;
  double families = 0;
  std::string card_before;
  for (std::uint64_t number = 1; number <= many; ++number) {
    auto one = all(number);
    if (one.kk.digits() == card_before) continue;
    card_before = one.kk.digits();
    ++families_in[one.region];
    ++families;
  }
  const auto& table = region_table::standard();
  double chi_square = 0;
  for (const auto& region : table.all()) {
    auto expected = families * region.population / static_cast<double>(table.population());
    auto off = families_in[region.code] - expected;
    chi_square += off * off / expected;
  }
  // 513 degrees of freedom: mean 513, standard deviation 32.
  EXPECT_LT(chi_square, 513 + 6 * 32);
  EXPECT_GT(chi_square, 513 - 6 * 32);
}

TEST(People, AreOfTheProgrammesAgeAndOfEveryKind) {
  people all{11};
  auto early = *parse_date("2024-08-01");
  auto late = *parse_date("2029-06-30");
  std::map<std::string_view, int> kinds;
  int disability = 0, migrants = 0, women = 0, moved = 0;
  for (std::uint64_t number = 1; number <= many; ++number) {
    auto one = all(number);
    ASSERT_GE(age_on(one.birth_date, early), 18) << format_date(one.birth_date);
    ASSERT_LE(age_on(one.birth_date, late), 64) << format_date(one.birth_date);
    ++kinds[one.education];
    ++kinds[one.employment];
    disability += one.disability;
    migrants += one.returned_migrant;
    women += one.nik.sex() == sex::woman;
    moved += one.nik.digits().substr(0, 4) != one.kk.digits().substr(0, 4);
  }
  for (auto kind : {"sd", "smp", "sma", "smk", "diploma", "sarjana", "job_seeker", "laid_off",
                    "worker", "entrepreneur"}) {
    EXPECT_GT(kinds[kind], 1000) << kind;
  }
  EXPECT_EQ(kinds.size(), 10u);
  EXPECT_NEAR(disability, many * 0.02, many * 0.002);
  EXPECT_NEAR(migrants, many * 0.01, many * 0.0015);
  EXPECT_NEAR(women, many * 0.5, many * 0.01);
  EXPECT_NEAR(moved, many * 0.1, many * 0.01);
}

}  // namespace
}  // namespace gelombang::seed
