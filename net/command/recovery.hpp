#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/runtime/shard.hpp"
#include "net/command/world.hpp"
#include "storage/frame.hpp"
#include "storage/state_store.hpp"

namespace gelombang::command {

/// What the next start of a stopped node would make of its data: the rows of the last checkpoint,
/// and over them, in memory only, what the journal's records behind it change. The rooms replay
/// them as they do for a node. Nothing is written anywhere; memory is needed for the changed rows,
/// as a start needs it. For one thread.
class recovery final : runtime::shard_host {
public:
  /// Reads each shard's own row in `checkpoint`, which outlives what is made here.
  /// @returns `corrupt` when one of them does not fit.
  static storage::result<std::unique_ptr<recovery>> begin(const storage::state_store& checkpoint,
                                                          std::uint32_t shards);

  /// The journal's next frame, from the beginning or any frame that the checkpoint knows.
  /// @returns `corrupt` for a record that no room has written.
  storage::result<void> take(const storage::stored_frame& frame);

  std::uint64_t frames() const { return frames_; }    ///< behind the checkpoint
  std::uint64_t records() const { return records_; }  ///< in them

  /// The rows after the last frame taken, to be read while this lives. Called once, at the end.
  std::unique_ptr<storage::state_store> rows();

private:
  recovery(const storage::state_store& checkpoint, std::uint32_t shards);

  // shard_host: nobody is woken, nothing is committed.
  void load(runtime::activation_ptr) override {}
  void wake(runtime::shard_index) override {}
  void acknowledge(runtime::shard_index, runtime::shard_index, std::uint64_t) override {}
  std::uint32_t coarse_seconds() const override { return 0; }

  const storage::state_store& checkpoint_;
  const system_clock time_;
  const world around_;
  const rooms rooms_;
  const runtime::kinds_by_number kinds_;
  std::vector<std::unique_ptr<runtime::shard>> shards_;
  std::vector<std::pair<std::string, runtime::row_value>> own_rows_;  ///< the shards', by key
  std::uint64_t frames_ = 0, records_ = 0;
};

}  // namespace gelombang::command
