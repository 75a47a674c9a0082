#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace gelombang {

/// An id that can't be mistaken for another kind of id. `Tag` is never defined.
template <class Tag, class Number>
struct strong_id {
  Number value{};

  // clang-tidy 14 takes the zero that an ordering is compared with for a pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  constexpr auto operator<=>(const strong_id&) const = default;
};

/// An account: a keyed hash of its normalised e-mail address (`applicant_id_of`), so that the
/// address leads to the account without an index and the address's uniqueness is the account's own.
/// The upper bits choose the shard.
using applicant_id = strong_id<struct applicant_tag, std::uint64_t>;

/// Waves are numbered from 1 in the order of their creation.
using wave_number = strong_id<struct wave_tag, std::uint32_t>;

/// Official code of a regency or city, 1101 to 9999; the first two digits are the province.
using region_code = strong_id<struct region_tag, std::uint16_t>;

using provider_id = strong_id<struct provider_tag, std::uint32_t>;

}  // namespace gelombang

template <class Tag, class Number>
struct std::hash<gelombang::strong_id<Tag, Number>> {
  std::size_t operator()(gelombang::strong_id<Tag, Number> id) const noexcept {
    return std::hash<Number>{}(id.value);
  }
};
