#pragma once

#include <string>
#include <string_view>

#include "actors/programme/result.hpp"

namespace gelombang {

inline constexpr std::size_t email_bytes_max = 254;       ///< RFC 5321 section 4.5.3.1.3, corrected
inline constexpr std::size_t email_local_bytes_max = 64;  ///< RFC 5321 section 4.5.3.1.1

/// The one spelling under which an address is an account: blanks around it taken off, everything in
/// lower case (no provider of note tells cases apart, and people do not type them alike).
///
/// ASCII only: a domain of another script has its `xn--` form, and local parts of other scripts
/// could not be delivered to reliably and could be spelt to look like another's address.
/// No quoted local parts, no address literals.
/// @returns `email_invalid` with the reason.
result<std::string> normalise_email(std::string_view text);

}  // namespace gelombang
