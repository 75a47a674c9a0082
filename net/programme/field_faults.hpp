#pragma once

#include <span>
#include <string>
#include <string_view>

#include "net/exchange.hpp"

namespace gelombang::net {

/// Answers `field_invalid`, with what is wrong at `pointer` (RFC 6901) in words that only whoever
/// found it has: one entry of `errors` for each.
void answer_faults(exchange& x, std::string_view pointer, std::span<const std::string> faults);

}  // namespace gelombang::net
