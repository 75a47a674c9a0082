#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "actors/programme/clock.hpp"

namespace gelombang::mailer {

/// Names a job for whoever gave it: the shard whose durable mail it is, and its number there.
struct job_id {
  std::uint32_t origin = 0;
  std::uint64_t sequence = 0;

  friend bool operator==(const job_id&, const job_id&) = default;
};

/// Which text a letter carries.
enum class letter_kind : std::uint8_t {
  code,  ///< the six digits that prove an address and let its owner set a password
};

/// What is to be told to whom. `code` is shown as it stands.
struct job {
  job_id id;
  std::string to;
  letter_kind kind = letter_kind::code;
  std::string code;
};

/// A letter ready to be sent: bare addresses for the envelope, and the whole message in RFC 5322
/// form, lines ended by CRLF.
struct letter {
  std::string from;
  std::string to;
  std::string message_id;  ///< without the angle brackets
  std::string message;
  instant date{};
};

/// A mailbox: "Name <local@domain>" or a bare address.
struct mailbox {
  std::string name;
  std::string address;
};

/// Is this an address that may stand in an envelope and a header? One `@`, ASCII without spaces,
/// control characters or angle brackets, at most 254 characters (RFC 5321, 4.5.3.1): nothing with
/// which a second header or command could be smuggled in.
bool is_safe_address(std::string_view address);

/// @returns a text that says what is wrong with it, for the operator who configured it.
tl::expected<mailbox, std::string> parse_mailbox(std::string_view text);

/// Writes the letter for a job. The same job gives the same Message-ID at any time, so that a
/// letter that is delivered twice can be recognised as one.
/// @returns nothing but a reason when the address is not safe: sending it can never succeed.
tl::expected<letter, std::string> write_letter(const job& what, const mailbox& from, instant now);

}  // namespace gelombang::mailer
