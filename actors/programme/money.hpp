#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace gelombang {

/// Whole rupiah; there is nothing smaller in the programme. May be negative: accounts balance.
struct rupiah {
  std::int64_t value = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the zero within for a pointer
  constexpr auto operator<=>(const rupiah&) const = default;
};

/// @returns nothing when the sum does not fit: money never wraps around.
constexpr std::optional<rupiah> operator+(rupiah left, rupiah right) {
  rupiah sum;
  if (__builtin_add_overflow(left.value, right.value, &sum.value)) return std::nullopt;
  return sum;
}

/// @returns nothing when the difference does not fit.
constexpr std::optional<rupiah> operator-(rupiah left, rupiah right) {
  rupiah difference;
  if (__builtin_sub_overflow(left.value, right.value, &difference.value)) return std::nullopt;
  return difference;
}

}  // namespace gelombang
