#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/admission.hpp"
#include "net/lazy_socket.hpp"
#include "net/metrics.hpp"
#include "net/server.hpp"
#include "net/task.hpp"
#include "net/tls.hpp"
#include "net/workspace.hpp"

namespace gelombang::net {

class io_thread;

/// A connection as it was accepted.
struct accepted_connection {
  int descriptor;
  asio::ip::tcp protocol;
  peer_address peer;
  lane to;
};

/// One connection: reads requests, has them answered, writes the answers in order. Lives on one io
/// thread and belongs to it.
class session : public boost::intrusive::list_base_hook<> {
public:
  /// Takes the descriptor.
  session(io_thread& thread, const accepted_connection& came, ssl_ptr tls);
  ~session();
  session(const session&) = delete;
  session& operator=(const session&) = delete;

  void start();

  /// Ends a connection whose time is over. Called at every sweep.
  void sweep(std::int64_t now_ms);
  /// Ends the connection as soon as no request is under way.
  void drain();

  /// Writes what the exchange has appended; false: the client is gone. For streams.
  task<bool> flush();

private:
  enum class phase : std::uint8_t { handshake, idle, header, body, handling, writing, lingering };
  enum class step : std::uint8_t { need_more, ready, broken };
  enum class received : std::uint8_t { some, nothing_yet, closed };

  /// Awaits that the socket can be read or written. False: the time is over or the socket closed.
  class readiness {
  public:
    readiness(session& owner, asio::socket_base::wait_type what) : owner_(owner), what_(what) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting);
    bool await_resume() const { return !failed_ && !owner_.expired_; }

  private:
    session& owner_;
    asio::socket_base::wait_type what_;
    bool failed_ = false;
  };

  readiness can_read() { return {*this, tls_wait_}; }
  readiness can_write() { return {*this, asio::socket_base::wait_write}; }

  task<> run();
  task<bool> handshake();
  task<> read_and_answer();
  task<> answer_buffered();
  task<> wait_for(const handler::waiting& ask);
  task<> flush_slowly();
  task<> linger();

  // Reading.
  void watch(phase now, std::chrono::milliseconds timeout);
  void watch_reading();
  received receive();
  std::int64_t read_some(char* to, std::size_t bytes);
  step advance();
  step parse_header();
  step admit();
  step collect_body();
  step collect_chunks();
  step broken(errc why);
  void begin_request();
  void tell_wait();
  void ask_limits();
  void ask_admission();
  void ask_room(waiting_room& room, admission::verdict said);
  void turn_away(errc why);

  // Answering.
  const handler::waiting* dispatch();
  void authorise();
  void call(const handler::immediate& answer);
  void failed(const char* what);
  void finish_answer();
  void answer_options();
  void count(turned_away reason);

  // Writing.
  bool send_now();
  std::int64_t write_some(const char* from, std::size_t bytes);
  void tell_expired();

  io_thread& thread_;
  lazy_socket socket_;
  ssl_ptr tls_;
  task<> main_;
  std::unique_ptr<workspace> work_;
  std::size_t sent_ = 0;            ///< of the workspace's output
  std::int64_t expires_at_ms_ = 0;  ///< 0: never
  std::int64_t phase_since_ms_ = 0;
  std::chrono::steady_clock::time_point asked_at_;
  peer_address peer_;
  lane lane_;
  asio::socket_base::wait_type tls_wait_ = asio::socket_base::wait_read;
  phase phase_ = phase::idle;
  bool expired_ = false;
  bool closing_ = false;  ///< nothing more is read
  bool gone_ = false;     ///< the client can't be written to
  bool must_linger_ = false;
  bool is_new_ = true;      ///< nothing has been read yet
  bool continued_ = false;  ///< 100 Continue has been sent for this request
};

}  // namespace gelombang::net
