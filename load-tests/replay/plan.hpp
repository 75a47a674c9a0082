#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "load-tests/replay/timetable.hpp"

namespace gelombang::load::replay {

/// Splits `total` in proportion to `weights` by the largest remainder, so that the parts add up to
/// exactly `total`; ties go to the first. Each weight and `total` below 2^63, not all weights 0.
std::vector<std::uint64_t> apportion(std::span<const std::uint64_t> weights, std::uint64_t total);

/// What a person does on the way, in this order.
enum class act : std::uint8_t { sign_up, verify, identity, profile, assessment, join };
inline constexpr std::size_t acts = 6;
inline constexpr std::size_t funnel_acts = 5;  ///< those before joining
std::string_view name_of(act what);

/// People who register together, numbered from `first` on; `counts[a]` of them do act `a` of the
/// funnel, all of those who do the next one among them.
struct cohort {
  std::uint64_t first = 1;
  std::array<std::uint64_t, funnel_acts> counts{};

  std::uint64_t size() const { return counts.front(); }
};

/// One step of a history in the size in which it is replayed. Times are of the node's clock.
struct step {
  deed what = deed::accounts;
  instant at{};
  std::size_t group = 0;    ///< of `accounts`: which cohort
  std::uint64_t joins = 0;  ///< of `join`
  double rate = 0;          ///< of `join`
  std::uint32_t wave = 0;   ///< of all but `accounts`
  instant opens{}, closes{};
  std::uint64_t places = 0;
  std::uint64_t accounts_so_far = 0;
};

struct plan {
  std::string scheme;
  std::vector<cohort> cohorts;
  std::vector<step> steps;
  std::uint64_t minimum_per_region = 0;

  std::uint64_t people() const;
  std::uint64_t waves() const;
  /// How often an act is done in all.
  std::uint64_t total(act what) const;
};

/// Places each region gets first, in full size: as config/dev.toml has it.
inline constexpr double minimum_per_region = 10;

/// The same history with everything times `scale`, which is above 0 and at most 1. Sums are the
/// full-size sums times `scale`, rounded once.
/// @returns the step that can't be as planned: too few for its share, or more joins than there are
///   people ready who are no members.
tl::expected<plan, std::string> scaled(const timetable& full, double scale);

}  // namespace gelombang::load::replay
