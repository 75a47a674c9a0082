#include "actors/registry/actor.hpp"

#include "actors/applicant/applicant.pb.h"
#include "actors/interfaces.hpp"
#include "actors/registry/rules.hpp"

namespace gelombang::registry {
namespace {

using namespace runtime;

/// The three kinds differ in what they store, not in how they are asked.
template <class State, class Event>
class registry_impl final : public entity_actor<registry_actor> {
public:
  registry_impl(caf::actor_config& config, activation_ptr who, State&& state)
      : entity_actor<registry_actor>(config, std::move(who)), state_(std::move(state)) {}

  behavior_type make_behavior() override {
    using me_t = registry_impl;
    return {on<&me_t::obey>(), on<&me_t::mail>(), on<&me_t::deadline>(), on<&me_t::fetched>()};
  }

  caf::delegated<runtime::outcome<acknowledged>> obey(const order& command) {
    const auto to = current_asker();
    step what{who()};
    auto next = follow(command.ask, what);
    if (what.empty()) {
      answer(to, runtime::outcome<acknowledged>{acknowledged{}});
      return {};
    }
    if (take(std::move(what), to, runtime::outcome<acknowledged>{acknowledged{}}))
      state_.Swap(&next);
    return {};
  }

  void mail(const mail_arrived& letter) {
    if (seen_before(letter.source)) return;
    wire::Ask ask;
    if (!ask.ParseFromString(letter.body)) throw std::runtime_error("an order does not parse");
    step what{who()};
    auto next = follow(ask, what);
    what.received(letter.source);
    if (take(std::move(what))) state_.Swap(&next);
  }

  void deadline(const deadline_reached&) {}
  void fetched(const rows_fetched&) {}

private:
  /// @returns the state after the order; `what` stores and tells it.
  State follow(const wire::Ask& ask, step& what) {
    auto next = state_;
    auto decided = decide(state_, ask);
    if (decided.event) {
      what.event(*decided.event);
      apply(next, *decided.event);
      what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
    }
    if (decided.answer) {
      applicant::wire::Notice notice;
      *notice.mutable_registry() = decided.answer->second;
      what.send(ref_of(decided.answer->first), notice);
    }
    return next;
  }

  State state_;
};

template <class State, class Event>
caf::strong_actor_ptr spawn_as(caf::actor_system& system, activation_ptr who,
                               const row_value& stored) {
  State state;
  if (stored) state.ParseFromString(*stored);
  return spawn_entity<registry_impl<State, Event>>(system, std::move(who), std::move(state));
}

template <class State, class Event>
result<void> replay_as(const shard& home, entity_ref who, std::string_view event,
                       row_editor& rows) {
  Event what;
  if (!what.ParseFromArray(event.data(), static_cast<int>(event.size())))
    return refuse(errc::internal, {}, "a registry event does not parse");
  State state;
  const auto key = snapshot_key(home.index(), who);
  if (auto stored = rows.get(key)) state.ParseFromString(*stored);
  apply(state, what);
  rows.put(key, state.SerializeAsString());
  return {};
}

}  // namespace

std::vector<std::string> registry_kind::rows_of(const shard& home, entity_ref who) const {
  return {snapshot_key(home.index(), who)};
}

caf::strong_actor_ptr registry_kind::spawn(caf::actor_system& system, activation_ptr who,
                                           const std::vector<std::string>&,
                                           std::vector<row_value>&& rows) const {
  switch (which_) {
    case kind::person:
      return spawn_as<wire::Person, wire::PersonEvent>(system, std::move(who), rows.front());
    case kind::family:
      return spawn_as<wire::Family, wire::FamilyEvent>(system, std::move(who), rows.front());
    default:
      return spawn_as<wire::Phone, wire::PhoneEvent>(system, std::move(who), rows.front());
  }
}

result<void> registry_kind::replay(const shard& home, entity_ref who, std::string_view event,
                                   row_editor& rows) const {
  switch (which_) {
    case kind::person:
      return replay_as<wire::Person, wire::PersonEvent>(home, who, event, rows);
    case kind::family:
      return replay_as<wire::Family, wire::FamilyEvent>(home, who, event, rows);
    default:
      return replay_as<wire::Phone, wire::PhoneEvent>(home, who, event, rows);
  }
}

}  // namespace gelombang::registry
