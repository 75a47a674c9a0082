#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/result.hpp"
#include "actors/wave/wave.pb.h"

/// What may happen to a wave and what follows from it.
///
///     scheduled → open → closing → closed → committed → drawn → announcing → announced
///     cancelled: from any state before `drawn`
///
/// `closing` and `announcing` last while the shards do their part; outside they read as `closed`
/// and `drawn`. No clock, no storage, no messages here.
namespace gelombang::wave {

using state = wire::State;
using event = wire::Event;

// Limits of what an operator may plan.
inline constexpr std::uint64_t quota_max = 10'000'000;
inline constexpr std::uint32_t minimum_per_region_max = 100'000;
inline constexpr std::uint64_t weight_max = 1'000'000'000'000;
inline constexpr int groups_max = 8;
inline constexpr std::size_t beacon_source_bytes_max = 200;
inline constexpr std::size_t beacon_value_bytes_max = 512;
inline constexpr std::size_t operator_secret_bytes_max = 512;

struct create {
  wire::Plan plan;
  instant now;
};
struct open {
  instant now;
};
struct close {
  instant now;
};
struct commit {
  std::string beacon_source;
  std::uint64_t beacon_round = 0;
  std::string operator_secret_hash;  ///< 32 bytes
  instant now;
};
struct hold_draw {
  std::string beacon_value;     ///< bytes
  std::string operator_secret;  ///< bytes; must hash to what was committed
  instant now;
};
struct announce {
  instant now;
};
struct cancel {
  instant now;
};

/// Whether a plan can be held to: times in order, a quota, groups that exist and whose shares do
/// not exceed the whole, weights of known regions (`known` has their codes, ascending).
result<void> check(const wire::Plan& plan, const std::vector<region_code>& known);

/// @returns the event to store, or `wave_out_of_order`.
result<event> decide(const state& wave, const open& command);
result<event> decide(const state& wave, const close& command);
result<event> decide(const state& wave, const announce& command);
result<event> decide(const state& wave, const cancel& command);

/// Whether a commitment may be made now; the event itself follows from the roster.
result<void> may(const state& wave, const commit& command);
/// Whether the draw may be made now. @returns `secret_mismatch` for another secret than promised.
result<void> may(const state& wave, const hold_draw& command);

/// The roster has been read and its root computed.
result<event> committed(const state& wave, wire::Commitment&& commitment, instant now);
/// The draw has been made and its files are on the disk.
result<event> drawn(const state& wave, wire::Result&& result, instant now);

/// A shard has answered. @returns nothing to store when it has answered before.
result<event> frozen(const state& wave, const wire::Frozen& notice, instant now);
result<event> settled(const state& wave, const wire::Settled& notice, instant now);
result<event> places_taken(const state& wave, const wire::PlacesTaken& notice, instant now);

/// Brings the wave up to date. Never fails. `shards` tells when all have answered.
void apply(state& wave, const event& what, std::uint32_t shards);

/// The name that clients see.
std::string_view phase_name(wire::Phase phase);

/// Whether clients read the wave as taking joins at `now`.
bool is_open(const state& wave, instant now);

}  // namespace gelombang::wave
