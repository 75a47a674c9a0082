#include "actors/programme/phone.hpp"

namespace gelombang {
namespace {

constexpr std::string_view separators = " -.()";
/// More is not written by anybody; bounds the work before the digits are counted.
constexpr std::size_t text_bytes_max = 40;

}  // namespace

result<std::string> normalise_phone(std::string_view text) {
  if (text.size() > text_bytes_max) return refuse(errc::phone_invalid, {}, "too long");
  std::string digits;
  for (auto c : text) {
    if (separators.find(c) != std::string_view::npos) continue;
    auto leads = c == '+' && digits.empty();
    if (!leads && (c < '0' || c > '9')) return refuse(errc::phone_invalid, {}, "not digits");
    digits += c;
  }
  std::string_view rest = digits;
  constexpr std::string_view prefixes[] = {"+62", "62", "0"};
  for (auto prefix : prefixes) {
    if (rest.substr(0, prefix.size()) != prefix) continue;
    rest.remove_prefix(prefix.size());
    if (rest.empty() || rest.front() != '8') break;
    auto number = "+62" + std::string(rest);
    auto count = number.size() - 1;
    if (count < phone_digits_min || count > phone_digits_max) {
      return refuse(errc::phone_invalid, {}, "10 to 15 digits with the country code");
    }
    return number;
  }
  return refuse(errc::phone_invalid, {}, "not an Indonesian mobile number");
}

}  // namespace gelombang
