#include "actors/provider/profile.hpp"

#include <algorithm>

#include "actors/programme/line.hpp"

namespace gelombang::provider {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}
bool is_hex(char c) {
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/// RFC 1123, 2.1: letters, digits, hyphens that stand between them, at most 63.
bool is_label(std::string_view text) {
  constexpr std::size_t label_bytes_max = 63;
  return !text.empty() && text.size() <= label_bytes_max && text.front() != '-' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '-';
         });
}

/// At least two labels, the last of which is not a number, so that it is no IP address.
bool is_domain(std::string_view text) {
  std::size_t labels = 0;
  for (;;) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (!is_label(label)) return false;
    ++labels;
    if (dot == std::string_view::npos)
      return labels >= 2 && !std::all_of(label.begin(), label.end(), is_digit);
    text.remove_prefix(dot + 1);
  }
}

/// RFC 3986: path, query and fragment of an address.
bool is_behind_domain(std::string_view text) {
  constexpr std::string_view marks = "-._~!$&'()*+,;=:@/?";
  std::size_t hashes = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
    } else if (c == '#') {
      if (++hashes > 1) return false;
    } else if (!is_letter(c) && !is_digit(c) && marks.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

result<std::string> normalise_name(std::string_view text) {
  if (auto line = line_of(text, name_characters_min, name_characters_max)) return std::move(*line);
  return refuse(errc::provider_name_invalid, "/name");
}

result<std::string> normalise_website(std::string_view text) {
  constexpr std::string_view scheme = "https://";
  const auto invalid = refuse(errc::website_invalid, "/website");
  std::string address{text};
  if (address.empty()) return address;
  if (address.size() > website_bytes_max) return invalid;
  const auto host_end = std::min(address.find_first_of("/?#", scheme.size()), address.size());
  std::transform(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(host_end),
                 address.begin(), lower);
  const std::string_view whole = address;
  if (!whole.starts_with(scheme)) return invalid;
  if (!is_domain(whole.substr(scheme.size(), host_end - scheme.size()))) return invalid;
  if (!is_behind_domain(whole.substr(host_end))) return invalid;
  return address;
}

}  // namespace gelombang::provider
