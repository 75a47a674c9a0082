#pragma once

#include <map>
#include <string>

#include "actors/roster/views.hpp"
#include "actors/runtime/snapshot_kind.hpp"
#include "actors/wave/desk.hpp"

namespace gelombang::roster {

/// All rule sets by name ("normal-2023"). Never changes while the node runs.
using eligibility_catalogue = std::map<std::string, applicant::eligibility_rules>;

/// How rosters are stored, restored and woken; keeps the shards' views of the waves.
class roster_kind final : public runtime::snapshot_kind<wire::State, wire::Event> {
public:
  roster_kind(views& waves, const eligibility_catalogue& rules, const clock& time)
      : waves_(waves), rules_(rules), time_(time) {}

  /// Where the accepted of a draw are read. Set before any roster wakes.
  void settles_with(wave::draw_desk& desk) { desk_ = &desk; }

  runtime::kind what() const override { return runtime::kind::roster; }
  void restored(runtime::shard& home) const override;

  instant now() const { return time_.now(); }

  /// Puts the roster into its shard's view.
  void show(const runtime::shard& home, const wire::State& roster) const;

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             wire::State&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, wire::State& stored,
                      const wire::Event& happened, runtime::row_editor& rows) const override;

  views& waves_;
  const eligibility_catalogue& rules_;
  const clock& time_;
  wave::draw_desk* desk_ = nullptr;
};

}  // namespace gelombang::roster
