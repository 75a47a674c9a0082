// What a limit on callers costs a request: one key, a million keys, Zipf's law, several threads,
// and a flood of strangers; beside it what was there before
// (docs/decisions/0014-limits-on-callers.md). ns a request: the column Time. One argument: how many
// keys, 0: never the same one twice.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

#include "net/caller_limits.hpp"
#include "net/rate_limit.hpp"
#include "net/share_sketch.hpp"

namespace {

using namespace gelombang;
using namespace gelombang::net;

constexpr std::size_t million = 1'000'000;
constexpr std::size_t keys_kept = std::size_t{1} << 20;
constexpr std::uint64_t seed = 0x5eed;

/// Zipf's law with exponent 1, by its inverse: rank k comes with a share of about 1 / (k ln n).
std::vector<std::uint32_t> zipf(std::size_t keys, std::size_t count) {
  std::mt19937_64 random{1};
  std::uniform_real_distribution<double> dice;
  std::vector<std::uint32_t> drawn(count);
  for (auto& one : drawn)
    one = static_cast<std::uint32_t>(std::pow(static_cast<double>(keys), dice(random)));
  return drawn;
}

/// Which key comes next: uniform among so many, by Zipf's law, or always a new one.
class arrivals {
public:
  enum class law { uniform, zipf };

  arrivals(law which, std::size_t keys, std::uint64_t start)
      : which_(which), keys_(std::max<std::size_t>(keys, 1)), is_flood_(keys == 0), state_(start) {
    static const auto drawn = zipf(million, std::size_t{1} << 22);
    zipf_ = &drawn;
    at_ = start * 7919;
  }
  std::uint64_t next() {
    if (is_flood_) return ++state_ * 0x9e3779b97f4a7c15u;
    if (which_ == law::zipf) return (*zipf_)[++at_ & (zipf_->size() - 1)];
    // xorshift64
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return (state_ >> 32) * keys_ >> 32;
  }

private:
  law which_;
  std::size_t keys_;
  bool is_flood_;
  std::uint64_t state_;
  const std::vector<std::uint32_t>* zipf_;
  std::size_t at_;
};

arrivals arrivals_of(const benchmark::State& state, arrivals::law which) {
  return {which, static_cast<std::size_t>(state.range(0)),
          static_cast<std::uint64_t>(state.thread_index()) + 88'172'645'463'325'252u};
}

/// The loop and the dice alone: to be taken off the others.
void nothing(benchmark::State& state) {
  auto keys = arrivals_of(state, arrivals::law::uniform);
  for (auto _ : state) benchmark::DoNotOptimize(keys.next());
}
BENCHMARK(nothing)->Arg(million);

void nothing_zipf(benchmark::State& state) {
  auto keys = arrivals_of(state, arrivals::law::zipf);
  for (auto _ : state) benchmark::DoNotOptimize(keys.next());
}
BENCHMARK(nothing_zipf)->Arg(million);

/// Time that goes on with what is counted: 64,000 requests a second, of which Zipf's first has less
/// than the highest limit; or 4,000 where all are one caller's. So nobody is refused. One thread.
class paced_clock final : public clock {
public:
  instant now() const override {
    return instant{std::chrono::milliseconds{++calls_ / a_millisecond_}};
  }
  void pace_for(std::int64_t keys) {
    calls_ = calls_ / a_millisecond_ + 100'000;
    a_millisecond_ = keys == 1 ? 4 : 64;
    calls_ *= a_millisecond_;
  }

private:
  mutable std::int64_t calls_ = 0;
  std::int64_t a_millisecond_ = 64;
};

paced_clock& paced() {
  static paced_clock made;
  return made;
}

// ---- one table

sliding_windows& shared_table() {
  static sliding_windows made{std::chrono::seconds{10}, keys_kept, seed};
  return made;
}

template <arrivals::law which>
void one_limit(benchmark::State& state) {
  auto& table = shared_table();
  paced().pace_for(state.range(0));
  auto keys = arrivals_of(state, which);
  std::uint64_t refused = 0;
  for (auto _ : state) {
    const auto at = table.place_of(keys.next());
    refused += !table.take(at, caller_limit_max, table.moment_of(paced().now())).is_within;
  }
  state.counters["refused"] = static_cast<double>(refused);
}
BENCHMARK(one_limit<arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(one_limit<arrivals::law::zipf>)->Arg(million);

// ---- a request, as sessions ask

constexpr caller_limit_settings highest{.account_requests_max = caller_limit_max,
                                        .account_clicks_max = caller_limit_max,
                                        .device_requests_max = caller_limit_max,
                                        .address_requests_max = caller_limit_max};

/// Four accounts behind an address.
peer_address from(std::uint64_t key) {
  return {.network = static_cast<std::uint32_t>(key / 4)};
}

/// Who looks is counted by address, who is signed in by account too, and who clicks by three; an
/// app adds the device.
caller looks(std::uint64_t key) {
  return {.from = from(key)};
}
caller reads(std::uint64_t key) {
  return {.account = key, .from = from(key)};
}
caller clicks(std::uint64_t key) {
  return {.account = key, .clicks = true, .from = from(key)};
}
caller clicks_in_the_app(std::uint64_t key) {
  return {.account = key, .clicks = true, .device = key + million, .from = from(key)};
}

template <caller (*who)(std::uint64_t), arrivals::law which>
void one_request(benchmark::State& state) {
  static caller_limits limits{highest, paced(), seed};
  paced().pace_for(state.range(0));
  limit_counters forgotten;
  auto keys = arrivals_of(state, which);
  std::uint64_t refused = 0;
  for (auto _ : state) refused += limits.take(who(keys.next()), forgotten).has_value();
  state.counters["refused"] = static_cast<double>(refused);
}
/// The same by two threads, in the machine's time: of a million callers nobody is refused.
void two_threads_click(benchmark::State& state) {
  static const coarse_steady_clock time;
  static caller_limits limits{highest, time, seed};
  limit_counters forgotten;
  auto keys = arrivals_of(state, arrivals::law::uniform);
  for (auto _ : state) benchmark::DoNotOptimize(limits.take(clicks(keys.next()), forgotten));
}
BENCHMARK(one_request<looks, arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(one_request<looks, arrivals::law::zipf>)->Arg(million);
BENCHMARK(one_request<reads, arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(one_request<reads, arrivals::law::zipf>)->Arg(million);
BENCHMARK(one_request<clicks, arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(one_request<clicks, arrivals::law::zipf>)->Arg(million);
BENCHMARK(one_request<clicks_in_the_app, arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(one_request<clicks_in_the_app, arrivals::law::zipf>)->Arg(million);
BENCHMARK(two_threads_click)->Arg(million)->Threads(2)->UseRealTime();

/// Of one who is over his limit: what a bot costs before the answer is written.
void one_refusal(benchmark::State& state) {
  const coarse_steady_clock time;
  caller_limits limits{{.account_requests_max = 1}, time, seed};
  limit_counters forgotten;
  const caller bot{.account = 1, .clicks = false, .device = 2, .from = {.network = 3}};
  for (auto _ : state) benchmark::DoNotOptimize(limits.take(bot, forgotten));
}
BENCHMARK(one_refusal);

// ---- what was not taken

/// The limiter of codes and passwords: two windows, 64 mutexes for all rows, the time of the node.
template <arrivals::law which>
void rate_limiter_take(benchmark::State& state) {
  static rate_limiter limiter{{.count_max = 1u << 31, .window = std::chrono::seconds{10}},
                              keys_kept};
  const system_clock time;
  auto keys = arrivals_of(state, which);
  for (auto _ : state) benchmark::DoNotOptimize(limiter.take(keys.next(), time.now()));
}
BENCHMARK(rate_limiter_take<arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(rate_limiter_take<arrivals::law::zipf>)->Arg(million);
BENCHMARK(rate_limiter_take<arrivals::law::uniform>)
    ->Arg(1)
    ->Arg(million)
    ->Threads(2)
    ->UseRealTime();

/// A sketch of each thread's in front, which only lets heavy keys through to exact counting.
template <arrivals::law which>
void sketch_in_front(benchmark::State& state) {
  constexpr std::uint32_t heavy_from = 30;
  share_sketch sketch{std::size_t{1} << 16, std::chrono::seconds{10}};
  auto& table = shared_table();
  paced().pace_for(state.range(0));
  auto keys = arrivals_of(state, which);
  std::uint64_t exact = 0;
  for (auto _ : state) {
    const auto key = keys.next();
    const auto now = paced().now();
    sketch.tick(share_sketch::time_point{now.time_since_epoch()});
    sketch.count(key);
    if (sketch.of(key) < heavy_from) continue;
    ++exact;
    benchmark::DoNotOptimize(
        table.take(table.place_of(key), caller_limit_max, table.moment_of(now)));
  }
  state.counters["exact_permille"] =
      1000.0 * static_cast<double>(exact) / static_cast<double>(state.iterations());
}
BENCHMARK(sketch_in_front<arrivals::law::uniform>)->Arg(1)->Arg(million)->Arg(0);
BENCHMARK(sketch_in_front<arrivals::law::zipf>)->Arg(million);

}  // namespace

BENCHMARK_MAIN();
