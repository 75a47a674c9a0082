#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "load-tests/engine/people.hpp"
#include "load-tests/engine/scenario.hpp"
#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {

/// What a run is given beside its scenario.
struct run_settings {
  std::string url = "http://127.0.0.1:8080";
  std::string operator_token;  ///< for the scenario's orders
  std::filesystem::path log;   ///< of operations; empty: none
  unsigned threads = 1;
  std::uint64_t share = 0, shares = 1;  ///< which of several processes this is
  /// When it begins, for several processes to begin at once; otherwise as soon as it is ready.
  std::optional<std::chrono::system_clock::time_point> start;
  bool is_quiet = false;  ///< no live line
};

inline constexpr unsigned threads_max = 256;

/// Runs a scenario against a server, and tells how it goes on standard error once a second. SIGINT
/// and SIGTERM end the arrivals; what has been found until then is still told.
/// @returns what has been found, judged by the scenario's thresholds; or why it could not begin.
tl::expected<run_result, std::string> run(const scenario& what, const people& who,
                                          const run_settings& how);

}  // namespace gelombang::load
