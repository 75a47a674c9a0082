#pragma once

#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/caller_limit_settings.hpp"

namespace gelombang::net {

/// A counter that one thread writes and others read: an addition costs what it costs in a plain
/// variable, for there is no locked instruction in it.
class owned_counter {
public:
  void add(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t amount = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

/// Durations from 1 µs to a minute in buckets whose width is a quarter of their power of two, so
/// that a reading is off by an eighth at most. One writer.
class latency_histogram {
public:
  static constexpr std::size_t quarters = 4;
  static constexpr std::size_t powers = 25;  ///< up to 2^26 µs = 67 s; longer ones count as that
  static constexpr std::size_t buckets = quarters * powers;

  void record(std::chrono::nanoseconds duration);

  /// Adds this histogram's counts to `totals`, by bucket.
  void add_to(std::array<std::uint64_t, buckets>& totals) const;
  std::uint64_t sum_nanoseconds() const { return sum_.value(); }

  static std::size_t bucket_of(std::uint64_t microseconds);
  /// The first duration, in microseconds, that no longer belongs to the bucket.
  static std::uint64_t end_of(std::size_t bucket);

private:
  std::array<owned_counter, buckets> counts_;
  owned_counter sum_;
};

/// Why a connection or a request was turned away before a handler saw it.
enum class turned_away : std::uint8_t {
  connections,     ///< connections_max or connections_per_address_max
  in_flight,       ///< requests_in_flight_max
  malformed,       ///< not HTTP
  too_large,       ///< headers or body
  too_slow,        ///< header_timeout, body_timeout, the minimum rate
  not_authorised,  ///< no token, a bad one, or not the role
  not_routed,      ///< no such path or method
  write_stalled,   ///< write_timeout
  handshake,       ///< TLS
  overload,        ///< more than the node can do: `admission`
  over_share,      ///< an account that has had its part while others are refused
  over_limit,      ///< an account, a device or an address that asks too often: `caller_limits`
};
inline constexpr std::size_t turned_away_kinds = 12;
std::string_view name_of(turned_away reason);

/// By `limit_kind`.
using limit_counters = std::array<owned_counter, limit_kinds>;

/// What one io thread counts. Written by that thread only.
struct thread_metrics {
  struct of_route {
    std::array<owned_counter, 6> by_class;  ///< index: status / 100
    latency_histogram latency;
  };

  explicit thread_metrics(std::size_t route_count) : routes(route_count) {}

  std::vector<of_route> routes;  ///< the last one is "none": what matched no route
  std::array<owned_counter, turned_away_kinds> refused;
  /// Requests over a limit of their caller's; and callers whose counts made way for others.
  limit_counters over_limit, limits_forgotten;
  owned_counter connections_opened, connections_open, requests_in_flight;
  owned_counter accepts_failed;  ///< for want of descriptors or memory
  owned_counter bytes_read, bytes_written;
  /// What `admission` has come to, and whom it served late for want of credit to refuse.
  owned_counter pressure_permille, backlog, places, served_late, served;
};

/// The front door's figures, collected from all threads at the time of a scrape. Thread-safe.
class http_metrics final : public prometheus::Collectable {
public:
  /// `operations` are the routes' operation ids, in the router's order.
  http_metrics(std::vector<std::string> operations, std::size_t threads);

  thread_metrics& of_thread(std::size_t index) { return *threads_[index]; }
  const std::vector<std::unique_ptr<thread_metrics>>& threads() const { return threads_; }
  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  std::vector<std::string> operations_;
  std::vector<std::unique_ptr<thread_metrics>> threads_;
};

/// Everything that /metrics shows: the front door's figures and whatever else was registered.
class metrics_page {
public:
  void add(std::shared_ptr<prometheus::Collectable> source) {
    sources_.push_back(std::move(source));
  }
  /// For counters and gauges of other parts. Thread-safe.
  prometheus::Registry& registry() { return *registry_; }

  /// Prometheus' text exposition format 0.0.4.
  std::string text() const;

private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::vector<std::shared_ptr<prometheus::Collectable>> sources_{registry_};
};

}  // namespace gelombang::net
