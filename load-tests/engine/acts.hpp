#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load-tests/engine/people.hpp"
#include "load-tests/engine/scenario.hpp"
#include "load-tests/engine/wire.hpp"

namespace gelombang::load {

/// What somebody has in hand between steps.
struct traveller_state {
  std::uint64_t number = 0;                 ///< of the person
  std::string_view given_token;             ///< from the file of tokens; it outlives the run
  std::string access_token, refresh_token;  ///< of this person's own session
  std::string idempotency_key;
  std::string status_tag, schedule_tag;
  std::string entry;              ///< of the receipt
  std::uint32_t codes_asked = 0;  ///< letters that have been sent to this person here

  std::string_view token() const { return access_token.empty() ? given_token : access_token; }
};

/// What a step needs beside the person.
struct surroundings_of_acts {
  const people& who;
  std::string_view wave, password, assessment;
};

/// A step's request.
struct prepared_request {
  std::string_view method;
  std::string path = {}, body = {};
  std::string_view token = {}, if_none_match = {};
  bool changes_something = false;  ///< it goes into the log, and has an idempotency key
};

prepared_request prepare(const step& what, const traveller_state& who,
                         const surroundings_of_acts& around);

/// Keeps what later steps need of an answer; @returns what proves the operation: of a join the
/// entry id, of a verified account its id.
std::string keep(const step& what, traveller_state& who, const answer& told);

/// Whether a person goes on after this answer: 2xx, or what he had is still true (304).
bool is_success(int status);

/// The text of a member of a flat JSON object; empty where there is none.
std::string member_of(std::string_view json, std::string_view name);

}  // namespace gelombang::load
