#pragma once

#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "load-tests/engine/connection.hpp"
#include "load-tests/engine/detached.hpp"
#include "load-tests/engine/operations_log.hpp"
#include "load-tests/engine/people.hpp"
#include "load-tests/engine/reactor.hpp"
#include "load-tests/engine/recorder.hpp"
#include "load-tests/engine/scenario.hpp"
#include "net/task.hpp"

namespace gelombang::load {

/// What all threads of a run have in common. Const while it runs.
struct run_plan {
  const scenario& what;
  const people& who;
  sockaddr_in target{};
  std::string host;        ///< for the Host header
  std::string wave;        ///< of joins and reads: its number
  std::string assessment;  ///< body that answers every question; empty where nobody is assessed
  operations_log* log = nullptr;
  time_point start;
  std::uint64_t share = 0, shares = 1;  ///< of the arrivals: of all threads of all processes
};

/// One thread of the generator: lets its share of the people arrive when they are due, whatever
/// the server does, and lives their steps.
class worker {
public:
  explicit worker(const run_plan& plan);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Returns when everybody has arrived and has ended, or the drain is over. For one thread.
  void run();

  /// Ends the arrivals; those under way may finish. From any thread.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }

  /// What it has found; once `run` has returned.
  recorder& found() { return recorder_; }
  /// What it finds just now; from any thread.
  live_figures& live() { return recorder_.live(); }

private:
  struct traveller;
  class lease;
  struct outcome;

  struct deadline {
    time_point at;
    connection* who;
    std::uint64_t operation;
  };

  void arrive(time_point due);
  std::optional<time_point> next_arrival();
  void end_all();
  bool enter_next_phase();
  std::optional<std::uint64_t> choose(std::size_t persona);
  detached live(std::size_t persona, std::uint64_t number, time_point due);
  net::task<bool> carry_out(traveller& who, const step& what, time_point due);
  net::task<outcome> attempt(traveller& who, const step& what, time_point due, bool is_cut);
  detached click_again(traveller who, const step& what, time_point due);
  net::task<loss> exchange(connection& with, const step& what, bool is_slow, bool is_cut);
  net::task<bool> connect(lease& place, traveller& who);
  void note(const traveller& who, const step& what, const outcome& told);
  void time_out();
  void give_place_back();
  bool dice(double share);
  std::chrono::nanoseconds pause_of(const span_of_time& between);

  const run_plan& plan_;
  reactor loop_;
  recorder recorder_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<connection>> connections_;
  std::vector<connection*> spare_;  ///< open ones where they are kept, closed ones elsewhere
  std::size_t places_taken_ = 0;
  std::deque<std::coroutine_handle<>> waiting_for_place_;
  std::deque<deadline> deadlines_;
  std::vector<std::uint64_t> arrived_;  ///< by persona
  std::optional<arrivals> coming_;
  std::size_t phases_entered_ = 0;
  std::discrete_distribution<std::size_t> persona_of_;
  time_point phase_start_;
  std::uint64_t under_way_ = 0;
  std::string lines_;               ///< of the log, not yet written
  std::vector<std::size_t> kinds_;  ///< in the recorder, by step
  std::atomic<bool> stopping_{false};
  bool measured_ = true;  ///< whoever arrives now
  bool ending_ = false;   ///< nobody begins anything any more
};

}  // namespace gelombang::load
