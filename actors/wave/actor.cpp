#include "actors/wave/actor.hpp"

#include <variant>

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

/// What a wave that has come to `phase` tells every shard.
roster::wire::Ask schedule_of(const wire::Plan& plan, wire::Phase phase) {
  roster::wire::Ask ask;
  auto& schedule = *ask.mutable_schedule();
  schedule.set_scheme(plan.scheme());
  schedule.set_eligibility(plan.eligibility());
  schedule.set_opens_at(plan.opens_at());
  schedule.set_closes_at(plan.closes_at());
  schedule.set_phase(static_cast<std::uint32_t>(phase));
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

  /// The shard has forgotten this activation, and with it who waits.
  ~wave_impl() override {
    board_.commit_ends(number());
    for (const auto& one : waiting_)
      one.to.tell(outcome<facts>{refusal{errc::storage_unavailable}});
  }

  behavior_type make_behavior() override {
    using me_t = wave_impl;
    return {on<&me_t::look>(),        on<&me_t::open_now>(), on<&me_t::close_now>(),
            on<&me_t::commit_to>(),   on<&me_t::hold>(),     on<&me_t::announce_it>(),
            on<&me_t::cancel_it>(),   on<&me_t::was_read>(), on<&me_t::was_drawn>(),
            on<&me_t::was_settled>(), on<&me_t::put_up>(),   on<&me_t::mail>(),
            on<&me_t::deadline>(),    on<&me_t::fetched>()};
  }

  caf::delegated<outcome<facts>> look(const show&) {
    if (state_.phase() == wire::NONE)
      answer(current_asker(), outcome<facts>{refusal{errc::wave_unknown}});
    else
      answer(current_asker(), outcome<facts>{facts_now()});
    return {};
  }

  caf::delegated<outcome<facts>> open_now(const open& command) { return obey(command, wire::OPEN); }
  caf::delegated<outcome<facts>> close_now(const close& command) {
    return obey(command, wire::CLOSED);
  }
  /// Every shard takes its members from the draw's files, which the desk has to check first:
  /// without them it is better refused than begun and never ended. Whoever asks while it is under
  /// way is not left to wait for them either.
  caf::delegated<outcome<facts>> announce_it(const announce& command) {
    if (const auto known = repeat_of(command.request)) return again(*known);
    const bool needs_files = state_.phase() == wire::DRAWN || state_.phase() == wire::ANNOUNCING;
    if (!needs_files || desk_.has_settlement_of(number())) return obey(command, wire::ANNOUNCED);
    if (at_the_desk_) return join_at_the_desk(command, wire::ANNOUNCED);
    at_the_desk_ = desk_work{wire::ANNOUNCED, command, keys_of(command.request)};
    owed();
    desk_.read_settlement(state_, [back = back()](result<void> readable) {
      send_back(back, settlement_read{std::move(readable)});
    });
    return wait_for(wire::ANNOUNCED);
  }
  caf::delegated<outcome<facts>> cancel_it(const cancel& command) {
    return obey(command, wire::CANCELLED);
  }

  caf::delegated<outcome<facts>> commit_to(const commit& command) {
    if (const auto known = repeat_of(command.request)) return again(*known);
    if (auto allowed = may(state_, command); !allowed) return refused(allowed.error());
    if (at_the_desk_) return join_at_the_desk(command, wire::COMMITTED);
    if (const auto first = board_.commit_begins(number()); first != number())
      return refused({errc::wave_out_of_order,
                      {},
                      std::string{other_wave_first} + std::to_string(first.value)});
    at_the_desk_ = desk_work{wire::COMMITTED, command, keys_of(command.request)};
    owed();
    desk_.read_roster(state_, command, [back = back()](result<wire::Commitment> commitment) {
      send_back(back, roster_read{std::move(commitment)});
    });
    return wait_for(wire::COMMITTED);
  }

  caf::delegated<outcome<facts>> hold(const hold_draw& command) {
    if (const auto known = repeat_of(command.request)) return again(*known);
    if (auto allowed = may(state_, command); !allowed) return refused(allowed.error());
    if (at_the_desk_) return join_at_the_desk(command, wire::DRAWN);
    at_the_desk_ = desk_work{wire::DRAWN, command, keys_of(command.request)};
    owed();
    desk_.make_draw(state_, command, [back = back()](result<wire::Result> drawn_now) {
      send_back(back, draw_made{std::move(drawn_now)});
    });
    return wait_for(wire::DRAWN);
  }

  void was_read(const roster_read& news) {
    const auto keys = done_at_the_desk();
    if (!news.commitment) return give_up(wire::COMMITTED, news.commitment.error());
    auto copy = *news.commitment;
    after_the_desk(committed(state_, std::move(copy), time_.now(), first_of(keys)), keys,
                   wire::COMMITTED);
  }

  void was_drawn(const draw_made& news) {
    const auto keys = done_at_the_desk();
    if (!news.drawn) return give_up(wire::DRAWN, news.drawn.error());
    auto copy = *news.drawn;
    after_the_desk(drawn(state_, std::move(copy), time_.now(), first_of(keys)), keys, wire::DRAWN);
  }

  void was_settled(const settlement_read& news) {
    const auto keys = done_at_the_desk();
    if (!news.readable) return give_up(wire::ANNOUNCED, news.readable.error());
    const auto now = time_.now();
    if (state_.phase() == wire::DRAWN)
      return after_the_desk(decide(state_, announce{now, first_of(keys)}), keys, wire::ANNOUNCED);
    // It was under way, as after a crash: these orders are kept with the first one.
    if (!keys.empty())
      after_the_desk(also_ordered(state_, wire::ANNOUNCED, keys.front(), now), keys,
                     wire::ANNOUNCED);
  }

  /// An event is durable: the board shows it, and who waited for it is told. In this order, so that
  /// whoever has been told sees it wherever he looks.
  void put_up(const publish& news) {
    board_.put(news.wave);
    for (auto& one : std::exchange(waiting_, {})) {
      auto told = answer_for(one.until, *news.wave);
      if (!told) {
        waiting_.push_back(std::move(one));
        continue;
      }
      answer(one.to, std::move(*told));
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
    wire::Phase until;
  };

  /// What the desk is at, and for which requests.
  struct desk_work {
    wire::Phase until;
    std::variant<commit, hold_draw, announce> order;
    std::vector<request_key> keys;
  };

  static std::vector<request_key> keys_of(const std::optional<request_key>& request) {
    return request ? std::vector{*request} : std::vector<request_key>{};
  }

  static std::optional<request_key> first_of(const std::vector<request_key>& keys) {
    return keys.empty() ? std::nullopt : std::optional{keys.front()};
  }

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
      case wire::Notice::kHeard:
        return gelombang::wave::heard(state_, notice.heard(), time_.now());
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
        ask = schedule_of(next.plan(), next.phase());
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
    add(what, happened, next);
    put(what, next);
  }

  void put(step& what, const state& next) {
    what.put(snapshot_key(home().index(), who()), next.SerializeAsString());
  }

  void add(step& what, const event& happened, state& next) {
    what.event(happened);
    apply(next, happened, home().shards());
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

  wave_number number() const { return {static_cast<std::uint32_t>(state_.number())}; }

  void settled_one() { entity_actor<wave_actor>::settled(); }

  caf::delegated<outcome<facts>> refused(refusal why) {
    answer(current_asker(), outcome<facts>{std::move(why)});
    return {};
  }

  /// What an order is answered that leads to `until`; nothing while the wave is not there yet.
  /// It is open when every shard takes joins: whoever is told so may send people there.
  std::optional<outcome<facts>> answer_for(wire::Phase until, const state& shown) const {
    if (shown.phase() < until) return std::nullopt;
    if (shown.phase() == until && !is_known_everywhere(shown, home().shards())) return std::nullopt;
    if (shown.phase() == wire::CANCELLED && until != wire::CANCELLED)
      return outcome<facts>{refusal{errc::wave_out_of_order, {}, "cancelled"}};
    return outcome<facts>{facts{std::make_shared<const wire::State>(shown)}};
  }

  template <class Command>
  caf::delegated<outcome<facts>> obey(const Command& command, wire::Phase until) {
    if (const auto known = repeat_of(command.request)) return again(*known);
    if (!is_under_way(until)) return then_wait(decide(state_, command), until);
    if (!command.request) return wait_for(until);
    return then_wait(also_ordered(state_, until, *command.request, time_.now()), until);
  }

  /// Whether the shards are at what such an order asks for.
  bool is_under_way(wire::Phase until) const {
    if (until == wire::OPEN)
      return state_.phase() == wire::OPEN && !is_known_everywhere(state_, home().shards());
    return (until == wire::CLOSED && state_.phase() == wire::CLOSING) ||
           (until == wire::ANNOUNCED && state_.phase() == wire::ANNOUNCING);
  }

  /// The same order once more waits for the same end, and its key is kept with the first one's.
  template <class Command>
  caf::delegated<outcome<facts>> join_at_the_desk(const Command& command, wire::Phase until) {
    const auto* there = std::get_if<Command>(&at_the_desk_->order);
    if (!there || !is_same(*there, command))
      return refused({errc::wave_out_of_order, {}, std::string{order_under_way}});
    auto& keys = at_the_desk_->keys;
    if (command.request) {
      if (state_.orders_size() + static_cast<int>(keys.size()) >= orders_max)
        return refused({errc::too_many_requests});
      keys.push_back(*command.request);
    }
    return wait_for(until);
  }

  /// Also finds what is still at the desk.
  std::optional<result<wire::Phase>> repeat_of(const std::optional<request_key>& request) const {
    if (auto known = find_repeat(state_, request)) return known;
    if (!request || !at_the_desk_) return std::nullopt;
    // Cancelled meanwhile, say: what the desk still makes comes too late.
    if (state_.phase() >= at_the_desk_->until) return std::nullopt;
    for (const auto& one : at_the_desk_->keys) {
      if (one.key != request->key) continue;
      if (one != *request) return refuse(errc::idempotency_conflict);
      return at_the_desk_->until;
    }
    return std::nullopt;
  }

  /// The answer to a repeat: the wave as that order has left it, whatever has happened since.
  caf::delegated<outcome<facts>> again(const result<wire::Phase>& known) {
    if (!known) return refused(known.error());
    if (state_.phase() < *known ||
        (state_.phase() == *known && !is_known_everywhere(state_, home().shards())))
      return wait_for(*known);
    auto then = state_;
    then.set_phase(*known);
    answer(current_asker(), outcome<facts>{facts{std::make_shared<const wire::State>(then)}});
    return {};
  }

  std::vector<request_key> done_at_the_desk() {
    auto finished = std::exchange(at_the_desk_, std::nullopt);
    return finished ? std::move(finished->keys) : std::vector<request_key>{};
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

  /// Stores what the desk has made, and with it the keys of all who asked for it.
  void after_the_desk(result<event>&& decided, const std::vector<request_key>& keys,
                      wire::Phase phase) {
    if (!decided) return give_up(phase, decided.error());
    step what{who()};
    auto next = state_;
    add(what, *decided, next);
    for (std::size_t i = 1; i < keys.size(); ++i)
      if (const auto also = also_ordered(next, phase, keys[i], time_.now())) add(what, *also, next);
    put(what, next);
    auto at = home().append(*activated(), std::move(what));
    if (!at) return give_up(phase, at.error());
    note(*at);
    state_.Swap(&next);
    told();
  }

  void give_up(wire::Phase phase, const refusal& why) {
    if (phase == wire::COMMITTED) board_.commit_ends(number());
    for (auto& one : std::exchange(waiting_, {})) {
      if (one.until != phase) {
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
  std::optional<desk_work> at_the_desk_;
};

}  // namespace

caf::strong_actor_ptr wave_kind::wake(caf::actor_system& system, activation_ptr who,
                                      state&& stored) const {
  return spawn_entity<wave_impl>(system, std::move(who), std::move(stored), board_, time_, *desk_);
}

result<void> wave_kind::follow(const shard& home, entity_ref, state& wave, const event& what,
                               row_editor&) const {
  apply(wave, what, home.shards());
  return {};
}

void wave_kind::restored(shard& home) const {
  const auto first = snapshot_prefix(home.index(), kind::wave);
  (void)home.scan(first, end_of(first), [&](std::string_view key, std::string_view value) {
    auto wave = std::make_shared<state>();
    if (wave->ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      board_.put(std::move(wave));
      return true;
    }
    const entity_ref who{kind::wave, read_big_endian<std::uint64_t>(key.substr(first.size()))};
    (void)unreadable(who, "snapshot");
    board_.put_damaged({static_cast<std::uint32_t>(who.id)});
    return true;
  });
}

}  // namespace gelombang::wave
