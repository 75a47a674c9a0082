#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/applicant/profile.hpp"
#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/programme/nik.hpp"
#include "actors/programme/request_key.hpp"

/// Everything an applicant can do, and everything that can be done to one. Each command says when
/// it is, so that the rules need no clock.
namespace gelombang::applicant {

using gelombang::request_key;

// --- account and sessions -----------------------------------------------------------------------

/// Makes the account if there is none, and has a code mailed. Always accepted, and silent about
/// whether the address is known and whether the limit on letters was reached.
struct enter_email {
  std::string email;  ///< as `normalise_email` gives it; the account is `keyring::account_of` it
  applicant::language language = language::indonesian;
  instant now{};
};

/// Proves that the address is one's own and sets the password; on a verified account, sets a new
/// password and ends all sessions. Opens a session.
struct verify_email {
  std::string code;
  std::string password_verifier;  ///< Argon2id, made by the front door
  std::optional<request_key> request = {};
  instant now{};
};

/// Asks for what the front door needs to check a password (which takes long, so it is done there).
struct read_verifier {
  instant now{};
};

/// The front door has found the password to be right for `password_verifier`.
struct open_session {
  std::string
      password_verifier;  ///< as read: if it has been changed meanwhile, it was the wrong one
  std::optional<request_key> request = {};
  instant now{};
};

/// Exchanges a refresh token for the next one.
struct refresh_session {
  std::uint32_t session = 0;
  std::uint32_t generation = 0;  ///< of the token that is given back
  std::optional<request_key> request = {};
  instant now{};
};

/// Signs out. Closing what is closed is fine.
struct close_session {
  std::uint32_t session = 0;
  instant now{};
};

/// Sets all roles of the account. Only configuration and operators can ask for it.
struct grant_roles {
  std::uint32_t roles = 0;
  instant now{};
};

// --- who one is ---------------------------------------------------------------------------------

/// Says who one is. The registry is asked whether the NIK is free and the family card agrees;
/// `identity_answer` tells when it has answered.
struct submit_identity {
  nik number;
  kk card;
  std::string full_name;
  date birth_date{};
  region_code region{};  ///< of the family card's domicile
  std::optional<request_key> request = {};
  instant now{};
};

/// Says what one does. Possible from the moment an identity is submitted, and again at any time;
/// a participation keeps the groups it was made with. `phone_answer` tells what the registry said.
struct set_profile {
  std::string phone;  ///< as `normalise_phone` gives it
  applicant::education education{};
  applicant::employment employment{};
  bool disability = false;
  bool returned_migrant = false;
  std::optional<request_key> request = {};
  instant now{};
};

struct answer {
  std::string question;  ///< id
  std::string option;    ///< id
};

/// Answers all questions. Once for each version of the questions; nobody fails.
struct take_assessment {
  std::vector<answer> answers;
  std::optional<request_key> request = {};
  instant now{};
};

struct read_me {
  instant now{};
};

// --- waves --------------------------------------------------------------------------------------

/// One click. Again: the same receipt.
struct join {
  wave_number wave;
  std::optional<request_key> request = {};
  instant now{};
};

/// While the wave is open.
struct withdraw {
  wave_number wave;
  std::optional<request_key> request = {};
  instant now{};
};

/// One's own standing in a wave.
struct read_wave {
  wave_number wave;
  instant now{};
};

// --- officers -----------------------------------------------------------------------------------

/// Stops everything but signing in and reading. Blocking again changes the reason.
struct block {
  std::string reason;
  instant now{};
};

struct unblock {
  instant now{};
};

}  // namespace gelombang::applicant
