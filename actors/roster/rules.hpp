#pragma once

#include <string>

#include "actors/programme/clock.hpp"
#include "actors/programme/result.hpp"
#include "actors/roster/roster.pb.h"

/// One shard's part of a wave: taking joins, frozen, settled. What the wave asks for comes as mail
/// and may come again, so what is done already leads to nothing.
namespace gelombang::roster {

using state = wire::State;
using event = wire::Event;

/// Who would be a member after an announcement: read from the draw's files.
struct accepted_here {
  google::protobuf::RepeatedField<std::uint64_t> applicants;
};

/// @returns `wave_out_of_order` when there is nothing to store: done already, or too late.
result<event> decide(const state& roster, const wire::Schedule& ask, instant now);
result<event> decide(const state& roster, const wire::Freeze& ask, std::uint64_t joined,
                     instant now);
result<event> decide(const state& roster, const wire::Settle& ask, accepted_here&& accepted,
                     instant now);
result<event> decide(const state& roster, const wire::Cancel& ask, instant now);

void apply(state& roster, const event& what);

/// Whether joins are let through the shard's gate; the clock is asked besides.
bool gate_open(const state& roster);

}  // namespace gelombang::roster
