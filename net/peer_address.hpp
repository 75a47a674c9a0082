#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstdint>

namespace gelombang::net {

/// Where a connection comes from, as limits see it: an IPv4 address, or an IPv6 network of 64 bits,
/// for a household or a phone has all of such a network to itself. Mapped IPv4 counts as IPv4.
struct peer_address {
  std::uint64_t network = 0;
  bool is_ipv6 = false;

  friend bool operator==(const peer_address&, const peer_address&) = default;

  /// 127.0.0.0/8 or ::1. Of the IPv6 network that ::1 is in, nothing else is ever a peer.
  bool is_loopback() const { return is_ipv6 ? network == 0 : network >> 24 == 127; }

  /// Spread over 64 bits, to key tables with. Not secret.
  std::uint64_t hash() const {
    auto mixed = (network + (is_ipv6 ? 0x9e3779b97f4a7c15u : 0u)) * 0xbf58476d1ce4e5b9u;
    return (mixed ^ mixed >> 31) * 0x94d049bb133111ebu;
  }
};

inline peer_address peer_of(const boost::asio::ip::address& address) {
  if (address.is_v4()) return {.network = address.to_v4().to_uint()};
  auto bytes = address.to_v6().to_bytes();
  auto number = [&bytes](std::size_t from, std::size_t to) {
    std::uint64_t value = 0;
    for (auto at = from; at < to; ++at) value = value << 8 | bytes[at];
    return value;
  };
  if (address.to_v6().is_v4_mapped()) return {.network = number(12, 16)};
  return {.network = number(0, 8), .is_ipv6 = true};
}

}  // namespace gelombang::net
