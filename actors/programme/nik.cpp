#include "actors/programme/nik.hpp"

#include <algorithm>

namespace gelombang {
namespace {

constexpr std::size_t digits_count = 16;
constexpr unsigned woman_day_offset = 40;

using sixteen = std::array<char, digits_count>;

bool are_sixteen_digits(std::string_view text) {
  return text.size() == digits_count &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

unsigned two_digits(std::string_view text, std::size_t at) {
  return static_cast<unsigned>(text[at] - '0') * 10 + static_cast<unsigned>(text[at + 1] - '0');
}

bool is_region(std::string_view text) {
  auto province = two_digits(text, 0);
  auto regency = two_digits(text, 2);
  return province >= 11 && regency >= 1 && regency != 70;
}

/// A day that exists in some century: 29 February counts if either 1900 or 2000 and `year` has it.
bool is_birth_date(unsigned day, unsigned month, unsigned year) {
  auto in_century = [&](int century) {
    return date{std::chrono::year{century + static_cast<int>(year)}, std::chrono::month{month},
                std::chrono::day{day}}
        .ok();
  };
  return in_century(1900) || in_century(2000);
}

sixteen copy(std::string_view text) {
  sixteen digits;
  std::copy(text.begin(), text.end(), digits.begin());
  return digits;
}

std::string mask(std::string_view digits) {
  std::string masked{digits.substr(0, 4)};
  for (int hidden = 0; hidden < 8; ++hidden) masked += "•";
  masked += digits.substr(12);
  return masked;
}

unsigned birth_day(std::string_view digits) {
  auto day = two_digits(digits, 6);
  return day > woman_day_offset ? day - woman_day_offset : day;
}

}  // namespace

result<nik> nik::parse(std::string_view text) {
  if (!are_sixteen_digits(text)) return refuse(errc::nik_invalid, {}, "not 16 digits");
  if (!is_region(text) || two_digits(text, 4) == 0) {
    return refuse(errc::nik_invalid, {}, "no such region of issue");
  }
  if (!is_birth_date(birth_day(text), two_digits(text, 8), two_digits(text, 10))) {
    return refuse(errc::nik_invalid, {}, "no such birth date");
  }
  if (text.substr(12) == "0000") return refuse(errc::nik_invalid, {}, "serials start at 0001");
  nik number;
  number.digits_ = copy(text);
  return number;
}

bool nik::matches(date birth) const {
  auto year = static_cast<int>(birth.year()) % 100;
  return static_cast<unsigned>(birth.day()) == birth_day(digits()) &&
         static_cast<unsigned>(birth.month()) == two_digits(digits(), 8) &&
         static_cast<unsigned>(year) == two_digits(digits(), 10);
}

gelombang::sex nik::sex() const {
  return two_digits(digits(), 6) > woman_day_offset ? gelombang::sex::woman : gelombang::sex::man;
}

std::string nik::masked() const {
  return mask(digits());
}

result<kk> kk::parse(std::string_view text) {
  if (!are_sixteen_digits(text)) return refuse(errc::kk_invalid, {}, "not 16 digits");
  if (!is_region(text)) return refuse(errc::kk_invalid, {}, "no such region of issue");
  kk number;
  number.digits_ = copy(text);
  return number;
}

std::string kk::masked() const {
  return mask(digits());
}

}  // namespace gelombang
