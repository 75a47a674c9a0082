#pragma once

#include "actors/applicant/assessment.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/region.hpp"
#include "actors/programme/time.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/wave.pb.h"
#include "net/command/settings.hpp"

namespace gelombang::command {

/// On empty data: an operator and an applicant in state `ready` who can sign in at once, and an
/// open wave, all made by the ordinary commands. On data that has them: nothing.
/// @returns what went wrong.
tl::expected<void, std::string> make_demo(runtime::node& node, const keyring& keys,
                                          const settings& with, const region_table& regions,
                                          const applicant::assessment& questions);

/// Whether operator and applicant of the demo have accounts with the passwords that the settings
/// give them: not in data that was begun otherwise.
bool can_sign_in(runtime::node& node, const keyring& keys, const settings& with);

/// The regular plan of a wave in `window`, from configuration.
wave::wire::Plan plan_of(const settings& with, const wave_window& window,
                         const region_table& regions);

}  // namespace gelombang::command
