#pragma once

#include <atomic>
#include <chrono>

namespace gelombang {

/// A moment, to the millisecond, UTC. Waves keep Jakarta's time (WIB, UTC+7), which `time.hpp`
/// formats.
using instant = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where time comes from: injected everywhere, so that tests and simulations rule it. Thread-safe.
class clock {
public:
  virtual ~clock() = default;
  virtual instant now() const = 0;
};

class system_clock final : public clock {
public:
  instant now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

/// Stands still until it is told otherwise.
class manual_clock final : public clock {
public:
  explicit manual_clock(instant start) : now_(start.time_since_epoch().count()) {}

  instant now() const override {
    return instant{std::chrono::milliseconds{now_.load(std::memory_order_acquire)}};
  }
  void set(instant to) { now_.store(to.time_since_epoch().count(), std::memory_order_release); }
  void advance(std::chrono::milliseconds by) {
    now_.fetch_add(by.count(), std::memory_order_acq_rel);
  }

private:
  std::atomic<std::int64_t> now_;
};

}  // namespace gelombang
