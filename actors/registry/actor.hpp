#pragma once

#include "actors/registry/registry.pb.h"
#include "actors/runtime/snapshot_kind.hpp"

namespace gelombang::registry {

/// How the entities of one kind of the registry are stored, restored and woken.
template <class State, class Event, runtime::kind Which>
class registry_kind final : public runtime::snapshot_kind<State, Event> {
public:
  runtime::kind what() const override { return Which; }

private:
  caf::strong_actor_ptr wake(caf::actor_system& system, runtime::activation_ptr who,
                             State&& stored) const override;
  result<void> follow(const runtime::shard& home, runtime::entity_ref who, State& state,
                      const Event& event, runtime::row_editor& rows) const override;
};

using person_kind = registry_kind<wire::Person, wire::PersonEvent, runtime::kind::person>;
using family_kind = registry_kind<wire::Family, wire::FamilyEvent, runtime::kind::family>;
using phone_kind = registry_kind<wire::Phone, wire::PhoneEvent, runtime::kind::phone>;

extern template class registry_kind<wire::Person, wire::PersonEvent, runtime::kind::person>;
extern template class registry_kind<wire::Family, wire::FamilyEvent, runtime::kind::family>;
extern template class registry_kind<wire::Phone, wire::PhoneEvent, runtime::kind::phone>;

}  // namespace gelombang::registry
