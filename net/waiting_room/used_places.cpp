#include "net/waiting_room/used_places.hpp"

#include <algorithm>
#include <bit>

namespace gelombang::net {
namespace {

constexpr std::size_t places_least = 64;
constexpr std::uint64_t lap_mask = 0xffff'ffff'0000'0000u;

}  // namespace

used_places::used_places(std::size_t places)
    : words_(std::bit_ceil(std::max(places, places_least)) / places_in_word),
      lap_shift_(static_cast<unsigned>(std::bit_width(size()) - 1)) {}

used_places::position used_places::position_of(std::uint64_t place) const {
  return {.word = place / places_in_word & (words_.size() - 1),
          .lap = place >> lap_shift_ << 32,
          .bit = std::uint64_t{1} << place % places_in_word};
}

used_places::taking used_places::take(std::uint64_t place) {
  const auto at = position_of(place);
  auto& word = words_[at.word];
  auto seen = word.load(std::memory_order_relaxed);
  for (;;) {
    const auto lap = seen & lap_mask;
    if (lap > at.lap) return taking::too_old;
    if (lap == at.lap && (seen & at.bit) != 0) return taking::used;
    const auto wanted = (lap == at.lap ? seen : at.lap) | at.bit;
    if (word.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel)) return taking::fresh;
  }
}

used_places::taking used_places::look(std::uint64_t place) const {
  const auto at = position_of(place);
  const auto seen = words_[at.word].load(std::memory_order_relaxed);
  if ((seen & lap_mask) > at.lap) return taking::too_old;
  return (seen & lap_mask) == at.lap && (seen & at.bit) != 0 ? taking::used : taking::fresh;
}

void used_places::give_back(std::uint64_t place) {
  const auto at = position_of(place);
  auto& word = words_[at.word];
  auto seen = word.load(std::memory_order_relaxed);
  while ((seen & lap_mask) == at.lap &&
         !word.compare_exchange_weak(seen, seen & ~at.bit, std::memory_order_acq_rel)) {
  }
}

}  // namespace gelombang::net
