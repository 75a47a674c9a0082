#pragma once

#include <string>
#include <string_view>

#include "actors/programme/result.hpp"

namespace gelombang {

inline constexpr std::size_t phone_digits_min = 10;  ///< country code included
inline constexpr std::size_t phone_digits_max = 15;  ///< E.164

/// An Indonesian mobile number in E.164 form, "+6281234567890", from what people write: 08…, 628…,
/// +628…, with blanks, hyphens, dots and brackets between the digits.
/// @returns `phone_invalid` with the reason.
result<std::string> normalise_phone(std::string_view text);

}  // namespace gelombang
