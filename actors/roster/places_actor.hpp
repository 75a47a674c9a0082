#pragma once

#include "actors/runtime/node.hpp"

namespace gelombang::roster {

/// Counts, for the family cards of one shard, how many members have been accepted over all waves:
/// one row a family that has any, so that a draw reads only those.
class places_kind final : public runtime::entity_kind {
public:
  /// The node that reads the counts. Set before any wakes.
  void reads_with(runtime::node& reader) { reader_ = &reader; }

  runtime::kind what() const override { return runtime::kind::places; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;

private:
  runtime::node* reader_ = nullptr;
};

}  // namespace gelombang::roster
