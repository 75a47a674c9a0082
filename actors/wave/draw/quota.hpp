#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "actors/programme/ids.hpp"

namespace gelombang::draw {

/// What a region brings to the table when seats are spread.
struct region_demand {
  region_code region;
  std::uint64_t weight = 0;
  std::uint32_t usable = 0;  ///< the most seats it can fill
};

/// Spreads `quota` seats over `regions`, whose codes ascend. First every region gets
/// `min(minimum_per_region, usable)`, heaviest first, while seats last; then each further seat goes
/// to the largest `weight / (2 × seats + 1)` among the regions that can still fill one
/// (Sainte-Laguë). Ties go to the lower code. Quotients are compared exactly, as products of 128
/// bits.
/// @returns the seats, in the order of `regions`.
std::vector<std::uint32_t> spread_seats(std::span<const region_demand> regions, std::uint32_t quota,
                                        std::uint32_t minimum_per_region);

}  // namespace gelombang::draw
