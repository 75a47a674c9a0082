#pragma once

#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {

class exchange;

/// Answers with the room's state.
void show_room(waiting_room& room, exchange& x);

/// Sets mode and rate as the body says, and answers with the state that follows, or with what is
/// wrong. What is set holds until the node ends.
void set_room(waiting_room& room, exchange& x);

}  // namespace gelombang::net
