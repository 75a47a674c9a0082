#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/command/settings.hpp"

namespace gelombang::command {

/// What front_door.connections_max is where nobody has chosen it, and the process may have enough.
inline constexpr std::uint64_t connections_usual = 20'000;

/// Descriptors that are not the public's: 1,024 files of the state, 256 connections of operators,
/// 64 to an address of its own for metrics, and the journal, draws and whoever else holds a few.
inline constexpr std::uint64_t descriptors_kept = 2048;

struct connection_bound {
  std::uint64_t most = 0;
  bool is_beyond = false;                ///< more was asked for than the process may have
  std::optional<std::string> note = {};  ///< what the log should say
};

/// How many connections there may be at once.
/// @param asked  front_door.connections_max; 0: as many as fit, up to the usual
/// @param descriptors_max  files and connections that the process may have; none: without a limit
connection_bound connections_within(std::uint64_t asked,
                                    const std::optional<std::uint64_t>& descriptors_max);

/// The same for this process, as soon as its soft limit has been raised to the hard one.
connection_bound connections_of(const settings& with);

}  // namespace gelombang::command
