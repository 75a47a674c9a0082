#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "actors/programme/ids.hpp"
#include "actors/registry/registry.pb.h"

/// Who holds what there is only one of: a NIK, a phone number, a place on a family card. Each is an
/// entity, found by the keyed hash of what it stands for; whoever wants it asks by mail and is
/// answered by mail. Every order can be repeated without harm.
namespace gelombang::registry {

/// Where a 128-bit hash lives: the entity's id, and what tells it from others under the same id.
struct address {
  std::uint64_t id = 0;
  std::uint64_t rest = 0;
};

/// Big-endian halves of `hash`.
address address_of(const std::array<std::uint8_t, 16>& hash);

/// What is said to an owner.
using reply = std::pair<applicant_id, wire::Answer>;

/// What an order leads to: at most one event, to be stored and then applied, and at most one
/// answer, to be mailed along with it. An order that changes nothing can still have an answer.
template <class Event>
struct outcome {
  std::optional<Event> event;
  std::optional<reply> answer;
};

/// Understands `take`, `release` and `list`; anything else leads to nothing.
///
/// The first who takes a NIK has it until he releases it. Lists are kept for NIKs that nobody has
/// taken too, because a list may come before the person; a change is told to the owner.
outcome<wire::PersonEvent> decide(const wire::Person& person, const wire::Ask& ask);
void apply(wire::Person& person, const wire::PersonEvent& event);

/// Understands `take` and `release`.
outcome<wire::PhoneEvent> decide(const wire::Phone& phone, const wire::Ask& ask);
void apply(wire::Phone& phone, const wire::PhoneEvent& event);

/// Understands `enroll` and `leave`. The first member's region is the family's until the last one
/// has left. How many of the members a wave may still accept is counted elsewhere, where waves are
/// drawn.
outcome<wire::FamilyEvent> decide(const wire::Family& family, const wire::Ask& ask);
void apply(wire::Family& family, const wire::FamilyEvent& event);

/// Far above what a card can have printed on it; keeps an entity small whatever is sent.
inline constexpr int family_members_max = 64;

/// Different people whose hashes share 64 bits: two of them are a wonder among 280 million.
inline constexpr int entries_max = 64;

/// Bit n: this NIK stands on list n.
std::uint32_t lists_of(const wire::Person& person, std::uint64_t rest);
/// @returns nothing when nobody holds it.
std::optional<applicant_id> owner_of(const wire::Person& person, std::uint64_t rest);
std::optional<applicant_id> owner_of(const wire::Phone& phone, std::uint64_t rest);

}  // namespace gelombang::registry
