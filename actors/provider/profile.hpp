#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "actors/programme/result.hpp"

/// The texts about a provider that operators write and everybody reads.
namespace gelombang::provider {

inline constexpr std::size_t name_characters_min = 3;
inline constexpr std::size_t name_characters_max = 120;
inline constexpr std::size_t website_bytes_max = 200;

/// A name in any script; blanks around it are taken off.
/// @returns `provider_name_invalid` unless it is UTF-8 of `name_characters_min` to `_max`
///   characters (code points) that can be seen: no control characters, nothing that has no width or
///   turns the direction of writing, by which one name could look like another.
result<std::string> normalise_name(std::string_view text);

/// A public web address: `https://`, a domain name of at least two labels, and what may follow it
/// in RFC 3986 (path, query, fragment). Scheme and domain become lower case. An empty text stays
/// one: there is no address.
/// @returns `website_invalid` for anything else: another scheme, an account, a port, an IP address,
///   more than `website_bytes_max` bytes.
result<std::string> normalise_website(std::string_view text);

}  // namespace gelombang::provider
