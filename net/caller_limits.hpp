#pragma once

#include <prometheus/collectable.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/programme/clock.hpp"
#include "net/caller_limit_settings.hpp"
#include "net/metrics.hpp"
#include "net/peer_address.hpp"
#include "net/sliding_windows.hpp"

namespace gelombang::net {

/// Time since the machine's start, in steps of the kernel's tick (1 to 10 ms): a quarter of the
/// cost of exact time. Limits on callers go by it, and not by the programme's clock, which
/// rehearsals put ahead and operators set.
class coarse_steady_clock final : public clock {
public:
  instant now() const override;
};

/// Who asks, as limits see him.
struct caller {
  std::optional<std::uint64_t> account = {};  ///< whom a token that was verified names
  bool clicks = false;                        ///< joins or withdraws
  std::optional<std::uint64_t> device = {};
  peer_address from = {};
};

/// How often each account, device and address may ask, whatever the node has to do: limits against
/// bots, while `admission` shares out what is scarce. Each kind has a table of its own, of a fixed
/// size; all io threads count in the same ones. Thread-safe.
class caller_limits {
public:
  struct over {
    limit_kind kind;
    std::chrono::milliseconds room_after;  ///< then one more would be within this limit
  };

  /// `time` outlives it. `seed` keys the tables' hashes.
  caller_limits(const caller_limit_settings& with, const clock& time,
                std::uint64_t seed = drawn_seed());

  /// Counts the request for everything that the caller is, or for nothing if one limit is reached.
  /// @param forgotten counts keys that made way for others, of the calling thread.
  /// @returns the first limit that it is over.
  std::optional<over> take(const caller& who, limit_counters& forgotten);

  /// Callers that have been refused in the last quarter of the window; 0 for a limit that is off.
  std::size_t keys_over(limit_kind kind) const;
  /// What the tables take, from the start to the end.
  std::size_t bytes() const;

private:
  /// Callers over a limit, each counted once a quarter.
  struct over_count {
    mutable std::mutex guard;
    std::int64_t quarter = 0;
    std::size_t now = 0, before = 0;

    void add(std::int64_t in_quarter);
    std::size_t recent(std::int64_t in_quarter) const;
  };
  struct limit {
    std::uint32_t count_max = 0;       ///< 0: no such limit
    sliding_windows* table = nullptr;  ///< clicks are counted in that of accounts
    over_count over;
  };

  static std::uint64_t drawn_seed();
  limit& of(limit_kind kind) { return limits_[static_cast<std::size_t>(kind)]; }

  const clock& time_;
  bool loopback_is_exempt_;
  std::vector<std::unique_ptr<sliding_windows>> tables_;
  std::array<limit, limit_kinds> limits_;
};

/// Whole seconds for Retry-After: not before there is room again, and up to half as long again, so
/// that callers who were refused together come back apart.
unsigned retry_after_seconds(const caller_limits::over& refused, std::uint64_t dice);

/// What of it changes while it runs and is not counted by threads. Thread-safe.
class caller_limits_metrics final : public prometheus::Collectable {
public:
  /// `limits` outlives the page.
  explicit caller_limits_metrics(const caller_limits& limits) : limits_(limits) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  const caller_limits& limits_;
};

}  // namespace gelombang::net
