#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>

namespace gelombang::runtime {

/// Answers a request that can't be handled any more with an error; what is no request is dropped:
/// mail and deadlines come again by themselves.
void bounce(const caf::strong_actor_ptr& to, const caf::mailbox_element& message);

}  // namespace gelombang::runtime
