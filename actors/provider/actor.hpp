#pragma once

#include "actors/provider/rules.hpp"
#include "actors/runtime/snapshot_kind.hpp"

namespace gelombang::provider {

/// How providers are stored, restored and woken.
class provider_kind final : public runtime::snapshot_kind<wire::State, wire::Event> {
public:
  runtime::kind what() const override { return runtime::kind::provider; }

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             wire::State&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, wire::State& stored,
                      const wire::Event& happened, runtime::row_editor& rows) const override;
};

}  // namespace gelombang::provider
