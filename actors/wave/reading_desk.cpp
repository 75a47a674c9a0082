#include "actors/wave/reading_desk.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <limits>

#include "actors/applicant/participation.hpp"
#include "actors/roster/roster.pb.h"
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

struct member {
  std::uint64_t applicant = 0;
  wave_number wave;
  std::int64_t at = 0;
};

/// Who in a shard has ever been accepted, ascending.
result<std::vector<member>> read_members(const runtime::node& node, runtime::shard_index at) {
  std::vector<member> members;
  const auto first = runtime::table_prefix(at, runtime::table::member);
  bool damaged = false;
  roster::wire::Member row;
  auto read = node.at(at).scan(
      first, runtime::end_of(first), [&](std::string_view key, std::string_view value) {
        if (!row.ParseFromArray(value.data(), static_cast<int>(value.size())))
          return damaged = true, false;
        key.remove_prefix(first.size());
        members.push_back(
            {runtime::read_big_endian<std::uint64_t>(key), wave_number{row.wave()}, row.at()});
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  if (damaged) return refuse(errc::internal, {}, "a member's row does not parse");
  return members;
}

/// Calls `visit(applicant, row)` for each of a shard that takes part in the wave.
template <class Visit>
result<void> each_participation(const runtime::node& node, runtime::shard_index at,
                                wave_number wave, Visit&& visit) {
  auto first = runtime::table_prefix(at, runtime::table::participation);
  runtime::append_big_endian(first, wave.value);
  bool damaged = false;
  auto read = node.at(at).scan(
      first, runtime::end_of(first), [&](std::string_view key, std::string_view value) {
        auto row = applicant::decode_participation(value);
        if (!row) return damaged = true, false;
        visit(applicant_id{runtime::read_big_endian<std::uint64_t>(key.substr(first.size()))},
              *row);
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  if (damaged) return refuse(errc::internal, {}, "a participation row does not parse");
  return {};
}

/// What stood when a wave's roster was committed to.
struct past {
  std::vector<std::vector<std::uint64_t>> members;  ///< by shard, ascending
  family_counts counts;
};

/// Takes back what members have come of a shard since: their families had so many fewer then.
result<void> take_back(const runtime::node& node, runtime::shard_index at,
                       const std::vector<member>& since, family_counts& counts) {
  std::vector<std::string> keys;
  keys.reserve(since.size());
  for (const auto& one : since)
    keys.push_back(runtime::participation_key(at, one.wave, applicant_id{one.applicant}));
  const auto rows = node.at(at).rows(keys);
  if (!rows) return refuse(errc::storage_unavailable, {}, rows.error().detail);
  for (const auto& bytes : *rows) {
    const auto row = bytes ? applicant::decode_participation(*bytes)
                           : refuse(errc::internal, {}, "a member has not joined his wave");
    if (!row) return tl::unexpected(row.error());
    const auto known = counts.find(row->family);
    if (known != counts.end() && known->second > 0) --known->second;
  }
  return {};
}

/// One wave after the other is committed to and announced, so whoever became a member before the
/// first of this wave did was one when it was committed to, and nobody else was.
result<past> read_past(const runtime::node& node, wave_number wave, unsigned threads) {
  auto counts = read_family_counts(node);
  if (!counts) return tl::unexpected(counts.error());
  past before{.members = {}, .counts = std::move(*counts)};
  std::vector<result<std::vector<member>>> all(node.shards());
  draw::parallel_for(threads, all.size(), [&](std::size_t i) {
    all[i] = read_members(node, static_cast<runtime::shard_index>(i));
  });
  auto first_own = std::numeric_limits<std::int64_t>::max();
  for (const auto& part : all) {
    if (!part) return tl::unexpected(part.error());
    for (const auto& one : *part)
      if (one.wave == wave) first_own = std::min(first_own, one.at);
  }
  before.members.resize(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<member> since;
    for (const auto& one : *all[i]) {
      if (one.at < first_own)
        before.members[i].push_back(one.applicant);
      else
        since.push_back(one);
    }
    auto done = take_back(node, static_cast<runtime::shard_index>(i), since, before.counts);
    if (!done) return tl::unexpected(done.error());
  }
  return before;
}

/// One shard's part of the roster.
result<read_rosters> read_shard(const runtime::node& node, runtime::shard_index at,
                                wave_number wave, const keyring& keys, const past& before) {
  read_rosters out;
  const auto& members = before.members[at];
  auto read = each_participation(
      node, at, wave, [&](applicant_id who, const applicant::participation& row) {
        if (std::binary_search(members.begin(), members.end(), who.value)) return;
        const auto taken = before.counts.find(row.family);
        const int room = draw::family_room_max - (taken == before.counts.end() ? 0 : taken->second);
        if (room <= 0) return;
        const auto entry = keys.entry_of(wave, who);
        out.entries.push_back({.id = entry,
                               .family = row.family,
                               .groups = row.groups,
                               .region = row.region,
                               .family_room = static_cast<std::uint8_t>(room)});
        out.owners.push_back({entry, who.value});
      });
  if (!read) return tl::unexpected(read.error());
  return out;
}

}  // namespace

result<read_rosters> read_all(const runtime::node& node, wave_number wave, const keyring& keys,
                              unsigned threads) {
  const auto before = read_past(node, wave, threads);
  if (!before) return tl::unexpected(before.error());
  std::vector<result<read_rosters>> parts(node.shards());
  draw::parallel_for(threads, parts.size(), [&](std::size_t i) {
    parts[i] = read_shard(node, static_cast<runtime::shard_index>(i), wave, keys, *before);
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

result<std::vector<owned_entry>> read_owners(const runtime::node& node, wave_number wave,
                                             const keyring& keys,
                                             std::span<const draw::roster_entry> roster,
                                             unsigned threads) {
  const auto is_before = [](const draw::roster_entry& one, const entry_id& id) {
    return one.id < id;
  };
  std::vector<result<std::vector<owned_entry>>> parts(node.shards());
  draw::parallel_for(threads, parts.size(), [&](std::size_t i) {
    std::vector<owned_entry> found;
    auto read = each_participation(node, static_cast<runtime::shard_index>(i), wave,
                                   [&](applicant_id who, const applicant::participation&) {
                                     const auto id = keys.entry_of(wave, who);
                                     const auto at = std::lower_bound(roster.begin(), roster.end(),
                                                                      id, is_before);
                                     if (at != roster.end() && at->id == id)
                                       found.push_back({id, who.value});
                                   });
    if (read)
      parts[i] = std::move(found);
    else
      parts[i] = tl::unexpected(read.error());
  });
  std::vector<owned_entry> all;
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    all.insert(all.end(), part->begin(), part->end());
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
