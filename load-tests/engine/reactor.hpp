#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace gelombang::load {

using steady = std::chrono::steady_clock;
using time_point = steady::time_point;

/// Who is told that a socket can be read or written.
class ready_handler {
public:
  virtual void ready(std::uint32_t events) = 0;

protected:
  ~ready_handler() = default;
};

/// One thread's event loop: sockets by epoll, and coroutines that wait for a time. For its thread
/// only.
class reactor {
public:
  reactor();
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Tells `who` of every change of `socket`, edge-triggered, until the socket is closed.
  /// @returns whether the kernel took it.
  bool watch(int socket, ready_handler& who);

  /// Forgets what `who` would have been told in the round under way.
  void forget(const ready_handler& who);

  /// Waits for events or timers, at the latest until `until`, and serves them.
  void turn(time_point until);

  /// Goes on with `who` at the end of this turn.
  void soon(std::coroutine_handle<> who) { soon_.push_back(who); }

  /// Goes on with everybody who waits for a time or for the end of the turn.
  void wake_all();

  /// The time at the beginning of this turn: near enough for whatever is not measured.
  time_point now() const { return now_; }

  /// `co_await loop.until(t)`: goes on when `t` has come, at once if it has.
  auto until(time_point when) {
    struct awaiter {
      reactor& loop;
      time_point when;
      bool await_ready() const { return when <= loop.now_; }
      void await_suspend(std::coroutine_handle<> who) { loop.sleepers_.push({when, who}); }
      void await_resume() const {}
    };
    return awaiter{*this, when};
  }

private:
  struct sleeper {
    time_point when;
    std::coroutine_handle<> who;
    bool operator>(const sleeper& other) const { return when > other.when; }
  };

  void wake_sleepers();
  void go_on();

  static constexpr int events_a_turn_max = 256;

  int epoll_ = -1;
  time_point now_ = steady::now();
  std::array<epoll_event, events_a_turn_max> events_{};
  int ready_ = 0;  ///< of `events_` in the round under way
  std::vector<std::coroutine_handle<>> soon_, going_on_;
  std::priority_queue<sleeper, std::vector<sleeper>, std::greater<>> sleepers_;
};

}  // namespace gelombang::load
