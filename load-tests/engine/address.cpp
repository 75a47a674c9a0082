#include "load-tests/engine/address.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <string_view>

namespace gelombang::load {

tl::expected<node_address, std::string> address_in(const std::string& url) {
  constexpr std::string_view scheme = "http://";
  const auto refused = [&](std::string_view why) {
    return tl::unexpected(fmt::format("--url {}: {}", url, why));
  };
  if (!url.starts_with(scheme))
    return refused("must begin with http:// (TLS is left to what stands before the nodes)");
  auto host = url.substr(scheme.size());
  while (host.ends_with('/')) host.pop_back();
  const auto colon = host.rfind(':');
  const auto name = host.substr(0, colon);
  const auto port = colon == std::string::npos ? std::string{"80"} : host.substr(colon + 1);
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int fault = ::getaddrinfo(name.c_str(), port.c_str(), &wanted, &found); fault != 0)
    return refused(::gai_strerror(fault));
  node_address made{.where = *reinterpret_cast<const sockaddr_in*>(found->ai_addr), .host = host};
  ::freeaddrinfo(found);
  return made;
}

}  // namespace gelombang::load
