#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "storage/backup.hpp"

namespace gelombang::storage {

/// Reads a copy's journal and state through, every checksum and chain of them, and changes nothing:
/// what of the node was damaged already has been copied as it was, and the mark of completeness
/// only says that it is the same. Told to stop, it reads no further.
/// @returns what does not hold, the first flaw of either, and what was not read or can't be, a line
///   each
std::vector<std::string> read_through(file_system& files, const layout& backup,
                                      const std::stop_token& until = {});

}  // namespace gelombang::storage
