#include "net/caller_limits.hpp"

#include <algorithm>
#include <bit>
#include <ctime>
#include <random>
#include <string>

namespace gelombang::net {
namespace {

static_assert(caller_limit_max == sliding_windows::count_most);

constexpr std::array<limit_kind, limit_kinds> all_kinds{limit_kind::account, limit_kind::clicks,
                                                        limit_kind::device, limit_kind::address,
                                                        limit_kind::network};

std::uint32_t count_max_of(limit_kind kind, const caller_limit_settings& with) {
  switch (kind) {
    case limit_kind::account:
      return with.account_requests_max;
    case limit_kind::clicks:
      return with.account_clicks_max;
    case limit_kind::device:
      return with.device_requests_max;
    case limit_kind::address:
      return with.address_requests_max;
    case limit_kind::network:
      return with.network_requests_max;
  }
  return 0;
}

}  // namespace

instant coarse_steady_clock::now() const {
  timespec read{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &read);
  constexpr std::int64_t nanoseconds_per_millisecond = 1'000'000;
  return instant{std::chrono::seconds{read.tv_sec} +
                 std::chrono::milliseconds{read.tv_nsec / nanoseconds_per_millisecond}};
}

std::uint64_t caller_limits::drawn_seed() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

caller_limits::caller_limits(const caller_limit_settings& with, const clock& time,
                             std::uint64_t seed)
    : time_(time), loopback_is_exempt_(with.loopback_is_exempt) {
  for (auto kind : all_kinds) {
    auto& made = of(kind);
    made.count_max = count_max_of(kind, with);
    if (made.count_max == 0) continue;
    // A click is the same caller's as any other request of the account: one row has both.
    const auto& account = of(limit_kind::account);
    if (kind == limit_kind::clicks) made.table = account.table;
    if (made.table != nullptr) continue;
    tables_.push_back(
        std::make_unique<sliding_windows>(with.window, with.keys_kept, seed + tables_.size()));
    made.table = tables_.back().get();
  }
}

std::optional<caller_limits::over> caller_limits::take(const caller& who,
                                                       limit_counters& forgotten) {
  constexpr int bits_within_network = 16;  // of the 64 that an IPv6 peer has
  std::array<sliding_windows::place, limit_kinds> places{};
  std::uint32_t counted = 0;  // a bit for each kind
  // All of them are fetched before the first is looked at: together they take as long as one.
  const auto want = [&](limit_kind kind, std::uint64_t key) {
    const auto at = static_cast<std::size_t>(kind);
    auto* const table = limits_[at].table;
    if (table == nullptr) return;
    const auto place = table->place_of(key);
    table->prefetch(place);
    places[at] = kind == limit_kind::clicks ? place.beside() : place;
    counted |= 1u << at;
  };
  if (who.account) want(limit_kind::account, *who.account);
  if (who.account && who.clicks) want(limit_kind::clicks, *who.account);
  if (who.device) want(limit_kind::device, *who.device);
  if (!loopback_is_exempt_ || !who.from.is_loopback()) {
    want(limit_kind::address, who.from.hash());
    if (who.from.is_ipv6) want(limit_kind::network, who.from.network >> bits_within_network);
  }
  if (counted == 0) return std::nullopt;

  const auto now = tables_.front()->moment_of(time_.now());
  for (auto left = counted; left != 0; left &= left - 1) {
    const auto at = static_cast<std::size_t>(std::countr_zero(left));
    auto& one = limits_[at];
    const auto taken = one.table->take(places[at], one.count_max, now);
    if (taken.forgot_another) forgotten[at].add();
    if (taken.is_within) continue;
    if (taken.is_newly_over) one.over.add(now.quarter);
    // What is refused by one limit counts in none: a bot does not use up what its neighbours have.
    for (auto before = counted & ~left; before != 0; before &= before - 1) {
      const auto taken_at = static_cast<std::size_t>(std::countr_zero(before));
      limits_[taken_at].table->give_back(places[taken_at], now);
    }
    return over{static_cast<limit_kind>(at), taken.room_after};
  }
  return std::nullopt;
}

void caller_limits::over_count::add(std::int64_t in_quarter) {
  const std::lock_guard held{guard};
  if (in_quarter != quarter) {
    before = in_quarter == quarter + 1 ? now : 0;
    now = 0;
    quarter = in_quarter;
  }
  ++now;
}

std::size_t caller_limits::over_count::recent(std::int64_t in_quarter) const {
  const std::lock_guard held{guard};
  if (in_quarter == quarter) return std::max(now, before);
  return in_quarter == quarter + 1 ? now : 0;
}

std::size_t caller_limits::keys_over(limit_kind kind) const {
  const auto& one = limits_[static_cast<std::size_t>(kind)];
  if (one.table == nullptr) return 0;
  return one.over.recent(one.table->moment_of(time_.now()).quarter);
}

std::size_t caller_limits::bytes() const {
  std::size_t sum = 0;
  for (const auto& table : tables_) sum += table->bytes();
  return sum;
}

unsigned retry_after_seconds(const caller_limits::over& refused, std::uint64_t dice) {
  const auto seconds =
      static_cast<unsigned>(std::chrono::ceil<std::chrono::seconds>(refused.room_after).count());
  return seconds + static_cast<unsigned>(dice % (seconds / 2 + 2));
}

std::vector<prometheus::MetricFamily> caller_limits_metrics::Collect() const {
  prometheus::MetricFamily over;
  over.name = "gelombang_limits_keys_over";
  over.help = "Accounts, devices and addresses refused in the last quarter of the window";
  over.type = prometheus::MetricType::Gauge;
  for (auto kind : all_kinds) {
    auto& metric = over.metric.emplace_back();
    metric.label.push_back({"limit", std::string{name_of(kind)}});
    metric.gauge.value = static_cast<double>(limits_.keys_over(kind));
  }
  prometheus::MetricFamily memory;
  memory.name = "gelombang_limits_memory_bytes";
  memory.help = "What the tables of limits take; it does not grow";
  memory.type = prometheus::MetricType::Gauge;
  memory.metric.emplace_back().gauge.value = static_cast<double>(limits_.bytes());
  return {over, memory};
}

}  // namespace gelombang::net
