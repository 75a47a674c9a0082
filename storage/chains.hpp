#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "storage/journal.hpp"
#include "storage/segment_format.hpp"

namespace gelombang::storage {

/// How much of a journal a walk looks at.
enum class walk_depth {
  behind_checkpoint,  ///< what a start needs: digests of frames behind the checkpoint only
  everything,         ///< every byte of every file
};

/// Where a chain does not hold.
struct chain_flaw {
  fault kind = fault::corrupt;
  std::string reason;
};

/// Follows every shard's chain through the journal.
class chains {
public:
  struct step {
    position before;
    position after;
    bool behind_checkpoint = false;
  };

  /// `complete` when the journal reaches back to the beginning of all shards.
  chains(const positions& checkpoint, bool complete);

  /// A closed segment begins that holds `range` of a shard.
  tl::expected<void, chain_flaw> enter(const shard_range& range);

  /// The segment is not read: its index says where the shard stands behind it.
  tl::expected<void, chain_flaw> skip(const shard_range& range);

  /// A closed segment has been read.
  tl::expected<void, chain_flaw> leave(const shard_range& range);

  /// The next frame of its shard; fills in its digest when that is asked for or needed.
  tl::expected<step, chain_flaw> follow(decoded_frame& frame, walk_depth depth);

  /// Everything has been read. @returns where each shard stands.
  result<std::vector<position>> finish(const std::filesystem::path& directory);

private:
  struct shard_state {
    position at;
    position checkpoint;
    bool known = false;
    bool chain_known = false;
  };

  shard_state& state_of(shard_index shard);
  static tl::expected<void, chain_flaw> begin_at_first(shard_state& state,
                                                       const decoded_frame& frame);
  static tl::expected<void, chain_flaw> check_step(const shard_state& state,
                                                   const decoded_frame& frame);

  bool complete_;
  std::map<shard_index, shard_state> states_;
};

}  // namespace gelombang::storage
