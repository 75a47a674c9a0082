#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/roster.hpp"

namespace gelombang::draw {

enum class outcome : std::uint8_t { accepted = 0, reserve = 1, family_full = 2 };

/// "accepted", "reserve", "family_full".
std::string_view name_of(outcome what);

/// What the draw decided for one entry: four bytes, also as stored.
class verdict {
public:
  constexpr verdict() = default;
  constexpr verdict(draw::outcome what, std::uint32_t order)
      : bits_(static_cast<std::uint32_t>(what) << order_bits | order) {}

  constexpr draw::outcome outcome() const {
    return static_cast<draw::outcome>(bits_ >> order_bits);
  }

  /// A reserve's place among its region's reserve, from 1; 0 for everybody else.
  constexpr std::uint32_t order() const { return bits_ & ((1u << order_bits) - 1); }

  friend constexpr bool operator==(verdict, verdict) = default;

private:
  static constexpr unsigned order_bits = 30;

  std::uint32_t bits_ = 0;
};
static_assert(sizeof(verdict) == 4);

/// `SHA-256("gelombang/draw/1" || roster_root || beacon_value || operator_secret)`, raw bytes.
digest seed_of(const digest& roster_root, std::string_view beacon_value,
               std::string_view operator_secret);

/// Draws tickets: `HMAC-SHA-256(key = seed, message = entry id)`. The lower ticket wins.
class ticket_machine {
public:
  explicit ticket_machine(const digest& seed) : hash_(seed) {}
  digest operator()(const entry_id& entry) const { return hash_(std::span{entry}); }

private:
  hmac_sha256 hash_;
};

/// How a region's walk ended.
struct region_walk {
  std::uint32_t accepted = 0;
  std::optional<digest> cutoff;  ///< the highest accepted ticket of the general pool
};

struct walked {
  std::vector<verdict> verdicts;     ///< in the order of the roster
  std::vector<region_walk> regions;  ///< in the order of the seats given
};

struct region_seats {
  region_code region;
  std::uint32_t seats = 0;
};

/// Walks every region in the order of tickets: for each group its reserved share of the seats, then
/// everyone left until the seats are full; nobody whose family has no room left. Entries of a
/// family must agree about region and room (`take_census` sees to it), and every entry's region
/// must be among `regions`, whose codes ascend. The result does not depend on `threads`.
walked walk(std::span<const roster_entry> roster, std::span<const region_seats> regions,
            std::span<const group> groups, const ticket_machine& tickets, unsigned threads);

}  // namespace gelombang::draw
