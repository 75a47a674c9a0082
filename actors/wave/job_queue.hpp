#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace gelombang::wave {

/// Jobs that one thread does, one after the other. Thread-safe.
class job_queue {
public:
  enum class priority : std::uint8_t {
    usual,
    yielding,  ///< only what nobody else wants of the processors: nice 19
  };

  /// @param name  of the thread, as operators see it
  explicit job_queue(std::string name, priority how = priority::usual);
  job_queue(const job_queue&) = delete;
  job_queue& operator=(const job_queue&) = delete;
  ~job_queue();

  void submit(std::function<void()> job);

  /// Ends the thread when it has finished what it is at; what waits is dropped, and so is what is
  /// submitted later.
  void stop();

  /// Returns when nothing waits and nothing is under way.
  void wait_until_idle();

private:
  void run(const std::string& name, priority how);

  std::mutex mutex_;
  std::condition_variable wanted_, idle_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false, busy_ = false;
  std::thread thread_;
};

}  // namespace gelombang::wave
