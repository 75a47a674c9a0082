#include "actors/interfaces.hpp"
#include "actors/wave/actor.hpp"

namespace gelombang::wave {
namespace {

using namespace runtime;

/// Numbers waves. There is one in the programme.
class calendar_impl final : public entity_actor<calendar_actor> {
public:
  calendar_impl(caf::actor_config& config, activation_ptr who, wire::Calendar&& stored,
                const std::vector<region_code>& regions)
      : entity_actor<calendar_actor>(config, std::move(who)),
        state_(std::move(stored)),
        regions_(regions) {}

  behavior_type make_behavior() override {
    using me_t = calendar_impl;
    return {on<&me_t::number>(), on<&me_t::look_ahead>(), on<&me_t::mail>(), on<&me_t::deadline>(),
            on<&me_t::fetched>()};
  }

  caf::delegated<outcome<wave_number>> number(const create& command) {
    const auto to = current_asker();
    if (auto repeat = find_repeat(state_, command.request)) {
      answer(to, outcome<wave_number>{std::move(*repeat)});
      return {};
    }
    if (auto good = check(command.plan, regions_, command.now); !good) {
      answer(to, outcome<wave_number>{good.error()});
      return {};
    }
    step what{who()};
    auto next = state_;
    const auto number = store(what, next, next_wave(state_, command));
    if (take(std::move(what), to, outcome<wave_number>{number})) state_.Swap(&next);
    return {};
  }

  caf::delegated<outcome<acknowledged>> look_ahead(const keep_ahead& command) {
    const auto to = current_asker();
    step what{who()};
    auto next = state_;
    for (const auto& plan : command.regular) {
      if (plan.opens_at() <= next.created_until()) continue;
      if (const auto good = check(plan, regions_, command.now); !good) {
        spdlog::error("a regular wave can't be created: {} {}", name_of(good.error().code),
                      good.error().field);
        continue;
      }
      auto happened = next_wave(next, {plan, command.now});
      happened.set_regular_opens_at(plan.opens_at());
      store(what, next, happened);
    }
    if (what.empty()) {
      answer(to, outcome<acknowledged>{acknowledged{}});
      return {};
    }
    if (take(std::move(what), to, outcome<acknowledged>{acknowledged{}})) state_.Swap(&next);
    return {};
  }

  void mail(const mail_arrived& letter) { (void)seen_before(letter.source); }
  void deadline(const deadline_reached&) {}
  void fetched(const rows_fetched&) {}

private:
  wave_number store(step& what, wire::Calendar& next, const wire::CalendarEvent& happened) {
    what.event(happened);
    apply(next, happened);
    what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
    const wave_number number{happened.created().number()};
    wire::Notice notice;
    *notice.mutable_create() = happened.created();
    what.send(ref_of(number), notice);
    return number;
  }

  wire::Calendar state_;
  const std::vector<region_code>& regions_;
};

}  // namespace

calendar_kind::calendar_kind(const region_table& regions) {
  for (const auto& one : regions.all()) regions_.push_back(one.code);
}

caf::strong_actor_ptr calendar_kind::wake(caf::actor_system& system, activation_ptr who,
                                          wire::Calendar&& stored) const {
  return spawn_entity<calendar_impl>(system, std::move(who), std::move(stored), regions_);
}

result<void> calendar_kind::follow(const shard&, entity_ref, wire::Calendar& calendar,
                                   const wire::CalendarEvent& what, row_editor&) const {
  apply(calendar, what);
  return {};
}

}  // namespace gelombang::wave
