#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "net/peer_address.hpp"
#include "net/server.hpp"
#include "net/tls.hpp"

namespace gelombang::net {

/// What the io threads of a server share. Everything here is thread-safe or const while serving.
struct server::shared {
  explicit shared(const clock& clock) : time(clock) {}

  const clock& time;
  router routes;
  tls_context tls;
  std::shared_ptr<http_metrics> metrics;
  std::atomic<bool> draining{false};
  std::vector<std::thread> running;

  std::mutex guard;
  std::condition_variable thread_ended;
  std::size_t threads_left = 0;
  bool is_hurried = false;

  /// False: the server, its house port, or this address, has as many connections as it may.
  bool take_connection(lane to, const peer_address& peer, const limits& bounds);
  void give_connection_back(lane to, const peer_address& peer);

  /// Whether it is to be logged that no connection can be accepted: once a minute, whichever thread
  /// is the first to meet it.
  bool may_tell_stuck(std::int64_t now_ms) {
    constexpr std::int64_t told_again_after_ms = 60'000;
    auto told = stuck_told_ms_.load();
    return now_ms - told >= told_again_after_ms &&
           stuck_told_ms_.compare_exchange_strong(told, now_ms);
  }

  /// Tells the waiting room of all threads together, ten times a second whoever calls.
  void tell(waiting_room& room, std::chrono::steady_clock::time_point at, instant now);

private:
  std::mutex load_guard_;
  std::chrono::steady_clock::time_point told_at_{};
  std::uint64_t served_before_ = 0;
  std::atomic<std::int64_t> stuck_told_ms_{INT64_MIN / 2};
  std::mutex connections_guard_;
  std::size_t connections_ = 0;
  std::size_t house_connections_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> by_address_;
};

}  // namespace gelombang::net
