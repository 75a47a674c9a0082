#include "actors/programme/email.hpp"

#include <algorithm>

namespace gelombang {
namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::size_t label_bytes_max = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || is_digit(c);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Calls `judge` with every part between dots; false as soon as one is not accepted.
template <class Judge>
bool all_between_dots(std::string_view text, Judge judge) {
  while (true) {
    auto dot = text.find('.');
    if (!judge(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

/// `dot-atom` of RFC 5322 section 3.2.3.
bool is_local_part(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~";
  auto is_atom = [&](std::string_view atom) {
    return !atom.empty() && std::all_of(atom.begin(), atom.end(), [&](char c) {
      return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
    });
  };
  return text.size() <= email_local_bytes_max && all_between_dots(text, is_atom);
}

bool is_domain(std::string_view text) {
  auto is_label = [](std::string_view label) {
    return !label.empty() && label.size() <= label_bytes_max && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
             return is_alphanumeric(c) || c == '-';
           });
  };
  auto dot = text.rfind('.');
  if (dot == std::string_view::npos || !all_between_dots(text, is_label)) return false;
  auto top = text.substr(dot + 1);
  return top.size() >= 2 && !std::all_of(top.begin(), top.end(), is_digit);
}

}  // namespace

result<std::string> normalise_email(std::string_view text) {
  auto address = trimmed(text);
  if (address.size() > email_bytes_max) return refuse(errc::email_invalid, {}, "too long");
  auto at = address.rfind('@');
  if (at == std::string_view::npos) return refuse(errc::email_invalid, {}, "no @");
  std::string normalised(address);
  std::transform(normalised.begin(), normalised.end(), normalised.begin(), lower);
  std::string_view whole = normalised;
  if (!is_local_part(whole.substr(0, at))) {
    return refuse(errc::email_invalid, {}, "the part before @ is not valid");
  }
  if (!is_domain(whole.substr(at + 1))) {
    return refuse(errc::email_invalid, {}, "the part after @ is not a domain");
  }
  return normalised;
}

}  // namespace gelombang
