#include <gtest/gtest.h>

#include <random>

#include "actors/programme/email.hpp"
#include "actors/programme/phone.hpp"

namespace gelombang {
namespace {

TEST(Email, HasOneSpelling) {
  EXPECT_EQ(normalise_email("  Budi.Santoso+Kerja@Contoh.ID\r\n"), "budi.santoso+kerja@contoh.id");
  EXPECT_EQ(normalise_email("pemohon1@contoh.id"), "pemohon1@contoh.id");
  EXPECT_EQ(normalise_email("a@b.co"), "a@b.co");
  EXPECT_EQ(normalise_email("a@xn--bcher-kva.example"), "a@xn--bcher-kva.example");
}

TEST(Email, RefusesWhatIsNoAddress) {
  auto long_label = std::string(64, 'a');
  for (const auto& text : std::vector<std::string>{"",
                                                   " ",
                                                   "@",
                                                   "a",
                                                   "a@",
                                                   "@b.id",
                                                   "a@b",
                                                   "a@@b.id",
                                                   "a@b@c.id",
                                                   ".a@b.id",
                                                   "a.@b.id",
                                                   "a..b@c.id",
                                                   "a b@c.id",
                                                   "a@b c.id",
                                                   "a@-b.id",
                                                   "a@b-.id",
                                                   "a@.id",
                                                   "a@b.",
                                                   "a@b..id",
                                                   "a@b.1",
                                                   "a@b.12",
                                                   "a@1.2.3.4",
                                                   "a@[1.2.3.4]",
                                                   "\"a\"@b.id",
                                                   "a\n@b.id",
                                                   std::string("a\0@b.id", 7),
                                                   "a@b.id\x7f",
                                                   "bu\xc3\xa9@b.id",
                                                   "a@b\xc3\xa9.id",
                                                   "\xff@b.id",
                                                   "a@" + long_label + ".id",
                                                   long_label + "a@b.id",
                                                   "a,b@c.id",
                                                   "a@b_c.id",
                                                   "a@b.i"}) {
    auto refused = normalise_email(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, errc::email_invalid);
  }
}

TEST(Email, HasALimit) {
  auto address_of = [](std::size_t bytes) {
    std::string address = "a@";
    while (address.size() + 60 < bytes - 3) address += std::string(59, 'b') + ".";
    address += std::string(bytes - 3 - address.size(), 'c') + ".id";
    return address;
  };
  ASSERT_EQ(address_of(email_bytes_max).size(), email_bytes_max);
  EXPECT_TRUE(normalise_email(address_of(email_bytes_max)));
  EXPECT_FALSE(normalise_email(address_of(email_bytes_max + 1)));
  EXPECT_TRUE(normalise_email(std::string(email_local_bytes_max, 'a') + "@b.id"));
  EXPECT_FALSE(normalise_email(std::string(email_local_bytes_max + 1, 'a') + "@b.id"));
}

TEST(Email, NormalisedStaysAsItIs) {
  std::mt19937_64 random{5};
  constexpr std::string_view alphabet = "aZ.@-_+ 9\xc3\n";
  int accepted = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text(random() % 12, '\0');
    for (auto& c : text) c = alphabet[random() % alphabet.size()];
    auto once = normalise_email(text);
    if (!once) continue;
    ++accepted;
    ASSERT_EQ(normalise_email(*once), *once) << text;
  }
  EXPECT_GT(accepted, 0);
}

TEST(Phone, HasOneSpelling) {
  for (auto text : {"081234567890", "6281234567890", "+6281234567890", "+62 812-3456-7890",
                    "(0812) 3456.7890", " 0812 3456 7890 "}) {
    EXPECT_EQ(normalise_phone(text), "+6281234567890") << text;
  }
}

TEST(Phone, RefusesWhatIsNoIndonesianMobileNumber) {
  for (auto text :
       {"", "0", "+", "+62", "62", "08", "0812345", "02112345678", "+6021123456789", "+14155552671",
        "81234567890", "0812345678901234", "08123456789a", "08+1234567890", "++6281234567890",
        "0812345678\xc3\xa9", "0 8 1 2 3 4 5 6 7 8 9 0                              "}) {
    auto refused = normalise_phone(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, errc::phone_invalid);
  }
}

TEST(Phone, HasTenToFifteenDigits) {
  auto number_of = [](std::size_t digits) { return "+628" + std::string(digits - 3, '1'); };
  EXPECT_FALSE(normalise_phone(number_of(phone_digits_min - 1)));
  EXPECT_TRUE(normalise_phone(number_of(phone_digits_min)));
  EXPECT_TRUE(normalise_phone(number_of(phone_digits_max)));
  EXPECT_FALSE(normalise_phone(number_of(phone_digits_max + 1)));
}

}  // namespace
}  // namespace gelombang
