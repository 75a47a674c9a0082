#pragma once

#include <string>
#include <tl/expected.hpp>

#include "net/mailer/letter.hpp"

namespace gelombang::mailer {

enum class send_fault {
  temporary,  ///< not now: no connection, no answer in time, a 4xx, a full disk
  permanent,  ///< never: the receiving side refused this letter for good
};

struct send_error {
  send_fault kind;
  std::string detail;  ///< for the log; never the code or the address
};

using send_result = tl::expected<void, send_error>;

/// Hands letters over to whatever carries them. Used by one thread at a time; may block.
class mail_sender {
public:
  virtual ~mail_sender() = default;

  /// Returns when somebody else answers for the letter: the relay has accepted it, the file stands.
  virtual send_result send(const letter& what) = 0;
};

/// Drops every letter: `[mail] kind = "off"`, for measurements.
class no_sender final : public mail_sender {
public:
  send_result send(const letter&) override { return {}; }
};

}  // namespace gelombang::mailer
