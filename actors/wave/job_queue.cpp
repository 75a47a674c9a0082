#include "actors/wave/job_queue.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

#include "storage/thread_name.hpp"

namespace gelombang::wave {

job_queue::job_queue(std::string name, priority how)
    : thread_([this, name = std::move(name), how] { run(name, how); }) {}

job_queue::~job_queue() {
  stop();
}

void job_queue::submit(std::function<void()> job) {
  {
    std::lock_guard lock{mutex_};
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  wanted_.notify_one();
}

void job_queue::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    jobs_.clear();
  }
  wanted_.notify_all();
  idle_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void job_queue::wait_until_idle() {
  std::unique_lock lock{mutex_};
  idle_.wait(lock, [this] { return jobs_.empty() && !busy_; });
}

void job_queue::run(const std::string& name, priority how) {
  constexpr int last_of_all = 19;
  name_this_thread(name);
  // Linux has a nice value for each thread (sched(7)), and raising it is always allowed.
  if (how == priority::yielding)
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), last_of_all);
  std::unique_lock lock{mutex_};
  while (true) {
    wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    job();
    lock.lock();
    busy_ = false;
    if (jobs_.empty()) idle_.notify_all();
  }
}

}  // namespace gelombang::wave
