#include "actors/wave/reading_desk.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>

#include "actors/applicant/participation.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/wave/draw/parallel.hpp"

namespace gelombang::wave {
namespace {

using family_counts = boost::unordered_flat_map<std::uint64_t, std::uint8_t>;

/// How many members each family has that has any. Families without one are not listed.
result<family_counts> read_family_counts(const runtime::node& node) {
  family_counts counts;
  bool damaged = false;
  for (std::uint32_t number = 0; number < node.shards(); ++number) {
    const auto i = static_cast<runtime::shard_index>(number);
    const auto first = runtime::table_prefix(i, runtime::table::family_places);
    auto read = node.at(i).scan(first, runtime::end_of(first),
                                [&](std::string_view key, std::string_view value) {
                                  if (value.size() != 1) return damaged = true, false;
                                  key.remove_prefix(first.size());
                                  counts[runtime::read_big_endian<std::uint64_t>(key)] =
                                      static_cast<std::uint8_t>(value[0]);
                                  return true;
                                });
    if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
    if (damaged) return refuse(errc::internal, {}, "a family's row of places does not parse");
  }
  return counts;
}

/// Who in a shard has been accepted before, ascending.
result<std::vector<std::uint64_t>> read_members(const runtime::node& node,
                                                runtime::shard_index at) {
  std::vector<std::uint64_t> members;
  const auto first = runtime::table_prefix(at, runtime::table::member);
  auto read =
      node.at(at).scan(first, runtime::end_of(first), [&](std::string_view key, std::string_view) {
        key.remove_prefix(first.size());
        members.push_back(runtime::read_big_endian<std::uint64_t>(key));
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  return members;
}

/// One shard's part of the roster.
result<read_rosters> read_shard(const runtime::node& node, runtime::shard_index at,
                                wave_number wave, const keyring& keys,
                                const family_counts& counts) {
  read_rosters out;
  const auto members = read_members(node, at);
  if (!members) return tl::unexpected(members.error());
  auto first = runtime::table_prefix(at, runtime::table::participation);
  runtime::append_big_endian(first, wave.value);
  bool damaged = false;
  auto read = node.at(at).scan(
      first, runtime::end_of(first), [&](std::string_view key, std::string_view value) {
        auto row = applicant::decode_participation(value);
        if (!row) return damaged = true, false;
        const applicant_id who{runtime::read_big_endian<std::uint64_t>(key.substr(first.size()))};
        if (std::binary_search(members->begin(), members->end(), who.value)) return true;
        const auto taken = counts.find(row->family);
        const int room = draw::family_room_max - (taken == counts.end() ? 0 : taken->second);
        if (room <= 0) return true;
        const auto entry = keys.entry_of(wave, who);
        out.entries.push_back({.id = entry,
                               .family = row->family,
                               .groups = row->groups,
                               .region = row->region,
                               .family_room = static_cast<std::uint8_t>(room)});
        out.owners.push_back({entry, who.value});
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  if (damaged) return refuse(errc::internal, {}, "a participation row does not parse");
  return out;
}

}  // namespace

result<read_rosters> read_all(const runtime::node& node, wave_number wave, const keyring& keys,
                              unsigned threads) {
  auto counts = read_family_counts(node);
  if (!counts) return tl::unexpected(counts.error());
  std::vector<result<read_rosters>> parts(node.shards());
  draw::parallel_for(threads, parts.size(), [&](std::size_t i) {
    parts[i] = read_shard(node, static_cast<runtime::shard_index>(i), wave, keys, *counts);
  });
  std::size_t total = 0;
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    total += part->entries.size();
  }
  read_rosters all;
  all.entries.reserve(total);
  all.owners.reserve(total);
  for (auto& part : parts) {
    all.entries.insert(all.entries.end(), part->entries.begin(), part->entries.end());
    all.owners.insert(all.owners.end(), part->owners.begin(), part->owners.end());
    part = read_rosters{};
  }
  return all;
}

std::string owners_in_order(std::vector<owned_entry>&& owners, unsigned threads) {
  // Entries sort by their bytes; ids are hashes, so the first byte splits them evenly.
  auto parts = draw::partition<owned_entry>(
      std::span<const owned_entry>{owners}, 256, threads,
      [](const owned_entry& one) { return one.entry[0]; },
      [](const owned_entry& one, std::size_t) { return one; });
  draw::parallel_for(threads, parts.count(), [&](std::size_t i) {
    auto part = parts[i];
    std::sort(part.begin(), part.end(),
              [](const owned_entry& a, const owned_entry& b) { return a.entry < b.entry; });
  });
  std::string bytes(owners.size() * sizeof(std::uint64_t), '\0');
  for (std::size_t i = 0; i < owners.size(); ++i)
    std::memcpy(bytes.data() + i * sizeof(std::uint64_t), &parts.items[i].applicant,
                sizeof(std::uint64_t));
  return bytes;
}

}  // namespace gelombang::wave
