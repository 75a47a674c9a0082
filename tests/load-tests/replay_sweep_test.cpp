#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "load-tests/replay/sweep.hpp"

namespace gelombang::load::replay {
namespace {

using namespace std::chrono_literals;

/// A server of `POST /v1/accounts` that answers as it is told to: by the number of the request, a
/// status, or 0 to hang up.
class told_server {
public:
  explicit told_server(std::function<int(std::uint64_t request)> script)
      : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
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
  ~told_server() {
    end();
    ::close(listener_);
  }
  told_server(const told_server&) = delete;
  told_server& operator=(const told_server&) = delete;

  node_address address() const {
    return address_in("http://127.0.0.1:" + std::to_string(port_)).value();
  }
  /// Ends it. @returns who was answered 202.
  const std::set<std::uint64_t>& end() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    return accepted_;
  }

private:
  void serve() {
    std::vector<pollfd> sockets{{listener_, POLLIN, 0}};
    std::map<int, std::string> asked;
    while (!ending_) {
      if (::poll(sockets.data(), sockets.size(), 10) <= 0) continue;
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
    std::array<char, 16384> piece{};
    const auto size = ::recv(socket, piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    text.append(piece.data(), static_cast<std::size_t>(size));
    std::string answers;
    // Bodies are {"email":"pemohonN@contoh.id"} and nothing else: each ends a request.
    for (std::size_t end = 0; (end = text.find("\"}")) != std::string::npos;) {
      constexpr std::string_view before = "pemohon";
      const auto at = text.find(before) + before.size();
      std::uint64_t number = 0;
      std::from_chars(text.data() + at, text.data() + end, number);
      text.erase(0, end + 2);
      const int status = script_(++requests_);
      if (status == 0) return false;
      if (status == 202) accepted_.insert(number);
      answers += "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\n\r\n{}";
    }
    return answers.empty() || ::send(socket, answers.data(), answers.size(), MSG_NOSIGNAL) > 0;
  }

  std::function<int(std::uint64_t)> script_;
  int listener_;
  std::uint16_t port_ = 0;
  std::uint64_t requests_ = 0;
  std::atomic<bool> ending_{false};
  std::set<std::uint64_t> accepted_;
  std::thread thread_;
};

class up_to final : public people_stream {
public:
  explicit up_to(std::uint64_t last) : last_(last) {}
  std::optional<std::uint64_t> next() override {
    return at_ <= last_ ? std::optional{at_++} : std::nullopt;
  }

private:
  std::uint64_t at_ = 1, last_;
};

bool go_on(std::uint64_t, std::uint64_t) {
  return true;
}

class Sweep : public testing::TestWithParam<unsigned> {
protected:
  wire_settings to(const told_server& server) const {
    return {.target = server.address(), .connections = 8, .depth = GetParam(), .patience = 1s};
  }

  keyring keys_ = keyring::from_bytes({});
  clerk clerk_{keys_, {.host = "a"}};
  static constexpr std::uint64_t people = 3000;
};

TEST_P(Sweep, AsksEverybodyHoweverOftenItIsRefusedOrHungUpOn) {
  told_server server{[](std::uint64_t request) {
    return request % 333 == 0 ? 0 : request % 50 == 0 ? 503 : 202;
  }};
  sweeper sweeps{clerk_, to(server)};
  up_to who{people};
  const auto found = sweeps.run(who, act::sign_up, 0, go_on);
  EXPECT_TRUE(found.is_complete);
  EXPECT_EQ(found.done, people);
  EXPECT_GT(found.repeats, people / 50);
  EXPECT_EQ(found.wrong, 0u);
  EXPECT_EQ(server.end().size(), people);
}

TEST_P(Sweep, StopsInGoodOrderAndKnowsWhoWasAnswered) {
  told_server server{[](std::uint64_t request) { return request % 7 == 0 ? 503 : 202; }};
  sweeper sweeps{clerk_, to(server)};
  up_to who{10'000'000};
  std::uint64_t last = 0;
  const auto found =
      sweeps.run(who, act::sign_up, 0, [&](std::uint64_t position, std::uint64_t done) {
        last = position;
        return done < 100;
      });
  EXPECT_FALSE(found.is_complete);
  EXPECT_FALSE(found.is_node_gone);
  const auto& accepted = server.end();
  ASSERT_GT(last, 100u);
  for (std::uint64_t number = 1; number < last; ++number)
    ASSERT_TRUE(accepted.contains(number)) << number;
  EXPECT_EQ(found.done, accepted.size());
}

TEST_P(Sweep, StopsWhereNobodyAnswersAnyMore) {
  told_server server{[](std::uint64_t request) { return request <= 100 ? 202 : 503; }};
  auto with = to(server);
  with.patience = 60s;
  sweeper sweeps{clerk_, with};
  up_to who{people};
  std::uint64_t position = 0;
  const auto found = sweeps.run(who, act::sign_up, 0, [&](std::uint64_t at, std::uint64_t done) {
    position = at;
    // The node is told to end at the same time as the generator.
    if (done >= 100) server.end();
    return done < 100;
  });
  EXPECT_FALSE(found.is_complete);
  EXPECT_FALSE(found.is_node_gone);
  EXPECT_EQ(found.done, 100u);
  const auto& accepted = server.end();
  for (std::uint64_t number = 1; number < position; ++number)
    ASSERT_TRUE(accepted.contains(number)) << number;
}

TEST_P(Sweep, TellsOfAnswersThatShouldNotBe) {
  told_server server{[](std::uint64_t request) { return request % 100 == 0 ? 409 : 202; }};
  sweeper sweeps{clerk_, to(server)};
  up_to who{people};
  const auto found = sweeps.run(who, act::sign_up, 0, go_on);
  EXPECT_EQ(found.wrong, people / 100);
  EXPECT_EQ(found.done, people - people / 100);
  ASSERT_FALSE(found.examples.empty());
  EXPECT_NE(found.examples.front().find("409"), std::string::npos);
}

TEST_P(Sweep, GivesUpOnANodeThatStaysAway) {
  wire_settings nowhere{.connections = 2, .depth = GetParam(), .patience = 1s};
  {
    told_server server{[](std::uint64_t) { return 202; }};
    nowhere.target = server.address();
  }
  sweeper sweeps{clerk_, nowhere};
  up_to who{people};
  const auto found = sweeps.run(who, act::sign_up, 0, go_on);
  EXPECT_TRUE(found.is_node_gone);
  EXPECT_FALSE(found.is_complete);
  EXPECT_EQ(found.done, 0u);
}

TEST_P(Sweep, CountsFromWhenEachWasDueWhileTheServerStalls) {
  constexpr double per_second = 2000;
  constexpr auto stall = 400ms;
  told_server server{[&](std::uint64_t request) {
    const auto end = steady::now() + stall;
    while (request == 1000 && steady::now() < end) ::poll(nullptr, 0, 1);
    return 202;
  }};
  sweeper sweeps{clerk_, to(server)};
  up_to who{people};
  const auto found = sweeps.run_at(per_second, who, act::sign_up, 0, go_on);
  EXPECT_TRUE(found.is_complete);
  ASSERT_EQ(found.latency.count(), people);
  EXPECT_GE(found.latency.max(), 390'000u);
  // Whoever was due in the first half of the stall waited for the second: not only those eight who
  // were on the line.
  std::uint64_t late = 0;
  found.latency.for_each_bucket([&](std::uint64_t low, std::uint64_t, std::uint64_t count) {
    late += low >= 200'000 ? count : 0;
  });
  EXPECT_GE(late, static_cast<std::uint64_t>(per_second * 0.19));
  EXPECT_GE(found.seconds, static_cast<double>(people - 1) / per_second * 0.99);
}

INSTANTIATE_TEST_SUITE_P(Depths, Sweep, testing::Values(1u, 4u));

}  // namespace
}  // namespace gelombang::load::replay
