#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load-tests/engine/reactor.hpp"
#include "load-tests/generator/histogram.hpp"
#include "load-tests/replay/clerk.hpp"
#include "load-tests/replay/crowd.hpp"
#include "load-tests/replay/pipe.hpp"

namespace gelombang::load::replay {

/// How a node is asked.
struct wire_settings {
  node_address target = {};
  unsigned connections = 256;
  unsigned depth = 1;                  ///< requests under way on one connection
  std::chrono::seconds patience{120};  ///< for a node that is not there
};
inline constexpr unsigned connections_max = 10'000, depth_max = 64;

/// What many people have done one after the other.
struct sweep_result {
  std::uint64_t done = 0;     ///< errands that are done now
  std::uint64_t repeats = 0;  ///< requests more than errands: refused, lost, or another way
  std::uint64_t wrong = 0;    ///< answered as they should not be; the first ones are examples
  std::vector<std::string> examples;
  double seconds = 0;
  histogram latency;         ///< of an open loop: from when each was due
  bool is_complete = false;  ///< otherwise somebody stopped it, or the node went away
  bool is_node_gone = false;
};

/// Carries out the same act for many people over kept connections. For one thread; the connections
/// stay from sweep to sweep.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): nobody derives from it
class sweeper final : public pipe::owner {
public:
  /// Called some times a second with the number before which everybody has been answered, and how
  /// many have; @returns false to stop: whoever is under way is then waited for.
  using watcher = std::function<bool(std::uint64_t position, std::uint64_t done)>;

  sweeper(const clerk& writes, wire_settings with) : clerk_(writes), with_(std::move(with)) {}

  /// As fast as the node answers.
  sweep_result run(people_stream& who, act what, std::uint32_t wave, const watcher& watch);
  /// So many a second, whatever the node does, one at a time on a connection.
  sweep_result run_at(double per_second, people_stream& who, act what, std::uint32_t wave,
                      const watcher& watch);

private:
  struct delayed {
    under_way one;
    time_point from;
  };

  void answered(under_way& one, int status, std::string_view body) override;
  void lost(under_way& one) override;
  void has_room(pipe& which) override;

  sweep_result work(people_stream& who, act what, std::uint32_t wave, const watcher& watch);
  std::optional<under_way> take();
  void go_on();
  void look_after_connections();
  void hand_out();
  std::uint64_t position() const;
  bool is_idle() const;
  time_point next_due() const;

  const clerk& clerk_;
  const wire_settings with_;
  reactor loop_;
  std::vector<std::unique_ptr<pipe>> pipes_;
  std::deque<delayed> again_;
  std::vector<pipe*> idle_;  ///< of an open loop: those with nothing under way

  // Of the sweep under way.
  people_stream* who_ = nullptr;
  act what_ = act::sign_up;
  std::uint32_t wave_ = 0;
  unsigned depth_ = 1;
  std::optional<std::uint64_t> next_number_;
  double interval_ns_ = 0;  ///< 0: closed loop
  std::uint64_t issued_ = 0;
  time_point begun_, heard_;
  bool stopping_ = false;
  sweep_result found_;
};

}  // namespace gelombang::load::replay
