#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace gelombang::storage {

/// What can go wrong with a disk and what stands on it.
enum class fault {
  io,        ///< the operating system refused: read, write, sync, open
  no_space,  ///< the disk or the quota is full
  corrupt,   ///< stored bytes are not what was written: checksum, chain or grammar does not hold
  missing,   ///< a file or frame that must be there is not
  in_use,    ///< another process holds the data directory, or a place is not empty
  version,   ///< written by a newer format than this program reads
  unfit,     ///< the place that was named will not do; another one may
};

/// A fault and where it is: the file, the offset, and what was found instead of what was expected.
struct error {
  fault kind;
  std::string detail;
};

template <class T>
using result = tl::expected<T, error>;

inline tl::unexpected<error> failed(fault kind, std::string detail) {
  return tl::unexpected(error{kind, std::move(detail)});
}

}  // namespace gelombang::storage
