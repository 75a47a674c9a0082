#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/request_key.hpp"
#include "actors/programme/result.hpp"
#include "actors/provider/provider.pb.h"

/// What may happen to a training provider and what follows from it. Once registered it is active or
/// suspended, and never goes: whoever was trained there is to find out by whom.
namespace gelombang::provider {

using state = wire::State;
using event = wire::Event;

inline constexpr std::uint32_t number_max = 99'999;
/// Orders with an Idempotency-Key that are remembered, with their answers.
inline constexpr int orders_max = 8;

/// Whether a provider can have this number: 1 to `number_max`. Operators choose it.
constexpr bool is_number(provider_id number) {
  return number.value >= 1 && number.value <= number_max;
}

/// Registers the provider, or says anew what it is called and where it is found; the whole of it,
/// so that a repeat changes nothing. A suspension stays.
struct enter {
  provider_id number;
  std::string name;
  std::string website;  ///< empty: none
  instant now;
};
/// May also give another reason to what is suspended.
struct suspend {
  std::string reason;
  instant now;
  std::optional<request_key> request = {};
};
struct reinstate {
  instant now;
  std::optional<request_key> request = {};
};

/// @returns the event to store, or nothing when everything is as it is wanted. Where an order came
///   with a key there is an event even so, because a repeat must find its answer.
///   `provider_unknown` for a number that can't be; `provider_name_invalid`, `website_invalid`
result<std::optional<event>> decide(const state& provider, const enter& command);
/// @returns `provider_unknown`, `reason_invalid`
result<std::optional<event>> decide(const state& provider, const suspend& command);
/// @returns `provider_unknown`
result<std::optional<event>> decide(const state& provider, const reinstate& command);

/// Brings the provider up to date. Never fails.
void apply(state& provider, const event& what);

/// What an order with this key was answered; nothing if it is new, or older than the newest
/// `orders_max`.
/// @returns `idempotency_conflict` when the key came with another request.
std::optional<result<wire::Card>> find_repeat(const state& provider,
                                              const std::optional<request_key>& request);

}  // namespace gelombang::provider
