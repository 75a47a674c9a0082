#pragma once

#include <semaphore.h>

#include <cerrno>
#include <chrono>
#include <ctime>

namespace gelombang::net {

/// POSIX's counting semaphore. Who posts takes no lock that another thread could wait for, so one
/// of low priority may wake one of high. With a condition variable goes a mutex, and libstdc++'s
/// `counting_semaphore` can sleep through a post. Thread-safe.
class semaphore {
public:
  semaphore() { ::sem_init(&count_, 0, 0); }
  ~semaphore() { ::sem_destroy(&count_); }
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  void post() { ::sem_post(&count_); }

  void wait() {
    while (::sem_wait(&count_) != 0 && errno == EINTR) continue;
  }

  /// Ends at the latest at `end`.
  void wait_until(std::chrono::steady_clock::time_point end) {
    const auto since = end.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const timespec at{
        .tv_sec = static_cast<std::time_t>(seconds.count()),
        .tv_nsec = static_cast<long>(std::chrono::nanoseconds{since - seconds}.count())};
    while (::sem_clockwait(&count_, CLOCK_MONOTONIC, &at) != 0 && errno == EINTR) continue;
  }

private:
  sem_t count_;
};

}  // namespace gelombang::net
