#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "net/command/settings.hpp"

namespace gelombang::command {

/// Where the process says what happens: standard error, or a file that can be moved away under it.
class log_output {
public:
  /// Makes it the log of the whole process.
  /// @returns why the file can't be opened.
  static tl::expected<log_output, std::string> open(const settings& with);

  /// Goes on in a file of the same name: the one so far was moved away. When there can be no new
  /// one, the old one is kept. Nothing on standard error. Thread-safe.
  /// @returns why there can be no new one.
  tl::expected<void, std::string> reopen() const;

private:
  class sink;
  std::shared_ptr<sink> file_;
};

}  // namespace gelombang::command
