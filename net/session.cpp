#include "net/session.hpp"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/io_thread.hpp"
#include "net/waiting_room/answer.hpp"

namespace gelombang::net {
namespace {

constexpr std::int64_t would_block = -1;
constexpr std::int64_t connection_lost = -2;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

std::int64_t milliseconds_of(std::chrono::milliseconds duration) {
  return duration.count();
}

}  // namespace

// ---- life

session::session(io_thread& thread, const accepted_connection& came, ssl_ptr tls)
    : thread_(thread),
      socket_(thread.context(), came.protocol, came.descriptor),
      tls_(std::move(tls)),
      peer_(came.peer),
      lane_(came.to) {}

session::~session() {
  thread_.closed(*this, lane_, peer_);
}

void session::start() {
  main_ = run();
  main_.start();
}

void session::readiness::await_suspend(std::coroutine_handle<> waiting) {
  owner_.socket_.async_wait(what_, [this, waiting](const boost::system::error_code& error) {
    failed_ = static_cast<bool>(error);
    waiting.resume();
  });
}

task<> session::run() {
  if (tls_ == nullptr || co_await handshake()) co_await read_and_answer();
  if (must_linger_ && !gone_) co_await linger();
  // Not from within: this coroutine is a part of what goes.
  asio::post(thread_.context(), [this] { delete this; });
}

task<bool> session::handshake() {
  watch(phase::handshake, thread_.bounds().handshake_timeout);
  tell_wait();
  for (;;) {
    ERR_clear_error();
    auto done = SSL_do_handshake(tls_.get());
    if (done == 1) co_return true;
    auto why = SSL_get_error(tls_.get(), done);
    auto wants_read = why == SSL_ERROR_WANT_READ;
    if (!wants_read && why != SSL_ERROR_WANT_WRITE) break;
    auto alive = wants_read ? co_await can_read() : co_await can_write();
    if (!alive) break;
  }
  count(turned_away::handshake);
  gone_ = true;
  co_return false;
}

task<> session::read_and_answer() {
  auto is_fresh = true;
  while (!closing_) {
    watch_reading();
    // Under load the first request of a connection is there before the connection is accepted.
    auto may_be_there = tls_ != nullptr ? SSL_pending(tls_.get()) > 0 : is_fresh;
    is_fresh = false;
    if (!may_be_there && !co_await can_read()) break;
    auto got = receive();
    if (got == received::closed) co_return;
    if (got == received::nothing_yet) continue;
    co_await answer_buffered();
    if (work_->input.size() == 0 && work_->output.empty()) {
      thread_.give_back(std::move(work_));
    }
  }
  if (expired_) tell_expired();
}

void session::tell_expired() {
  auto in_request = phase_ == phase::header || phase_ == phase::body;
  if (!in_request || gone_) return;
  expired_ = false;
  count(turned_away::too_slow);
  broken(errc::request_too_slow);
  // What the socket does not take at once is not worth waiting for.
  send_now();
}

void session::sweep(std::int64_t now_ms) {
  if (expires_at_ms_ == 0 || expired_) return;
  auto& bounds = thread_.bounds();
  auto is_late = now_ms >= expires_at_ms_;
  if (phase_ == phase::body && work_ != nullptr && !is_late) {
    auto elapsed = now_ms - phase_since_ms_ - milliseconds_of(bounds.body_grace);
    auto body_bytes = work_->input.size() + work_->chunked_body.size() - work_->header_bytes;
    auto wanted = elapsed * static_cast<std::int64_t>(bounds.body_bytes_per_second_min) / 1000;
    is_late = static_cast<std::int64_t>(body_bytes) < wanted;
  }
  if (!is_late) return;
  expired_ = true;
  if (phase_ == phase::writing) count(turned_away::write_stalled);
  socket_.cancel();
}

void session::drain() {
  if (phase_ != phase::idle || expired_) return;
  expired_ = true;
  socket_.cancel();
}

void session::count(turned_away reason) {
  thread_.metrics().refused[static_cast<std::size_t>(reason)].add();
}

// ---- reading

void session::watch(phase now, std::chrono::milliseconds timeout) {
  phase_ = now;
  phase_since_ms_ = thread_.coarse_now_ms();
  // The coarse time may be a sweep old, so that much is added: never early.
  auto slack = thread_.bounds().sweep_interval;
  expires_at_ms_ = phase_since_ms_ + milliseconds_of(timeout + slack);
}

void session::watch_reading() {
  auto& bounds = thread_.bounds();
  if (work_ == nullptr || work_->input.size() == 0) return watch(phase::idle, bounds.idle_timeout);
  // A deadline runs from a phase's beginning: bytes that trickle in do not move it.
  if (work_->header_bytes == 0) {
    if (phase_ != phase::header) watch(phase::header, bounds.header_timeout);
    return;
  }
  if (phase_ == phase::body) return;
  auto length = work_->parser->announced_bytes();
  auto usual = std::max<std::size_t>(bounds.body_bytes_per_second_min, 1);
  auto by_rate = bounds.body_grace + std::chrono::milliseconds(length * 1000 / usual);
  auto is_usual_size = length <= bounds.body_bytes_max;
  watch(phase::body, is_usual_size ? bounds.body_timeout : std::max(by_rate, bounds.body_timeout));
}

std::int64_t session::read_some(char* to, std::size_t bytes) {
  if (tls_ == nullptr) {
    auto got = ::recv(socket_.native_handle(), to, bytes, 0);
    if (got >= 0) return got;
    return errno == EAGAIN || errno == EINTR ? would_block : connection_lost;
  }
  ERR_clear_error();
  auto got = SSL_read(tls_.get(), to, static_cast<int>(bytes));
  if (got > 0) return got;
  auto why = SSL_get_error(tls_.get(), got);
  auto wants_write = why == SSL_ERROR_WANT_WRITE;
  tls_wait_ = wants_write ? asio::socket_base::wait_write : asio::socket_base::wait_read;
  if (wants_write || why == SSL_ERROR_WANT_READ) return would_block;
  return why == SSL_ERROR_ZERO_RETURN ? 0 : connection_lost;
}

session::received session::receive() {
  if (work_ == nullptr) {
    work_ = thread_.take_workspace();
    begin_request();
  }
  auto& input = work_->input;
  if (input.room() < read_bytes_min) input.make_room();
  auto got = read_some(input.end(), input.room());
  if (got == would_block) return received::nothing_yet;
  if (got <= 0) {
    gone_ = got == connection_lost;
    return received::closed;
  }
  if (input.size() == 0) tell_wait();
  input.added(static_cast<std::size_t>(got));
  thread_.metrics().bytes_read.add(static_cast<std::uint64_t>(got));
  return received::some;
}

/// Tells the overload control how long the bytes that have been read were there: one request in
/// sixteen, for asking the kernel costs half a microsecond.
void session::tell_wait() {
  auto came = is_new_ ? admission::came_on::new_connection : admission::came_on::kept_connection;
  auto& door = thread_.door();
  is_new_ = false;
  if (lane_ == lane::house || !door.wants_sample()) return;
  tcp_info facts{};
  socklen_t bytes = sizeof facts;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &facts, &bytes) != 0) return;
  thread_.waited(came, std::chrono::milliseconds{facts.tcpi_last_data_recv});
}

// ---- answering

task<> session::answer_buffered() {
  std::size_t in_a_row = 0;
  auto& bounds = thread_.bounds();
  while (!closing_) {
    auto next = advance();
    if (next == step::need_more) {
      auto waits = work_->header_bytes > 0 && work_->parser->expects_continue();
      if (!waits || continued_) break;
      continued_ = true;
      if (!work_->rejection) {
        work_->output += continue_line;
        break;
      }
      // The body is not wanted, and was not sent: the answer says so, and the connection ends.
      work_->x.keep_alive_ = false;
      next = step::ready;
    }
    if (next == step::ready) {
      if (auto* ask = dispatch()) co_await wait_for(*ask);
      finish_answer();
    }
    if (work_->output.size() >= bounds.coalesced_bytes_max && !send_now()) co_await flush_slowly();
    if (++in_a_row % bounds.pipelined_requests_max != 0) continue;
    if (!send_now()) co_await flush_slowly();
    co_await callback<int>(
        [this](auto done) { asio::post(thread_.context(), [done] { done(0); }); });
  }
  if (!send_now()) co_await flush_slowly();
}

const handler::waiting* session::dispatch() {
  auto& work = *work_;
  auto& x = work.x;
  asked_at_ = std::chrono::steady_clock::now();
  x.begin_ = work.input.begin();
  if (work.rejection) {
    if (work.told_to_wait) {
      tell_to_wait(x, *work.told_to_wait);
    } else {
      x.refuse(*work.rejection);
    }
    return nullptr;
  }
  if (work.is_options) {
    answer_options();
    return nullptr;
  }
  x.now_ = thread_.now();
  auto& answer = x.match_.found->answer;
  if (auto* ask = answer.as_waiting()) return ask;
  call(*answer.as_immediate());
  return nullptr;
}

void session::call(const handler::immediate& answer) {
  try {
    answer(work_->x);
  } catch (const std::exception& error) {
    failed(error.what());
  }
}

void session::failed(const char* what) {
  auto& x = work_->x;
  spdlog::error("handler of {} failed: {}", x.match_.found->operation_id, what);
  if (x.status_ == 0) {
    x.refuse(errc::internal);
  } else if (x.streaming_) {
    gone_ = true;
  }
}

task<> session::wait_for(const handler::waiting& ask) {
  auto& x = work_->x;
  if (!thread_.take_place(lane_ == lane::house ? urgency::house : x.match_.found->when_busy)) {
    count(turned_away::in_flight);
    if (work_->turn) {
      tell_to_wait(x, thread_.room()->take_back(*work_->turn, thread_.now()));
    } else {
      x.refuse(errc::overloaded);
    }
    co_return;
  }
  try {
    auto answer = ask(x);
    answer.start();
    if (!answer.done()) {
      phase_ = phase::handling;
      expires_at_ms_ = 0;
      // Answers to earlier requests of this connection don't wait for this one.
      if (x.status_ == 0 && !send_now()) co_await flush_slowly();
      co_await answer;
    } else {
      answer.result();
    }
  } catch (const std::exception& error) {
    failed(error.what());
  }
  thread_.give_place_back();
}

void session::answer_options() {
  auto& x = work_->x;
  x.add_header("Allow", x.match_.allowed);
  x.no_content();
}

void session::finish_answer() {
  auto& work = *work_;
  auto& x = work.x;
  if (x.status_ == 0) x.refuse(errc::internal);
  // A stream that was begun and not finished can only be cut.
  if (x.streaming_) gone_ = true;
  auto& metrics = thread_.metrics();
  auto index = x.match_.found != nullptr ? x.match_.index : metrics.routes.size() - 1;
  auto& figures = metrics.routes[index];
  figures.by_class[std::min<std::size_t>(x.status_ / 100, 5)].add();
  if (x.match_.found != nullptr && asked_at_ != std::chrono::steady_clock::time_point{}) {
    auto took = std::chrono::steady_clock::now() - asked_at_;
    figures.latency.record(took);
    if (!work.rejection) thread_.door().answered(x.match_.found->when_busy, took);
    asked_at_ = {};
  }
  if (!x.keep_alive_ || gone_) {
    closing_ = true;
    must_linger_ = must_linger_ || work.input.size() > work.request_bytes;
    return;
  }
  work.input.drop_front(work.request_bytes);
  begin_request();
}

// ---- writing

std::int64_t session::write_some(const char* from, std::size_t bytes) {
  if (tls_ == nullptr) {
    auto taken = ::send(socket_.native_handle(), from, bytes, MSG_NOSIGNAL);
    if (taken >= 0) return taken;
    return errno == EAGAIN || errno == EINTR ? would_block : connection_lost;
  }
  constexpr std::size_t tls_write_bytes_max = 1 << 20;
  ERR_clear_error();
  auto taken = SSL_write(tls_.get(), from, static_cast<int>(std::min(bytes, tls_write_bytes_max)));
  if (taken > 0) return taken;
  auto why = SSL_get_error(tls_.get(), taken);
  return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? would_block : connection_lost;
}

/// Writes what the socket takes at once. True: there is nothing left to write.
bool session::send_now() {
  auto& output = work_->output;
  while (sent_ < output.size() && !gone_) {
    auto taken = write_some(output.data() + sent_, output.size() - sent_);
    if (taken == would_block) return false;
    if (taken == connection_lost) {
      gone_ = closing_ = true;
      break;
    }
    sent_ += static_cast<std::size_t>(taken);
    thread_.metrics().bytes_written.add(static_cast<std::uint64_t>(taken));
  }
  output.clear();
  sent_ = 0;
  return true;
}

task<> session::flush_slowly() {
  auto& bounds = thread_.bounds();
  auto sent_before = sent_;
  watch(phase::writing, bounds.write_timeout);
  while (!send_now()) {
    if (sent_ != sent_before) watch(phase::writing, bounds.write_timeout);
    sent_before = sent_;
    if (co_await can_write()) continue;
    gone_ = closing_ = true;
  }
  phase_ = phase::handling;
  expires_at_ms_ = 0;
}

task<bool> session::flush() {
  if (!send_now()) co_await flush_slowly();
  co_return !gone_;
}

/// Ends the sending side and listens on for a while: closing with unread bytes would send a reset,
/// which takes the answer away from the client before it has read it.
task<> session::linger() {
  if (tls_ != nullptr) SSL_shutdown(tls_.get());
  socket_.shutdown_send();
  watch(phase::lingering, thread_.bounds().linger_timeout);
  std::array<char, 1024> unread;
  auto left = std::max(thread_.bounds().body_bytes_max, thread_.bounds().header_bytes_max);
  while (co_await readiness(*this, asio::socket_base::wait_read)) {
    for (;;) {
      auto got = ::recv(socket_.native_handle(), unread.data(), unread.size(), 0);
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0 || static_cast<std::size_t>(got) > left) co_return;
      left -= static_cast<std::size_t>(got);
    }
  }
}

}  // namespace gelombang::net
