#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/request_key.hpp"
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
/// A region of no weight gets seats last; not all of them may be without.
inline constexpr std::uint64_t weight_max = 1'000'000'000'000;
inline constexpr int groups_max = 8;
inline constexpr std::size_t beacon_source_bytes_max = 200;
inline constexpr std::size_t beacon_value_bytes_max = 512;
inline constexpr std::size_t operator_secret_bytes_max = 512;
/// Orders with a key that a wave remembers. Each kind succeeds once, so that more than six are
/// further keys for what is under way; those are refused from here on, a first order never.
inline constexpr int orders_max = 32;
/// Requests for new waves that are remembered: years of them.
inline constexpr int creations_max = 1000;

struct create {
  wire::Plan plan;
  instant now;
  std::optional<request_key> request = {};
};
struct open {
  instant now;
  std::optional<request_key> request = {};
};
struct close {
  instant now;
  std::optional<request_key> request = {};
};
struct commit {
  std::string beacon_source;
  std::uint64_t beacon_round = 0;
  std::string operator_secret_hash;  ///< 32 bytes
  instant now;
  std::optional<request_key> request = {};
};
struct hold_draw {
  std::string beacon_value;     ///< bytes
  std::string operator_secret;  ///< bytes; must hash to what was committed
  instant now;
  std::optional<request_key> request = {};
};
struct announce {
  instant now;
  std::optional<request_key> request = {};
};
struct cancel {
  instant now;
  std::optional<request_key> request = {};
  std::string reason = {};  ///< for everybody to read; empty: none is given
  applicant_id by = {};     ///< the operator's account; none: nobody's order
};

/// Besides the name of the wave's state, what a refusal as `wave_out_of_order` has as its detail:
/// the same order with another content is under way, or another wave is between its commitment and
/// its announcement (its number follows).
inline constexpr std::string_view order_under_way = "order_under_way";
inline constexpr std::string_view other_wave_first = "other_wave_first ";
/// Likewise: files are there of a draw that the journal does not know, with another commitment or
/// other randomness. Either a crash has come between, or the journal's end is gone.
inline constexpr std::string_view drawn_otherwise = "drawn_otherwise";

/// Whether one order says the same as another, whenever it came.
bool is_same(const commit& one, const commit& other);
bool is_same(const hold_draw& one, const hold_draw& other);
bool is_same(const announce& one, const announce& other);

/// Whether a plan can be held to: times in order and not over at `now`, a quota, no larger minimum
/// than that, groups that exist and whose shares do not exceed the whole, weights of known regions
/// (`known` has their codes, ascending), not all of them nothing.
result<void> check(const wire::Plan& plan, const std::vector<region_code>& known, instant now);

/// @returns the event to store, or `wave_out_of_order`.
result<event> decide(const state& wave, const open& command);
result<event> decide(const state& wave, const close& command);
result<event> decide(const state& wave, const announce& command);
/// @returns also `reason_invalid` for a reason that is not one line of 200 characters at most.
result<event> decide(const state& wave, const cancel& command);

/// Whether a commitment may be made now; the event itself follows from the roster.
/// @returns `beacon_invalid` unless the source is one line of text within its limit.
result<void> may(const state& wave, const commit& command);
/// Whether the draw may be made now. @returns `secret_mismatch` for another secret than promised.
result<void> may(const state& wave, const hold_draw& command);

/// The roster has been read and its root computed; `request` is the order's.
result<event> committed(const state& wave, wire::Commitment&& commitment, instant now,
                        const std::optional<request_key>& request = {});
/// The draw has been made and its files are on the disk.
result<event> drawn(const state& wave, wire::Result&& result, instant now,
                    const std::optional<request_key>& request = {});

/// The order that leads to `reached` is under way and has come again with a key of its own.
/// @returns `too_many_requests` when the wave can remember no more.
result<event> also_ordered(const state& wave, wire::Phase reached, const request_key& request,
                           instant now);

/// A shard has answered. @returns nothing to store when it has answered before.
result<event> frozen(const state& wave, const wire::Frozen& notice, instant now);
result<event> settled(const state& wave, const wire::Settled& notice, instant now);
result<event> places_taken(const state& wave, const wire::PlacesTaken& notice, instant now);
result<event> heard(const state& wave, const wire::Heard& notice, instant now);

/// Brings the wave up to date. Never fails. `shards` tells when all have answered.
void apply(state& wave, const event& what, std::uint32_t shards);

/// Whether every shard goes by what the wave says: a join is decided by its own shard.
bool is_known_everywhere(const state& wave, std::uint32_t shards);

/// What an order with this key was to lead to; nothing if it is new.
/// @returns `idempotency_conflict` when the key came with another request.
std::optional<result<wire::Phase>> find_repeat(const state& wave,
                                               const std::optional<request_key>& request);

/// The wave that a request with this key has made, likewise, among the newest `creations_max`.
std::optional<result<wave_number>> find_repeat(const wire::Calendar& calendar,
                                               const std::optional<request_key>& request);

/// The event that makes the calendar's next wave.
wire::CalendarEvent next_wave(const wire::Calendar& calendar, const create& command);
void apply(wire::Calendar& calendar, const wire::CalendarEvent& what);

/// The name that clients see.
std::string_view phase_name(wire::Phase phase);

/// Whether clients read the wave as taking joins at `now`.
bool is_open(const state& wave, instant now);

}  // namespace gelombang::wave
