#include "tests/system/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace gelombang::system_testing {
namespace {

using std::chrono::steady_clock;

/// Between fork and exec: only what may be called there.
[[noreturn]] void become(char* const* arguments, int out, int errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

process::process(const std::vector<std::string>& arguments, const std::filesystem::path& errors) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const int log =
      ::open(errors.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (log < 0) throw std::runtime_error("no file " + errors.string());
  std::vector<char*> pointers;
  for (const auto& one : arguments) pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  const auto parent = ::getpid();
  id_ = ::fork();
  if (id_ == 0) become(pointers.data(), ends[1], log, parent);
  ::close(ends[1]);
  ::close(log);
  pipe_ = ends[0];
  if (id_ < 0) throw std::runtime_error("no process");
}

process::process(process&& other) noexcept
    : id_(std::exchange(other.id_, -1)),
      pipe_(std::exchange(other.pipe_, -1)),
      lines_read_up_to_(other.lines_read_up_to_),
      at_end_(other.at_end_),
      output_(std::move(other.output_)),
      ended_(other.ended_) {}

process::~process() {
  if (id_ > 0) kill();
  if (pipe_ >= 0) ::close(pipe_);
}

bool process::read_more(steady_clock::time_point until) {
  if (at_end_) return false;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
    pollfd waiting{pipe_, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    char bytes[4096];
    const auto got = ::read(pipe_, bytes, sizeof bytes);
    if (got > 0) {
      output_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
    at_end_ = true;
    return false;
  }
}

std::optional<std::string> process::read_line(std::chrono::milliseconds within) {
  const auto until = steady_clock::now() + within;
  for (;;) {
    const auto end = output_.find('\n', lines_read_up_to_);
    if (end != std::string::npos) {
      auto line = output_.substr(lines_read_up_to_, end - lines_read_up_to_);
      lines_read_up_to_ = end + 1;
      return line;
    }
    if (!read_more(until)) return std::nullopt;
  }
}

std::optional<ending> process::wait(std::chrono::milliseconds within) {
  const auto until = steady_clock::now() + within;
  while (read_more(until)) {
  }
  // Its end of the pipe closes when it ends, and not before.
  if (!at_end_) return std::nullopt;
  reap();
  return ended_;
}

void process::send(int signal) const {
  if (id_ > 0 && !ended_) ::kill(id_, signal);
}

void process::kill() {
  send(SIGKILL);
  reap();
}

void process::reap() {
  if (ended_ || id_ <= 0) return;
  int status = 0;
  while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = ending{};
  if (WIFEXITED(status)) ended_->code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended_->signal = WTERMSIG(status);
}

finished run(const std::vector<std::string>& arguments, std::chrono::milliseconds within) {
  auto name = (std::filesystem::temp_directory_path() / "gelombang-errors-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file >= 0) ::close(file);
  finished what;
  {
    process child{arguments, name};
    if (auto how = child.wait(within)) what.how = *how;
    what.out = child.output();
  }
  what.err = content_of(name);
  std::filesystem::remove(name);
  return what;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace gelombang::system_testing
