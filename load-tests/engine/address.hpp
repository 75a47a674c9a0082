#pragma once

#include <netinet/in.h>

#include <string>
#include <tl/expected.hpp>

namespace gelombang::load {

/// Where a node is.
struct node_address {
  sockaddr_in where{};
  std::string host;  ///< as the Host header has it
};

/// @returns why `url` is none that load can be sent to.
tl::expected<node_address, std::string> address_in(const std::string& url);

}  // namespace gelombang::load
