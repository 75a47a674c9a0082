#include "net/caller_limits.hpp"

#include <ctime>
#include <random>
#include <string>

namespace gelombang::net {
namespace {

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
    const auto count_max = count_max_of(kind, with);
    if (count_max == 0) continue;
    const auto at = static_cast<std::size_t>(kind);
    tables_[at] = std::make_unique<sliding_windows>(
        sliding_windows::limit{.count_max = count_max, .window = with.window}, with.keys_kept,
        seed + at);
  }
}

std::optional<std::uint64_t> caller_limits::key_in(limit_kind kind, const caller& who) const {
  constexpr int bits_within_network = 16;  // of the 64 that an IPv6 peer has
  const auto counts_address = !(loopback_is_exempt_ && who.from.is_loopback());
  switch (kind) {
    case limit_kind::account:
      return who.account;
    case limit_kind::clicks:
      return who.clicks ? who.account : std::nullopt;
    case limit_kind::device:
      return who.device;
    case limit_kind::address:
      return counts_address ? std::optional{who.from.hash()} : std::nullopt;
    case limit_kind::network:
      if (!counts_address || !who.from.is_ipv6) return std::nullopt;
      return who.from.network >> bits_within_network;
  }
  return std::nullopt;
}

std::optional<caller_limits::over> caller_limits::take(const caller& who,
                                                       limit_counters& forgotten) {
  struct counted {
    limit_kind kind;
    sliding_windows* table;
    sliding_windows::place at;
  };
  std::array<counted, limit_kinds> all{};
  std::size_t count = 0;
  // All of them are fetched before the first is looked at: together they take as long as one.
  for (auto kind : all_kinds) {
    auto* const table = tables_[static_cast<std::size_t>(kind)].get();
    if (table == nullptr) continue;
    const auto key = key_in(kind, who);
    if (!key) continue;
    const auto at = table->place_of(*key);
    table->prefetch(at);
    all[count++] = {kind, table, at};
  }
  if (count == 0) return std::nullopt;
  const auto now = time_.now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto [kind, table, at] = all[i];
    const auto taken = table->take(at, now);
    if (taken.forgot_another) forgotten[static_cast<std::size_t>(kind)].add();
    if (taken.is_within) continue;
    // What is refused by one limit counts in none: a bot does not use up what its neighbours have.
    while (i-- > 0) all[i].table->give_back(all[i].at, now);
    return over{kind, taken.room_after};
  }
  return std::nullopt;
}

std::size_t caller_limits::keys_over(limit_kind kind) const {
  const auto& table = tables_[static_cast<std::size_t>(kind)];
  return table ? table->keys_over(time_.now()) : 0;
}

std::size_t caller_limits::bytes() const {
  std::size_t sum = 0;
  for (const auto& table : tables_) sum += table ? table->bytes() : 0;
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
