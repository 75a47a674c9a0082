#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gelombang::system_testing {

/// How a process ended: by itself with a code, or by a signal.
struct ending {
  int code = -1;
  int signal = 0;
  friend bool operator==(const ending&, const ending&) = default;
};

/// A child process. Whatever becomes of the test, it does not outlive it: the destructor kills it
/// by its id, and the kernel does when the test itself dies. Started and ended on one thread.
class process {
public:
  /// Starts `arguments[0]`. Its standard error is added to `errors`.
  process(const std::vector<std::string>& arguments, const std::filesystem::path& errors);
  process(process&& other) noexcept;
  process& operator=(process&&) = delete;
  ~process();

  /// The next line of its standard output; nothing when it has ended or `within` is over.
  std::optional<std::string> read_line(std::chrono::milliseconds within);

  /// All that is left of its standard output and how it ended; nothing when `within` is over.
  std::optional<ending> wait(std::chrono::milliseconds within);

  void send(int signal) const;
  /// SIGKILL, and waits for the end.
  void kill();

  const std::string& output() const { return output_; }

private:
  /// Reads what is there; @returns false at the end of the output or of the time.
  bool read_more(std::chrono::steady_clock::time_point until);
  void reap();

  pid_t id_ = -1;
  int pipe_ = -1;
  std::size_t lines_read_up_to_ = 0;
  bool at_end_ = false;
  std::string output_;
  std::optional<ending> ended_;
};

/// What a command that runs to its end has said.
struct finished {
  ending how;
  std::string out;
  std::string err;
};

/// Runs a command to its end; killed after `within`.
finished run(const std::vector<std::string>& arguments,
             std::chrono::milliseconds within = std::chrono::seconds{120});

/// The content of a file; empty if there is none.
std::string content_of(const std::filesystem::path& file);

}  // namespace gelombang::system_testing
