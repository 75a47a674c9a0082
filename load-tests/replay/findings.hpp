#pragma once

#include <array>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/generator/histogram.hpp"
#include "load-tests/replay/plan.hpp"

namespace gelombang::load::replay {

/// What one act has cost in all.
struct act_figures {
  std::uint64_t done = 0, repeats = 0;
  double seconds = 0;
  double generator_cpu = 0, node_cpu = 0;  ///< seconds of CPU; of the node 0 where it is elsewhere

  double rate() const { return seconds > 0 ? static_cast<double>(done) / seconds : 0; }
};

/// What became of one wave.
struct wave_figures {
  std::uint32_t number = 0;
  std::uint64_t places = 0, joins = 0, entries = 0, accepted = 0;
  double join_seconds = 0;
  double draw_seconds = 0;     ///< from the order to commit until it was announced
  double publish_seconds = 0;  ///< to read its files over HTTP and find the accepted among people
  double verify_seconds = 0;   ///< of `draw verify`; 0: was not asked for
};

/// Joins at a constant rate.
struct peak_figures {
  std::uint32_t wave = 0;
  double per_second = 0;
  sparse_histogram latency;  ///< from when each was due
};

/// What a replay has found so far. Kept with its progress, so that it outlives interruptions.
struct findings {
  std::array<act_figures, acts> by_act{};
  std::vector<wave_figures> waves;
  std::vector<peak_figures> peaks;
  std::vector<std::string> faults;  ///< what was not as it should be, the first ones
  std::uint64_t faults_count = 0;
  std::uint64_t interruptions = 0;
  double seconds = 0;  ///< that a replay was running

  void fault(std::string what);
  bool is_clean() const { return faults_count == 0; }
};
inline constexpr std::size_t faults_max = 50;

boost::json::value to_json(const findings& from);
/// @returns the pointer and the reason for what `to_json` does not write.
tl::expected<findings, std::string> findings_from_json(const boost::json::value& json);

/// The findings as a page: Markdown tables of acts and waves.
std::string page_of(const findings& found, const plan& all, double scale);

}  // namespace gelombang::load::replay
