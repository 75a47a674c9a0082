#include "net/io_thread.hpp"

#include <boost/asio/post.hpp>
#include <ctime>
#include <random>
#include <utility>

#include "net/server_shared.hpp"

namespace gelombang::net {
namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::size_t spare_workspaces_max = 512;
/// A workspace that grew beyond this for one large request is not kept.
constexpr std::size_t spare_bytes_max = std::size_t{64} * 1024;
constexpr std::string_view refusal_at_the_door =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

std::int64_t steady_now_ms() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

io_thread::io_thread(server& owner, std::size_t index)
    : owner_(owner),
      index_(index),
      // Each context is run by one thread, so its sockets need no locks; posting to it still does.
      context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      guard_(context_.get_executor()),
      acceptor_(context_.get_executor()),
      sweep_timer_(context_.get_executor()),
      json_(owner.options_.bounds.json_depth_max),
      places_max_(std::max<std::size_t>(
          1, owner.options_.bounds.requests_in_flight_max / owner.options_.threads)),
      dice_(std::random_device{}() | 1) {}

io_thread::~io_thread() {
  drop_sessions();
}

const router& io_thread::routes() const {
  return owner_.shared_->routes;
}

instant io_thread::now() const {
  return owner_.shared_->time.now();
}

bool io_thread::is_draining() const {
  return owner_.shared_->draining.load(std::memory_order_relaxed);
}

std::uint64_t io_thread::dice() {
  // xorshift64: spreads Retry-After, guards nothing.
  dice_ ^= dice_ << 13;
  dice_ ^= dice_ >> 7;
  dice_ ^= dice_ << 17;
  return dice_;
}

bool io_thread::take_place() {
  if (places_taken_ >= places_max_) return false;
  ++places_taken_;
  metrics_->requests_in_flight.add();
  return true;
}

void io_thread::give_place_back() {
  --places_taken_;
  metrics_->requests_in_flight.subtract();
}

std::unique_ptr<workspace> io_thread::take_workspace() {
  if (spare_.empty()) return std::make_unique<workspace>();
  auto taken = std::move(spare_.back());
  spare_.pop_back();
  return taken;
}

void io_thread::give_back(std::unique_ptr<workspace> used) {
  auto bytes = used->input.capacity() + used->output.capacity() + used->chunked_body.capacity();
  if (spare_.size() >= spare_workspaces_max || bytes > spare_bytes_max) return;
  used->parser.reset();
  spare_.push_back(std::move(used));
}

// ---- listening

tl::expected<void, std::string> io_thread::listen(const asio::ip::tcp::endpoint& endpoint) {
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.set_option(reuse_port(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return tl::unexpected(error.message());
  return {};
}

std::uint16_t io_thread::port() const {
  return acceptor_.local_endpoint().port();
}

void io_thread::accept_next() {
  acceptor_.async_accept(remote_, [this](boost::system::error_code error, tcp_socket socket) {
    if (!acceptor_.is_open()) return;
    if (!error) {
      accepted(std::move(socket));
      return accept_next();
    }
    // Out of descriptors or memory: the next sweep tries again, instead of a loop doing so.
    accepting_ = false;
  });
}

void io_thread::accepted(tcp_socket socket) {
  auto peer = peer_of(remote_.address());
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (!owner_.shared_->take_connection(peer, bounds())) {
    metrics_->refused[static_cast<std::size_t>(turned_away::connections)].add();
    ::send(socket.native_handle(), refusal_at_the_door.data(), refusal_at_the_door.size(),
           MSG_NOSIGNAL);
    return;
  }
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  ssl_ptr tls;
  if (owner_.options_.tls) tls = owner_.shared_->tls.accept_on(socket.native_handle());
  if (owner_.options_.tls && !tls) return owner_.shared_->give_connection_back(peer);
  metrics_->connections_opened.add();
  metrics_->connections_open.add();
  // Sessions delete themselves when they end, and leave the list doing so.
  auto* made = new session(*this, std::move(socket), peer, std::move(tls));
  sessions_.push_back(*made);
  made->start();
}

void io_thread::closed(session& one, const peer_address& peer) {
  if (one.is_linked()) sessions_.erase(sessions_.iterator_to(one));
  metrics_->connections_open.subtract();
  owner_.shared_->give_connection_back(peer);
  if (was_draining_ && sessions_.empty()) context_.stop();
}

// ---- life

void io_thread::run(thread_metrics& metrics) {
  metrics_ = &metrics;
  coarse_now_ms_ = steady_now_ms();
  write_date();
  accept_next();
  sweep_later();
  context_.run();
}

void io_thread::sweep_later() {
  sweep_timer_.expires_after(bounds().sweep_interval);
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    sweep();
    sweep_later();
  });
}

void io_thread::sweep() {
  coarse_now_ms_ = steady_now_ms();
  write_date();
  for (auto& one : sessions_) one.sweep(coarse_now_ms_);
  if (!accepting_ && acceptor_.is_open()) {
    accepting_ = true;
    accept_next();
  }
}

void io_thread::write_date() {
  auto now = std::chrono::system_clock::to_time_t(now_for_date());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  date_bytes_ =
      std::strftime(date_.data(), date_.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
}

std::chrono::system_clock::time_point io_thread::now_for_date() const {
  return std::chrono::system_clock::time_point{now().time_since_epoch()};
}

void io_thread::drain() {
  was_draining_ = true;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (auto& one : sessions_) one.drain();
  if (sessions_.empty()) context_.stop();
}

void io_thread::end_now() {
  context_.stop();
}

void io_thread::drop_sessions() {
  sessions_.clear_and_dispose([](session* one) { delete one; });
}

}  // namespace gelombang::net
