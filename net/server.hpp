#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <vector>

#include "actors/programme/clock.hpp"
#include "net/admission_settings.hpp"
#include "net/limits.hpp"
#include "net/metrics.hpp"
#include "net/router.hpp"
#include "net/tokens.hpp"

namespace gelombang::net {

class caller_limits;
class io_thread;
class tls_context;
class waiting_room;

/// Whom a port is for.
enum class lane : std::uint8_t {
  everybody,
  house,  ///< operators and probers: never refused for overload, with a queue of its own
};

/// Where the certificate chain and the key stand, as PEM.
struct tls_files {
  std::string certificate_chain;
  std::string private_key;
};

struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0: any free one
  /// A second port, of `lane::house`, for an address that only operators can reach.
  struct house_port {
    std::string address;
    std::uint16_t port = 0;
  };
  std::optional<house_port> house = {};
  std::size_t threads = 1;
  limits bounds = {};
  /// What is done when more comes than can be served; `places_max` follows from `bounds`.
  admission_settings admission = {};
  /// Where those wait whom it refuses; null: nowhere. Outlives the server.
  waiting_room* room = nullptr;
  /// How often each caller may ask; null: as often as he likes. Outlives the server.
  caller_limits* callers = nullptr;
  std::optional<tls_files> tls = {};
  /// Verifies the tokens of routes that want one; null: such routes refuse everybody.
  const access_tokens* tokens = nullptr;
};

/// The front door: listens, keeps connections within their limits, and brings requests to the
/// routes. In the order of its life: construct; build what needs the io threads' contexts;
/// `listen`; `start`; `stop`. These are called from one thread, the one that owns the server.
class server {
public:
  /// `time` outlives the server.
  server(server_options options, const clock& time);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  const server_options& options() const { return options_; }
  std::size_t threads() const { return threads_.size(); }
  /// The io thread's context: callbacks for its requests are posted here.
  boost::asio::io_context& context(std::size_t thread);

  /// Binds the port and reads the certificate.
  /// @returns a text that names the address or the file, and the reason, on failure.
  tl::expected<void, std::string> listen();
  std::uint16_t port() const { return port_; }
  /// 0 without one.
  std::uint16_t house_port() const { return house_port_; }

  /// Serves `routes` until `stop`. Its figures go to `page` when there is one.
  void start(router routes, metrics_page* page = nullptr);

  /// Ends cleanly: /readyz says 503 for `drain_delay`, then no connection is accepted, idle ones
  /// are closed, requests under way are answered with `Connection: close` for up to
  /// `drain_timeout`, and the threads end. What a handler still waits for then is dropped
  /// unanswered.
  void stop();

  /// Ends the waiting of a `stop`, under way or to come: for a second Ctrl-C. Thread-safe.
  void hurry();

  /// Reads certificate and key again; connections from now on use them. On failure the old ones
  /// stay. Thread-safe.
  tl::expected<void, std::string> reload_certificate();

  /// Why the node takes no traffic, or nothing when it does: what /readyz shows. Thread-safe.
  std::optional<errc> unready() const;
  /// Asked by `unready`, on any io thread: for storage that takes no writes, recovery under way…
  void on_readiness(std::function<std::optional<errc>()> ask) { readiness_ = std::move(ask); }

private:
  friend class io_thread;
  struct shared;

  /// Binds a port on every thread. @returns the port.
  tl::expected<std::uint16_t, std::string> listen(lane which, const std::string& address,
                                                  std::uint16_t port);

  server_options options_;
  std::unique_ptr<shared> shared_;
  std::vector<std::unique_ptr<io_thread>> threads_;
  std::function<std::optional<errc>()> readiness_;
  std::uint16_t port_ = 0;
  std::uint16_t house_port_ = 0;
  bool started_ = false;
};

/// Adds /healthz, /readyz, /openapi.json and /problems/{name}. `front` outlives the serving.
void add_house_routes(router& routes, const server& front);
/// Adds /metrics. `page` outlives the serving.
void add_metrics_route(router& routes, const metrics_page& page);

}  // namespace gelombang::net
