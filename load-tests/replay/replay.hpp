#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>

#include "actors/programme/keys.hpp"
#include "load-tests/replay/findings.hpp"
#include "load-tests/replay/plan.hpp"
#include "load-tests/replay/timetable.hpp"

namespace gelombang::load::replay {

/// What a replay is given.
struct settings {
  std::string url = "http://127.0.0.1:8080";
  std::filesystem::path directory;  ///< where its progress is kept
  std::string scale = "1";
  std::uint64_t seed = 2020;
  unsigned connections = 256;
  unsigned depth = 1;
  std::filesystem::path verifier;  ///< whose `draw verify` checks each draw; empty: none
  /// Holds the process id of a node on this machine, to measure its CPU; may be empty.
  std::filesystem::path node_id_file;
};

/// What has come of it.
struct outcome {
  plan all;
  findings found;
  bool is_complete = false;  ///< otherwise a signal ended it, and the same command goes on
};

/// Replays a history against a node: from where it was left, if it was. SIGINT and SIGTERM end it
/// in good order; after a kill it goes on all the same.
/// @returns why it could not begin or go on.
tl::expected<outcome, std::string> run(const timetable& history, const keyring& keys,
                                       const settings& how);

}  // namespace gelombang::load::replay
