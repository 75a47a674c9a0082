#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gelombang::command {

/// Where to listen.
struct listen_at {
  std::string address;  ///< IPv4 or IPv6, without brackets
  std::uint16_t port = 0;

  /// As it stands in a URL: an IPv6 address in brackets.
  std::string host() const;
};

/// Reads "ADDR:PORT", an IPv6 address in brackets. Names are not resolved: which of its addresses a
/// name means, a resolver decides and may decide otherwise tomorrow.
/// @returns what is wanted instead.
tl::expected<listen_at, std::string> parse_listen(std::string_view text);

/// Whether a node can listen there: an address of IPv4 or IPv6, no name.
bool is_ip_address(const std::string& text);

}  // namespace gelombang::command
