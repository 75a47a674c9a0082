#include "net/password_pace.hpp"

#include <algorithm>

namespace gelombang::net {
namespace {

/// The part of a new measurement in the smoothed one.
constexpr int smoothing = 8;

void approach(std::chrono::nanoseconds& smoothed, std::chrono::nanoseconds measured) {
  smoothed += (measured - smoothed) / smoothing;
}

}  // namespace

password_pace::password_pace(settings with, time_point now)
    : with_(with),
      budget_(with.budget, now),
      cpu_each_(with.first_guess),
      wall_each_(with.first_guess) {}

password_pace::nanoseconds password_pace::wait(std::size_t ahead, time_point now) const {
  const auto before = static_cast<std::int64_t>(ahead) * cpu_each_;
  return std::max(budget_.pause_behind(before, now), wait_for_thread(ahead, now));
}

password_pace::nanoseconds password_pace::wait_for_thread(std::size_t ahead, time_point now) const {
  auto each = wall_each_;
  for (const auto& one : under_way_) {
    ahead += one.count;
    // One that takes longer than they used to tells before it has ended.
    each = std::max(each, nanoseconds{now - one.begun} / static_cast<std::int64_t>(one.count));
  }
  if (ahead < with_.threads || with_.threads == 0) return nanoseconds{0};
  return static_cast<std::int64_t>(ahead - with_.threads + 1) * each /
         static_cast<std::int64_t>(with_.threads);
}

bool password_pace::is_in_time(std::size_t ahead, time_point now) const {
  return wait(ahead, now) <= with_.patience;
}

std::size_t password_pace::batch_of(std::size_t waiting) const {
  const auto most = static_cast<std::size_t>(batch_max / std::max(cpu_each_, nanoseconds{1}));
  const auto fair = waiting / std::max<std::size_t>(with_.threads, 1);
  return std::min(waiting, std::clamp<std::size_t>(fair, 1, std::max<std::size_t>(most, 1)));
}

password_pace::batch password_pace::begin(std::size_t count, time_point now) {
  batch one{.count = count, .expected = static_cast<std::int64_t>(count) * cpu_each_, .begun = now};
  budget_.charge(one.expected, now);
  under_way_.push_back(one);
  return one;
}

void password_pace::end(const batch& one, nanoseconds cpu, time_point now) {
  budget_.charge(cpu - one.expected, now);
  if (auto at = std::find(under_way_.begin(), under_way_.end(), one); at != under_way_.end())
    under_way_.erase(at);
  const auto count = static_cast<std::int64_t>(one.count);
  const auto wall = nanoseconds{now - one.begun};
  if (!has_measured_) {
    has_measured_ = true;
    cpu_each_ = cpu / count;
    wall_each_ = wall / count;
    return;
  }
  approach(cpu_each_, cpu / count);
  approach(wall_each_, wall / count);
}

}  // namespace gelombang::net
