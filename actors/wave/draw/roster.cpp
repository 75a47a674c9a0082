#include "actors/wave/draw/roster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <optional>

#include "actors/programme/format.hpp"
#include "actors/wave/draw/parallel.hpp"

namespace gelombang::draw {
namespace {

/// Enough buckets that one of a roster of millions fits into a core's cache.
constexpr unsigned bucket_bits = 10;
constexpr std::size_t bucket_count = 1u << bucket_bits;
constexpr std::size_t region_codes = 10'000;

std::uint64_t big_endian(const std::uint8_t* bytes) {
  std::uint64_t number;
  std::memcpy(&number, bytes, sizeof number);
  return __builtin_bswap64(number);
}

bool by_id(const roster_entry& left, const roster_entry& right) {
  auto left_half = big_endian(left.id.data());
  auto right_half = big_endian(right.id.data());
  if (left_half != right_half) return left_half < right_half;
  return big_endian(left.id.data() + 8) < big_endian(right.id.data() + 8);
}

bool same_id(const roster_entry& left, const roster_entry& right) {
  return left.id == right.id;
}

result<void> check_groups(const std::vector<group>& groups) {
  auto invalid = [](std::string reason) {
    return refuse(errc::groups_invalid, {}, std::move(reason));
  };
  if (groups.size() > groups_max) return invalid(fmt::format("more than {} groups", groups_max));
  std::uint32_t bits = 0, shares = 0;
  for (const auto& one : groups) {
    auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
    if (one.name.empty() || one.name.size() > group_name_bytes_max ||
        std::any_of(one.name.begin(), one.name.end(), is_control)) {
      return invalid("a group's name is empty, too long or not printable");
    }
    auto same_name = [&](const group& other) { return other.name == one.name; };
    if (std::count_if(groups.begin(), groups.end(), same_name) > 1) {
      return invalid("two groups have one name");
    }
    if (one.bit >= groups_max || (bits >> one.bit & 1) != 0) {
      return invalid("a group's bit is above 31 or another's");
    }
    bits |= 1u << one.bit;
    shares += one.share_permille;
  }
  if (shares > shares_permille_max) return invalid("the shares exceed the whole");
  return {};
}

/// What the census needs to know of an entry.
struct member {
  std::uint64_t family;
  std::uint32_t index;
  region_code region;
  std::uint8_t room;
};

struct family_count {
  region_code region;
  std::uint8_t room;
  bool rooms_differ;
  std::uint32_t members;
};

/// One thread's share of the census.
struct partial_census {
  std::vector<region_census> regions = std::vector<region_census>(region_codes);
  std::vector<lowered_room> lowered;
  std::optional<std::uint64_t> split_family;

  /// Counts the families of one bucket, all of whose members are there.
  void count(std::span<const member> members) {
    boost::unordered_flat_map<std::uint64_t, family_count> families;
    families.reserve(members.size());
    auto rooms_differ = false;
    for (const auto& one : members) {
      family_count fresh{one.region, one.room, false, 0};
      auto& family = families.try_emplace(one.family, fresh).first->second;
      ++family.members;
      ++regions[one.region.value].applicants;
      if (family.region != one.region) split_family = one.family;
      if (family.room == one.room) continue;
      family.room = std::min(family.room, one.room);
      family.rooms_differ = rooms_differ = true;
    }
    for (const auto& [name, family] : families) {
      regions[family.region.value].usable += std::min<std::uint32_t>(family.room, family.members);
    }
    if (!rooms_differ) return;
    for (const auto& one : members) {
      const auto& family = families.find(one.family)->second;
      if (one.room != family.room) lowered.push_back({one.index, family.room});
    }
  }
};

}  // namespace

result<void> check(const parameters& given) {
  if (given.wave.value == 0) return refuse(errc::wave_unknown, {}, "waves are numbered from 1");
  if (given.quota > quota_max) return refuse(errc::quota_invalid, {}, "the quota is too large");
  if (given.minimum_per_region > quota_max) {
    return refuse(errc::quota_invalid, {}, "the minimum per region is too large");
  }
  if (given.beacon_source.empty() || given.beacon_source.size() > beacon_source_bytes_max) {
    return refuse(errc::beacon_invalid, {}, "the source of randomness is not named");
  }
  std::uint16_t before = 0;
  for (const auto& [region, weight] : given.weights) {
    if (region.value <= before || region.value >= region_codes) {
      return refuse(errc::region_unknown, {}, "weights must stand in the order of region codes");
    }
    if (weight > weight_max) return refuse(errc::quota_invalid, {}, "a weight is too large");
    before = region.value;
  }
  return check_groups(given.groups);
}

result<void> sort_roster(std::vector<roster_entry>& roster, unsigned threads) {
  if (roster.size() > entries_max) return refuse(errc::internal, {}, "too many entries");
  // Ids are keyed hashes, so their upper bits spread them evenly; other ids sort as well, slower.
  auto bucket_of = [](const roster_entry& entry) {
    return big_endian(entry.id.data()) >> (64 - bucket_bits);
  };
  auto copy = [](const roster_entry& entry, std::size_t) { return entry; };
  auto sorted = partition<roster_entry>(std::span<const roster_entry>(roster), bucket_count,
                                        threads, bucket_of, copy);
  std::atomic<bool> twice{false};
  parallel_for(threads, bucket_count, [&](std::size_t bucket) {
    auto part = sorted[bucket];
    std::sort(part.begin(), part.end(), by_id);
    if (std::adjacent_find(part.begin(), part.end(), same_id) != part.end()) twice = true;
    std::copy(part.begin(), part.end(),
              roster.begin() + static_cast<std::ptrdiff_t>(sorted.starts[bucket]));
  });
  if (twice) return refuse(errc::internal, {}, "an entry stands in the roster twice");
  return {};
}

result<census> take_census(std::span<const roster_entry> roster, unsigned threads) {
  for (const auto& entry : roster) {
    if (entry.family_room == 0 || entry.family_room > family_room_max) {
      return refuse(errc::internal, {}, "an entry's family has no room for it");
    }
    if (entry.region.value >= region_codes) return refuse(errc::region_unknown);
  }
  auto bucket_of = [](const roster_entry& entry) { return entry.family >> (64 - bucket_bits); };
  auto member_of = [](const roster_entry& entry, std::size_t index) {
    return member{entry.family, static_cast<std::uint32_t>(index), entry.region, entry.family_room};
  };
  auto members = partition<member>(roster, bucket_count, threads, bucket_of, member_of);
  const std::size_t slices = std::max(1u, threads);
  std::vector<partial_census> partial(slices);
  parallel_for(threads, slices, [&](std::size_t slice) {
    for (auto bucket = slice; bucket < bucket_count; bucket += slices) {
      partial[slice].count(members[bucket]);
    }
  });
  census whole;
  for (const auto& part : partial) {
    if (part.split_family) {
      return refuse(errc::family_region_mismatch, {},
                    fmt::format("family {:016x} stands in two regions", *part.split_family));
    }
    whole.lowered.insert(whole.lowered.end(), part.lowered.begin(), part.lowered.end());
    for (std::uint16_t code = 0; code < region_codes; ++code) {
      if (part.regions[code].applicants == 0) continue;
      auto& sum = whole.regions[region_code{code}];
      sum.applicants += part.regions[code].applicants;
      sum.usable += part.regions[code].usable;
    }
  }
  return whole;
}

}  // namespace gelombang::draw
