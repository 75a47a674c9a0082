#pragma once

#include <filesystem>

#include "net/mailer/sender.hpp"

namespace gelombang::mailer {

/// Writes each letter as one `.eml` file, for development and for tests: any mail reader opens it.
/// Names sort by date. A file appears complete or not at all.
class directory_sender final : public mail_sender {
public:
  /// The directory is made when the first letter needs it.
  explicit directory_sender(std::filesystem::path directory);

  /// @returns a temporary fault when the directory cannot be written: an operator can mend that.
  send_result send(const letter& what) override;

private:
  std::filesystem::path directory_;
};

}  // namespace gelombang::mailer
