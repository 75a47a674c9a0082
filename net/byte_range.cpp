#include "net/byte_range.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <optional>

namespace gelombang::net {
namespace {

constexpr std::string_view unit = "bytes=";

std::string_view trimmed(std::string_view text) {
  const auto is_blank = [](char one) { return one == ' ' || one == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The one item of a list; RFC 9110, 5.6.1 allows empty ones beside it. Nothing for several.
std::optional<std::string_view> only_one(std::string_view list) {
  std::string_view found;
  while (!list.empty()) {
    const auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    if (trimmed(item).empty()) continue;
    if (!found.empty()) return std::nullopt;
    found = trimmed(item);
  }
  return found;
}

/// Digits only. What is larger than any length is the largest number, for it means the same.
std::optional<std::uint64_t> number(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    if (__builtin_mul_overflow(value, 10u, &value) ||
        __builtin_add_overflow(value, static_cast<unsigned>(digit - '0'), &value))
      value = UINT64_MAX;
  }
  return value;
}

}  // namespace

tl::expected<byte_range, no_part> part_in(std::string_view range, std::uint64_t length) {
  const auto whole = tl::unexpected(no_part::whole);
  const auto start = range.substr(0, unit.size());
  if (!boost::beast::iequals({start.data(), start.size()}, {unit.data(), unit.size()}))
    return whole;
  const auto one = only_one(range.substr(unit.size()));
  const auto dash = one ? one->find('-') : std::string_view::npos;
  if (dash == std::string_view::npos) return whole;
  const auto before = one->substr(0, dash), behind = one->substr(dash + 1);
  const auto first = number(before), last = number(behind);
  if (before.empty()) {  // so many at the end
    if (!last) return whole;
    if (*last == 0 || length == 0) return tl::unexpected(no_part::not_satisfiable);
    return byte_range{length - std::min(*last, length), length};
  }
  if (!first || (!behind.empty() && (!last || *last < *first))) return whole;
  if (*first >= length) return tl::unexpected(no_part::not_satisfiable);
  return byte_range{*first, last && *last < length ? *last + 1 : length};
}

}  // namespace gelombang::net
