#include "net/rate_limit.hpp"

#include <algorithm>
#include <bit>

namespace gelombang::net {
namespace {

constexpr std::size_t keys_least = 1024;

/// SplitMix64's last step: keys may be numbers in a row.
std::uint64_t mixed(std::uint64_t key) {
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}

}  // namespace

rate_limiter::rate_limiter(rate allowed, std::size_t keys_max)
    : allowed_(allowed), rows_(std::bit_ceil(std::max(keys_max, keys_least)) / ways) {}

std::size_t rate_limiter::row_of(std::uint64_t key) const {
  return mixed(key) & (rows_.size() - 1);
}

std::uint32_t rate_limiter::window_at(instant now) const {
  return static_cast<std::uint32_t>(now.time_since_epoch() / allowed_.window);
}

std::uint64_t rate_limiter::passed_permille(instant now) const {
  auto into = now.time_since_epoch() % allowed_.window;
  return static_cast<std::uint64_t>(into.count() * 1000 / allowed_.window.count());
}

void rate_limiter::advance(slot& one, std::uint32_t window) {
  // A clock that was set back counts on in the window that it had reached.
  if (window <= one.window) return;
  one.previous = window == one.window + 1 ? one.current : 0;
  one.current = 0;
  one.window = window;
}

rate_limiter::slot* rate_limiter::find(std::uint64_t key) {
  auto& slots = rows_[row_of(key)];
  auto at = std::find_if(slots.begin(), slots.end(),
                         [key](const slot& one) { return one.is_used && one.key == key; });
  return at == slots.end() ? nullptr : &*at;
}

rate_limiter::slot& rate_limiter::find_or_make(std::uint64_t key, std::uint32_t window) {
  if (auto* const known = find(key)) {
    advance(*known, window);
    return *known;
  }
  auto& slots = rows_[row_of(key)];
  // Unused ones first, then the one whose last window is the furthest back and emptiest.
  auto at = std::min_element(slots.begin(), slots.end(), [](const slot& left, const slot& right) {
    if (left.is_used != right.is_used) return !left.is_used;
    if (left.window != right.window) return left.window < right.window;
    return left.current < right.current;
  });
  *at = {.key = key, .window = window, .is_used = true};
  return *at;
}

bool rate_limiter::is_within(const slot& one, instant now) const {
  auto carried_permille = one.previous * (1000 - passed_permille(now));
  return std::uint64_t{one.current} * 1000 + carried_permille <
         std::uint64_t{allowed_.count_max} * 1000;
}

bool rate_limiter::has_room(std::uint64_t key, instant now) {
  std::lock_guard lock{guards_[row_of(key) % locks]};
  auto* const one = find(key);
  if (one == nullptr) return allowed_.count_max > 0;
  advance(*one, window_at(now));
  return is_within(*one, now);
}

void rate_limiter::give_back(std::uint64_t key, instant now) {
  std::lock_guard lock{guards_[row_of(key) % locks]};
  auto* const one = find(key);
  if (one == nullptr) return;
  advance(*one, window_at(now));
  // Counted in the window before, if none is in this one.
  auto& count = one->current > 0 ? one->current : one->previous;
  if (count > 0) --count;
}

std::optional<std::chrono::milliseconds> rate_limiter::take(std::uint64_t key, instant now) {
  std::lock_guard lock{guards_[row_of(key) % locks]};
  auto& one = find_or_make(key, window_at(now));
  if (is_within(one, now)) {
    ++one.current;
    return std::nullopt;
  }
  auto left = allowed_.window - now.time_since_epoch() % allowed_.window;
  // Used up in this window: in the next one it still weighs, and lightens as that one passes.
  if (one.current >= allowed_.count_max) {
    return left + allowed_.window / std::max<std::int64_t>(1, one.current);
  }
  // The previous window weighs too much: each part of the window that passes takes off its share.
  auto one_less = allowed_.window / std::max<std::int64_t>(1, one.previous);
  return std::min(left, one_less);
}

void rate_limiter::forget(std::uint64_t key) {
  std::lock_guard lock{guards_[row_of(key) % locks]};
  for (auto& one : rows_[row_of(key)]) {
    if (one.is_used && one.key == key) one = slot{};
  }
}

}  // namespace gelombang::net
