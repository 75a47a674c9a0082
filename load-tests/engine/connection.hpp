#pragma once

#include <netinet/in.h>

#include <coroutine>
#include <cstdint>
#include <string>
#include <string_view>

#include "load-tests/engine/reactor.hpp"
#include "load-tests/engine/wire.hpp"

namespace gelombang::load {

/// Why there is no answer.
enum class loss : std::uint8_t { none, connect, reset, timeout, protocol, cut };
inline constexpr std::size_t losses = 6;
std::string_view name_of(loss why);

/// A TCP connection with one request under way at most. For its reactor's thread; whoever awaits
/// one of its operations keeps it alive meanwhile.
class connection final : public ready_handler {
public:
  explicit connection(reactor& loop) : loop_(loop) {}
  ~connection() { close(); }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Begins to connect, from `source` (an address of this machine, network order; 0: any).
  /// @returns false when the kernel refuses at once: no ports, no descriptors.
  bool open(const sockaddr_in& to, std::uint32_t source);
  bool is_open() const { return socket_ >= 0; }
  void close();

  /// `co_await c.exchange(request)`: sends it and waits for the answer.
  /// @returns (awaited) `loss::none` when `found()` is the answer.
  auto exchange(std::string_view request) { return operation{*this, request, true}; }
  /// `co_await c.send(piece)`: until the kernel has taken it all; for those who send slowly.
  auto send(std::string_view piece) { return operation{*this, piece, false}; }
  /// `co_await c.receive()`: the answer to what has been sent piece by piece.
  auto receive() { return operation{*this, {}, true}; }

  /// Where the request under way is written; it must stay until it is sent.
  std::string& request() { return request_; }

  const answer& found() const { return parser_.found(); }

  /// Ends the operation under way with `why`, and the connection.
  void give_up(loss why);

  /// Counts the operations, so that a timeout that comes late is known to be late.
  std::uint64_t operations() const { return operations_; }
  bool is_waiting() const { return waiting_ != nullptr; }

private:
  struct operation {
    connection& of;
    std::string_view request;
    bool with_answer;

    bool await_ready() { return of.begin(request, with_answer); }
    void await_suspend(std::coroutine_handle<> who) { of.waiting_ = who; }
    loss await_resume() { return of.outcome_; }
  };

  void ready(std::uint32_t events) override;
  bool begin(std::string_view request, bool with_answer);
  bool advance();
  bool send_rest();
  bool read_answer();
  bool end(loss why);

  reactor& loop_;
  int socket_ = -1;
  bool connected_ = false;
  bool with_answer_ = false;
  loss outcome_ = loss::none;
  std::uint64_t operations_ = 0;
  std::string request_;
  std::string_view unsent_;
  std::coroutine_handle<> waiting_;
  answer_parser parser_;
};

}  // namespace gelombang::load
