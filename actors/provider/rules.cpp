#include "actors/provider/rules.hpp"

#include "actors/programme/line.hpp"
#include "actors/provider/profile.hpp"

namespace gelombang::provider {
namespace {

event at(instant now, const std::optional<request_key>& request = {}) {
  event what;
  what.set_at(now.time_since_epoch().count());
  if (request) {
    what.mutable_request()->set_key(request->key);
    what.mutable_request()->set_fingerprint(request->fingerprint);
  }
  return what;
}

/// For an order that finds what it wants.
std::optional<event> confirmed(instant now, const std::optional<request_key>& request) {
  if (!request) return std::nullopt;
  auto what = at(now, request);
  what.mutable_confirmed();
  return what;
}

void change(wire::Card& card, const event& what) {
  switch (what.body_case()) {
    case event::kRegistered:
      card.set_number(what.registered().number());
      card.set_name(what.registered().name());
      card.set_website(what.registered().website());
      card.set_registered_at(what.at());
      break;
    case event::kUpdated:
      card.set_name(what.updated().name());
      card.set_website(what.updated().website());
      break;
    case event::kSuspended:
      if (!card.has_suspension()) card.mutable_suspension()->set_since(what.at());
      card.mutable_suspension()->set_reason(what.suspended().reason());
      break;
    case event::kReinstated:
      card.clear_suspension();
      break;
    case event::kConfirmed:
    case event::BODY_NOT_SET:
      return;
  }
  card.set_changed_at(what.at());
}

}  // namespace

result<std::optional<event>> decide(const state& provider, const enter& command) {
  if (!is_number(command.number)) return refuse(errc::provider_unknown);
  auto name = normalise_name(command.name);
  if (!name) return tl::unexpected(name.error());
  auto website = normalise_website(command.website);
  if (!website) return tl::unexpected(website.error());
  auto what = at(command.now);
  if (!provider.has_card()) {
    what.mutable_registered()->set_number(command.number.value);
    what.mutable_registered()->set_name(std::move(*name));
    what.mutable_registered()->set_website(std::move(*website));
    return what;
  }
  const auto& card = provider.card();
  if (card.name() == *name && card.website() == *website) return std::nullopt;
  what.mutable_updated()->set_name(std::move(*name));
  what.mutable_updated()->set_website(std::move(*website));
  return what;
}

result<std::optional<event>> decide(const state& provider, const suspend& command) {
  if (!provider.has_card()) return refuse(errc::provider_unknown);
  auto reason = normalise_reason(command.reason);
  if (!reason) return tl::unexpected(reason.error());
  const auto& card = provider.card();
  if (card.has_suspension() && card.suspension().reason() == *reason)
    return confirmed(command.now, command.request);
  auto what = at(command.now, command.request);
  what.mutable_suspended()->set_reason(std::move(*reason));
  return what;
}

result<std::optional<event>> decide(const state& provider, const reinstate& command) {
  if (!provider.has_card()) return refuse(errc::provider_unknown);
  if (!provider.card().has_suspension()) return confirmed(command.now, command.request);
  auto what = at(command.now, command.request);
  what.mutable_reinstated();
  return what;
}

void apply(state& provider, const event& what) {
  if (!provider.has_card() && !what.has_registered()) return;
  change(*provider.mutable_card(), what);
  if (!what.has_request()) return;
  auto& answered = *provider.add_orders();
  *answered.mutable_request() = what.request();
  *answered.mutable_card() = provider.card();
  auto& orders = *provider.mutable_orders();
  if (orders.size() > orders_max) orders.erase(orders.begin());
}

std::optional<result<wire::Card>> find_repeat(const state& provider,
                                              const std::optional<request_key>& request) {
  if (!request) return std::nullopt;
  for (const auto& one : provider.orders()) {
    if (one.request().key() != request->key) continue;
    if (one.request().fingerprint() != request->fingerprint)
      return refuse(errc::idempotency_conflict);
    return one.card();
  }
  return std::nullopt;
}

}  // namespace gelombang::provider
