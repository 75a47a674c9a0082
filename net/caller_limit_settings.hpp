#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gelombang::net {

/// What requests are counted by.
enum class limit_kind : std::uint8_t {
  account,  ///< whom the token names
  clicks,   ///< of an account: joining and withdrawing
  device,   ///< the Device-Id header
  address,  ///< IPv4 address, or IPv6 network of 64 bits
  network,  ///< IPv6 network of 48 bits
};
inline constexpr std::size_t limit_kinds = 5;

/// As it stands in metrics.
constexpr std::string_view name_of(limit_kind kind) {
  constexpr std::array<std::string_view, limit_kinds> names{"account", "clicks", "device",
                                                            "address", "network"};
  return names[static_cast<std::size_t>(kind)];
}

/// The highest that any of the limits can be.
inline constexpr std::uint32_t caller_limit_max = 65'535;

/// How many requests each caller has within `window`. 0: no such limit.
struct caller_limit_settings {
  std::chrono::seconds window{10};
  /// Six a second for ten seconds: a page that loads everything, and again, and again.
  std::uint32_t account_requests_max = 60;
  /// Whoever clicks once a second for as long as he likes is not refused.
  std::uint32_t account_clicks_max = 10;
  /// A family signs in on one phone after the other.
  std::uint32_t device_requests_max = 120;
  /// A carrier's address translation hides some thousand people, each of whom looks twice a second
  /// in the minute of an opening.
  std::uint32_t address_requests_max = 20'000;
  /// Off: at some carriers such a network is 65,536 phones. For nodes that are attacked from one.
  std::uint32_t network_requests_max = 0;
  /// Whoever reaches the node from its own machine is its operator, a load generator, or a proxy
  /// that everybody comes through.
  bool loopback_is_exempt = true;
  /// Accounts, devices, addresses and networks remembered at a time: 16 bytes each, and for an
  /// account that clicks twice. A power of two, 1,024 at least; other figures are rounded up.
  std::size_t keys_kept = std::size_t{1} << 20;
};

}  // namespace gelombang::net
