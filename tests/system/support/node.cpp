#include "tests/system/support/node.hpp"

#include <signal.h>
#include <stdlib.h>

#include <sstream>
#include <stdexcept>

namespace gelombang::system_testing {

namespace fs = std::filesystem;

scratch::scratch(const fs::path& below) {
  auto name = (below / "gelombang-system-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("no directory " + name);
  path_ = name;
}

scratch::~scratch() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> command(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), GELOMBANG_PROGRAM);
  return arguments;
}

std::vector<std::string> command_at(const home& where, std::vector<std::string> arguments) {
  const fs::path source{GELOMBANG_SOURCE_DIR};
  auto set = [&](const std::string& key, const fs::path& value) {
    arguments.insert(arguments.end(), {"--set", key + "=\"" + value.string() + "\""});
  };
  arguments.insert(arguments.end(),
                   {"--config", source / "config/dev.toml", "--data-dir", where.data.string()});
  set("keys.file", where.key);
  set("mail.path", where.mail);
  set("programme.eligibility", source / "config/eligibility");
  set("programme.assessment", source / "config/assessment.toml");
  set("programme.regions", source / "config/regions.csv");
  return command(std::move(arguments));
}

void node::begin() {
  auto arguments =
      command_at(home_, {"serve", "--listen", "127.0.0.1:" + std::to_string(listen_at_)});
  // A handful of people does here what thousands do, without a pause.
  for (const char* one : {"demo.enabled=false", "waves.automatic=false",
                          "limits.requests_by_account_max=0", "limits.clicks_by_account_max=0"})
    arguments.insert(arguments.end(), {"--set", one});
  for (const auto& one : settings_) arguments.insert(arguments.end(), {"--set", one});
  process_.reset();
  process_.emplace(arguments, home_.log);
}

bool node::wait_until_ready() {
  const auto line = process_->read_line(patience);
  if (!line || line->rfind("ready http", 0) != 0) return false;
  port_ = static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)));
  return true;
}

bool node::start() {
  begin();
  return wait_until_ready();
}

void node::kill() {
  process_->kill();
}

std::optional<ending> node::interrupt(std::chrono::milliseconds within) {
  process_->send(SIGINT);
  return process_->wait(within);
}

std::optional<ending> node::wait(std::chrono::milliseconds within) {
  return process_->wait(within);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

finished seed(const home& where, unsigned count) {
  return run(command_at(where, {"seed", "--applicants", std::to_string(count)}));
}

std::vector<std::string> applicant_tokens(const home& where, unsigned count) {
  return lines_of(run(command_at(where, {"tokens", "--applicants", std::to_string(count)})).out);
}

std::string operator_token(const home& where) {
  const auto lines = lines_of(run(command_at(where, {"tokens", "--role", "operator"})).out);
  return lines.empty() ? std::string{} : lines.front();
}

finished audit(const fs::path& data) {
  return run(command({"audit", "verify", "--data-dir", data.string()}));
}

}  // namespace gelombang::system_testing
