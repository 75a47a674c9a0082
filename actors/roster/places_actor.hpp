#pragma once

#include "actors/roster/roster.pb.h"
#include "actors/runtime/snapshot_kind.hpp"

namespace gelombang::roster {

/// Counts, for the family cards of one shard, how many members have been accepted over all waves:
/// one row a family that has any, so that a draw reads only those.
class places_kind final : public runtime::snapshot_kind<wire::Places, wire::TakePlaces> {
public:
  /// The node that reads the counts. Set before any wakes.
  void reads_with(runtime::node& reader) { reader_ = &reader; }

  runtime::kind what() const override { return runtime::kind::places; }

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             wire::Places&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, wire::Places& stored,
                      const wire::TakePlaces& happened, runtime::row_editor& rows) const override;

  runtime::node* reader_ = nullptr;
};

}  // namespace gelombang::roster
