#pragma once

#include <string>

namespace gelombang::command {

struct backup_order {
  std::string url;     ///< of the running node
  std::string token;   ///< an operator's
  std::string target;  ///< absolute path on the node's machine, empty or absent
};

/// Asks a running node for a copy of itself. A relative target is wrong usage: the node has another
/// working directory, and may run on another machine.
/// @returns an exit code of the contract.
int backup(const backup_order& order);

/// Puts a backup into an empty or absent data directory.
/// @returns 0; 1 for a backup that is damaged or none; 2 for a directory that will not do: it holds
///   something, is the backup itself, or lies inside other data; 3 when it can't be read or
///   written.
int restore(const std::string& from, const std::string& data_dir);

}  // namespace gelombang::command
