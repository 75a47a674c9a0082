#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gelombang::net {

/// Every limit of the front door, in one place. What is over a limit is refused with the status
/// named here, before it costs anything. Each has a test in tests/net/.
struct limits {
  // Sizes of one request.

  /// Request line and headers together, and the trailers of a chunked body: 431.
  std::size_t header_bytes_max = std::size_t{16} * 1024;
  /// Number of header lines: 431.
  std::size_t headers_max = 64;
  /// Body, unless the route names another figure: 413.
  std::size_t body_bytes_max = std::size_t{64} * 1024;
  /// Objects and arrays within each other in a JSON body: 400.
  std::size_t json_depth_max = 16;
  /// Parameters behind the question mark: 400.
  std::size_t query_parameters_max = 16;

  // How many at once.

  /// Open connections of the whole server; further ones are told 503 and closed.
  std::size_t connections_max = 50'000;
  /// Open connections from one address (IPv6: one /64); likewise. High, for a load balancer or a
  /// carrier's address translation is one address for many people.
  std::size_t connections_per_address_max = 20'000;
  /// Open connections at the operators' own port; likewise.
  std::size_t house_connections_max = 256;
  /// Requests whose handler has not answered yet, in the whole server: 503. Reached when the actors
  /// or the disk fall behind; each request holds one buffer.
  std::size_t requests_in_flight_max = 16'384;
  /// Requests of one connection that are answered in a row before others have their turn.
  std::size_t pipelined_requests_max = 32;
  /// Answers collected for one write; a larger amount is written at once.
  std::size_t coalesced_bytes_max = std::size_t{64} * 1024;

  // Times. A sweep over all connections of a thread enforces them, so each may take up to one
  // `sweep_interval` longer than it says.

  std::chrono::milliseconds handshake_timeout{10'000};
  /// From the first byte of a request to the end of its headers: 408.
  std::chrono::milliseconds header_timeout{15'000};
  /// From the end of the headers to the end of the body: 408.
  std::chrono::milliseconds body_timeout{30'000};
  /// Between two requests; then the connection is closed without a word.
  std::chrono::milliseconds idle_timeout{75'000};
  /// Without the client having taken a single byte of an answer; then the connection is reset.
  std::chrono::milliseconds write_timeout{30'000};
  /// How long a connection that was closed for a fault is still listened to, so that the client
  /// reads the answer and not a reset.
  std::chrono::milliseconds linger_timeout{2'000};
  /// What a handler has for its answer: the deadline it passes on. 504.
  std::chrono::milliseconds request_timeout{10'000};
  /// On stopping: how long /readyz says 503 while everything is still served.
  std::chrono::milliseconds drain_delay{0};
  /// On stopping: how long requests under way may take to finish.
  std::chrono::milliseconds drain_timeout{4'000};
  std::chrono::milliseconds sweep_interval{1'000};

  /// A body that comes more slowly than this after its first `body_grace` is cut off: 408. Bodies
  /// over the usual size are given the time that this rate takes, beyond `body_timeout`.
  std::size_t body_bytes_per_second_min = 512;
  std::chrono::milliseconds body_grace{10'000};
};

/// Parameters in a path pattern.
inline constexpr std::size_t path_parameters_max = 4;

}  // namespace gelombang::net
