#include "actors/wave/draw/walk.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <numeric>
#include <string>

#include "actors/programme/hex.hpp"
#include "actors/wave/draw/parallel.hpp"
#include "actors/wave/draw/row.hpp"

namespace gelombang::draw {
namespace {

constexpr std::size_t region_codes = 10'000;
constexpr std::uint16_t no_region = 0xffff;

/// An entry on its walk.
struct walker {
  std::uint64_t ticket_start;  ///< the ticket's first eight bytes as a number
  std::uint64_t family;
  std::uint32_t index;  ///< in the roster
  std::uint32_t groups;
  std::uint32_t family_slot;  ///< where the walk counts the family's room
  std::uint8_t family_room;
  bool accepted;
};

std::uint64_t start_of(const digest& ticket) {
  std::uint64_t number;
  std::memcpy(&number, ticket.data(), sizeof number);
  return __builtin_bswap64(number);
}

/// One region's walk.
class region_walker {
public:
  region_walker(std::span<walker> walkers, std::span<const roster_entry> roster,
                const ticket_machine& tickets)
      : walkers_(walkers), roster_(roster), tickets_(tickets) {
    std::sort(walkers_.begin(), walkers_.end(), [this](const walker& left, const walker& right) {
      if (left.ticket_start != right.ticket_start) return left.ticket_start < right.ticket_start;
      return left.index != right.index && ticket(left) < ticket(right);
    });
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> slots;
    slots.reserve(walkers_.size());
    for (auto& one : walkers_) {
      auto fresh_slot = static_cast<std::uint32_t>(room_.size());
      auto [found, fresh] = slots.try_emplace(one.family, fresh_slot);
      if (fresh) room_.push_back(one.family_room);
      one.family_slot = found->second;
    }
  }

  region_walk walk(std::uint32_t seats, std::span<const group> groups) {
    region_walk end;
    for (const auto& favoured : groups) {
      auto reserved = std::uint64_t{seats} * favoured.share_permille / 1000;
      for (auto& one : walkers_) {
        if (reserved == 0 || end.accepted == seats) break;
        if ((one.groups >> favoured.bit & 1) == 0 || !accept(one)) continue;
        --reserved;
        ++end.accepted;
      }
    }
    const walker* last = nullptr;
    for (auto& one : walkers_) {
      if (end.accepted == seats) break;
      if (!accept(one)) continue;
      last = &one;
      ++end.accepted;
    }
    if (last) end.cutoff = ticket(*last);
    return end;
  }

  /// After the walk: what became of everyone.
  void judge(std::vector<verdict>& verdicts) const {
    std::uint32_t order = 0;
    for (const auto& one : walkers_) {
      auto& own = verdicts[one.index];
      if (one.accepted) {
        own = {outcome::accepted, 0};
      } else if (room_[one.family_slot] == 0) {
        own = {outcome::family_full, 0};
      } else {
        own = {outcome::reserve, ++order};
      }
    }
  }

private:
  digest ticket(const walker& one) const { return tickets_(roster_[one.index].id); }

  bool accept(walker& one) {
    auto& room = room_[one.family_slot];
    if (one.accepted || room == 0) return false;
    --room;
    one.accepted = true;
    return true;
  }

  std::span<walker> walkers_;
  std::span<const roster_entry> roster_;
  const ticket_machine& tickets_;
  std::vector<std::uint8_t> room_;
};

}  // namespace

std::string_view name_of(outcome what) {
  switch (what) {
    case outcome::accepted:
      return "accepted";
    case outcome::reserve:
      return "reserve";
    case outcome::family_full:
      return "family_full";
  }
  return {};
}

digest seed_of(const digest& roster_root, std::string_view beacon_value,
               std::string_view operator_secret) {
  std::string message{algorithm_name};
  message += text_of(roster_root);
  message += beacon_value;
  message += operator_secret;
  return sha256(message);
}

walked walk(std::span<const roster_entry> roster, std::span<const region_seats> regions,
            std::span<const group> groups, const ticket_machine& tickets, unsigned threads) {
  std::vector<std::uint16_t> position(region_codes, no_region);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    position[regions[i].region.value] = static_cast<std::uint16_t>(i);
  }
  auto bucket_of = [&](const roster_entry& entry) { return position[entry.region.value]; };
  auto walker_of = [&](const roster_entry& entry, std::size_t index) {
    return walker{start_of(tickets(entry.id)),
                  entry.family,
                  static_cast<std::uint32_t>(index),
                  entry.groups,
                  0,
                  entry.family_room,
                  false};
  };
  auto walkers = partition<walker>(roster, regions.size(), threads, bucket_of, walker_of);
  // The largest first, so that no thread is left alone with one at the end.
  std::vector<std::size_t> turns(regions.size());
  std::iota(turns.begin(), turns.end(), std::size_t{0});
  std::sort(turns.begin(), turns.end(), [&](std::size_t left, std::size_t right) {
    return walkers[left].size() > walkers[right].size();
  });
  walked result{std::vector<verdict>(roster.size()), std::vector<region_walk>(regions.size())};
  parallel_for(threads, turns.size(), [&](std::size_t turn) {
    auto region = turns[turn];
    region_walker one{walkers[region], roster, tickets};
    result.regions[region] = one.walk(regions[region].seats, groups);
    one.judge(result.verdicts);
  });
  return result;
}

}  // namespace gelombang::draw
