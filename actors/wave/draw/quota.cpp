#include "actors/wave/draw/quota.hpp"

#include <algorithm>
#include <numeric>
#include <queue>

namespace gelombang::draw {
namespace {

__extension__ using wide = unsigned __int128;

/// A region waiting for its next seat.
struct claim {
  std::uint64_t weight;
  std::uint64_t divisor;
  std::size_t position;  ///< ascends with the region's code
};

/// Orders the queue: true when `left` must wait for `right`.
bool yields(const claim& left, const claim& right) {
  auto left_share = wide{left.weight} * right.divisor;
  auto right_share = wide{right.weight} * left.divisor;
  if (left_share != right_share) return left_share < right_share;
  return left.position > right.position;
}

}  // namespace

std::vector<std::uint32_t> spread_seats(std::span<const region_demand> regions, std::uint32_t quota,
                                        std::uint32_t minimum_per_region) {
  std::vector<std::uint32_t> seats(regions.size());
  std::vector<std::size_t> heaviest_first(regions.size());
  std::iota(heaviest_first.begin(), heaviest_first.end(), std::size_t{0});
  std::stable_sort(heaviest_first.begin(), heaviest_first.end(), [&](auto left, auto right) {
    return regions[left].weight > regions[right].weight;
  });
  auto left = quota;
  for (auto position : heaviest_first) {
    seats[position] = std::min({minimum_per_region, regions[position].usable, left});
    left -= seats[position];
  }
  auto claim_of = [&](std::size_t position) {
    return claim{regions[position].weight, 2 * std::uint64_t{seats[position]} + 1, position};
  };
  std::priority_queue<claim, std::vector<claim>, decltype(&yields)> waiting(&yields);
  for (std::size_t position = 0; position < regions.size(); ++position) {
    if (seats[position] < regions[position].usable) waiting.push(claim_of(position));
  }
  for (; left > 0 && !waiting.empty(); --left) {
    auto position = waiting.top().position;
    waiting.pop();
    ++seats[position];
    if (seats[position] < regions[position].usable) waiting.push(claim_of(position));
  }
  return seats;
}

}  // namespace gelombang::draw
