#pragma once

#include <cstdint>

namespace gelombang::net {

/// Whose request is given up first when not all can be served. A route says it (`route::urgency`).
enum class urgency : std::uint8_t {
  house,     ///< operators, health, metrics: never given up
  joining,   ///< a wave's clicks and who looks whether his counted: last
  entering,  ///< accounts, sessions, and what a person fills in
  browsing,  ///< what everybody may see, and whatever leads nowhere: first
};

}  // namespace gelombang::net
