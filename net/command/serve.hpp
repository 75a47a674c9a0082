#pragma once

#include "net/command/settings.hpp"

namespace gelombang::command {

/// Runs a node until SIGINT or SIGTERM. Prints `ready http://ADDR:PORT` on standard output once
/// requests are served. @returns the process's exit code.
int serve(const settings& with);

}  // namespace gelombang::command
