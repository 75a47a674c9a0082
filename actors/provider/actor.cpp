#include "actors/provider/actor.hpp"

#include "actors/interfaces.hpp"

namespace gelombang::provider {
namespace {

using namespace runtime;

class provider_impl final : public entity_actor<provider_actor> {
public:
  provider_impl(caf::actor_config& config, activation_ptr who, state&& stored)
      : entity_actor<provider_actor>(config, std::move(who)), state_(std::move(stored)) {}

  behavior_type make_behavior() override {
    using me_t = provider_impl;
    static const behavior_type shared{on<&me_t::look>(),       on<&me_t::put>(),
                                      on<&me_t::suspend_it>(), on<&me_t::reinstate_it>(),
                                      on<&me_t::mail>(),       on<&me_t::deadline>(),
                                      on<&me_t::fetched>()};
    return shared;
  }

  caf::delegated<outcome<facts>> look(const show&) {
    if (!state_.has_card()) return tell(refusal{errc::provider_unknown});
    return tell(facts{state_.card()});
  }

  caf::delegated<outcome<facts>> put(const enter& command) {
    return follow(decide(state_, command));
  }
  caf::delegated<outcome<facts>> suspend_it(const suspend& command) { return obey(command); }
  caf::delegated<outcome<facts>> reinstate_it(const reinstate& command) { return obey(command); }

  // Nobody writes to a provider, and it waits for no hour.
  void mail(const mail_arrived&) {}
  void deadline(const deadline_reached&) {}
  void fetched(const rows_fetched&) {}

private:
  caf::delegated<outcome<facts>> tell(outcome<facts>&& what) {
    answer(current_asker(), std::move(what));
    return {};
  }

  template <class Command>
  caf::delegated<outcome<facts>> obey(const Command& command) {
    if (const auto known = find_repeat(state_, command.request)) {
      if (!*known) return tell(known->error());
      return tell(facts{**known});
    }
    return follow(decide(state_, command));
  }

  /// Stores what was decided, and answers with what the provider is then.
  caf::delegated<outcome<facts>> follow(const result<std::optional<event>>& decided) {
    if (!decided) return tell(decided.error());
    if (!*decided) return tell(facts{state_.card()});
    step what{who()};
    auto next = state_;
    what.event(**decided);
    apply(next, **decided);
    what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
    facts then{next.card(), (*decided)->has_registered()};
    if (take(std::move(what), current_asker(), outcome<facts>{std::move(then)})) state_.Swap(&next);
    return {};
  }

  state state_;
};

}  // namespace

caf::strong_actor_ptr provider_kind::wake(caf::actor_system& system, activation_ptr who,
                                          state&& stored) const {
  return spawn_entity<provider_impl>(system, std::move(who), std::move(stored));
}

result<void> provider_kind::follow(const shard&, entity_ref, state& provider, const event& what,
                                   row_editor&) const {
  apply(provider, what);
  return {};
}

}  // namespace gelombang::provider
