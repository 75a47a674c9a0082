#include "actors/applicant/names.hpp"

#include <gtest/gtest.h>

#include "actors/applicant/limits.hpp"
#include "actors/applicant/profile.hpp"
#include "actors/applicant/secrets.hpp"

namespace gelombang::applicant {
namespace {

TEST(Names, AreTidiedUp) {
  EXPECT_EQ(normalise_name("Siti Aminah"), "Siti Aminah");
  EXPECT_EQ(normalise_name("  M.  Ja'far   Al-Hasan "), "M. Ja'far Al-Hasan");
  EXPECT_EQ(normalise_name("José Ñuñez d’Été"), "José Ñuñez d’Été");
  EXPECT_EQ(normalise_name("Li"), "Li");
}

TEST(Names, HaveLettersOnly) {
  for (auto text : {"", " ", "A", "R2 D2", "Siti\n", "Siti;", "-Siti", ".", "Siti\tAminah", "Si<b>",
                    "×××", "Ситі", "ᄀᄀ"}) {
    auto name = normalise_name(text);
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, errc::name_invalid);
    EXPECT_EQ(name.error().field, "/full_name");
  }
}

TEST(Names, AreUtf8) {
  using namespace std::string_view_literals;
  for (auto text : {"Si\xC3"sv, "Si\xC0\x80"sv, "\xED\xA0\x80Si"sv, "\xF4\x90\x80\x80Si"sv,
                    "Si\xFF"sv, "\xA9Si"sv, "Si\0ti"sv, "\xE1\xBA"sv, "\xF8\x88\x80\x80\x80"sv}) {
    EXPECT_FALSE(normalise_name(text));
  }
}

TEST(Names, AreNoLongerThanTheLimitInCharacters) {
  std::string accented;
  for (std::size_t i = 0; i < full_name_characters_max; ++i) accented += "é";
  EXPECT_TRUE(normalise_name(accented));
  EXPECT_FALSE(normalise_name(accented + "e"));
  EXPECT_FALSE(normalise_name("a" + std::string(1 << 20, ' ') + accented));
}

TEST(Profile, NamesAndNumbersGoBothWays) {
  for (int number = 1; number <= 8; ++number) {
    auto which = static_cast<education>(number);
    EXPECT_EQ(education_named(name_of(which)), which);
  }
  for (int number = 1; number <= 11; ++number) {
    auto which = static_cast<employment>(number);
    EXPECT_EQ(employment_named(name_of(which)), which);
  }
  for (std::uint32_t bit = 0; bit < groups_count; ++bit) {
    EXPECT_EQ(group_bit_named(group_name(bit)), bit);
  }
  EXPECT_FALSE(education_named(""));
  EXPECT_FALSE(education_named("SMA"));
  EXPECT_FALSE(employment_named("astronaut"));
  EXPECT_FALSE(group_bit_named("friends"));
  EXPECT_EQ(group_name(groups_count), "");
}

TEST(Secrets, PackedPapersComeBack) {
  auto number = *nik::parse("3201011708900001");
  auto card = *kk::parse("3201012001150007");
  auto packed = pack_identity(number, card, "Siti");
  EXPECT_EQ(packed.size(), 18u);
  auto papers = unpack_identity(packed);
  ASSERT_TRUE(papers);
  EXPECT_EQ(papers->number, number);
  EXPECT_EQ(papers->card, card);
  EXPECT_EQ(papers->full_name, "Siti");
  EXPECT_FALSE(unpack_identity(packed.substr(0, 13)));
  EXPECT_FALSE(unpack_identity(std::string(20, '\xFF')));
}

TEST(Secrets, PackedPhonesComeBack) {
  for (auto phone : {"+6281234567890", "+628123456789012"}) {
    EXPECT_EQ(unpack_phone(pack_phone(phone)), phone);
  }
  EXPECT_FALSE(unpack_phone("123456"));
}

}  // namespace
}  // namespace gelombang::applicant
