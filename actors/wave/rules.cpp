#include "actors/wave/rules.hpp"

#include <algorithm>
#include <set>

#include "actors/applicant/profile.hpp"
#include "actors/programme/line.hpp"
#include "actors/programme/sha256.hpp"

namespace gelombang::wave {
namespace {

void note(wire::RequestKey& to, const request_key& request) {
  to.set_key(request.key);
  to.set_fingerprint(request.fingerprint);
}

bool is_same(const wire::RequestKey& known, const request_key& request) {
  return known.key() == request.key && known.fingerprint() == request.fingerprint;
}

event at(instant now, const std::optional<request_key>& request = {}) {
  event what;
  what.set_at(now.time_since_epoch().count());
  if (request) note(*what.mutable_request(), *request);
  return what;
}

tl::unexpected<refusal> out_of_order(const state& wave) {
  return refuse(errc::wave_out_of_order, {}, std::string{phase_name(wave.phase())});
}

bool contains(const google::protobuf::RepeatedField<std::uint32_t>& numbers, std::uint32_t one) {
  return std::find(numbers.begin(), numbers.end(), one) != numbers.end();
}

result<void> check_groups(const wire::Plan& plan) {
  if (plan.groups_size() > groups_max) return refuse(errc::groups_invalid, "/groups");
  std::set<std::string> names;
  std::uint64_t shares = 0;
  for (int i = 0; i < plan.groups_size(); ++i) {
    const auto& group = plan.groups(i);
    const auto where = "/groups/" + std::to_string(i);
    if (!applicant::group_bit_named(group.name()))
      return refuse(errc::groups_invalid, where + "/name");
    if (!names.insert(group.name()).second) return refuse(errc::groups_invalid, where + "/name");
    shares += group.share_permille();
    if (shares > 1000) return refuse(errc::groups_invalid, where + "/share_permille");
  }
  return {};
}

result<void> check_weights(const wire::Plan& plan, const std::vector<region_code>& known) {
  std::set<std::uint32_t> seen;
  bool is_for_nobody = true;
  for (const auto& one : plan.weights()) {
    const region_code region{static_cast<std::uint16_t>(one.region())};
    if (one.region() > 9999 || !std::binary_search(known.begin(), known.end(), region))
      return refuse(errc::region_unknown, "/weights/" + std::to_string(one.region()));
    if (one.weight() > weight_max || !seen.insert(one.region()).second)
      return refuse(errc::field_invalid, "/weights/" + std::to_string(one.region()));
    is_for_nobody = is_for_nobody && one.weight() == 0;
  }
  if (is_for_nobody) return refuse(errc::quota_invalid, "/weights");
  return {};
}

/// Where the order behind an event ends.
wire::Phase goal_of(const event& what) {
  switch (what.body_case()) {
    case event::kOpened:
      return wire::OPEN;
    case event::kClosing:
      return wire::CLOSED;
    case event::kCommitted:
      return wire::COMMITTED;
    case event::kDrawn:
      return wire::DRAWN;
    case event::kAnnouncing:
      return wire::ANNOUNCED;
    case event::kCancelled:
      return wire::CANCELLED;
    case event::kAlsoOrdered:
      return what.also_ordered().reached();
    default:
      return wire::NONE;
  }
}

/// Orders whose goal the wave has not reached: who gave them is told that it is cancelled, now and
/// when he asks again.
void forget_unfinished_orders(state& wave, std::uint32_t shards) {
  auto& orders = *wave.mutable_orders();
  const auto is_unfinished = [&](const wire::Order& one) {
    return one.reached() > wave.phase() ||
           (one.reached() == wave.phase() && !is_known_everywhere(wave, shards));
  };
  orders.erase(std::remove_if(orders.begin(), orders.end(), is_unfinished), orders.end());
}

void change(state& wave, const event& what, std::uint32_t shards) {
  auto next_phase = [&](wire::Phase phase) {
    wave.set_phase(phase);
    wave.clear_reported();
    wave.clear_places();
  };
  const auto all = static_cast<int>(shards);
  switch (what.body_case()) {
    case event::kCreated:
      wave.set_number(what.created().number());
      *wave.mutable_plan() = what.created().plan();
      return next_phase(wire::SCHEDULED);
    case event::kOpened:
      wave.mutable_plan()->set_opens_at(what.opened().opens_at());
      wave.mutable_plan()->set_closes_at(what.opened().closes_at());
      return next_phase(wire::OPEN);
    case event::kHeard:
      return wave.add_reported(what.heard().shard());
    case event::kClosing:
      // Closed by hand, it has not been open until the hour that was planned.
      wave.mutable_plan()->set_closes_at(std::min(what.at(), wave.plan().closes_at()));
      return next_phase(wire::CLOSING);
    case event::kFrozen:
      wave.add_reported(what.frozen().shard());
      wave.set_joined(wave.joined() + what.frozen().joined());
      if (wave.reported_size() == all) next_phase(wire::CLOSED);
      return;
    case event::kCommitted:
      *wave.mutable_commitment() = what.committed().commitment();
      return next_phase(wire::COMMITTED);
    case event::kDrawn:
      *wave.mutable_result() = what.drawn().result();
      return next_phase(wire::DRAWN);
    case event::kAnnouncing:
      return next_phase(wire::ANNOUNCING);
    case event::kSettled:
      wave.add_reported(what.settled().shard());
      wave.set_accepted(wave.accepted() + what.settled().accepted());
      if (wave.reported_size() == all && wave.places_size() == all) next_phase(wire::ANNOUNCED);
      return;
    case event::kPlacesTaken:
      wave.add_places(what.places_taken().shard());
      if (wave.reported_size() == all && wave.places_size() == all) next_phase(wire::ANNOUNCED);
      return;
    case event::kCancelled:
      forget_unfinished_orders(wave, shards);
      wave.mutable_cancellation()->set_at(what.at());
      wave.mutable_cancellation()->set_reason(what.cancelled().reason());
      return next_phase(wire::CANCELLED);
    case event::kAlsoOrdered:  // that it is remembered is all
    case event::BODY_NOT_SET:
      return;
  }
}

}  // namespace

bool is_same(const commit& one, const commit& other) {
  return one.beacon_source == other.beacon_source && one.beacon_round == other.beacon_round &&
         one.operator_secret_hash == other.operator_secret_hash;
}

bool is_same(const hold_draw& one, const hold_draw& other) {
  return one.beacon_value == other.beacon_value && one.operator_secret == other.operator_secret;
}

bool is_same(const announce&, const announce&) {
  return true;  // there is but one way
}

result<void> check(const wire::Plan& plan, const std::vector<region_code>& known, instant now) {
  if (plan.opens_at() <= 0) return refuse(errc::schedule_invalid, "/opens_at");
  if (plan.closes_at() <= plan.opens_at()) return refuse(errc::schedule_invalid, "/closes_at");
  if (plan.closes_at() <= now.time_since_epoch().count())
    return refuse(errc::schedule_invalid, "/closes_at");
  if (plan.quota() == 0 || plan.quota() > quota_max) return refuse(errc::quota_invalid, "/quota");
  if (plan.minimum_per_region() > std::min<std::uint64_t>(plan.quota(), minimum_per_region_max))
    return refuse(errc::quota_invalid, "/minimum_per_region");
  if (auto groups = check_groups(plan); !groups) return groups;
  return check_weights(plan, known);
}

result<event> decide(const state& wave, const open& command) {
  if (wave.phase() != wire::SCHEDULED) return out_of_order(wave);
  auto what = at(command.now, command.request);
  const auto now = command.now.time_since_epoch().count();
  if (now >= wave.plan().closes_at()) return refuse(errc::schedule_invalid, "/closes_at");
  what.mutable_opened()->set_opens_at(std::min<std::int64_t>(now, wave.plan().opens_at()));
  what.mutable_opened()->set_closes_at(wave.plan().closes_at());
  return what;
}

result<event> decide(const state& wave, const close& command) {
  // Its hour may have struck a moment before its deadline is noticed: what everybody sees as open
  // can be closed.
  if (wave.phase() != wire::OPEN && !is_open(wave, command.now)) return out_of_order(wave);
  auto what = at(command.now, command.request);
  what.mutable_closing();
  return what;
}

result<event> decide(const state& wave, const announce& command) {
  if (wave.phase() != wire::DRAWN) return out_of_order(wave);
  auto what = at(command.now, command.request);
  what.mutable_announcing();
  return what;
}

result<event> decide(const state& wave, const cancel& command) {
  switch (wave.phase()) {
    case wire::SCHEDULED:
    case wire::OPEN:
    case wire::CLOSING:
    case wire::CLOSED:
    case wire::COMMITTED: {
      auto what = at(command.now, command.request);
      auto& cancelled = *what.mutable_cancelled();
      cancelled.set_by(command.by.value);
      if (command.reason.empty()) return what;
      auto reason = normalise_reason(command.reason);
      if (!reason) return tl::unexpected(reason.error());
      cancelled.set_reason(std::move(*reason));
      return what;
    }
    default:
      return out_of_order(wave);
  }
}

result<void> may(const state& wave, const commit& command) {
  if (wave.phase() != wire::CLOSED) return out_of_order(wave);
  const auto& source = command.beacon_source;
  const bool is_one_line = std::none_of(source.begin(), source.end(),
                                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (source.empty() || source.size() > beacon_source_bytes_max || !is_one_line)
    return refuse(errc::beacon_invalid, "/beacon_source");
  if (command.operator_secret_hash.size() != 32)
    return refuse(errc::field_invalid, "/operator_secret_hash");
  return {};
}

result<void> may(const state& wave, const hold_draw& command) {
  if (wave.phase() != wire::COMMITTED) return out_of_order(wave);
  if (command.beacon_value.empty() || command.beacon_value.size() > beacon_value_bytes_max)
    return refuse(errc::beacon_invalid, "/beacon_value");
  if (command.operator_secret.empty() || command.operator_secret.size() > operator_secret_bytes_max)
    return refuse(errc::field_invalid, "/operator_secret");
  const auto hash = sha256(command.operator_secret);
  const auto& promised = wave.commitment().operator_secret_hash();
  if (!std::equal(hash.begin(), hash.end(), promised.begin(), promised.end(),
                  [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); }))
    return refuse(errc::secret_mismatch, "/operator_secret");
  return {};
}

result<event> committed(const state& wave, wire::Commitment&& commitment, instant now,
                        const std::optional<request_key>& request) {
  if (wave.phase() != wire::CLOSED) return out_of_order(wave);
  auto what = at(now, request);
  *what.mutable_committed()->mutable_commitment() = std::move(commitment);
  return what;
}

result<event> drawn(const state& wave, wire::Result&& outcome, instant now,
                    const std::optional<request_key>& request) {
  if (wave.phase() != wire::COMMITTED) return out_of_order(wave);
  auto what = at(now, request);
  *what.mutable_drawn()->mutable_result() = std::move(outcome);
  return what;
}

result<event> also_ordered(const state& wave, wire::Phase reached, const request_key& request,
                           instant now) {
  if (wave.orders_size() >= orders_max) return refuse(errc::too_many_requests);
  auto what = at(now, request);
  what.mutable_also_ordered()->set_reached(reached);
  return what;
}

result<event> frozen(const state& wave, const wire::Frozen& notice, instant now) {
  if (wave.phase() != wire::CLOSING || contains(wave.reported(), notice.shard()))
    return out_of_order(wave);
  auto what = at(now);
  *what.mutable_frozen() = notice;
  return what;
}

result<event> settled(const state& wave, const wire::Settled& notice, instant now) {
  if (wave.phase() != wire::ANNOUNCING || contains(wave.reported(), notice.shard()))
    return out_of_order(wave);
  auto what = at(now);
  *what.mutable_settled() = notice;
  return what;
}

result<event> places_taken(const state& wave, const wire::PlacesTaken& notice, instant now) {
  if (wave.phase() != wire::ANNOUNCING || contains(wave.places(), notice.shard()))
    return out_of_order(wave);
  auto what = at(now);
  *what.mutable_places_taken() = notice;
  return what;
}

result<event> heard(const state& wave, const wire::Heard& notice, instant now) {
  const bool tells = wave.phase() == wire::SCHEDULED || wave.phase() == wire::OPEN;
  if (!tells || notice.phase() != wave.phase() || contains(wave.reported(), notice.shard()))
    return out_of_order(wave);
  auto what = at(now);
  *what.mutable_heard() = notice;
  return what;
}

void apply(state& wave, const event& what, std::uint32_t shards) {
  change(wave, what, shards);
  if (what.has_request()) {
    auto& order = *wave.add_orders();
    *order.mutable_request() = what.request();
    order.set_reached(goal_of(what));
  }
}

bool is_known_everywhere(const state& wave, std::uint32_t shards) {
  switch (wave.phase()) {
    case wire::NONE:
      return false;
    case wire::SCHEDULED:
    case wire::OPEN:
      return wave.reported_size() == static_cast<int>(shards);
    default:
      return true;
  }
}

std::optional<result<wire::Phase>> find_repeat(const state& wave,
                                               const std::optional<request_key>& request) {
  if (!request) return std::nullopt;
  for (const auto& known : wave.orders()) {
    if (known.request().key() != request->key) continue;
    if (!is_same(known.request(), *request)) return refuse(errc::idempotency_conflict);
    return known.reached();
  }
  return std::nullopt;
}

std::optional<result<wave_number>> find_repeat(const wire::Calendar& calendar,
                                               const std::optional<request_key>& request) {
  if (!request) return std::nullopt;
  for (const auto& known : calendar.requests()) {
    if (known.request().key() != request->key) continue;
    if (!is_same(known.request(), *request)) return refuse(errc::idempotency_conflict);
    return wave_number{known.number()};
  }
  return std::nullopt;
}

wire::CalendarEvent next_wave(const wire::Calendar& calendar, const create& command) {
  wire::CalendarEvent what;
  what.set_at(command.now.time_since_epoch().count());
  what.mutable_created()->set_number(calendar.last_number() + 1);
  *what.mutable_created()->mutable_plan() = command.plan;
  if (command.request) note(*what.mutable_request(), *command.request);
  return what;
}

void apply(wire::Calendar& calendar, const wire::CalendarEvent& what) {
  calendar.set_last_number(what.created().number());
  if (what.regular_opens_at() != 0) calendar.set_created_until(what.regular_opens_at());
  if (!what.has_request()) return;
  auto& known = *calendar.mutable_requests();
  if (known.size() >= creations_max) known.erase(known.begin());
  auto& made = *known.Add();
  *made.mutable_request() = what.request();
  made.set_number(what.created().number());
}

std::string_view phase_name(wire::Phase phase) {
  switch (phase) {
    case wire::SCHEDULED:
      return "scheduled";
    case wire::OPEN:
      return "open";
    case wire::CLOSING:
    case wire::CLOSED:
      return "closed";
    case wire::COMMITTED:
      return "committed";
    case wire::DRAWN:
    case wire::ANNOUNCING:
      return "drawn";
    case wire::ANNOUNCED:
      return "announced";
    case wire::CANCELLED:
      return "cancelled";
    default:
      return "none";
  }
}

bool is_open(const state& wave, instant now) {
  const auto at = now.time_since_epoch().count();
  const bool taking = wave.phase() == wire::SCHEDULED || wave.phase() == wire::OPEN;
  return taking && at >= wave.plan().opens_at() && at < wave.plan().closes_at();
}

}  // namespace gelombang::wave
