#pragma once

#include <string>
#include <string_view>

#include "actors/programme/clock.hpp"

namespace gelombang::mailer {

/// RFC 2045, 6.7: UTF-8 text with "\n" or "\r\n" line ends as quoted-printable lines of at most 76
/// characters, ended by CRLF. A dot that begins a line is encoded too, so that no relay can trip
/// over it.
std::string quoted_printable(std::string_view text);

/// A header's text: as it is when it is printable ASCII, otherwise as RFC 2047 encoded words
/// (UTF-8, Q) of at most 75 characters each, folded, never splitting a character.
std::string header_text(std::string_view text);

/// RFC 5322, 3.3, in Jakarta's time: "Fri, 02 Jan 2026 12:00:00 +0700".
std::string header_date(instant when);

}  // namespace gelombang::mailer
