#include "net/sliding_windows.hpp"

#include <algorithm>
#include <bit>
#include <mutex>
#include <thread>

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

void small_lock::wait() const {
  for (int spin = 0; spin < spins_max; ++spin)
    if (!is_held_.load(std::memory_order_relaxed)) return;
  std::this_thread::yield();
}

sliding_windows::sliding_windows(std::chrono::milliseconds window, std::size_t keys_max,
                                 std::uint64_t seed)
    : quarter_(std::max(window / (quarters - 1), std::chrono::milliseconds{1})),
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

void sliding_windows::advance(row& one, std::int64_t quarter) {
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

sliding_windows::taken sliding_windows::take(place at, std::uint32_t count_max, moment when) {
  auto& one = rows_[at.row];
  const std::lock_guard held{one.guard};
  advance(one, when.quarter);
  auto key = find(one, at.tag);
  bool forgot_another = false;
  if (key == ways) {
    key = lightest(one, at.tag);
    forgot_another = count_of(one, key) > 0;
    replace(one, key, at.tag);
  }
  if (count_of(one, key) < count_max) {
    ++one.counts[0][key];
    return {.is_within = true, .forgot_another = forgot_another};
  }
  const auto bit = static_cast<std::uint8_t>(1u << key);
  const auto is_newly_over = (one.refused & bit) == 0;
  one.refused |= bit;
  return {.is_within = false,
          .forgot_another = forgot_another,
          .is_newly_over = is_newly_over,
          .room_after = until_room(one, key, count_max, when)};
}

void sliding_windows::give_back(place at, moment when) {
  auto& one = rows_[at.row];
  const std::lock_guard held{one.guard};
  advance(one, when.quarter);
  const auto key = find(one, at.tag);
  if (key != ways && one.counts[0][key] > 0) --one.counts[0][key];
}

/// The oldest quarter leaves first: which of them must have left?
std::chrono::milliseconds sliding_windows::until_room(const row& one, std::size_t key,
                                                      std::uint32_t count_max, moment when) const {
  const auto set_back =
      static_cast<std::int32_t>(one.quarter - static_cast<std::uint32_t>(when.quarter));
  auto left = count_of(one, key);
  std::uint32_t gone = 0;
  while (left >= count_max && gone < quarters) left -= one.counts[quarters - ++gone][key];
  const auto until = (when.quarter + set_back + gone) * quarter_;
  return until - when.now.time_since_epoch();
}

}  // namespace gelombang::net
