#pragma once

#include <stop_token>

#include "storage/result.hpp"

namespace gelombang::storage {

/// Between two steps of work that somebody may have to wait for. @returns `io` once it is to stop
inline result<void> unless_told_to_stop(const std::stop_token& until) {
  if (!until.stop_requested()) return {};
  return failed(fault::io, "the node was told to stop");
}

}  // namespace gelombang::storage
