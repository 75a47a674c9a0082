#include "net/cpu_budget.hpp"

#include <algorithm>
#include <cmath>

namespace gelombang::net {
namespace {

double count(cpu_budget::nanoseconds time) {
  return static_cast<double>(time.count());
}

}  // namespace

cpu_budget::cpu_budget(settings with, time_point now)
    : rate_(with.share_permille * static_cast<double>(with.cores) / 1000),
      burst_(count(with.burst)),
      balance_(burst_),
      as_of_(now) {}

cpu_budget::nanoseconds cpu_budget::pause_behind(nanoseconds before, time_point now) const {
  const auto missing = count(before) - balance_at(now);
  if (missing <= 0) return nanoseconds{0};
  return nanoseconds{static_cast<std::int64_t>(std::ceil(missing / rate_))};
}

void cpu_budget::charge(nanoseconds cpu, time_point now) {
  balance_ = std::min(burst_, balance_at(now) - count(cpu));
  as_of_ = std::max(as_of_, now);
}

double cpu_budget::balance_at(time_point now) const {
  const auto since = std::max(nanoseconds{0}, nanoseconds{now - as_of_});
  return std::min(burst_, balance_ + count(since) * rate_);
}

}  // namespace gelombang::net
