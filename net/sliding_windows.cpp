#include "net/sliding_windows.hpp"

#include <algorithm>
#include <bit>

namespace gelombang::net {
namespace {

constexpr std::size_t keys_least = 1024;
constexpr int spins_max = 100;
constexpr std::size_t cache_line_bytes = 64;

/// SplitMix64's last step (Steele, Lea and Flood, 2014): a bijection, so keys that differ stay
/// different until the bits are divided.
std::uint64_t mixed(std::uint64_t key) {
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}

}  // namespace

/// Drepper, "Futexes Are Tricky" (2011), the second mutex.
void small_lock::lock_slowly() {
  for (int spin = 0; spin < spins_max; ++spin) {
    std::uint32_t expected = free;
    if (state_.load(std::memory_order_relaxed) == free &&
        state_.compare_exchange_weak(expected, held, std::memory_order_acquire))
      return;
  }
  while (state_.exchange(awaited, std::memory_order_acquire) != free) state_.wait(awaited);
}

sliding_windows::sliding_windows(limit allowed, std::size_t keys_max, std::uint64_t seed)
    : count_max_(allowed.count_max),
      quarter_(std::max(allowed.window / (quarters - 1), std::chrono::milliseconds{1})),
      seed_(seed),
      rows_(std::bit_ceil(std::max(keys_max, keys_least)) / ways) {}

sliding_windows::place sliding_windows::place_of(std::uint64_t key) const {
  const auto hash = mixed(key ^ seed_);
  return {.row = static_cast<std::uint32_t>(hash & (rows_.size() - 1)),
          .tag = static_cast<std::uint32_t>(hash >> 32)};
}

void sliding_windows::prefetch(place at) const {
  const auto* const begin = reinterpret_cast<const char*>(&rows_[at.row]);
  for (std::size_t byte = 0; byte < sizeof(row); byte += cache_line_bytes)
    __builtin_prefetch(begin + byte, 1);
}

std::int64_t sliding_windows::quarter_of(instant now) const {
  return now.time_since_epoch() / quarter_;
}

void sliding_windows::advance(row& one, std::int64_t quarter) const {
  const auto number = static_cast<std::uint32_t>(quarter);
  if (number == one.quarter) return;
  const auto ahead = static_cast<std::int32_t>(number - one.quarter);
  // Another thread's look at the clock may be a little older, and a clock may be set back a little:
  // then the quarter that was reached goes on.
  if (ahead < 0 && ahead >= -static_cast<std::int32_t>(quarters)) return;
  const auto by = ahead < 0 ? quarters : std::min<std::uint32_t>(ahead, quarters);
  for (std::size_t age = quarters; age-- > 0;)
    one.counts[age] = age >= by ? one.counts[age - by] : std::array<std::uint16_t, ways>{};
  one.quarter = number;
  one.refused = 0;
}

std::size_t sliding_windows::find(const row& one, std::uint32_t tag) {
  std::uint32_t same = 0;
  for (std::size_t key = 0; key < ways; ++key) same |= std::uint32_t{one.tags[key] == tag} << key;
  return same == 0 ? ways : static_cast<std::size_t>(std::countr_zero(same));
}

std::uint32_t sliding_windows::count_of(const row& one, std::size_t key) {
  std::uint32_t sum = 0;
  for (const auto& counts : one.counts) sum += counts[key];
  return sum;
}

/// Of several that are equally light, one that the newcomer's hash chooses: if it were always the
/// first, those in a flood would all push out the one who came last.
std::size_t sliding_windows::lightest(const row& one, std::uint32_t tag) {
  std::array<std::uint16_t, ways> sums{};
  for (const auto& counts : one.counts)
    for (std::size_t key = 0; key < ways; ++key) sums[key] += counts[key];
  auto least = tag % ways;
  for (std::size_t key = 0; key < ways; ++key)
    if (sums[key] < sums[least]) least = key;
  return least;
}

void sliding_windows::replace(row& one, std::size_t key, std::uint32_t tag) {
  for (auto& counts : one.counts) counts[key] = 0;
  one.tags[key] = tag;
  one.refused &= static_cast<std::uint8_t>(~(1u << key));
}

sliding_windows::taken sliding_windows::take(place at, instant now) {
  auto& one = rows_[at.row];
  const std::lock_guard held{one.guard};
  advance(one, quarter_of(now));
  auto key = find(one, at.tag);
  bool forgot_another = false;
  if (key == ways) {
    key = lightest(one, at.tag);
    forgot_another = count_of(one, key) > 0;
    replace(one, key, at.tag);
  }
  if (count_of(one, key) < count_max_) {
    ++one.counts[0][key];
    return {.is_within = true, .forgot_another = forgot_another};
  }
  const auto bit = static_cast<std::uint8_t>(1u << key);
  if ((one.refused & bit) == 0) note_over(one.quarter);
  one.refused |= bit;
  return {.is_within = false, .room_after = until_room(one, key, now)};
}

void sliding_windows::give_back(place at, instant now) {
  auto& one = rows_[at.row];
  const std::lock_guard held{one.guard};
  advance(one, quarter_of(now));
  const auto key = find(one, at.tag);
  if (key != ways && one.counts[0][key] > 0) --one.counts[0][key];
}

/// The oldest quarter leaves first: which of them must have left?
std::chrono::milliseconds sliding_windows::until_room(const row& one, std::size_t key,
                                                      instant now) const {
  const auto quarter = quarter_of(now);
  const auto set_back =
      static_cast<std::int32_t>(one.quarter - static_cast<std::uint32_t>(quarter));
  auto left = count_of(one, key);
  std::uint32_t gone = 0;
  while (left >= count_max_ && gone < quarters) left -= one.counts[quarters - ++gone][key];
  const auto until = (quarter + set_back + gone) * quarter_;
  return until - now.time_since_epoch();
}

void sliding_windows::note_over(std::uint32_t quarter) {
  const std::lock_guard held{over_.guard};
  if (quarter != over_.quarter) {
    over_.before = quarter == over_.quarter + 1 ? over_.now : 0;
    over_.now = 0;
    over_.quarter = quarter;
  }
  ++over_.now;
}

std::size_t sliding_windows::keys_over(instant now) const {
  const auto quarter = static_cast<std::uint32_t>(quarter_of(now));
  const std::lock_guard held{over_.guard};
  if (quarter == over_.quarter) return std::max(over_.now, over_.before);
  return quarter == over_.quarter + 1 ? over_.now : 0;
}

}  // namespace gelombang::net
