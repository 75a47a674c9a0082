#include "actors/roster/actor.hpp"

#include "actors/interfaces.hpp"
#include "actors/roster/rules.hpp"

namespace gelombang::roster {
namespace {

using namespace runtime;

wave_number wave_of(entity_ref who) {
  return wave_number{static_cast<std::uint32_t>(who.id)};
}

/// What a settlement does to the rows: every accepted applicant becomes a member.
void project_members(row_writer& rows, shard_index home, wave_number wave,
                     const std::string& scheme, const event& settled) {
  wire::Member member;
  member.set_wave(wave.value);
  member.set_at(settled.at());
  member.set_scheme(scheme);
  const auto value = member.SerializeAsString();
  for (auto applicant : settled.settled().applicants())
    rows.put(member_key(home, applicant_id{applicant}), value);
  rows.count({counter::family::accepted, wave.value}, settled.settled().applicants_size());
}

class roster_impl final : public entity_actor<roster_actor> {
public:
  roster_impl(caf::actor_config& config, activation_ptr who, state&& stored,
              const roster_kind& room, wave::draw_desk& desk)
      : entity_actor<roster_actor>(config, std::move(who)),
        state_(std::move(stored)),
        room_(room),
        desk_(desk) {
    state_.set_wave(wave_of(this->who()).value);
  }

  behavior_type make_behavior() override {
    using me_t = roster_impl;
    return {on<&me_t::mail>(), on<&me_t::deadline>(), on<&me_t::fetched>()};
  }

  void mail(const mail_arrived& letter) {
    if (seen_before(letter.source)) return;
    wire::Ask ask;
    if (!ask.ParseFromString(letter.body)) throw std::runtime_error("an order does not parse");
    const auto now = room_.now();
    step what{who()};
    what.received(letter.source);
    switch (ask.body_case()) {
      case wire::Ask::kSchedule:
        return schedule(std::move(what), ask.schedule(), now);
      case wire::Ask::kFreeze:
        return freeze(std::move(what), ask.freeze(), now);
      case wire::Ask::kSettle:
        return settle(std::move(what), ask.settle(), now, letter);
      case wire::Ask::kCancel:
        return follow(std::move(what), decide(state_, ask.cancel(), now));
      case wire::Ask::BODY_NOT_SET:
        break;
    }
    take(std::move(what));
  }

  void deadline(const deadline_reached&) {}
  void fetched(const rows_fetched&) {}

private:
  wave_number wave() const { return wave_of(who()); }
  shard_index here() const { return home().index(); }

  void schedule(step&& what, const wire::Schedule& ask, instant now) {
    wave::wire::Notice notice;
    notice.mutable_heard()->set_shard(here());
    notice.mutable_heard()->set_phase(static_cast<wave::wire::Phase>(ask.phase()));
    what.send(ref_of(wave()), notice);
    follow(std::move(what), decide(state_, ask, now));
  }

  /// The gate is shut first: every join taken before it is counted, none comes after.
  void freeze(step&& what, const wire::Freeze& ask, instant now) {
    home().set_gate(wave().value, false);
    const auto joined = home().count({counter::family::joined, wave().value});
    auto decided = decide(state_, ask, static_cast<std::uint64_t>(joined), now);
    wave::wire::Notice notice;
    notice.mutable_frozen()->set_shard(here());
    notice.mutable_frozen()->set_joined(decided ? decided->frozen().joined() : state_.joined());
    what.send(ref_of(wave()), notice);
    follow(std::move(what), std::move(decided));
  }

  void settle(step&& what, const wire::Settle& ask, instant now, const mail_arrived& letter) {
    const auto settlement = desk_.settlement_of(wave(), [&in = home(), to = who(), letter] {
      (void)in.deliver(to, caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, letter));
    });
    // The letter comes again when the files have been read. Where they can't be used it comes as
    // all mail does whose receipt is not noted; why is in the log: all shards would say the same.
    if (!settlement) return;
    const auto& mine = settlement->by_shard[here()];
    accepted_here accepted;
    std::vector<wire::TakePlaces> places(home().shards());
    for (auto& one : places) one.set_wave(wave().value);
    for (const auto& one : mine) {
      accepted.applicants.Add(one.applicant);
      places[shard_of(one.family, home().shards())].add_families(one.family);
    }
    auto decided = decide(state_, ask, std::move(accepted), now);
    if (decided) {
      for (std::size_t i = 0; i < places.size(); ++i)
        what.send(places_ref(static_cast<shard_index>(i), home().shards()), places[i]);
      project_members(what, here(), wave(), state_.scheme(), *decided);
    }
    wave::wire::Notice notice;
    notice.mutable_settled()->set_shard(here());
    notice.mutable_settled()->set_accepted(mine.size());
    what.send(ref_of(wave()), notice);
    const bool news = decided.has_value();
    follow(std::move(what), std::move(decided));
    if (!news) return;
    for (const auto& one : mine)
      home().deliver_if_active(ref_of(applicant_id{one.applicant}),
                               caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                                         applicant::became_member{wave()}));
  }

  /// Stores what was decided; what was decided before leads to no event, only to the answer.
  void follow(step&& what, result<event>&& decided) {
    auto next = state_;
    if (decided) {
      what.event(*decided);
      apply(next, *decided);
      what.put(snapshot_key(here(), who()), next.SerializeAsString());
      what.set_gate(wave().value, gate_open(next));
    }
    if (!take(std::move(what))) return;
    state_.Swap(&next);
    room_.show(home(), state_);
  }

  state state_;
  const roster_kind& room_;
  wave::draw_desk& desk_;
};

}  // namespace

caf::strong_actor_ptr roster_kind::wake(caf::actor_system& system, activation_ptr who,
                                        state&& stored) const {
  return spawn_entity<roster_impl>(system, std::move(who), std::move(stored), *this, *desk_);
}

result<void> roster_kind::follow(const shard& home, entity_ref who, state& roster,
                                 const event& what, row_editor& rows) const {
  roster.set_wave(wave_of(who).value);
  if (what.has_settled()) project_members(rows, home.index(), wave_of(who), roster.scheme(), what);
  apply(roster, what);
  return {};
}

void roster_kind::restored(shard& home) const {
  waves_.clear(home.index());
  const auto first = snapshot_prefix(home.index(), kind::roster);
  (void)home.scan(first, end_of(first), [&](std::string_view key, std::string_view value) {
    state roster;
    if (!roster.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
      const entity_ref who{kind::roster, read_big_endian<std::uint64_t>(key.substr(first.size()))};
      (void)unreadable(who, "snapshot");
      view damaged;
      damaged.wave = wave_of(who);
      damaged.is_damaged = true;
      waves_.put(home.index(), std::move(damaged));
      return true;
    }
    home.set_gate(roster.wave(), gate_open(roster));
    show(home, roster);
    return true;
  });
}

void roster_kind::show(const shard& home, const wire::State& roster) const {
  view what;
  what.wave = wave_number{roster.wave()};
  what.phase = roster.phase();
  what.opens_at = instant{std::chrono::milliseconds{roster.opens_at()}};
  what.closes_at = instant{std::chrono::milliseconds{roster.closes_at()}};
  what.scheme = roster.scheme();
  const auto rules = rules_.find(roster.eligibility());
  if (rules == rules_.end()) {
    spdlog::critical(
        "wave {} needs the rule set \"{}\", which is not configured: joins are refused",
        roster.wave(), roster.eligibility());
    return;
  }
  what.rules = &rules->second;
  waves_.put(home.index(), std::move(what));
}

}  // namespace gelombang::roster
