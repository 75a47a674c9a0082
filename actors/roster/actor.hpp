#pragma once

#include <map>
#include <string>

#include "actors/roster/views.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/desk.hpp"

namespace gelombang::roster {

/// All rule sets by name ("normal-2023"). Never changes while the node runs.
using eligibility_catalogue = std::map<std::string, applicant::eligibility_rules>;

/// How rosters are stored, restored and woken; keeps the shards' views of the waves.
class roster_kind final : public runtime::entity_kind {
public:
  roster_kind(views& waves, const eligibility_catalogue& rules, const clock& time)
      : waves_(waves), rules_(rules), time_(time) {}

  /// Where the accepted of a draw are read. Set before any roster wakes.
  void settles_with(wave::draw_desk& desk) { desk_ = &desk; }

  runtime::kind what() const override { return runtime::kind::roster; }
  std::vector<std::string> rows_of(const runtime::shard& home,
                                   runtime::entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, runtime::activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<runtime::row_value>&& rows) const override;
  result<void> replay(const runtime::shard& home, runtime::entity_ref who, std::string_view event,
                      runtime::row_editor& rows) const override;
  void restored(runtime::shard& home) const override;

  instant now() const { return time_.now(); }

  /// Puts the roster into its shard's view.
  void show(const runtime::shard& home, const wire::State& roster) const;

private:
  views& waves_;
  const eligibility_catalogue& rules_;
  const clock& time_;
  wave::draw_desk* desk_ = nullptr;
};

}  // namespace gelombang::roster
