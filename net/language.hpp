#pragma once

#include <cstdint>
#include <string_view>

namespace gelombang::net {

/// Languages in which the front door speaks to people.
enum class language : std::uint8_t { indonesian, english };

/// Picks by an Accept-Language header (RFC 9110, 12.5.4) with its q-values, by basic filtering:
/// "en-GB" asks for English. Indonesian when the header is missing, ill-formed, or prefers neither;
/// English only when it is weighted higher.
language preferred_language(std::string_view accept_language);

/// "id" or "en", as Content-Language wants it.
std::string_view tag_of(language speech);

}  // namespace gelombang::net
