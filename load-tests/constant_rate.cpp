// Requests at a constant rate, whatever the server does: an open-loop load generator.
//
// A closed-loop generator waits for a slow server and so hides how long people would have waited.
// Here request i is due at start + i / rate, and its latency counts from that moment, whether a
// connection was free then or not. One thread; each connection has one request under way.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using steady = std::chrono::steady_clock;
using nanoseconds = std::chrono::nanoseconds;

/// Requests that fall due within one tick are sent together: finer would cost the server, which
/// shares these cores, more than it would tell.
constexpr nanoseconds tick{100'000};
/// How long after the last request answers are waited for.
constexpr std::chrono::seconds patience{10};

struct options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string method = "POST";
  std::string path = "/v1/waves/current/join";
  std::string tokens;
  std::size_t skip = 0;
  double rate = 1000;
  double seconds = 10;
  double warm_up_seconds = 1;
  int connections = 64;

  std::size_t requests() const {
    return static_cast<std::size_t>(rate * (seconds + warm_up_seconds));
  }
};

/// One request a token, in full, before anything is measured.
std::vector<std::string> requests_for(const options& how) {
  const auto head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer ", how.method,
                                how.path, how.address);
  const std::string_view tail = how.method == "GET" ? "\r\n\r\n" : "\r\nContent-Length: 0\r\n\r\n";
  std::ifstream file{how.tokens};
  if (!file) throw std::runtime_error(how.tokens + " cannot be read");
  std::vector<std::string> requests;
  requests.reserve(how.requests());
  std::string token;
  for (std::size_t line = 0; requests.size() < how.requests() && std::getline(file, token); ++line)
    if (line >= how.skip) requests.push_back(fmt::format("{}{}{}", head, token, tail));
  if (requests.size() < how.requests())
    throw std::runtime_error(fmt::format("{} has {} tokens behind the {} skipped, {} are needed",
                                         how.tokens, requests.size(), how.skip, how.requests()));
  return requests;
}

int connected_socket(const options& how) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(how.port);
  if (::inet_pton(AF_INET, how.address.c_str(), &to.sin_addr) != 1 ||
      ::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("no connection to " + how.address + ": " + std::strerror(errno));
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

/// Takes bytes until one response is complete.
class response_reader {
public:
  /// @returns the status once the response is complete, which makes the reader fresh again.
  std::optional<int> take(std::string_view bytes) {
    text_.append(bytes);
    const auto head = text_.find("\r\n\r\n");
    if (head == std::string::npos || text_.size() < head + 4 + content_length(head))
      return std::nullopt;
    int status = 0;
    if (text_.size() >= 12) std::from_chars(text_.data() + 9, text_.data() + 12, status);
    text_.clear();
    return status;
  }

private:
  std::size_t content_length(std::size_t head) const {
    constexpr std::string_view name = "content-length:";
    const auto same = [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == b;
    };
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(head);
    auto at = std::search(text_.begin(), end, name.begin(), name.end(), same);
    if (at == end) return 0;
    at = std::find_if(at + static_cast<std::ptrdiff_t>(name.size()), end,
                      [](char c) { return c != ' '; });
    std::size_t length = 0;
    std::from_chars(&*at, &*end, length);
    return length;
  }

  std::string text_;
};

struct connection {
  int socket = -1;
  std::size_t request = 0;  ///< the one under way
  response_reader reader;
};

/// What came back.
struct tally {
  std::vector<std::uint32_t> microseconds;  ///< of successes after the warm-up
  std::uint64_t succeeded = 0, refused = 0, lost = 0;
  nanoseconds took{};
};

class generator {
public:
  generator(const options& how, std::vector<std::string> requests)
      : how_(how), requests_(std::move(requests)), epoll_(::epoll_create1(0)) {
    connections_.resize(static_cast<std::size_t>(how.connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i].socket = connected_socket(how);
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[i].socket, &event);
      idle_.push_back(i);
    }
  }
  generator(const generator&) = delete;
  generator& operator=(const generator&) = delete;
  ~generator() {
    for (auto& each : connections_)
      if (each.socket >= 0) ::close(each.socket);
    ::close(epoll_);
  }

  tally run() {
    start_ = steady::now();
    const auto give_up = due(requests_.size()) + patience;
    while (ended() < requests_.size() && alive_ > 0 && steady::now() < give_up) {
      send_what_is_due();
      receive();
    }
    tally_.lost += requests_.size() - ended();
    tally_.took = steady::now() - start_;
    return std::move(tally_);
  }

private:
  steady::time_point due(std::size_t request) const {
    return start_ + std::chrono::duration_cast<nanoseconds>(
                        std::chrono::duration<double>(static_cast<double>(request) / how_.rate));
  }

  std::uint64_t ended() const { return tally_.succeeded + tally_.refused + tally_.lost; }

  void send_what_is_due() {
    const auto now = steady::now();
    while (next_ < requests_.size() && !idle_.empty() && due(next_) <= now) {
      auto& with = connections_[idle_.back()];
      idle_.pop_back();
      with.request = next_++;
      const auto& text = requests_[with.request];
      if (::send(with.socket, text.data(), text.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(text.size()))
        lose(with);
    }
  }

  void receive() {
    epoll_event events[256];
    const auto pause = next_ < requests_.size() && !idle_.empty()
                           ? std::max(nanoseconds{due(next_) - steady::now()}, tick)
                           : nanoseconds{std::chrono::milliseconds{10}};
    const timespec wait{.tv_sec = 0, .tv_nsec = std::min<long>(pause.count(), 999'999'999)};
    const int ready = ::epoll_pwait2(epoll_, events, std::size(events), &wait, nullptr);
    for (int i = 0; i < ready; ++i) read_from(events[i].data.u64);
  }

  void read_from(std::size_t index) {
    char buffer[16 * 1024];
    auto& from = connections_[index];
    const auto size = ::recv(from.socket, buffer, sizeof buffer, 0);
    if (size <= 0) return lose(from);
    const auto status = from.reader.take({buffer, static_cast<std::size_t>(size)});
    if (!status) return;
    note(from.request, *status);
    idle_.push_back(index);
  }

  void note(std::size_t request, int status) {
    if (status < 200 || status >= 300) {
      ++tally_.refused;
      return;
    }
    ++tally_.succeeded;
    if (static_cast<double>(request) < how_.rate * how_.warm_up_seconds) return;
    const auto latency = steady::now() - due(request);
    tally_.microseconds.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(latency).count()));
  }

  void lose(connection& which) {
    ::close(which.socket);
    which.socket = -1;
    --alive_;
    ++tally_.lost;
  }

  const options& how_;
  std::vector<std::string> requests_;
  int epoll_;
  std::vector<connection> connections_;
  std::vector<std::size_t> idle_;
  std::size_t next_ = 0;
  std::size_t alive_ = static_cast<std::size_t>(how_.connections);
  steady::time_point start_{};
  tally tally_;
};

std::uint32_t quantile(const std::vector<std::uint32_t>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(static_cast<double>(sorted.size()) * part))];
}

int report(const options& how, tally outcome) {
  auto& times = outcome.microseconds;
  std::sort(times.begin(), times.end());
  const auto seconds = std::chrono::duration<double>(outcome.took).count();
  std::printf("rate_asked %.0f\nrate_served %.0f\nsucceeded %llu\nrefused %llu\nlost %llu\n",
              how.rate, static_cast<double>(outcome.succeeded) / seconds,
              static_cast<unsigned long long>(outcome.succeeded),
              static_cast<unsigned long long>(outcome.refused),
              static_cast<unsigned long long>(outcome.lost));
  std::printf("p50_us %u\np90_us %u\np99_us %u\np999_us %u\nmax_us %u\n", quantile(times, 0.5),
              quantile(times, 0.9), quantile(times, 0.99), quantile(times, 0.999),
              quantile(times, 1));
  return outcome.refused + outcome.lost == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  options how;
  CLI::App app{"Requests at a constant rate, latency from the moment each was due"};
  app.add_option("--address", how.address, "IPv4 address of the server");
  app.add_option("--port", how.port);
  app.add_option("--method", how.method, "GET or POST (without a body)");
  app.add_option("--path", how.path);
  app.add_option("--tokens", how.tokens, "file with one access token a line; each is used once")
      ->required();
  app.add_option("--skip", how.skip, "tokens at the beginning of the file to leave out");
  app.add_option("--rate", how.rate, "requests a second")->check(CLI::PositiveNumber);
  app.add_option("--seconds", how.seconds)->check(CLI::PositiveNumber);
  app.add_option("--warm-up-seconds", how.warm_up_seconds, "before what is measured");
  app.add_option("--connections", how.connections)->check(CLI::Range(1, 10'000));
  CLI11_PARSE(app, count, arguments);
  try {
    generator load{how, requests_for(how)};
    return report(how, load.run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "constant_rate: %s\n", error.what());
    return 3;
  }
}
