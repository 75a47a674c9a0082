#include "net/waiting_room/returns.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace gelombang::net {
namespace {

/// What is taken for granted until people have come back, or not: a share, and on how many it
/// stands, so that two of three are no share.
constexpr double presumed_share = 0.7;
constexpr double presumed_people = 20;
/// Who comes within a second of his time is in time: clients throw dice for so long.
constexpr std::int64_t in_time_seconds = 1;
/// Nobody looked for longer, or the clock was put ahead or back: who was due says nothing then.
constexpr std::int64_t gap_seconds_max = 10;
/// What is left after a second of what was counted: half of it after a minute.
constexpr double kept_each_second = 0.9885;
/// How often people come back after their first time, at most, before they are let in.
constexpr double times_later_max = 8;

std::int64_t second_of(instant when) {
  return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

}  // namespace

returns::returns(instant now) : settled_(second_of(now)), share_(presumed_share) {}

void returns::told(which time, std::uint32_t seconds, instant now) {
  const auto due = second_of(now) + std::min(seconds, seconds_max);
  auto& slot = due_[static_cast<std::size_t>(time)][static_cast<std::size_t>(due) % slots];
  slot.fetch_add(1, std::memory_order_relaxed);
}

void returns::came(which time) {
  came_[static_cast<std::size_t>(time)].fetch_add(1, std::memory_order_relaxed);
}

void returns::settle(instant now) {
  const auto until = second_of(now) - 1 - in_time_seconds;
  if (std::abs(until - settled_) > gap_seconds_max) return forget(until);
  for (; settled_ < until; ++settled_) settle_second(settled_ + 1);
  measure();
}

void returns::forget(std::int64_t until) {
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    for (auto& slot : due_[kind]) slot.store(0, std::memory_order_relaxed);
    came_[kind].store(0, std::memory_order_relaxed);
  }
  settled_ = until;
}

void returns::settle_second(std::int64_t second) {
  for (std::size_t kind = 0; kind < kinds; ++kind) {
    auto& slot = due_[kind][static_cast<std::size_t>(second) % slots];
    auto& sum = sums_[kind];
    sum.due = sum.due * kept_each_second + slot.exchange(0, std::memory_order_relaxed);
    sum.came = sum.came * kept_each_second + came_[kind].exchange(0, std::memory_order_relaxed);
  }
}

void returns::measure() {
  const auto& first = sums_[static_cast<std::size_t>(which::first)];
  const auto& later = sums_[static_cast<std::size_t>(which::later)];
  const auto at_first = std::min(
      1.0, (first.came + presumed_people * presumed_share) / (first.due + presumed_people));
  const auto each_later =
      std::min(1.0, (later.came + presumed_people) / (later.due + presumed_people));
  const auto times_later = std::min(times_later_max, later.due / std::max(1.0, first.came));
  share_ = std::clamp(at_first * std::pow(each_later, times_later), share_least, 1.0);
}

}  // namespace gelombang::net
