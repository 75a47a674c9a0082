#include "net/server.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "net/io_thread.hpp"
#include "net/server_shared.hpp"
#include "net/waiting_room/waiting_room.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::net {
namespace {

/// The usual soft limit is 1,024 descriptors, far below what `connections_max` may be.
void raise_descriptor_limit() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return;
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

/// Whether another process listens there already: with SO_REUSEPORT, binding beside it would
/// succeed and quietly take half of its connections.
boost::system::error_code probe(const asio::ip::tcp::endpoint& endpoint) {
  asio::io_context context;
  asio::ip::tcp::acceptor alone{context};
  boost::system::error_code error;
  alone.open(endpoint.protocol(), error);
  if (!error) alone.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) alone.bind(endpoint, error);
  return error;
}

}  // namespace

bool server::shared::take_connection(lane to, const peer_address& peer, const limits& bounds) {
  std::lock_guard lock{connections_guard_};
  if (to == lane::house) {
    if (house_connections_ >= bounds.house_connections_max) return false;
    ++house_connections_;
    return true;
  }
  if (connections_ >= bounds.connections_max) return false;
  auto& from_there = by_address_[peer.hash()];
  if (from_there >= bounds.connections_per_address_max) return false;
  ++from_there;
  ++connections_;
  return true;
}

void server::shared::give_connection_back(lane to, const peer_address& peer) {
  std::lock_guard lock{connections_guard_};
  if (to == lane::house) {
    --house_connections_;
    return;
  }
  --connections_;
  auto at = by_address_.find(peer.hash());
  if (--at->second == 0) by_address_.erase(at);
}

void server::shared::tell(waiting_room& room, std::chrono::steady_clock::time_point at,
                          instant now) {
  constexpr std::chrono::milliseconds interval{100};
  /// From here on others than those who only look are refused.
  constexpr std::uint64_t refuses_from = 334;
  std::unique_lock lock{load_guard_, std::try_to_lock};
  if (!lock || at < told_at_ + interval) return;
  std::uint64_t served = 0, pressure = 0;
  for (const auto& thread : metrics->threads()) {
    served += thread->served.value();
    pressure = std::max(pressure, thread->pressure_permille.value());
  }
  const auto seconds = std::chrono::duration<double>(at - told_at_).count();
  const auto rate = static_cast<double>(served - std::exchange(served_before_, served)) / seconds;
  told_at_ = at;
  room.report({.served_per_second = static_cast<std::uint32_t>(rate),
               .now = pressure >= refuses_from ? node_room::none : node_room::spare},
              now);
}

server::server(server_options options, const clock& time)
    : options_(std::move(options)), shared_(std::make_unique<shared>(time)) {
  options_.threads = std::max<std::size_t>(1, options_.threads);
  for (std::size_t index = 0; index < options_.threads; ++index) {
    threads_.push_back(std::make_unique<io_thread>(*this, index));
  }
}

server::~server() {
  stop();
}

boost::asio::io_context& server::context(std::size_t thread) {
  return threads_[thread]->context();
}

tl::expected<void, std::string> server::reload_certificate() {
  return options_.tls ? shared_->tls.load(*options_.tls) : tl::expected<void, std::string>{};
}

tl::expected<void, std::string> server::listen() {
  if (auto loaded = reload_certificate(); !loaded) return loaded;
  auto bound = listen(lane::everybody, options_.address, options_.port);
  if (!bound) return tl::unexpected(bound.error());
  port_ = *bound;
  if (!options_.house) return {};
  bound = listen(lane::house, options_.house->address, options_.house->port);
  if (!bound) return tl::unexpected(bound.error());
  house_port_ = *bound;
  return {};
}

tl::expected<std::uint16_t, std::string> server::listen(lane which, const std::string& address,
                                                        std::uint16_t port) {
  boost::system::error_code error;
  auto parsed = asio::ip::make_address(address, error);
  auto where = address + ":" + std::to_string(port);
  if (error) return tl::unexpected(where + ": " + error.message());
  asio::ip::tcp::endpoint endpoint{parsed, port};
  if (port != 0) error = probe(endpoint);
  if (error) return tl::unexpected(where + ": " + error.message());
  for (auto& thread : threads_) {
    if (auto bound = thread->listen(which, endpoint); !bound) {
      return tl::unexpected(where + ": " + bound.error());
    }
    endpoint.port(thread->port(which));
  }
  return endpoint.port();
}

void server::start(router routes, metrics_page* page) {
  raise_descriptor_limit();
  // OpenSSL writes without MSG_NOSIGNAL: a client that left is an error code here, not a signal.
  std::signal(SIGPIPE, SIG_IGN);
  shared_->routes = std::move(routes);
  std::vector<std::string> operations;
  for (auto& line : shared_->routes.routes()) operations.push_back(line->operation_id);
  shared_->metrics = std::make_shared<http_metrics>(std::move(operations), threads_.size());
  if (page != nullptr) page->add(shared_->metrics);
  shared_->threads_left = threads_.size();
  started_ = true;
  for (auto& thread : threads_) {
    shared_->running.emplace_back([this, &thread] {
      name_this_thread("io-" + std::to_string(thread->index()));
      thread->run(shared_->metrics->of_thread(thread->index()));
      std::lock_guard lock{shared_->guard};
      --shared_->threads_left;
      shared_->thread_ended.notify_all();
    });
  }
}

void server::stop() {
  if (!started_) return;
  started_ = false;
  shared_->draining.store(true);
  std::unique_lock lock{shared_->guard};
  auto all_ended = [this] { return shared_->threads_left == 0 || shared_->is_hurried; };
  shared_->thread_ended.wait_for(lock, options_.bounds.drain_delay, all_ended);
  for (auto& thread : threads_) {
    boost::asio::post(thread->context(), [&thread] { thread->drain(); });
  }
  shared_->thread_ended.wait_for(lock, options_.bounds.drain_timeout, all_ended);
  lock.unlock();
  for (auto& thread : threads_) thread->end_now();
  for (auto& one : shared_->running) one.join();
  for (auto& thread : threads_) thread->drop_sessions();
}

void server::hurry() {
  std::lock_guard lock{shared_->guard};
  shared_->is_hurried = true;
  shared_->thread_ended.notify_all();
}

std::optional<errc> server::unready() const {
  if (shared_->draining.load()) return errc::shutting_down;
  return readiness_ ? readiness_() : std::nullopt;
}

}  // namespace gelombang::net
