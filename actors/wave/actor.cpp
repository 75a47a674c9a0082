#include "actors/wave/actor.hpp"

#include "actors/interfaces.hpp"
#include "actors/roster/roster.pb.h"

namespace gelombang::wave {
namespace {

using namespace runtime;

constexpr std::uint32_t opens_tag = 1;
constexpr std::uint32_t closes_tag = 2;

instant instant_of(std::int64_t milliseconds) {
  return instant{std::chrono::milliseconds{milliseconds}};
}

roster::wire::Ask schedule_of(const wire::Plan& plan) {
  roster::wire::Ask ask;
  auto& schedule = *ask.mutable_schedule();
  schedule.set_scheme(plan.scheme());
  schedule.set_eligibility(plan.eligibility());
  schedule.set_opens_at(plan.opens_at());
  schedule.set_closes_at(plan.closes_at());
  return ask;
}

class wave_impl final : public entity_actor<wave_actor> {
public:
  wave_impl(caf::actor_config& config, activation_ptr who, state&& stored, board& shown,
            const gelombang::clock& time, draw_desk& desk)
      : entity_actor<wave_actor>(config, std::move(who)),
        state_(std::move(stored)),
        board_(shown),
        time_(time),
        desk_(desk) {}

  behavior_type make_behavior() override {
    using me_t = wave_impl;
    return {on<&me_t::look>(),      on<&me_t::open_now>(), on<&me_t::close_now>(),
            on<&me_t::commit_to>(), on<&me_t::hold>(),     on<&me_t::announce_it>(),
            on<&me_t::cancel_it>(), on<&me_t::was_read>(), on<&me_t::was_drawn>(),
            on<&me_t::put_up>(),    on<&me_t::mail>(),     on<&me_t::deadline>(),
            on<&me_t::fetched>()};
  }

  caf::delegated<outcome<facts>> look(const show&) {
    if (state_.phase() == wire::NONE)
      answer(current_asker(), outcome<facts>{refusal{errc::wave_unknown}});
    else
      answer(current_asker(), outcome<facts>{facts_now()});
    return {};
  }

  caf::delegated<outcome<facts>> open_now(const open& command) {
    return at_once(decide(state_, command));
  }
  caf::delegated<outcome<facts>> cancel_it(const cancel& command) {
    return at_once(decide(state_, command));
  }
  caf::delegated<outcome<facts>> close_now(const close& command) {
    if (state_.phase() == wire::CLOSING) return wait_for(wire::CLOSED);
    return then_wait(decide(state_, command), wire::CLOSED);
  }
  caf::delegated<outcome<facts>> announce_it(const announce& command) {
    if (state_.phase() == wire::ANNOUNCING) return wait_for(wire::ANNOUNCED);
    return then_wait(decide(state_, command), wire::ANNOUNCED);
  }

  caf::delegated<outcome<facts>> commit_to(const commit& command) {
    if (auto allowed = may(state_, command); !allowed) return refused(allowed.error());
    if (at_the_desk_) return refused({errc::wave_out_of_order, {}, "commit"});
    at_the_desk_ = true;
    owed();
    desk_.read_roster(state_, command, [back = back()](result<wire::Commitment> commitment) {
      send_back(back, roster_read{std::move(commitment)});
    });
    return wait_for(wire::COMMITTED);
  }

  caf::delegated<outcome<facts>> hold(const hold_draw& command) {
    if (auto allowed = may(state_, command); !allowed) return refused(allowed.error());
    if (at_the_desk_) return refused({errc::wave_out_of_order, {}, "draw"});
    at_the_desk_ = true;
    owed();
    desk_.make_draw(state_, command, [back = back()](result<wire::Result> drawn_now) {
      send_back(back, draw_made{std::move(drawn_now)});
    });
    return wait_for(wire::DRAWN);
  }

  void was_read(const roster_read& news) {
    at_the_desk_ = false;
    if (!news.commitment) return give_up(wire::COMMITTED, news.commitment.error());
    auto copy = *news.commitment;
    after_the_desk(committed(state_, std::move(copy), time_.now()), wire::COMMITTED);
  }

  void was_drawn(const draw_made& news) {
    at_the_desk_ = false;
    if (!news.drawn) return give_up(wire::DRAWN, news.drawn.error());
    auto copy = *news.drawn;
    after_the_desk(drawn(state_, std::move(copy), time_.now()), wire::DRAWN);
  }

  /// An event is durable: the board shows it, and who waited for it is told. In this order, so that
  /// whoever has been told sees it wherever he looks.
  void put_up(const publish& news) {
    board_.put(news.wave);
    for (auto& one : std::exchange(waiting_, {})) {
      if (one.phase != news.wave->phase()) {
        waiting_.push_back(std::move(one));
        continue;
      }
      answer(one.to, outcome<facts>{facts{news.wave}});
      settled_one();
    }
  }

  void mail(const mail_arrived& letter) {
    if (seen_before(letter.source)) return;
    wire::Notice notice;
    if (!notice.ParseFromString(letter.body)) throw std::runtime_error("a notice does not parse");
    step what{who()};
    what.received(letter.source);
    follow(std::move(what), decision_on(notice));
  }

  void deadline(const deadline_reached& due) {
    step what{who()};
    what.clear_deadline(due.due, due.tag);
    if (due.tag == opens_tag)
      follow(std::move(what), decide(state_, open{time_.now()}));
    else if (state_.phase() == wire::SCHEDULED)
      // Its whole window has passed while nothing ran: nobody can have joined, and it must not
      // stand in the way of the next one.
      follow(std::move(what), decide(state_, cancel{time_.now()}));
    else
      follow(std::move(what), decide(state_, close{time_.now()}));
  }

  void fetched(const rows_fetched&) {}

private:
  struct waiting {
    asker to;
    wire::Phase phase;
  };

  caf::strong_actor_ptr back() { return caf::actor_cast<caf::strong_actor_ptr>(this); }

  template <class News>
  static void send_back(const caf::strong_actor_ptr& to, News&& news) {
    to->enqueue(
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::forward<News>(news)),
        nullptr);
  }

  facts facts_now() const { return {std::make_shared<const wire::State>(state_)}; }

  result<event> decision_on(const wire::Notice& notice) {
    switch (notice.body_case()) {
      case wire::Notice::kCreate: {
        if (state_.phase() != wire::NONE) return refuse(errc::wave_out_of_order);
        event what;
        what.set_at(time_.now().time_since_epoch().count());
        *what.mutable_created() = notice.create();
        return what;
      }
      case wire::Notice::kFrozen:
        return gelombang::wave::frozen(state_, notice.frozen(), time_.now());
      case wire::Notice::kSettled:
        return gelombang::wave::settled(state_, notice.settled(), time_.now());
      case wire::Notice::kPlacesTaken:
        return gelombang::wave::places_taken(state_, notice.places_taken(), time_.now());
      case wire::Notice::BODY_NOT_SET:
        break;
    }
    return refuse(errc::internal);
  }

  /// What the shards are told along with an event.
  void tell_rosters(step& what, const event& happened, const state& next) {
    roster::wire::Ask ask;
    switch (happened.body_case()) {
      case event::kCreated:
      case event::kOpened:
        ask = schedule_of(next.plan());
        break;
      case event::kClosing:
        ask.mutable_freeze();
        break;
      case event::kAnnouncing:
        ask.mutable_settle();
        break;
      case event::kCancelled:
        ask.mutable_cancel();
        break;
      default:
        return;
    }
    const auto shards = home().shards();
    for (shard_index i = 0; i < shards; ++i)
      what.send(roster_ref(wave_number{next.number()}, i, shards), ask);
  }

  /// Stores what was decided; a decision against it leaves only the rest of the step.
  void follow(step&& what, result<event>&& decided) {
    auto next = state_;
    if (decided) store(what, *decided, next);
    if (what.empty() || !take(std::move(what))) return;
    state_.Swap(&next);
    if (decided) told();
  }

  void store(step& what, const event& happened, state& next) {
    what.event(happened);
    apply(next, happened, home().shards());
    what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
    tell_rosters(what, happened, next);
    if (happened.has_created()) {
      what.set_deadline(instant_of(next.plan().opens_at()), opens_tag);
      what.set_deadline(instant_of(next.plan().closes_at()), closes_tag);
    }
  }

  /// After a change: the board shows it, and who waited for this phase is answered, once durable.
  void told() {
    owed();  // for the message to oneself
    home().reply_after(
        *activated(), home().last(), back(),
        caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, publish{facts_now().wave}));
  }

  void settled_one() { entity_actor<wave_actor>::settled(); }

  caf::delegated<outcome<facts>> refused(refusal why) {
    answer(current_asker(), outcome<facts>{std::move(why)});
    return {};
  }

  /// Nobody but the wave itself has to do anything.
  caf::delegated<outcome<facts>> at_once(result<event>&& decided) {
    if (!decided) return refused(decided.error());
    const auto until = decided->has_opened() ? wire::OPEN : wire::CANCELLED;
    return then_wait(std::move(decided), until);
  }

  caf::delegated<outcome<facts>> then_wait(result<event>&& decided, wire::Phase until) {
    if (!decided) return refused(decided.error());
    step what{who()};
    auto next = state_;
    store(what, *decided, next);
    auto at = home().append(*activated(), std::move(what));
    if (!at) return refused(at.error());
    note(*at);
    state_.Swap(&next);
    wait_for(until);
    told();
    return {};
  }

  caf::delegated<outcome<facts>> wait_for(wire::Phase until) {
    waiting_.push_back({current_asker(), until});
    owed();
    return {};
  }

  void after_the_desk(result<event>&& decided, wire::Phase phase) {
    if (!decided) return give_up(phase, decided.error());
    step what{who()};
    auto next = state_;
    store(what, *decided, next);
    auto at = home().append(*activated(), std::move(what));
    if (!at) return give_up(phase, at.error());
    note(*at);
    state_.Swap(&next);
    told();
  }

  void give_up(wire::Phase phase, const refusal& why) {
    for (auto& one : std::exchange(waiting_, {})) {
      if (one.phase != phase) {
        waiting_.push_back(std::move(one));
        continue;
      }
      answer(one.to, outcome<facts>{why});
      settled_one();
    }
  }

  state state_;
  board& board_;
  const gelombang::clock& time_;
  draw_desk& desk_;
  std::vector<waiting> waiting_;
  bool at_the_desk_ = false;
};

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
    if (auto good = check(command.plan, regions_); !good) {
      answer(to, outcome<wave_number>{good.error()});
      return {};
    }
    step what{who()};
    auto next = state_;
    const auto number = create_in(what, next, command.plan, command.now, 0);
    if (take(std::move(what), to, outcome<wave_number>{number})) state_.Swap(&next);
    return {};
  }

  caf::delegated<outcome<acknowledged>> look_ahead(const keep_ahead& command) {
    const auto to = current_asker();
    step what{who()};
    auto next = state_;
    for (const auto& plan : command.regular)
      if (plan.opens_at() > next.created_until() && check(plan, regions_))
        create_in(what, next, plan, command.now, plan.opens_at());
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
  wave_number create_in(step& what, wire::Calendar& next, const wire::Plan& plan, instant now,
                        std::int64_t regular_opens_at);

  wire::Calendar state_;
  const std::vector<region_code>& regions_;
};

void apply_to(wire::Calendar& calendar, const wire::CalendarEvent& what) {
  calendar.set_last_number(what.created().number());
  if (what.regular_opens_at() != 0) calendar.set_created_until(what.regular_opens_at());
}

wave_number calendar_impl::create_in(step& what, wire::Calendar& next, const wire::Plan& plan,
                                     instant now, std::int64_t regular_opens_at) {
  wire::CalendarEvent happened;
  happened.set_at(now.time_since_epoch().count());
  happened.set_regular_opens_at(regular_opens_at);
  auto& created = *happened.mutable_created();
  created.set_number(next.last_number() + 1);
  *created.mutable_plan() = plan;
  const wave_number number{created.number()};
  what.event(happened);
  apply_to(next, happened);
  what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
  wire::Notice notice;
  *notice.mutable_create() = created;
  what.send(ref_of(number), notice);
  return number;
}

}  // namespace

std::vector<std::string> wave_kind::rows_of(const shard& home, entity_ref who) const {
  return {snapshot_key(home.index(), who)};
}

caf::strong_actor_ptr wave_kind::spawn(caf::actor_system& system, activation_ptr who,
                                       const std::vector<std::string>&,
                                       std::vector<row_value>&& rows) const {
  state stored;
  if (rows.front()) stored.ParseFromString(*rows.front());
  return spawn_entity<wave_impl>(system, std::move(who), std::move(stored), board_, time_, *desk_);
}

result<void> wave_kind::replay(const shard& home, entity_ref who, std::string_view event_bytes,
                               row_editor& rows) const {
  event what;
  if (!what.ParseFromArray(event_bytes.data(), static_cast<int>(event_bytes.size())))
    return refuse(errc::internal, {}, "a wave's event does not parse");
  state wave;
  const auto key = snapshot_key(home.index(), who);
  if (auto stored = rows.get(key)) wave.ParseFromString(*stored);
  apply(wave, what, home.shards());
  rows.put(key, wave.SerializeAsString());
  return {};
}

void wave_kind::restored(shard& home) const {
  const auto first = snapshot_prefix(home.index(), kind::wave);
  (void)home.scan(first, end_of(first), [&](std::string_view, std::string_view value) {
    auto wave = std::make_shared<state>();
    if (wave->ParseFromArray(value.data(), static_cast<int>(value.size())))
      board_.put(std::move(wave));
    return true;
  });
}

calendar_kind::calendar_kind(const region_table& regions) {
  for (const auto& one : regions.all()) regions_.push_back(one.code);
}

std::vector<std::string> calendar_kind::rows_of(const shard& home, entity_ref who) const {
  return {snapshot_key(home.index(), who)};
}

caf::strong_actor_ptr calendar_kind::spawn(caf::actor_system& system, activation_ptr who,
                                           const std::vector<std::string>&,
                                           std::vector<row_value>&& rows) const {
  wire::Calendar stored;
  if (rows.front()) stored.ParseFromString(*rows.front());
  return spawn_entity<calendar_impl>(system, std::move(who), std::move(stored), regions_);
}

result<void> calendar_kind::replay(const shard& home, entity_ref who, std::string_view event_bytes,
                                   row_editor& rows) const {
  wire::CalendarEvent what;
  if (!what.ParseFromArray(event_bytes.data(), static_cast<int>(event_bytes.size())))
    return refuse(errc::internal, {}, "a calendar event does not parse");
  wire::Calendar calendar;
  const auto key = snapshot_key(home.index(), who);
  if (auto stored = rows.get(key)) calendar.ParseFromString(*stored);
  apply_to(calendar, what);
  rows.put(key, calendar.SerializeAsString());
  return {};
}

}  // namespace gelombang::wave
