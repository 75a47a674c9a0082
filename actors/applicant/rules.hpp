#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/applicant/applicant.pb.h"
#include "actors/applicant/assessment.hpp"
#include "actors/applicant/commands.hpp"
#include "actors/applicant/eligibility.hpp"
#include "actors/applicant/participation.hpp"
#include "actors/applicant/replies.hpp"
#include "actors/applicant/secrets.hpp"
#include "actors/programme/region.hpp"
#include "actors/registry/registry.pb.h"

/// What an applicant may do and what follows from it. Pure: the same state, command and facts give
/// the same decision, byte for byte.
namespace gelombang::applicant {

/// A question or an order to the registry.
struct registry_mail {
  enum class kind : std::uint8_t { person, family, phone };
  kind to{};
  std::uint64_t id = 0;
  registry::wire::Ask ask;
};

/// What leaves with the events of a decision, in the same frame.
using outgoing = std::variant<registry_mail, wire::Letter>;

/// What a command leads to: events to be stored and then applied in this order, mail to go with
/// them, and the reply, for when they are durable. A refusal can have events too: a wrong code
/// counts although it is refused.
template <class Reply>
struct decision {
  std::vector<wire::Event> events = {};
  std::vector<outgoing> mail = {};
  result<Reply> reply;
};

/// Brings `state` up to date with something that has happened. Never fails: events are facts.
void apply(wire::State& state, const wire::Event& event);

// --- account and sessions (account_rules.cpp)
// -----------------------------------------------------

decision<void> decide(applicant_id self, const wire::State& state, const enter_email& command,
                      const std::string& sealed_email);

/// `expected` is `expected_code` for this state.
/// @returns `code_expired` when no code is waiting (none sent, too old, or too many tries),
///   `code_wrong` with the tries left.
decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const verify_email& command, std::string_view expected);

password_facts answer_to(const wire::State& state, const read_verifier& query);

/// @returns `credentials_wrong` when the password was changed since it was read.
decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const open_session& command);

/// The previous token gets the newest grant again for `refresh_grace`; an older one ends the
/// session, because somebody has a copy.
/// @returns `session_unknown`.
decision<session_grant> decide(applicant_id self, const wire::State& state,
                               const refresh_session& command);

decision<void> decide(const wire::State& state, const close_session& command);

/// @returns `not_found` when there is no account; so do `block` and `unblock`.
decision<void> decide(const wire::State& state, const grant_roles& command);
decision<void> decide(const wire::State& state, const block& command);
decision<void> decide(const wire::State& state, const unblock& command);

// --- who one is (identity_rules.cpp)
// --------------------------------------------------------------

/// Begins a claim: first the NIK, then the family card. The same identity again changes nothing.
/// @returns `name_invalid`, `birth_date_invalid`, `nik_invalid` (contradicts the birth date),
///   `region_unknown`; `identity_pending`, `identity_fixed` for another identity than the one that
///   is being checked or has been verified; `stage_out_of_order`, `account_blocked`, `not_found`.
decision<void> decide(applicant_id self, const wire::State& state, const submit_identity& command,
                      const identity_secrets& secrets, const region_table& regions);

/// Tells whether the same identity is submitted again, without keeping the NIK's hash: a SipHash,
/// keyed with that hash, of all the rest. `name` is as `normalise_name` gives it.
std::uint64_t tag_of(const submit_identity& command, const identity_secrets& secrets,
                     std::string_view name);

/// Whether the identity stands: nothing while the registry is being asked, then success, or the
/// refusal by which it was rejected (`nik_taken`, `family_region_mismatch`, `kk_invalid`).
std::optional<result<void>> identity_answer(const wire::State& state);

/// @returns `field_invalid`, `stage_out_of_order` (without an identity), `account_blocked`,
///   `not_found`.
decision<void> decide(applicant_id self, const wire::State& state, const set_profile& command,
                      const phone_secrets& secrets);

/// Whether the last phone number asked for is ours: as `identity_answer`, with `phone_taken`.
std::optional<result<void>> phone_answer(const wire::State& state);

/// @returns what `score_of` does; `stage_out_of_order` (without a profile), `account_blocked`,
///   `not_found`. A version that was taken already gives the stored result.
decision<assessment_result> decide(const wire::State& state, const take_assessment& command,
                                   const assessment& questions);

/// What the registry says. An answer to a claim that has been overtaken changes nothing.
decision<void> decide(applicant_id self, const wire::State& state, const wire::Notice& notice,
                      instant now);

/// @returns `internal` when something sealed can't be opened, `not_found` without an account.
result<me> answer_to(applicant_id self, const wire::State& state, const read_me& query,
                     const keyring& keys);

// --- waves (wave_rules.cpp)
// -------------------------------------------------------------------------

/// What a join must know of the wave and of the person's own rows.
struct wave_view {
  wave_number number{};
  bool open = false;  ///< takes joins and withdrawals
  instant opens_at{};
  const eligibility_rules* eligibility = nullptr;    ///< of the wave's scheme; never null
  std::optional<wave_number> member_since = {};      ///< accepted in an earlier wave
  std::optional<applicant::participation> row = {};  ///< of this wave
  entry_id entry{};                                  ///< `keyring::entry_of`
};

/// A join makes one row and one event (`joined_event`) and leaves the snapshot alone, so it has a
/// decision of its own without the allocations of the general one.
struct join_decision {
  std::optional<participation> row = {};  ///< to be stored, if the join is new
  std::optional<wire::Event> event =
      {};  ///< changes the snapshot, if there is something to remember
  result<receipt> reply;
};

/// @returns `wave_not_open`, `already_member`, `not_ready`, `not_eligible` with the reason,
///   `account_blocked`, `not_found`, `idempotency_conflict`.
join_decision decide(const wire::State& state, const join& command, const wave_view& wave);

/// @returns `not_joined`, `wave_not_open`, `account_blocked`, `not_found`, `idempotency_conflict`:
///   that also for the key of the very join that is to be taken back, however old it is.
decision<void> decide(const wire::State& state, const withdraw& command, const wave_view& wave);

wave_standing answer_to(const wire::State& state, const read_wave& query, const wave_view& wave);

// --- repeats (requests.cpp)
// -------------------------------------------------------------------------

/// What a request with this key was answered; nothing if it is new or was more than
/// `request_lifetime` ago.
/// @returns `idempotency_conflict` when the key came with another request.
std::optional<result<wire::Answer>> find_repeat(const wire::State& state,
                                                const std::optional<request_key>& request,
                                                instant now);

/// Whether the request's key is that of a join with this row, and the request another one: such a
/// key is no longer free, and stands nowhere else. Forgotten after `request_lifetime`, as all keys
/// are.
bool is_key_of_join(const participation& row, const std::optional<request_key>& request,
                    instant now);

/// What the command behind `event` is answered, `after` it was applied.
wire::Answer answer_of(const wire::State& after, const wire::Event& event);

}  // namespace gelombang::applicant
