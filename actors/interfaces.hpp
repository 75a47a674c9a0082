#pragma once

#include <caf/all.hpp>
#include <memory>

#include "actors/applicant/commands.hpp"
#include "actors/applicant/replies.hpp"
#include "actors/provider/rules.hpp"
#include "actors/registry/registry.pb.h"
#include "actors/runtime/entity_actor.hpp"
#include "actors/wave/rules.hpp"

/// The map of all actors: who understands what, and what comes back. Every answer is an
/// `outcome`: the value, or the refusal; it leaves when what it tells is durable.
namespace gelombang {

using runtime::acknowledged;
using runtime::outcome;

namespace applicant {

/// The draw has made this applicant a member; told to those who are awake.
struct became_member {
  wave_number wave;
};

/// One's own standing in a wave, with what the announcement made of it.
struct standing {
  wave_standing own;
  bool accepted = false;   ///< became a member in this wave
  bool is_member = false;  ///< has become one in this wave or another
};

using applicant_actor = caf::typed_actor<
    // Makes the account, has a code mailed.
    caf::replies_to<enter_email>::with<outcome<acknowledged>>,
    // Proves the address, sets the password, opens a session.
    caf::replies_to<verify_email>::with<outcome<session_grant>>,
    // What the front door needs to check a password.
    caf::replies_to<read_verifier>::with<outcome<password_facts>>,
    // The password was right.
    caf::replies_to<open_session>::with<outcome<session_grant>>,
    // A refresh token for the next one.
    caf::replies_to<refresh_session>::with<outcome<session_grant>>,
    // Signs out.
    caf::replies_to<close_session>::with<outcome<acknowledged>>,
    // Sets the roles of the account.
    caf::replies_to<grant_roles>::with<outcome<acknowledged>>,
    // Says who one is; answered when the registry has answered.
    caf::replies_to<submit_identity>::with<outcome<acknowledged>>,
    // Says what one does; answered when the registry has answered for the phone.
    caf::replies_to<set_profile>::with<outcome<acknowledged>>,
    // Answers the questions.
    caf::replies_to<take_assessment>::with<outcome<assessment_result>>,
    // Everything a person sees of himself.
    caf::replies_to<read_me>::with<outcome<me>>,
    // One click.
    caf::replies_to<join>::with<outcome<receipt>>,
    // Takes the click back.
    caf::replies_to<withdraw>::with<outcome<acknowledged>>,
    // One's own standing in a wave.
    caf::replies_to<read_wave>::with<outcome<standing>>,
    // An officer stops the account, or lets it go on.
    caf::replies_to<block>::with<outcome<acknowledged>>,
    caf::replies_to<unblock>::with<outcome<acknowledged>>,
    // A wave has been announced.
    caf::reacts_to<became_member>>;

}  // namespace applicant

namespace registry {

/// An order from the front door: the import of a block list.
struct order {
  wire::Ask ask;
};

/// A NIK, a phone number or a family card. Applicants ask by mail.
using registry_actor = caf::typed_actor<caf::replies_to<order>::with<outcome<acknowledged>>>;

}  // namespace registry

namespace wave {

/// A wave as it stands.
struct facts {
  std::shared_ptr<const wire::State> wave;
};

struct show {};

/// The draw's desk has read the roster, or why it could not.
struct roster_read {
  result<wire::Commitment> commitment;
};

/// The draw's desk has drawn, or why it could not.
struct draw_made {
  result<wire::Result> drawn;
};

/// The draw's desk has the accepted ready for the shards, or why it has not.
struct settlement_read {
  result<void> readable;
};

/// What this wave shows to everybody is durable now.
struct publish {
  std::shared_ptr<const wire::State> wave;
};

using wave_actor = caf::typed_actor<
    // The wave as it stands; waits for its creation if that is under way.
    caf::replies_to<show>::with<outcome<facts>>,
    // What operators do. Answered when the wave has reached the state, on all shards.
    caf::replies_to<open>::with<outcome<facts>>, caf::replies_to<close>::with<outcome<facts>>,
    caf::replies_to<commit>::with<outcome<facts>>, caf::replies_to<hold_draw>::with<outcome<facts>>,
    caf::replies_to<announce>::with<outcome<facts>>, caf::replies_to<cancel>::with<outcome<facts>>,
    caf::reacts_to<roster_read>, caf::reacts_to<draw_made>, caf::reacts_to<settlement_read>,
    caf::reacts_to<publish>>;

/// Sees to it that the regular waves that open before `until` have been created.
struct keep_ahead {
  std::vector<wire::Plan> regular;  ///< in the order of their opening
  instant now;
};

using calendar_actor = caf::typed_actor<
    // Numbers a wave and creates it.
    caf::replies_to<create>::with<outcome<wave_number>>,
    caf::replies_to<keep_ahead>::with<outcome<acknowledged>>>;

}  // namespace wave

namespace roster {

/// Rosters and places understand mail only: from their wave, and from the rosters.
using roster_actor = caf::typed_actor<>;
using places_actor = caf::typed_actor<>;

}  // namespace roster

namespace provider {

/// A provider as everybody may know it.
struct facts {
  wire::Card card;
  bool is_new = false;  ///< registered by this very command
};

struct show {};

using provider_actor = caf::typed_actor<
    // The provider as it stands.
    caf::replies_to<show>::with<outcome<facts>>,
    // What operators do.
    caf::replies_to<enter>::with<outcome<facts>>, caf::replies_to<suspend>::with<outcome<facts>>,
    caf::replies_to<reinstate>::with<outcome<facts>>>;

}  // namespace provider

}  // namespace gelombang

/// Every command, in the order of their type ids: add at the end.
#define GELOMBANG_COMMANDS(X)                \
  X((gelombang::applicant::enter_email))     \
  X((gelombang::applicant::verify_email))    \
  X((gelombang::applicant::read_verifier))   \
  X((gelombang::applicant::open_session))    \
  X((gelombang::applicant::refresh_session)) \
  X((gelombang::applicant::close_session))   \
  X((gelombang::applicant::grant_roles))     \
  X((gelombang::applicant::submit_identity)) \
  X((gelombang::applicant::set_profile))     \
  X((gelombang::applicant::take_assessment)) \
  X((gelombang::applicant::read_me))         \
  X((gelombang::applicant::join))            \
  X((gelombang::applicant::withdraw))        \
  X((gelombang::applicant::read_wave))       \
  X((gelombang::applicant::block))           \
  X((gelombang::applicant::unblock))         \
  X((gelombang::applicant::became_member))   \
  X((gelombang::registry::order))            \
  X((gelombang::wave::create))               \
  X((gelombang::wave::show))                 \
  X((gelombang::wave::open))                 \
  X((gelombang::wave::close))                \
  X((gelombang::wave::commit))               \
  X((gelombang::wave::hold_draw))            \
  X((gelombang::wave::announce))             \
  X((gelombang::wave::cancel))               \
  X((gelombang::wave::roster_read))          \
  X((gelombang::wave::draw_made))            \
  X((gelombang::wave::publish))              \
  X((gelombang::wave::keep_ahead))           \
  X((gelombang::provider::show))             \
  X((gelombang::provider::enter))            \
  X((gelombang::provider::suspend))          \
  X((gelombang::provider::reinstate))        \
  X((gelombang::wave::settlement_read))

/// Every answer, likewise.
#define GELOMBANG_ANSWERS(X)                                       \
  X((gelombang::outcome<gelombang::acknowledged>))                 \
  X((gelombang::outcome<gelombang::applicant::session_grant>))     \
  X((gelombang::outcome<gelombang::applicant::password_facts>))    \
  X((gelombang::outcome<gelombang::applicant::assessment_result>)) \
  X((gelombang::outcome<gelombang::applicant::me>))                \
  X((gelombang::outcome<gelombang::applicant::receipt>))           \
  X((gelombang::outcome<gelombang::applicant::standing>))          \
  X((gelombang::outcome<gelombang::wave::facts>))                  \
  X((gelombang::outcome<gelombang::wave_number>))                  \
  X((gelombang::outcome<gelombang::provider::facts>))

#define GELOMBANG_TYPE_ID(type) CAF_ADD_TYPE_ID(gelombang_rooms, type)
CAF_BEGIN_TYPE_ID_BLOCK(gelombang_rooms, caf::first_custom_type_id + 40)
GELOMBANG_COMMANDS(GELOMBANG_TYPE_ID)
GELOMBANG_ANSWERS(GELOMBANG_TYPE_ID)
CAF_END_TYPE_ID_BLOCK(gelombang_rooms)
#undef GELOMBANG_TYPE_ID

#define GELOMBANG_STAYS_HERE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE type
GELOMBANG_COMMANDS(GELOMBANG_STAYS_HERE)
#undef GELOMBANG_STAYS_HERE
