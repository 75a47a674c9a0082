#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "net/mailer/sender.hpp"

namespace gelombang::mailer {

enum class smtp_security {
  none,
  starttls,  ///< refuses to send when the server offers none
  tls,       ///< from the first byte
};

struct smtp_options {
  std::string host = "localhost";
  std::uint16_t port = 25;
  smtp_security security = smtp_security::none;
  std::string user = {};  ///< empty: no authentication
  std::string password = {};
  std::string certificates = {};  ///< PEM file of the authorities trusted; empty: the system's
  std::chrono::milliseconds timeout{30'000};  ///< for one letter, connecting included
};

/// Sends through one SMTP relay, over one connection that is kept and made again when it is lost.
class smtp_sender final : public mail_sender {
public:
  explicit smtp_sender(smtp_options options);
  ~smtp_sender() override;

  /// Permanent is only what the relay says about this letter (5xx to MAIL, RCPT or the message);
  /// a relay that turns *us* away (greeting, TLS, password) is the operator's to mend, so
  /// temporary.
  send_result send(const letter& what) override;

private:
  class connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace gelombang::mailer
