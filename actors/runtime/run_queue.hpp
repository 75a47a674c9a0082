#pragma once

#include <caf/execution_unit.hpp>
#include <cstddef>
#include <vector>

namespace gelombang::runtime {

/// Actors that a thread runs itself instead of waking one of the scheduler's: what an io thread has
/// asked in one turn is handled right behind it, on the same core, with what it needs still in the
/// cache. That an actor is run by one thread at a time is CAF's doing, as with its own workers.
///
/// For actors whose handlers take microseconds (`entity_kind::is_brief`). One thread's own; what is
/// left in it when it goes is handed to the scheduler.
class run_queue final : public caf::execution_unit {
public:
  explicit run_queue(caf::actor_system& system) : caf::execution_unit(&system) {}
  ~run_queue() override;
  run_queue(const run_queue&) = delete;
  run_queue& operator=(const run_queue&) = delete;

  bool empty() const { return waiting_.empty(); }

  /// Takes over a reference to `actor`, which has work.
  void exec_later(caf::resumable* actor) override { waiting_.push_back(actor); }

  /// Runs all, and what they hand to one another, until nobody has work.
  void run();

private:
  std::vector<caf::resumable*> waiting_, running_;
};

}  // namespace gelombang::runtime
