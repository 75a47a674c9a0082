#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

#include "actors/programme/ids.hpp"
#include "storage/frame.hpp"

namespace gelombang::runtime {

/// What an entity is. Stored in every record: numbers are never given a second meaning.
enum class kind : std::uint8_t {
  wave = 1,    ///< one a wave: its life from `scheduled` to `announced`
  roster = 2,  ///< one a wave and shard: who has joined there
  applicant = 3,
  person = 4,  ///< one a NIK: who holds it, and the lists it stands on
  family = 5,  ///< one a family card: its region and members
  phone = 6,
  places = 7,  ///< one a shard: how many members each family of the shard has accepted
  provider = 8,
  calendar = 9,  ///< one: numbers the waves and creates the regular ones ahead
  probe = 99,    ///< tests of the runtime itself
};

/// Names one entity. The upper 16 bits of `id` are its slot, which decides the shard.
struct entity_ref {
  runtime::kind kind{};
  std::uint64_t id = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): as for `strong_id`
  auto operator<=>(const entity_ref&) const = default;
};

using shard_index = storage::shard_index;
using lsn = storage::lsn;

/// A pretended shard: mail to it leaves the programme (e-mail, partners).
inline constexpr shard_index outside = 0xFFFF;

inline constexpr std::uint32_t shards_max = 4096;

/// The shard of an id: its slot (upper 16 bits) scaled to the number of shards, so that neighbours
/// stay together when the number grows.
constexpr shard_index shard_of(std::uint64_t id, std::uint32_t shards) {
  return static_cast<shard_index>(((id >> 48) * shards) >> 16);
}

/// The lowest slot that lies in `shard`: for entities that exist once a shard.
constexpr std::uint64_t slot_of(shard_index shard, std::uint32_t shards) {
  return (static_cast<std::uint64_t>(shard) * 65536 + shards - 1) / shards;
}

/// The id of a numbered entity (wave, provider): a slot mixed from the number above the number
/// itself, so that waves spread over the shards. Multiplier: 2^32 / golden ratio (Knuth,
/// TAOCP 6.4).
constexpr std::uint64_t numbered_id(std::uint32_t number) {
  return (static_cast<std::uint64_t>((number * 2654435769u) >> 16) << 48) | number;
}

inline constexpr entity_ref calendar_ref{kind::calendar, 0};

constexpr entity_ref ref_of(wave_number wave) {
  return {kind::wave, numbered_id(wave.value)};
}
constexpr entity_ref ref_of(applicant_id applicant) {
  return {kind::applicant, applicant.value};
}
constexpr entity_ref ref_of(provider_id provider) {
  return {kind::provider, numbered_id(provider.value)};
}
constexpr entity_ref roster_ref(wave_number wave, shard_index shard, std::uint32_t shards) {
  return {kind::roster, (slot_of(shard, shards) << 48) | wave.value};
}
constexpr entity_ref places_ref(shard_index shard, std::uint32_t shards) {
  return {kind::places, slot_of(shard, shards) << 48};
}

}  // namespace gelombang::runtime

template <>
struct std::hash<gelombang::runtime::entity_ref> {
  std::size_t operator()(const gelombang::runtime::entity_ref& ref) const noexcept {
    // Ids are hashes already; the kind keeps a person and a phone of one id apart.
    return static_cast<std::size_t>((ref.id ^ static_cast<std::uint64_t>(ref.kind) << 40) *
                                    0x9E3779B97F4A7C15ull);
  }
};
