#pragma once

#include <string>
#include <tl/expected.hpp>

#include "net/command/settings.hpp"

namespace gelombang::command {

/// Whether every file that the configuration names, and that this node is to read, is there: an
/// operator who sets up a machine should not learn of one at each start.
/// @returns all that are not, a line each with its key, and what to do.
tl::expected<void, std::string> check_needed_files(const settings& with);

}  // namespace gelombang::command
