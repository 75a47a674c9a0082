#include "actors/roster/rules.hpp"

namespace gelombang::roster {
namespace {

event at(instant now) {
  event what;
  what.set_at(now.time_since_epoch().count());
  return what;
}

}  // namespace

result<event> decide(const state& roster, const wire::Schedule& ask, instant now) {
  if (roster.phase() != wire::NONE && roster.phase() != wire::TAKING)
    return refuse(errc::wave_out_of_order);
  auto what = at(now);
  *what.mutable_scheduled() = ask;
  return what;
}

result<event> decide(const state& roster, const wire::Freeze&, std::uint64_t joined, instant now) {
  if (roster.phase() != wire::TAKING) return refuse(errc::wave_out_of_order);
  auto what = at(now);
  what.mutable_frozen()->set_joined(joined);
  return what;
}

result<event> decide(const state& roster, const wire::Settle&, accepted_here&& accepted,
                     instant now) {
  if (roster.phase() != wire::FROZEN) return refuse(errc::wave_out_of_order);
  auto what = at(now);
  *what.mutable_settled()->mutable_applicants() = std::move(accepted.applicants);
  return what;
}

result<event> decide(const state& roster, const wire::Cancel& ask, instant now) {
  if (roster.phase() == wire::SETTLED || roster.phase() == wire::CANCELLED)
    return refuse(errc::wave_out_of_order);
  auto what = at(now);
  *what.mutable_cancelled() = ask;
  return what;
}

void apply(state& roster, const event& what) {
  switch (what.body_case()) {
    case event::kScheduled:
      roster.set_phase(wire::TAKING);
      roster.set_scheme(what.scheduled().scheme());
      roster.set_eligibility(what.scheduled().eligibility());
      roster.set_opens_at(what.scheduled().opens_at());
      roster.set_closes_at(what.scheduled().closes_at());
      return;
    case event::kFrozen:
      roster.set_phase(wire::FROZEN);
      roster.set_joined(what.frozen().joined());
      return;
    case event::kSettled:
      roster.set_phase(wire::SETTLED);
      roster.set_accepted(static_cast<std::uint64_t>(what.settled().applicants_size()));
      return;
    case event::kCancelled:
      roster.set_phase(wire::CANCELLED);
      return;
    case event::BODY_NOT_SET:
      return;
  }
}

bool gate_open(const state& roster) {
  return roster.phase() == wire::TAKING;
}

}  // namespace gelombang::roster
