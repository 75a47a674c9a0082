#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gelombang::storage {

/// Which part of the data: 0 up to the number of shards, fixed when a cluster is made.
using shard_index = std::uint16_t;

/// Position of a record within its shard's history. The first is 1; 0 is "before everything".
using lsn = std::uint64_t;

/// SHA-256.
using digest = std::array<std::uint8_t, 32>;

/// What one shard contributes to one commit cycle: `count` records, already encoded, in order.
/// The view must stay valid during `journal::append`.
struct frame {
  shard_index shard = 0;
  std::uint64_t epoch = 0;      ///< of the shard's primary; never goes down within a shard
  lsn first = 0;                ///< position of the first record; the shard's last position + 1
  std::uint32_t count = 0;      ///< at least 1
  std::int64_t written_at = 0;  ///< milliseconds since 1970 UTC, by the writer's clock
  std::string_view records;     ///< opaque here; actors/runtime/record.hpp gives the grammar
};

/// A frame as it stands in the journal.
struct stored_frame : frame {
  digest previous{};  ///< digest of the shard's frame before this one; zero for the first
  digest self{};      ///< SHA-256 over the frame's header (with `previous`) and its records

  lsn last() const { return first + count - 1; }
};

/// Where a shard's history stands: enough to check that the next frame follows.
struct position {
  std::uint64_t epoch = 0;
  lsn last = 0;
  digest chain{};  ///< digest of the frame that ends at `last`

  friend bool operator==(const position&, const position&) = default;
};

}  // namespace gelombang::storage
