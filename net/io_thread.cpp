#include "net/io_thread.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <ctime>
#include <random>
#include <system_error>
#include <utility>

#include "net/server_shared.hpp"

namespace gelombang::net {
namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::size_t spare_workspaces_max = 512;
/// A workspace that grew beyond this for one large request is not kept.
constexpr std::size_t spare_bytes_max = std::size_t{64} * 1024;
/// Connections accepted in a row before those that are there have their turn.
constexpr int accepted_in_a_row_max = 64;
constexpr std::string_view refusal_at_the_door =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
    "Connection: close\r\n\r\n";

admission_settings admission_of(const server_options& options) {
  auto settings = options.admission;
  settings.places_max = std::max<std::size_t>(
      1, options.bounds.requests_in_flight_max / std::max<std::size_t>(1, options.threads));
  settings.places_min = std::min(settings.places_min, settings.places_max);
  return settings;
}

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
      public_(context_, lane::everybody),
      house_(context_, lane::house),
      door_(admission_of(owner.options_), std::chrono::steady_clock::now()),
      sweep_timer_(context_.get_executor()),
      json_(owner.options_.bounds.json_depth_max),
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

bool io_thread::take_place(urgency what) {
  if (places_taken_ >= door_.places() && what != urgency::house) return false;
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

tl::expected<void, std::string> io_thread::listen(lane which,
                                                  const asio::ip::tcp::endpoint& endpoint) {
  auto& at = which == lane::house ? house_ : public_;
  boost::system::error_code error;
  at.socket.open(endpoint.protocol(), error);
  if (!error) at.socket.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) at.socket.set_option(reuse_port(true), error);
  // What is accepted has it from here.
  if (!error) at.socket.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) at.socket.bind(endpoint, error);
  if (!error) at.socket.native_non_blocking(true, error);
  if (!error) at.socket.listen(at.backlog, error);
  if (error) return tl::unexpected(error.message());
  return {};
}

std::uint16_t io_thread::port(lane which) const {
  return (which == lane::house ? house_ : public_).socket.local_endpoint().port();
}

void io_thread::accept_later(entrance& at) {
  at.socket.async_wait(asio::socket_base::wait_read, [this, &at](boost::system::error_code error) {
    if (!error && at.socket.is_open()) accept_some(at);
  });
}

void io_thread::accept_some(entrance& at) {
  for (int count = 0; count < accepted_in_a_row_max; ++count) {
    asio::ip::tcp::endpoint from;
    auto bytes = static_cast<socklen_t>(from.capacity());
    auto descriptor =
        ::accept4(at.socket.native_handle(), from.data(), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      from.resize(bytes);
      accepted({descriptor, from.protocol(), peer_of(from.address()), at.to});
      continue;
    }
    if (errno == EAGAIN) break;
    // Out of descriptors or memory: the next sweep tries again, instead of a loop doing so.
    at.is_stuck = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (at.is_stuck) return note_stuck(errno);
    // Everything else is about that one connection.
  }
  accept_later(at);
}

void io_thread::note_stuck(int why) {
  metrics_->accepts_failed.add();
  if (!owner_.shared_->may_tell_stuck(coarse_now_ms_)) return;
  spdlog::error(
      "no connection can be accepted: {}. Whoever comes waits until others end. Where it is files: "
      "allow the process more than front_door.connections_max (ulimit -n, LimitNOFILE)",
      std::generic_category().message(why));
}

void io_thread::waited(admission::came_on what, std::chrono::milliseconds wait) {
  const auto at = std::chrono::steady_clock::now();
  door_.waited(what, wait, at);
  metrics_->backlog.set(static_cast<std::uint64_t>(public_.backlog));
  metrics_->places.set(door_.places());
  tell_load(at);
  keep_backlog();
}

void io_thread::tell_load(std::chrono::steady_clock::time_point at) {
  metrics_->pressure_permille.set(door_.pressure());
  metrics_->served_late.set(door_.unaffordable());
  metrics_->served.set(door_.served());
  if (room() != nullptr) owner_.shared_->tell(*room(), at, now());
}

void io_thread::keep_backlog() {
  constexpr int most = asio::socket_base::max_listen_connections;
  const auto wanted = std::min(door_.backlog(), most);
  if (wanted == public_.backlog) return;
  // On a socket that listens this only sets the length; whoever is in the queue stays there.
  boost::system::error_code error;
  public_.socket.listen(wanted, error);
  if (!error) public_.backlog = wanted;
}

void io_thread::accepted(const accepted_connection& came) {
  if (!owner_.shared_->take_connection(came.to, came.peer, bounds())) {
    metrics_->refused[static_cast<std::size_t>(turned_away::connections)].add();
    ::send(came.descriptor, refusal_at_the_door.data(), refusal_at_the_door.size(), MSG_NOSIGNAL);
    ::close(came.descriptor);
    return;
  }
  ssl_ptr tls;
  if (owner_.options_.tls) tls = owner_.shared_->tls.accept_on(came.descriptor);
  if (owner_.options_.tls && !tls) {
    ::close(came.descriptor);
    return owner_.shared_->give_connection_back(came.to, came.peer);
  }
  metrics_->connections_opened.add();
  metrics_->connections_open.add();
  // Sessions delete themselves when they end, and leave the list doing so.
  auto* made = new session(*this, came, std::move(tls));
  sessions_.push_back(*made);
  made->start();
}

void io_thread::closed(session& one, lane to, const peer_address& peer) {
  if (one.is_linked()) sessions_.erase(sessions_.iterator_to(one));
  metrics_->connections_open.subtract();
  owner_.shared_->give_connection_back(to, peer);
  if (was_draining_ && sessions_.empty()) context_.stop();
}

// ---- life

void io_thread::run(thread_metrics& metrics) {
  metrics_ = &metrics;
  coarse_now_ms_ = steady_now_ms();
  write_date();
  for (auto* at : {&public_, &house_}) {
    if (at->socket.is_open()) accept_later(*at);
  }
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
  const auto looked_at = std::chrono::steady_clock::now();
  door_.look(looked_at);
  tell_load(looked_at);
  for (auto* at : {&public_, &house_}) {
    if (!std::exchange(at->is_stuck, false) || !at->socket.is_open()) continue;
    accept_some(*at);
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
  public_.socket.close(ignored);
  house_.socket.close(ignored);
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
