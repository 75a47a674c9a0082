#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

namespace gelombang::command {

struct audit_order {
  std::filesystem::path data_directory;
  std::string key_file = {};  ///< the master key's, for what only it can tell; empty: none
};

/// Checks everything in the data directory of a stopped node, or in a backup, and changes nothing:
/// a backup's list of its files; every checksum and hash chain of the journal and its archives,
/// every block of the state, that the state's positions and digests are those of the journal, the
/// recount of every counter and claim (`seed::recount`), and every draw from its files and against
/// the wave that the journal knows (`draw_audit`). What the journal has behind the last checkpoint,
/// because the node was killed, is replayed in memory and counted as well. Prints what was checked
/// to `out`, with a note of what is unusual and no fault, and the first thing that does not hold to
/// `complaints`.
/// @returns 0 when everything holds, 1 when something does not, 3 when it can't be told: no such
///   directory, a node is running on it, a file can't be read.
int audit(const audit_order& order, std::FILE* out = stdout, std::FILE* complaints = stderr);

}  // namespace gelombang::command
