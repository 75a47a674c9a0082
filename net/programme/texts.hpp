#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "actors/applicant/stages.hpp"
#include "actors/wave/rules.hpp"
#include "net/problem.hpp"

namespace gelombang::net {

/// A wave as everybody sees it. What happens inside (shards freezing, members being made) is
/// folded into what people know; a wave whose hour has struck is open, or closed, at once.
enum class wave_state : std::uint8_t {
  scheduled,
  open,
  closed,
  committed,
  drawn,
  announced,
  cancelled,
};

inline constexpr std::array all_wave_states = {
    wave_state::scheduled, wave_state::open,      wave_state::closed,   wave_state::committed,
    wave_state::drawn,     wave_state::announced, wave_state::cancelled};

/// How a person stands in a wave.
enum class own_state : std::uint8_t {
  not_open,
  can_join,
  cannot_join,
  joined,
  closed,  ///< without having joined; the draw is still to come
  in_selection,
  accepted,
  not_selected,
  not_joined,  ///< the wave is over
  cancelled,
};

inline constexpr std::array all_own_states = {
    own_state::not_open,   own_state::can_join,     own_state::cannot_join, own_state::joined,
    own_state::closed,     own_state::in_selection, own_state::accepted,    own_state::not_selected,
    own_state::not_joined, own_state::cancelled};

/// Why somebody who had joined was not selected.
enum class not_selected_for : std::uint8_t {
  reserve,         ///< the ticket is above the region's cut-off
  family_full,     ///< the family has all its places, by this draw or before it
  already_member,  ///< accepted in another wave before this one's roster was fixed
};

inline constexpr std::array all_reasons = {not_selected_for::reserve, not_selected_for::family_full,
                                           not_selected_for::already_member};

/// Names as the API has them.
std::string_view name_of(wave_state state);
std::string_view name_of(own_state state);
std::string_view name_of(not_selected_for reason);

/// What the state means, for people.
bilingual explanation_of(wave_state state);
bilingual explanation_of(own_state state);
/// Likewise of `not_selected`, with the reason.
bilingual explanation_of(not_selected_for reason);

/// What to do next, for people.
bilingual explanation_of(applicant::next_step step);

/// What whoever enters an address is told, known or not.
bilingual code_is_on_its_way();

}  // namespace gelombang::net
