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
    static const behavior_type shared{on<&me_t::obey>(), on<&me_t::mail>(), on<&me_t::deadline>(),
                                      on<&me_t::fetched>()};
    return shared;
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

}  // namespace

template <class State, class Event, kind Which>
caf::strong_actor_ptr registry_kind<State, Event, Which>::wake(caf::actor_system& system,
                                                               activation_ptr who,
                                                               State&& stored) const {
  return spawn_entity<registry_impl<State, Event>>(system, std::move(who), std::move(stored));
}

template <class State, class Event, kind Which>
result<void> registry_kind<State, Event, Which>::follow(const shard&, entity_ref, State& state,
                                                        const Event& event, row_editor&) const {
  apply(state, event);
  return {};
}

template class registry_kind<wire::Person, wire::PersonEvent, kind::person>;
template class registry_kind<wire::Family, wire::FamilyEvent, kind::family>;
template class registry_kind<wire::Phone, wire::PhoneEvent, kind::phone>;

}  // namespace gelombang::registry
