#include "actors/applicant/actor.hpp"

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "actors/applicant/rows_for_actor.hpp"
#include "actors/applicant/rules.hpp"
#include "actors/interfaces.hpp"
#include "actors/runtime/snapshot_kind.hpp"

namespace gelombang::applicant {
namespace {

using namespace runtime;

counter funnel(stage at) {
  return {counter::family::funnel_stage, static_cast<std::uint32_t>(at)};
}
counter joined(wave_number wave) {
  return {counter::family::joined, wave.value};
}

/// What an event does to the rows, but for joins: the snapshot, and the funnel's counts.
void project(row_writer& rows, shard_index home, applicant_id self, stage before,
             const wire::State& after) {
  rows.put(snapshot_key(home, ref_of(self)), after.SerializeAsString());
  const auto now = stage_of(after);
  if (before == now) return;
  if (before != stage::none) rows.count(funnel(before), -1);
  if (now != stage::none) rows.count(funnel(now), 1);
}

void project_withdrawal(row_writer& rows, shard_index home, applicant_id self, wave_number wave) {
  rows.erase(participation_key(home, wave, self));
  rows.count(joined(wave), -1);
}

entity_ref ref_of_registry(const registry_mail& mail) {
  switch (mail.to) {
    case registry_mail::kind::person:
      return {kind::person, mail.id};
    case registry_mail::kind::family:
      return {kind::family, mail.id};
    case registry_mail::kind::phone:
      return {kind::phone, mail.id};
  }
  return {};
}

/// What an asker gets for a decision's reply: `void` is a value on the way.
template <class Reply>
using value_of = std::conditional_t<std::is_void_v<Reply>, acknowledged, Reply>;

}  // namespace

/// One person. All knowledge is in the rules; this carries their decisions to the shard.
class applicant_impl final : public entity_actor<applicant_actor> {
public:
  applicant_impl(caf::actor_config& config, activation_ptr who, const surroundings& around,
                 runtime::node& reader, wire::State&& state,
                 std::optional<wave_number> member_since, known_participations&& participations,
                 wave_number newest_wave)
      : entity_actor<applicant_actor>(config, std::move(who)),
        around_(around),
        reader_(reader),
        state_(std::move(state)),
        member_since_(member_since),
        participations_(std::move(participations)),
        newest_wave_(newest_wave) {}

  /// The shard has forgotten this activation, and with it who waits.
  ~applicant_impl() override {
    if (!waits_) return;
    for (const auto* askers : {&waits_->for_identity, &waits_->for_phone})
      for (const auto& to : *askers)
        to.tell(outcome<acknowledged>{refusal{errc::storage_unavailable}});
    for (auto& one : waits_->for_rows) one.go_on(false);
  }

  behavior_type make_behavior() override {
    using me_t = applicant_impl;
    // Looked through in order: what a country asks for at once comes first.
    static const behavior_type shared{
        on<&me_t::click>(),    on<&me_t::show_wave>(), on<&me_t::show_me>(),  on<&me_t::enter>(),
        on<&me_t::verify>(),   on<&me_t::verifier>(),  on<&me_t::sign_in>(),  on<&me_t::refresh>(),
        on<&me_t::sign_out>(), on<&me_t::grant>(),     on<&me_t::identify>(), on<&me_t::describe>(),
        on<&me_t::assess>(),   on<&me_t::take_back>(), on<&me_t::stop>(),     on<&me_t::let_go>(),
        on<&me_t::accepted>(), on<&me_t::mail>(),      on<&me_t::deadline>(), on<&me_t::fetched>()};
    return shared;
  }

  caf::delegated<outcome<acknowledged>> enter(const enter_email& command) {
    return carry_out(decide(self(), state_, command, seal_email(around_.keys, self(), command)));
  }
  caf::delegated<outcome<session_grant>> verify(const verify_email& command) {
    if (reuses_key_of_a_join(command)) return conflict<session_grant>();
    const auto expected = expected_code(around_.keys, self(), state_);
    return carry_out(decide(self(), state_, command, expected));
  }
  caf::delegated<outcome<password_facts>> verifier(const read_verifier& query) {
    answer(current_asker(), outcome<password_facts>{answer_to(state_, query)});
    return {};
  }
  caf::delegated<outcome<session_grant>> sign_in(const open_session& command) {
    if (reuses_key_of_a_join(command)) return conflict<session_grant>();
    return carry_out(decide(self(), state_, command));
  }
  caf::delegated<outcome<session_grant>> refresh(const refresh_session& command) {
    if (reuses_key_of_a_join(command)) return conflict<session_grant>();
    return carry_out(decide(self(), state_, command));
  }
  caf::delegated<outcome<acknowledged>> sign_out(const close_session& command) {
    return carry_out(decide(state_, command));
  }
  caf::delegated<outcome<acknowledged>> grant(const grant_roles& command) {
    return carry_out(decide(state_, command));
  }
  caf::delegated<outcome<acknowledged>> stop(const block& command) {
    return carry_out(decide(state_, command));
  }
  caf::delegated<outcome<acknowledged>> let_go(const unblock& command) {
    return carry_out(decide(state_, command));
  }
  caf::delegated<outcome<assessment_result>> assess(const take_assessment& command) {
    if (reuses_key_of_a_join(command)) return conflict<assessment_result>();
    return carry_out(decide(state_, command, around_.questions));
  }
  caf::delegated<outcome<me>> show_me(const read_me& query) {
    answer(current_asker(), outcome<me>{answer_to(self(), state_, query, around_.keys)});
    return {};
  }

  caf::delegated<outcome<acknowledged>> identify(const submit_identity& command) {
    if (reuses_key_of_a_join(command)) return conflict<acknowledged>();
    const auto secrets = seal_identity(around_.keys, self(), command);
    return carry_out_and_wait(decide(self(), state_, command, secrets, around_.regions),
                              &who_waits::for_identity, identity_answer);
  }
  caf::delegated<outcome<acknowledged>> describe(const set_profile& command) {
    if (reuses_key_of_a_join(command)) return conflict<acknowledged>();
    const auto secrets = seal_phone(around_.keys, self(), command);
    return carry_out_and_wait(decide(self(), state_, command, secrets), &who_waits::for_phone,
                              phone_answer);
  }

  caf::delegated<outcome<receipt>> click(const join& command) {
    return with_row<receipt>(command, [this, command](const asker& to) { join_now(command, to); });
  }
  caf::delegated<outcome<acknowledged>> take_back(const withdraw& command) {
    return with_row<acknowledged>(command,
                                  [this, command](const asker& to) { withdraw_now(command, to); });
  }
  caf::delegated<outcome<standing>> show_wave(const read_wave& query) {
    return with_row<standing>(query,
                              [this, query](const asker& to) { answer_standing(to, query); });
  }

  void accepted(const became_member& news) {
    member_since_ = news.wave;
    note(home().last());  // the settlement that made it so need not be durable yet
  }

  void mail(const mail_arrived& letter) {
    if (seen_before(letter.source)) return;
    wire::Notice notice;
    if (!notice.ParseFromString(letter.body)) throw std::runtime_error("a notice does not parse");
    auto decided = decide(self(), state_, notice, reader_.time().now());
    auto next = state_;
    auto what = step_of(decided, next);
    what.received(letter.source);
    if (!take(std::move(what))) return;
    state_.Swap(&next);
    tell(&who_waits::for_identity, identity_answer(state_));
    tell(&who_waits::for_phone, phone_answer(state_));
  }

  void deadline(const deadline_reached&) {}

  void fetched(const rows_fetched& rows) {
    for (auto& one : std::exchange(waits().for_rows, {})) {
      if (one.token != rows.token) {
        waits_->for_rows.push_back(std::move(one));
        continue;
      }
      one.go_on(take_row(one.wave, rows));
    }
  }

private:
  struct waiting_for_rows {
    std::uint64_t token;
    wave_number wave;
    std::function<void(bool was_read)> go_on;
  };

  /// Apart, since hardly anybody has any of it, and a million actors are in memory.
  struct who_waits {
    std::vector<asker> for_identity, for_phone;
    std::vector<waiting_for_rows> for_rows;
    std::uint64_t fetches = 0;
  };

  who_waits& waits() {
    if (!waits_) waits_ = std::make_unique<who_waits>();
    return *waits_;
  }

  applicant_id self() const { return {who().id}; }

  /// @returns whether the wave's row is at hand now.
  bool take_row(wave_number wave, const rows_fetched& rows) {
    // What has been stored since it was asked for is newer than what was read.
    if (knows(wave)) return true;
    if (rows.values.empty()) return false;
    auto row = participation_in(rows.values.front(), who());
    if (row) set_participation(wave, *row);
    return row.has_value();
  }

  /// The key of a join stands in the join's row only. Rows that are not at hand are not read for
  /// it.
  template <class Command>
  bool reuses_key_of_a_join(const Command& command) const {
    for (const auto& one : participations_)
      if (one.row && is_key_of_join(*one.row, command.request, command.now)) return true;
    return false;
  }

  template <class Reply>
  caf::delegated<outcome<Reply>> conflict() {
    answer(current_asker(), outcome<Reply>{refusal{errc::idempotency_conflict}});
    return {};
  }

  static outcome<acknowledged> as_done(const result<void>& reply) {
    if (!reply) return reply.error();
    return acknowledged{};
  }
  static outcome<acknowledged> as_outcome(result<void>&& reply) { return as_done(reply); }
  template <class Reply>
  static outcome<Reply> as_outcome(result<Reply>&& reply) {
    return std::move(reply);
  }

  /// Goes on with a wave that the shard knows, once its row is at hand: without it, somebody who
  /// is in would look as if he were not.
  template <class Reply, class Command, class GoOn>
  caf::delegated<outcome<Reply>> with_row(const Command& command, GoOn&& go_on) {
    const auto to = current_asker();
    const auto waves = around_.waves.of(home().index());
    const auto* at = roster::find(waves, command.wave);
    if (!at || at->is_damaged) {
      answer(to, outcome<Reply>{refusal{at ? errc::storage_unavailable : errc::wave_unknown}});
      return {};
    }
    if (knows(command.wave)) {
      go_on(to);
      return {};
    }
    fetch_row(command.wave, [this, to, go_on = std::forward<GoOn>(go_on)](bool was_read) {
      if (was_read) return go_on(to);
      answer(to, outcome<Reply>{refusal{errc::storage_unavailable}});
    });
    return {};
  }

  void join_now(const join& command, const asker& to) {
    if (reuses_key_of_a_join(command))
      return answer(to, outcome<receipt>{refusal{errc::idempotency_conflict}});
    const auto view = view_of(command.wave, command.now);
    if (!view) return answer(to, outcome<receipt>{refusal{errc::wave_unknown}});
    auto decided = decide(state_, command, *view);
    if (decided.event) {
      auto next = state_;
      auto what = step_of(decision<void>{.events = {std::move(*decided.event)}, .reply = {}}, next);
      if (take(std::move(what), to, outcome<receipt>{std::move(decided.reply)})) state_.Swap(&next);
      return;
    }
    if (!decided.row) return answer(to, outcome<receipt>{std::move(decided.reply)});
    step what{who()};
    what.event(joined_event(command.wave, *decided.row));
    what.put(participation_key(home().index(), command.wave, self()), encode(*decided.row));
    what.count(joined(command.wave), 1);
    what.require_gate(command.wave.value);
    if (take(std::move(what), to, outcome<receipt>{std::move(decided.reply)}))
      set_participation(command.wave, decided.row);
  }

  void withdraw_now(const withdraw& command, const asker& to) {
    if (reuses_key_of_a_join(command))
      return answer(to, outcome<acknowledged>{refusal{errc::idempotency_conflict}});
    const auto view = view_of(command.wave, command.now);
    if (!view) return answer(to, outcome<acknowledged>{refusal{errc::wave_unknown}});
    auto decided = decide(state_, command, *view);
    if (decided.events.empty()) return answer(to, as_done(decided.reply));
    auto next = state_;
    auto what = step_of(decided, next);
    project_withdrawal(what, home().index(), self(), command.wave);
    what.require_gate(command.wave.value);
    if (!take(std::move(what), to, as_done(decided.reply))) return;
    state_.Swap(&next);
    set_participation(command.wave, std::nullopt);
  }

  /// Applies a decision's events to `next` and makes the step that stores them.
  template <class Reply>
  step step_of(const decision<Reply>& decided, wire::State& next) {
    step what{who()};
    const auto before = stage_of(next);
    for (const auto& event : decided.events) {
      what.event(event);
      apply(next, event);
    }
    for (const auto& letter : decided.mail) {
      if (const auto* ask = std::get_if<registry_mail>(&letter))
        what.send(ref_of_registry(*ask), ask->ask);
      else
        what.send_outside(std::get<wire::Letter>(letter));
    }
    if (!decided.events.empty()) project(what, home().index(), self(), before, next);
    return what;
  }

  template <class Reply>
  caf::delegated<outcome<value_of<Reply>>> carry_out(decision<Reply>&& decided) {
    const auto to = current_asker();
    auto reply = as_outcome(std::move(decided.reply));
    if (decided.events.empty() && decided.mail.empty()) {
      answer(to, std::move(reply));
      return {};
    }
    auto next = state_;
    if (take(step_of(decided, next), to, std::move(reply))) state_.Swap(&next);
    return {};
  }

  /// The same for what the registry has to confirm: who asks is answered when it has.
  template <class Answer>
  caf::delegated<outcome<acknowledged>> carry_out_and_wait(decision<void>&& decided,
                                                           std::vector<asker> who_waits::*askers,
                                                           Answer& answer_now) {
    const auto to = current_asker();
    if (!decided.reply) {
      answer(to, as_done(decided.reply));
      return {};
    }
    if (!decided.events.empty()) {
      auto next = state_;
      auto at = home().append(*activated(), step_of(decided, next));
      if (!at) {
        answer(to, outcome<acknowledged>{std::move(at.error())});
        return {};
      }
      note(*at);
      state_.Swap(&next);
    }
    if (auto known = answer_now(state_)) {
      answer(to, as_done(*known));
      return {};
    }
    (waits().*askers).push_back(to);
    owed();
    return {};
  }

  void tell(std::vector<asker> who_waits::*askers, const std::optional<result<void>>& known) {
    if (!known || !waits_) return;
    for (auto& to : std::exchange(*waits_.*askers, {})) {
      answer(to, as_done(*known));
      settled();
    }
  }

  /// Nothing where the shard does not know the wave; it may have forgotten one whose creation never
  /// became durable, while a row was being read.
  std::optional<wave_view> view_of(wave_number wave, instant now) const {
    const auto waves = around_.waves.of(home().index());
    const auto* at = roster::find(waves, wave);
    if (!at || at->is_damaged) return std::nullopt;
    wave_view view;
    view.number = wave;
    view.open = at->phase == roster::wire::TAKING && now >= at->opens_at && now < at->closes_at;
    view.opens_at = at->opens_at;
    view.eligibility = at->rules;
    view.member_since = member_since_;
    view.entry = around_.keys.entry_of(wave, self());
    for (const auto& one : participations_)
      if (one.wave == wave) view.row = one.row;
    return view;
  }

  /// Rows of waves newer than the activation can only have come from this actor.
  bool knows(wave_number wave) const {
    if (wave > newest_wave_) return true;
    for (const auto& one : participations_)
      if (one.wave == wave) return true;
    return false;
  }

  void set_participation(wave_number wave, std::optional<participation> row) {
    for (auto& one : participations_)
      if (one.wave == wave) {
        one.row = row;
        return;
      }
    participations_.reserve(participations_.size() + 1);  // hardly ever another, a million times
    participations_.push_back({wave, row});
  }

  void answer_standing(const asker& to, const read_wave& query) {
    const auto view = view_of(query.wave, query.now);
    if (!view) return answer(to, outcome<standing>{refusal{errc::wave_unknown}});
    standing own;
    own.own = answer_to(state_, query, *view);
    own.accepted = member_since_ == query.wave;
    own.is_member = member_since_.has_value();
    answer(to, outcome<standing>{std::move(own)});
  }

  /// The message that brings the row is counted here, since it does not come through the shard.
  void fetch_row(wave_number wave, std::function<void(bool was_read)> go_on) {
    const auto token = ++waits().fetches;
    waits_->for_rows.push_back({token, wave, std::move(go_on)});
    owed();
    reader_.fetch(home().index(), {participation_key(home().index(), wave, self())},
                  [token, back = caf::actor_cast<caf::strong_actor_ptr>(this)](
                      storage::result<std::vector<row_value>> rows) {
                    rows_fetched news{token, {}};
                    if (rows) news.values = std::move(*rows);
                    back->enqueue(caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                                            std::move(news)),
                                  nullptr);
                  });
  }

  const surroundings& around_;
  runtime::node& reader_;
  wire::State state_;
  std::optional<wave_number> member_since_;
  known_participations participations_;
  wave_number newest_wave_;
  std::unique_ptr<who_waits> waits_;
};

std::vector<std::string> applicant_kind::rows_of(const shard& home, entity_ref who) const {
  const applicant_id self{who.id};
  std::vector<std::string> keys{snapshot_key(home.index(), who), member_key(home.index(), self)};
  const auto waves = around_.waves.of(home.index());
  for (auto wave : waves_at_hand(*waves))
    keys.push_back(participation_key(home.index(), wave, self));
  return keys;
}

caf::strong_actor_ptr applicant_kind::spawn(caf::actor_system& system, activation_ptr who,
                                            const std::vector<std::string>& keys,
                                            std::vector<row_value>&& rows) const {
  auto state = message_in<wire::State>(rows[0], who->who, "snapshot");
  if (!state) return nullptr;
  const auto member_since = membership_in(rows[1], who->who);
  if (!member_since) return nullptr;
  auto participations =
      participations_in(std::span{keys}.subspan(2), std::span{rows}.subspan(2), who->who);
  if (!participations) return nullptr;
  wave_number newest{};
  for (const auto& one : *participations) newest = std::max(newest, one.wave);
  return spawn_entity<applicant_impl>(system, std::move(who), around_, *reader_, std::move(*state),
                                      *member_since, std::move(*participations), newest);
}

result<void> applicant_kind::replay(const shard& home, entity_ref who, std::string_view event,
                                    row_editor& rows) const {
  const applicant_id self{who.id};
  wire::Event what;
  if (!what.ParseFromArray(event.data(), static_cast<int>(event.size())))
    return refuse(errc::internal, {}, "an applicant's event does not parse");
  if (what.body_case() == wire::Event::kJoined) {
    const wave_number wave{what.joined().wave()};
    rows.put(participation_key(home.index(), wave, self), encode(participation_of(what)));
    rows.count(joined(wave), 1);
    return {};
  }
  auto state = message_in<wire::State>(rows.get(snapshot_key(home.index(), who)), who, "snapshot");
  if (!state) return tl::unexpected(state.error());
  const auto before = stage_of(*state);
  apply(*state, what);
  project(rows, home.index(), self, before, *state);
  if (what.body_case() == wire::Event::kWithdrawn)
    project_withdrawal(rows, home.index(), self, wave_number{what.withdrawn().wave()});
  return {};
}

}  // namespace gelombang::applicant
