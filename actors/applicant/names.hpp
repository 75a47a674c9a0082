#pragma once

#include <string>
#include <string_view>

#include "actors/programme/result.hpp"

namespace gelombang::applicant {

/// A name as it stands on an identity card: letters of the Latin script with their accents, blanks,
/// full stops, hyphens and apostrophes. Blanks around it are taken off, several become one.
/// @returns `name_invalid` unless it is UTF-8, begins with a letter, has nothing else, and is
///   `full_name_characters_min` to `_max` characters long.
result<std::string> normalise_name(std::string_view text);

}  // namespace gelombang::applicant
