#include "actors/runtime/run_queue.hpp"

#include <caf/actor_system.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace gelombang::runtime {
namespace {

/// Messages an actor may handle before the next one has its turn.
constexpr std::size_t messages_a_turn_max = 64;

/// How many actors ahead of the one that runs are fetched into the cache. Most are not there: a
/// million of them is gigabytes, and each would wait for memory a dozen times.
constexpr std::size_t fetched_ahead = 2;
constexpr std::size_t cache_line_bytes = 64;
// About: what lies before and behind that part of an actor which is its `resumable`. To know it
// exactly, one would have to wait for the memory that is to be fetched.
constexpr std::size_t bytes_before = 192, bytes_behind = 960;

void fetch(const caf::resumable* actor) {
  const auto* first = reinterpret_cast<const char*>(actor) - bytes_before;
  for (std::size_t at = 0; at < bytes_before + bytes_behind; at += cache_line_bytes)
    __builtin_prefetch(first + at);
}

}  // namespace

run_queue::~run_queue() {
  for (auto* actor : waiting_) system().scheduler().enqueue(actor);
}

void run_queue::run() {
  while (!waiting_.empty()) {
    running_.swap(waiting_);
    for (std::size_t at = 0; at < running_.size(); ++at) {
      if (at + fetched_ahead < running_.size()) fetch(running_[at + fetched_ahead]);
      auto* actor = running_[at];
      if (actor->resume(this, messages_a_turn_max) == caf::resumable::resume_later)
        exec_later(actor);
      else
        caf::intrusive_ptr_release(actor);
    }
    running_.clear();
  }
}

}  // namespace gelombang::runtime
