#pragma once

#include <caf/all.hpp>

#include "actors/programme/clock.hpp"
#include "actors/runtime/mail.hpp"

namespace gelombang::runtime {

/// A mail has arrived for this entity. Seen before: to be acknowledged, nothing else.
struct mail_arrived {
  mail_source source;
  std::string body;
};

/// A deadline of this entity has come. Comes again until a step clears it.
struct deadline_reached {
  instant due;
  std::uint32_t tag = 0;
};

/// Rows that an actor asked for with `entity_actor::fetch` are there.
struct rows_fetched {
  std::uint64_t token = 0;
  std::vector<std::optional<std::string>> values;
};

}  // namespace gelombang::runtime

CAF_BEGIN_TYPE_ID_BLOCK(gelombang_runtime, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(gelombang_runtime, (gelombang::runtime::mail_arrived))
CAF_ADD_TYPE_ID(gelombang_runtime, (gelombang::runtime::deadline_reached))
CAF_ADD_TYPE_ID(gelombang_runtime, (gelombang::runtime::rows_fetched))
CAF_END_TYPE_ID_BLOCK(gelombang_runtime)

// These stay on their node: between nodes mail travels in frames.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::mail_arrived)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::deadline_reached)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::rows_fetched)
