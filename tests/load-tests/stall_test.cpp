#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>
#include <vector>

#include "load-tests/engine/reactor.hpp"
#include "load-tests/engine/run.hpp"

namespace gelombang::load {
namespace {

using namespace std::chrono_literals;

/// Answers every request at once, but for one stretch of time in which it does nothing at all; and
/// writes down when it answered whom. People are known by their tokens, which are their numbers.
class stalling_server {
public:
  stalling_server(time_point from, std::chrono::milliseconds length)
      : stall_from_(from), stall_to_(from + length), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&where), sizeof where);
    ::listen(listener_, 1000);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size);
    port_ = ntohs(where.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~stalling_server() {
    end();
    ::close(listener_);
  }
  stalling_server(const stalling_server&) = delete;
  stalling_server& operator=(const stalling_server&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// @returns when each person was answered.
  const std::map<std::uint64_t, time_point>& end() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    return answered_;
  }

private:
  void serve() {
    std::vector<pollfd> sockets{{listener_, POLLIN, 0}};
    std::map<int, std::string> asked;
    while (!ending_) {
      if (::poll(sockets.data(), sockets.size(), 10) <= 0) continue;
      while (steady::now() >= stall_from_ && steady::now() < stall_to_) ::poll(nullptr, 0, 1);
      if ((sockets[0].revents & POLLIN) != 0)
        sockets.push_back({::accept(listener_, nullptr, nullptr), POLLIN, 0});
      for (std::size_t i = 1; i < sockets.size(); ++i)
        if (sockets[i].revents != 0 && !read_from(sockets[i].fd, asked[sockets[i].fd])) {
          asked.erase(sockets[i].fd);
          ::close(sockets[i].fd);
          sockets.erase(sockets.begin() + static_cast<std::ptrdiff_t>(i--));
        }
    }
    for (std::size_t i = 1; i < sockets.size(); ++i) ::close(sockets[i].fd);
  }

  bool read_from(int socket, std::string& text) {
    std::array<char, 4096> piece{};
    const auto size = ::recv(socket, piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    text.append(piece.data(), static_cast<std::size_t>(size));
    if (text.find("\r\n\r\n") == std::string::npos) return true;
    constexpr std::string_view bearer = "Bearer ", answer = "HTTP/1.1 204 No Content\r\n\r\n";
    if (const auto at = text.find(bearer); at != std::string::npos) {
      std::uint64_t person = 0;
      std::from_chars(text.data() + at + bearer.size(), text.data() + text.size(), person);
      answered_[person] = steady::now();
    }
    text.clear();
    return ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  }

  const time_point stall_from_, stall_to_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_{false};
  std::map<std::uint64_t, time_point> answered_;
  std::thread thread_;
};

constexpr std::uint64_t requests = 1500;
constexpr double rate = 1000;

/// One request of each person, at a constant rate, over so few connections that all of them are
/// stuck when the server stalls.
scenario one_request_each() {
  auto read = scenario_in(R"(
name = "stall"
keep_alive = true
connections_max = 20
[[persona]]
name = "somebody"
steps = [{ do = "request", path = "/", label = "get" }]
[[phase]]
name = "all"
arrivals = "constant"
rate = 1000
spacing = "even"
duration = "1500 ms"
)",
                          "stall.toml", ".");
  return std::move(read).value();
}

people numbered(const std::filesystem::path& file) {
  std::ofstream out{file};
  for (std::uint64_t i = 1; i <= requests; ++i) out << std::to_string(1'000'000 + i) << '\n';
  out.close();
  people made;
  made.tokens.emplace(std::move(token_file::open(file)).value());
  return made;
}

// wrk2's arithmetic: a request that was due while the server stalled has waited since it was due,
// whether a connection was free to send it or not.
TEST(Stall, EveryLatencyCountsFromWhenTheRequestWasDue) {
  const auto file =
      std::filesystem::temp_directory_path() / ("gelombang-stall-" + std::to_string(::getpid()));
  const auto who = numbered(file);
  const auto start_utc = std::chrono::system_clock::now() + 300ms;
  const auto start = steady::now() + (start_utc - std::chrono::system_clock::now());
  stalling_server server{start + 400ms, 500ms};
  run_settings how;
  how.url = server.url();
  how.start = start_utc;
  how.is_quiet = true;
  const auto found = run(one_request_each(), who, how);
  std::filesystem::remove(file);
  ASSERT_TRUE(found) << found.error();
  const auto& got = found->kinds.at("get");
  ASSERT_EQ(got.answers.at(204), requests);

  histogram expected;
  for (const auto& [person, at] : server.end()) {
    const auto due =
        start + std::chrono::duration<double>(static_cast<double>(person - 1'000'001) / rate);
    expected.record(static_cast<std::uint64_t>(std::max<std::int64_t>(
        0, std::chrono::duration_cast<std::chrono::microseconds>(at - due).count())));
  }
  ASSERT_EQ(expected.count(), requests);
  // The answer is on its way for a moment; what is measured is never less than what was waited,
  // but for the clocks' reading and the buckets' width.
  for (const double share : {0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 1.0}) {
    const auto waited = expected.quantile(share), told = got.latency.quantile(share);
    EXPECT_GE(static_cast<double>(told) * 1.01 + 1000, static_cast<double>(waited)) << share;
    EXPECT_LE(static_cast<double>(told), static_cast<double>(waited) * 1.01 + 250'000) << share;
  }
  // 500 were due in the stall of 500 ms: the first of them waited for all of it.
  EXPECT_GE(got.latency.quantile(1), 490'000u);
  EXPECT_GE(got.latency.quantile(0.9), 330'000u) << "150 of 1,500 were due in its first 150 ms";
  // Who measures from the sending sees 20 that were under way.
  EXPECT_LT(got.service.quantile(0.9), got.latency.quantile(0.9));
}

}  // namespace
}  // namespace gelombang::load
