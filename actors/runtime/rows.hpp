#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/runtime/entity.hpp"

namespace gelombang::runtime {

/// What a row of a shard's state holds. Second part of every key; storage/FORMAT.md lists them.
enum class table : std::uint8_t {
  shard = 0,          ///< one row: position, counters, mail boxes
  deadline = 1,       ///< due time, entity, tag
  participation = 2,  ///< wave, applicant: who has joined what
  member = 3,         ///< applicant: accepted in which wave
  family_places = 4,  ///< family: members accepted so far
  snapshot = 16,      ///< 16 + kind: an entity's own state
};

/// Appends `number` so that keys sort as numbers do.
template <class Number>
void append_big_endian(std::string& to, Number number) {
  for (int shift = static_cast<int>(sizeof(Number) * 8) - 8; shift >= 0; shift -= 8)
    to.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift));
}

template <class Number>
Number read_big_endian(std::string_view from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    number = number << 8 | static_cast<std::uint8_t>(from[i]);
  return static_cast<Number>(number);
}

inline std::string table_prefix(shard_index shard, table which, std::uint8_t offset = 0) {
  std::string key;
  append_big_endian(key, shard);
  key.push_back(static_cast<char>(static_cast<std::uint8_t>(which) + offset));
  return key;
}

/// The shard's own row.
inline std::string shard_key(shard_index which) {
  return table_prefix(which, table::shard);
}

inline std::string snapshot_prefix(shard_index shard, kind what) {
  return table_prefix(shard, table::snapshot, static_cast<std::uint8_t>(what));
}

inline std::string snapshot_key(shard_index shard, entity_ref who) {
  auto key = snapshot_prefix(shard, who.kind);
  append_big_endian(key, who.id);
  return key;
}

/// 15 bytes: short enough for a string without an allocation.
inline std::string participation_key(shard_index shard, wave_number wave, applicant_id who) {
  auto key = table_prefix(shard, table::participation);
  append_big_endian(key, wave.value);
  append_big_endian(key, who.value);
  return key;
}

inline std::string member_key(shard_index shard, applicant_id who) {
  auto key = table_prefix(shard, table::member);
  append_big_endian(key, who.value);
  return key;
}

inline std::string family_places_key(shard_index shard, std::uint64_t family) {
  auto key = table_prefix(shard, table::family_places);
  append_big_endian(key, family);
  return key;
}

/// The first key behind all that start with `prefix`.
inline std::string end_of(std::string prefix) {
  while (!prefix.empty() && static_cast<std::uint8_t>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<std::uint8_t>(prefix.back()) + 1);
  return prefix;
}

/// A figure kept per shard and summed over shards: accounts by stage, joins by wave.
struct counter {
  enum class family : std::uint32_t { funnel_stage = 1, joined = 2, accepted = 3, email = 4 };
  family what{};
  std::uint32_t index = 0;

  std::uint64_t packed() const { return static_cast<std::uint64_t>(what) << 32 | index; }
};

/// What an event does to the stored rows. Given to a room's `project` both when the event happens
/// and when it is replayed, so that both come to the same.
class row_writer {
public:
  virtual ~row_writer() = default;
  virtual void put(std::string key, std::string value) = 0;
  virtual void erase(std::string key) = 0;
  virtual void count(counter which, std::int64_t by) = 0;
};

/// Rows as they were before the event: recovery reads here what an actor would have in memory.
class row_editor : public row_writer {
public:
  virtual std::optional<std::string> get(const std::string& key) = 0;
};

}  // namespace gelombang::runtime
