#include "actors/registry/rules.hpp"

#include <algorithm>

#include "actors/registry/lists.hpp"

namespace gelombang::registry {
namespace {

wire::Answer taken(std::uint32_t claim, std::uint32_t lists) {
  wire::Answer answer;
  answer.set_claim(claim);
  answer.mutable_taken()->set_lists(lists);
  return answer;
}

wire::Answer refused(std::uint32_t claim, wire::Reason reason) {
  wire::Answer answer;
  answer.set_claim(claim);
  answer.mutable_refused()->set_reason(reason);
  return answer;
}

wire::Answer enrolled(std::uint32_t claim) {
  wire::Answer answer;
  answer.set_claim(claim);
  answer.mutable_enrolled();
  return answer;
}

wire::Answer lists_changed(std::uint32_t lists) {
  wire::Answer answer;
  answer.mutable_lists_changed()->set_lists(lists);
  return answer;
}

reply to(std::uint64_t owner, wire::Answer answer) {
  return {applicant_id{owner}, std::move(answer)};
}

wire::Owned owned(std::uint64_t rest, std::uint64_t owner) {
  wire::Owned pair;
  pair.set_rest(rest);
  pair.set_owner(owner);
  return pair;
}

const wire::PersonEntry* entry_of(const wire::Person& person, std::uint64_t rest) {
  for (const auto& entry : person.entries()) {
    if (entry.rest() == rest) return &entry;
  }
  return nullptr;
}

wire::PersonEntry& entry_for(wire::Person& person, std::uint64_t rest) {
  for (auto& entry : *person.mutable_entries()) {
    if (entry.rest() == rest) return entry;
  }
  auto& added = *person.add_entries();
  added.set_rest(rest);
  return added;
}

const wire::Listing* listing_of(const wire::PersonEntry* entry, std::uint32_t list) {
  if (!entry) return nullptr;
  for (const auto& listing : entry->listings()) {
    if (listing.list() == list) return &listing;
  }
  return nullptr;
}

wire::Listing& listing_for(wire::PersonEntry& entry, std::uint32_t list) {
  for (auto& listing : *entry.mutable_listings()) {
    if (listing.list() == list) return listing;
  }
  auto& added = *entry.add_listings();
  added.set_list(list);
  return added;
}

std::uint32_t lists_of(const wire::PersonEntry* entry) {
  std::uint32_t bits = 0;
  if (!entry) return bits;
  for (const auto& listing : entry->listings()) {
    if (listing.listed() && listing.list() < lists_count) bits |= 1u << listing.list();
  }
  return bits;
}

/// What takes and releases have in common: only who comes first, and only who has it.
template <class Event>
outcome<Event> take(const wire::Take& ask, std::optional<applicant_id> owner, std::uint32_t lists,
                    int others) {
  if (owner && owner->value != ask.owner()) {
    return {{}, to(ask.owner(), refused(ask.claim(), wire::TAKEN))};
  }
  auto answer = to(ask.owner(), taken(ask.claim(), lists));
  if (owner) return {{}, std::move(answer)};
  if (others >= entries_max) return {{}, to(ask.owner(), refused(ask.claim(), wire::TAKEN))};
  Event event;
  *event.mutable_taken() = owned(ask.rest(), ask.owner());
  return {std::move(event), std::move(answer)};
}

template <class Event>
outcome<Event> release(const wire::Release& ask, std::optional<applicant_id> owner) {
  if (!owner || owner->value != ask.owner()) return {};
  Event event;
  *event.mutable_released() = owned(ask.rest(), ask.owner());
  return {std::move(event), {}};
}

outcome<wire::PersonEvent> put_on_list(const wire::Person& person, const wire::List& ask) {
  const auto* entry = entry_of(person, ask.rest());
  const auto* known = listing_of(entry, ask.list());
  if (ask.list() >= lists_count) return {};
  if (known ? known->version() >= ask.version() : !ask.listed()) return {};
  if (!entry && person.entries_size() >= entries_max) return {};
  wire::PersonEvent event;
  *event.mutable_listed() = ask;
  auto changed = (known && known->listed()) != ask.listed();
  if (!changed || !entry || !entry->has_owner()) return {std::move(event), {}};
  auto lists = lists_of(entry) ^ (1u << ask.list());
  return {std::move(event), to(entry->owner(), lists_changed(lists))};
}

/// An entry that says nothing is not kept.
void drop_empty_entries(wire::Person& person) {
  auto& entries = *person.mutable_entries();
  auto empty = [](const wire::PersonEntry& entry) {
    return !entry.has_owner() && entry.listings_size() == 0;
  };
  entries.erase(std::remove_if(entries.begin(), entries.end(), empty), entries.end());
}

}  // namespace

address address_of(const std::array<std::uint8_t, 16>& hash) {
  address made;
  for (std::size_t i = 0; i < 8; ++i) made.id = made.id << 8 | hash[i];
  for (std::size_t i = 8; i < 16; ++i) made.rest = made.rest << 8 | hash[i];
  return made;
}

// --- person -------------------------------------------------------------------------------------

outcome<wire::PersonEvent> decide(const wire::Person& person, const wire::Ask& ask) {
  switch (ask.body_case()) {
    case wire::Ask::kTake: {
      const auto& what = ask.take();
      auto others = entry_of(person, what.rest()) ? 0 : person.entries_size();
      return take<wire::PersonEvent>(what, owner_of(person, what.rest()),
                                     lists_of(person, what.rest()), others);
    }
    case wire::Ask::kRelease:
      return release<wire::PersonEvent>(ask.release(), owner_of(person, ask.release().rest()));
    case wire::Ask::kList:
      return put_on_list(person, ask.list());
    case wire::Ask::kEnroll:
    case wire::Ask::kLeave:
    case wire::Ask::BODY_NOT_SET:
      return {};
  }
  return {};
}

void apply(wire::Person& person, const wire::PersonEvent& event) {
  switch (event.body_case()) {
    case wire::PersonEvent::kTaken:
      entry_for(person, event.taken().rest()).set_owner(event.taken().owner());
      return;
    case wire::PersonEvent::kReleased:
      entry_for(person, event.released().rest()).clear_owner();
      return drop_empty_entries(person);
    case wire::PersonEvent::kListed: {
      auto& entry = entry_for(person, event.listed().rest());
      auto& listing = listing_for(entry, event.listed().list());
      listing.set_version(event.listed().version());
      listing.set_listed(event.listed().listed());
      return;
    }
    case wire::PersonEvent::BODY_NOT_SET:
      return;
  }
}

std::uint32_t lists_of(const wire::Person& person, std::uint64_t rest) {
  return lists_of(entry_of(person, rest));
}

std::optional<applicant_id> owner_of(const wire::Person& person, std::uint64_t rest) {
  const auto* entry = entry_of(person, rest);
  if (!entry || !entry->has_owner()) return std::nullopt;
  return applicant_id{entry->owner()};
}

// --- phone --------------------------------------------------------------------------------------

outcome<wire::PhoneEvent> decide(const wire::Phone& phone, const wire::Ask& ask) {
  switch (ask.body_case()) {
    case wire::Ask::kTake:
      return take<wire::PhoneEvent>(ask.take(), owner_of(phone, ask.take().rest()), 0,
                                    phone.owners_size());
    case wire::Ask::kRelease:
      return release<wire::PhoneEvent>(ask.release(), owner_of(phone, ask.release().rest()));
    case wire::Ask::kEnroll:
    case wire::Ask::kLeave:
    case wire::Ask::kList:
    case wire::Ask::BODY_NOT_SET:
      return {};
  }
  return {};
}

void apply(wire::Phone& phone, const wire::PhoneEvent& event) {
  auto& owners = *phone.mutable_owners();
  switch (event.body_case()) {
    case wire::PhoneEvent::kTaken:
      *owners.Add() = event.taken();
      return;
    case wire::PhoneEvent::kReleased: {
      auto rest = event.released().rest();
      auto released = [rest](const wire::Owned& owner) { return owner.rest() == rest; };
      owners.erase(std::remove_if(owners.begin(), owners.end(), released), owners.end());
      return;
    }
    case wire::PhoneEvent::BODY_NOT_SET:
      return;
  }
}

std::optional<applicant_id> owner_of(const wire::Phone& phone, std::uint64_t rest) {
  for (const auto& pair : phone.owners()) {
    if (pair.rest() == rest) return applicant_id{pair.owner()};
  }
  return std::nullopt;
}

// --- family -------------------------------------------------------------------------------------

namespace {

bool has_member(const wire::Family& family, std::uint64_t who) {
  return std::find(family.members().begin(), family.members().end(), who) != family.members().end();
}

outcome<wire::FamilyEvent> enroll(const wire::Family& family, const wire::Enroll& ask) {
  auto refuse = [&](wire::Reason reason) {
    return outcome<wire::FamilyEvent>{{}, to(ask.owner(), refused(ask.claim(), reason))};
  };
  if (family.members_size() > 0 && family.region() != ask.region()) {
    return refuse(wire::REGION_MISMATCH);
  }
  auto answer = to(ask.owner(), enrolled(ask.claim()));
  if (has_member(family, ask.owner())) return {{}, std::move(answer)};
  if (family.members_size() >= family_members_max) return refuse(wire::FAMILY_TOO_LARGE);
  wire::FamilyEvent event;
  event.mutable_joined()->set_member(ask.owner());
  event.mutable_joined()->set_region(ask.region());
  return {std::move(event), std::move(answer)};
}

outcome<wire::FamilyEvent> leave(const wire::Family& family, const wire::Leave& ask) {
  if (!has_member(family, ask.owner())) return {};
  wire::FamilyEvent event;
  event.mutable_left()->set_member(ask.owner());
  return {std::move(event), {}};
}

}  // namespace

outcome<wire::FamilyEvent> decide(const wire::Family& family, const wire::Ask& ask) {
  switch (ask.body_case()) {
    case wire::Ask::kEnroll:
      return enroll(family, ask.enroll());
    case wire::Ask::kLeave:
      return leave(family, ask.leave());
    case wire::Ask::kTake:
    case wire::Ask::kRelease:
    case wire::Ask::kList:
    case wire::Ask::BODY_NOT_SET:
      return {};
  }
  return {};
}

void apply(wire::Family& family, const wire::FamilyEvent& event) {
  auto& members = *family.mutable_members();
  switch (event.body_case()) {
    case wire::FamilyEvent::kJoined:
      if (!has_member(family, event.joined().member())) members.Add(event.joined().member());
      family.set_region(event.joined().region());
      return;
    case wire::FamilyEvent::kLeft:
      members.erase(std::remove(members.begin(), members.end(), event.left().member()),
                    members.end());
      if (members.empty()) family.clear_region();
      return;
    case wire::FamilyEvent::BODY_NOT_SET:
      return;
  }
}

}  // namespace gelombang::registry
