#include "actors/programme/nik.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gelombang {
namespace {

TEST(Nik, KnowsItsBirthDateAndSex) {
  auto man = nik::parse("3201151708900001");
  ASSERT_TRUE(man);
  EXPECT_TRUE(man->matches(*parse_date("1990-08-17")));
  EXPECT_FALSE(man->matches(*parse_date("1990-08-18")));
  EXPECT_FALSE(man->matches(*parse_date("1990-09-17")));
  EXPECT_FALSE(man->matches(*parse_date("1991-08-17")));
  EXPECT_EQ(man->sex(), sex::man);
  auto woman = nik::parse("3201155708900001");
  ASSERT_TRUE(woman);
  EXPECT_TRUE(woman->matches(*parse_date("1990-08-17")));
  EXPECT_EQ(woman->sex(), sex::woman);
}

TEST(Nik, LeavesTheCenturyToTheDeclaredDate) {
  auto number = nik::parse("3201150101050001");
  ASSERT_TRUE(number);
  EXPECT_TRUE(number->matches(*parse_date("2005-01-01")));
  EXPECT_TRUE(number->matches(*parse_date("1905-01-01")));
}

TEST(Nik, TakesALeapDayOfEitherCentury) {
  EXPECT_TRUE(nik::parse("3201152902000001"));
  EXPECT_TRUE(nik::parse("3201156902960001"));
  EXPECT_FALSE(nik::parse("3201152902950001"));
}

TEST(Nik, RefusesWhatDoesNotHaveItsStructure) {
  struct bad {
    const char* digits;
    const char* why;
  };
  for (auto [digits, why] : {
           bad{"", "empty"},
           {"320115170890000", "15 digits"},
           {"32011517089000011", "17 digits"},
           {"320115170890000a", "a letter"},
           {" 201151708900001", "a blank"},
           {"0901151708900001", "province 09"},
           {"1001151708900001", "province 10"},
           {"3200151708900001", "regency 00"},
           {"3270151708900001", "regency 70"},
           {"3201001708900001", "district 00"},
           {"3201150008900001", "day 00"},
           {"3201153208900001", "day 32"},
           {"3201154008900001", "day 40 is no woman's day 0"},
           {"3201157208900001", "day 72"},
           {"3201151700900001", "month 00"},
           {"3201151713900001", "month 13"},
           {"3201153102900001", "31 February"},
           {"3201153104900001", "31 April"},
           {"3201151708900000", "serial 0000"},
       }) {
    auto parsed = nik::parse(digits);
    ASSERT_FALSE(parsed) << why;
    EXPECT_EQ(parsed.error().code, errc::nik_invalid) << why;
  }
}

TEST(Nik, TakesRegenciesAndCitiesThatNoLongerExist) {
  EXPECT_TRUE(nik::parse("5471011708900001"));
  EXPECT_TRUE(nik::parse("3269011708900001"));
  EXPECT_TRUE(nik::parse("3299011708900001"));
}

TEST(Nik, IsMaskedWhereverItIsPrinted) {
  auto number = nik::parse("3201151708900001").value();
  EXPECT_EQ(number.masked(), "3201••••••••0001");
  EXPECT_EQ(fmt::format("{}", number), "3201••••••••0001");
  EXPECT_EQ(fmt::format("{:>20}|", number), "    3201••••••••0001|");
}

std::string random_digits(std::mt19937_64& random, std::size_t count) {
  std::string digits(count, '0');
  for (auto& digit : digits) digit = static_cast<char>('0' + random() % 10);
  return digits;
}

TEST(Nik, NeverLetsTheBirthDateThroughTheMask) {
  std::mt19937_64 random{3};
  int parsed_count = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto digits = random_digits(random, 16);
    auto parsed = nik::parse(digits);
    if (!parsed) continue;
    ++parsed_count;
    ASSERT_EQ(parsed->digits(), digits);
    auto printed = fmt::format("{}", *parsed);
    auto shown =
        std::count_if(printed.begin(), printed.end(), [](char c) { return c >= '0' && c <= '9'; });
    ASSERT_EQ(shown, 8) << printed;
  }
  EXPECT_GT(parsed_count, 1000);
}

TEST(Nik, AndFamilyCardTakeAnyBytesWithoutHarm) {
  std::mt19937_64 random{4};
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes(random() % 20, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    auto has_only_digits =
        std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= '0' && c <= '9'; });
    auto may_parse = bytes.size() == 16 && has_only_digits;
    ASSERT_TRUE(may_parse || (!nik::parse(bytes) && !kk::parse(bytes)));
  }
}

TEST(FamilyCard, IsSixteenDigitsOfAPlausibleRegion) {
  auto card = kk::parse("3201150101200003");
  ASSERT_TRUE(card);
  EXPECT_EQ(card->digits(), "3201150101200003");
  EXPECT_EQ(fmt::format("{}", *card), "3201••••••••0003");
  for (auto digits : {"", "320115010120000", "32011501012000033", "320115010120000x",
                      "0001150101200003", "3200150101200003", "3270150101200003"}) {
    auto refused = kk::parse(digits);
    ASSERT_FALSE(refused) << digits;
    EXPECT_EQ(refused.error().code, errc::kk_invalid);
  }
}

}  // namespace
}  // namespace gelombang
