#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/system/support/process.hpp"

namespace gelombang::system_testing {

inline constexpr std::chrono::seconds patience{60};

/// A directory of its own, removed with it.
class scratch {
public:
  explicit scratch(const std::filesystem::path& below = std::filesystem::temp_directory_path());
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch();
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// Where a node has its things.
struct home {
  explicit home(const std::filesystem::path& root)
      : data(root / "data"), key(root / "master.key"), mail(root / "mail"), log(root / "log") {}
  std::filesystem::path data, key, mail, log;
};

/// The program's command line.
std::vector<std::string> command(std::vector<std::string> arguments);
/// The same for commands that read a configuration: --config, --data-dir, --set of this home.
std::vector<std::string> command_at(const home& where, std::vector<std::string> arguments);

/// `gelombang serve` as people run it: on 127.0.0.1, on a port of the system's choice.
class node {
public:
  explicit node(home where, std::vector<std::string> settings = {}, std::uint16_t listen_at = 0)
      : home_(std::move(where)), settings_(std::move(settings)), listen_at_(listen_at) {}

  /// Starts it and waits until it serves.
  /// @returns false when it ends before; `ended` tells how.
  bool start();
  /// Starts it and waits for nothing.
  void begin();
  /// Waits for "ready" after `begin`.
  bool wait_until_ready();
  void kill();
  /// Tells it to end. @returns how it did, or nothing when it did not within `within`.
  std::optional<ending> interrupt(std::chrono::milliseconds within = patience);
  std::optional<ending> wait(std::chrono::milliseconds within = patience);
  void send(int signal) { process_->send(signal); }

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const home& where() const { return home_; }
  std::string log() const { return content_of(home_.log); }

private:
  home home_;
  std::vector<std::string> settings_;
  std::uint16_t listen_at_;
  std::optional<process> process_;
  std::uint16_t port_ = 0;
};

/// The lines of a text.
std::vector<std::string> lines_of(const std::string& text);

/// Synthetic applicants 1 to `count` into stopped data. @returns what the command said.
finished seed(const home& where, unsigned count);
std::vector<std::string> applicant_tokens(const home& where, unsigned count);
std::string operator_token(const home& where);
finished audit(const std::filesystem::path& data);

}  // namespace gelombang::system_testing
