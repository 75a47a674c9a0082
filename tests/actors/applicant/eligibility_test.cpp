#include "actors/applicant/eligibility.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "actors/applicant/profile.hpp"
#include "actors/programme/time.hpp"
#include "actors/registry/lists.hpp"
#include "tests/actors/applicant/people.hpp"

namespace gelombang::applicant {
namespace {

using namespace testing;

std::string file_text(const std::string& path) {
  std::ifstream file(std::string(GELOMBANG_SOURCE_DIR) + "/" + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

eligibility_rules stored_rules(const std::string& name) {
  return parse_eligibility(file_text("config/eligibility/" + name + ".toml"), name).value();
}

wire::State person_born(date birth) {
  wire::State state;
  state.mutable_identity()->set_birth_day(
      static_cast<std::int32_t>(std::chrono::sys_days{birth}.time_since_epoch().count()));
  state.mutable_profile()->set_employment(static_cast<std::uint32_t>(employment::job_seeker));
  state.mutable_profile()->set_education(static_cast<std::uint32_t>(education::sma));
  return state;
}

std::string reason(const wire::State& state, const eligibility_rules& rules,
                   instant opens_at = noon) {
  auto answer = check_eligibility(state, rules, opens_at);
  if (answer) return "";
  EXPECT_EQ(answer.error().code, errc::not_eligible);
  return answer.error().detail;
}

TEST(Eligibility, AgeCountsOnTheDayInJakartaOnWhichTheWaveOpens) {
  auto rules = simple_rules();
  using std::chrono::year;
  auto opening_day = year{2026} / 11 / 20;
  auto midnight = wib_time(opening_day, 0h);
  auto turns_18_that_day = person_born(year{2008} / 11 / 20);
  EXPECT_EQ(reason(turns_18_that_day, rules, midnight), "");
  EXPECT_EQ(reason(turns_18_that_day, rules, midnight - 1ms), "age_below_minimum");
  EXPECT_EQ(reason(person_born(year{1961} / 11 / 21), rules, midnight), "") << "the last day of 64";
  EXPECT_EQ(reason(person_born(year{1961} / 11 / 20), rules, midnight), "age_above_maximum");
  EXPECT_EQ(reason(person_born(year{1950} / 1 / 1), rules, midnight), "age_above_maximum");
}

TEST(Eligibility, TheSchemesFilesSayWhoIsShutOut) {
  auto aid = stored_rules("semi-social-aid-2020");
  auto normal = stored_rules("normal-2023");
  EXPECT_EQ(aid.name, "semi-social-aid-2020");
  EXPECT_EQ(normal.name, "normal-2023");
  for (const auto& rules : {aid, normal}) {
    EXPECT_EQ(rules.age_min, 18);
    EXPECT_EQ(rules.age_max, 64);
    EXPECT_EQ(rules.family_places_max, 2u);
    EXPECT_TRUE(rules.once_in_lifetime);
    auto welcome = 0;
    for (std::uint32_t number = 1; number <= 11; ++number) {
      auto state = person_born(std::chrono::year{1990} / 1 / 1);
      state.mutable_profile()->set_employment(number);
      auto name = std::string(name_of(static_cast<employment>(number)));
      auto expected = number <= 4 ? "" : "employment_" + name;
      EXPECT_EQ(reason(state, rules), expected);
      welcome += expected.empty() ? 1 : 0;
    }
    EXPECT_EQ(welcome, 4);
  }
}

TEST(Eligibility, OnlyTheAidSchemeShutsOutRecipientsOfOtherAid) {
  auto state = person_born(std::chrono::year{1990} / 1 / 1);
  state.set_lists(registry::mask_of(registry::list::social_aid));
  EXPECT_EQ(reason(state, stored_rules("semi-social-aid-2020")), "listed_social_aid");
  EXPECT_EQ(reason(state, stored_rules("normal-2023")), "");
  state.set_lists(registry::mask_of(registry::list::ministry_priority));
  EXPECT_EQ(reason(state, stored_rules("semi-social-aid-2020")), "");
}

TEST(Eligibility, EducationsCanBeShutOut) {
  auto rules = simple_rules();
  rules.excluded_educations = 1u << static_cast<std::uint32_t>(education::sma);
  EXPECT_EQ(reason(person_born(std::chrono::year{1990} / 1 / 1), rules), "education_sma");
}

// --- the file ---

std::string without_line(std::string text, const std::string& key) {
  auto begin = text.find("\n" + key + " ");
  return text.erase(begin + 1, text.find('\n', begin + 1) - begin);
}

std::string with_line(const std::string& text, const std::string& key, const std::string& line) {
  return line + "\n" + without_line(text, key);
}

TEST(EligibilityFile, NamesTheKeyThatIsWrong) {
  const std::string good = R"(
name = "x"
version = 1
age_min = 18
age_max = 64
excluded_employments = []
excluded_educations = []
excluded_lists = []
family_places_max = 2
once_in_lifetime = true
)";
  ASSERT_TRUE(parse_eligibility(good, "f.toml"));
  auto fault = [](const std::string& text) {
    auto read = parse_eligibility(text, "f.toml");
    return read ? std::string{} : read.error();
  };
  for (auto key :
       {"name", "version", "age_min", "age_max", "excluded_employments", "excluded_educations",
        "excluded_lists", "family_places_max", "once_in_lifetime"}) {
    EXPECT_EQ(fault(without_line(good, key)), std::string("f.toml: ") + key + " is missing");
    EXPECT_NE(fault(with_line(good, key, std::string(key) + " = 1979-05-27"))
                  .find(std::string("f.toml: ") + key + " must be"),
              std::string::npos);
  }
  EXPECT_EQ(fault(with_line(good, "age_max", "age_max = 17")),
            "f.toml: age_max must be a whole number from 18 to 150");
  EXPECT_EQ(fault(with_line(good, "family_places_max", "family_places_max = 3")),
            "f.toml: family_places_max must be a whole number from 1 to 2");
  EXPECT_EQ(fault(with_line(good, "excluded_lists", "excluded_lists = [\"navy\"]")),
            "f.toml: excluded_lists has an unknown name: navy");
  EXPECT_EQ(fault(with_line(good, "excluded_employments", "excluded_employments = [1]")),
            "f.toml: excluded_employments has an unknown name");
  EXPECT_EQ(fault("colour = 1\n" + good), "f.toml: colour is no key of this file");
  EXPECT_EQ(fault("name = \n").substr(0, 8), "f.toml:1");
}

}  // namespace
}  // namespace gelombang::applicant
