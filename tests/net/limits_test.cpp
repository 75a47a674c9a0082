// Each limit of net/limits.hpp, from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/asio/write.hpp>
#include <chrono>
#include <vector>

#include "tests/log_capture.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::string_view get_root = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Limits, HeaderBytes) {
  auto bounds = front::quick();
  bounds.header_bytes_max = 1000;
  front front{bounds};
  front.start();
  auto request = [](std::size_t bytes) {
    std::string head = "GET /healthz HTTP/1.1\r\nHost: a\r\nX: ";
    return head + std::string(bytes - head.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(front.connect().ask(request(1000)).status, 200);
  for (std::size_t bytes : {1001, 1500, 5000}) {
    auto client = front.connect();
    auto answer = client.ask(request(bytes));
    EXPECT_EQ(answer.status, 431) << bytes;
    EXPECT_TRUE(client.is_ended());
  }
  // Without an end in sight, no more is read than is allowed.
  EXPECT_EQ(front.connect().ask("GET /" + std::string(1100, 'a')).status, 431);
}

/// What the process can open ends at what it has open, while this lives.
class no_more_descriptors {
public:
  no_more_descriptors() {
    ::getrlimit(RLIMIT_NOFILE, &old_);
    const int first_free = ::dup(STDERR_FILENO);
    ::close(first_free);
    const rlimit limited{static_cast<rlim_t>(first_free), old_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limited);
  }
  no_more_descriptors(const no_more_descriptors&) = delete;
  no_more_descriptors& operator=(const no_more_descriptors&) = delete;
  ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &old_); }

private:
  rlimit old_{};
};

TEST(Limits, WithoutDescriptorsIsLoggedOnceCountedAndPasses) {
  const gelombang::testing::log_capture log;
  front front;
  front.start();
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket comes{context};
  comes.open(boost::asio::ip::tcp::v4());
  {
    const no_more_descriptors all_used;
    comes.connect({boost::asio::ip::address_v4::loopback(), front.port()});
    boost::asio::write(comes, boost::asio::buffer(get_root));
    constexpr int tries = 3;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (front.metric("gelombang_http_accept_failures_total") < tries)
      ASSERT_LT(std::chrono::steady_clock::now(), end);
  }
  std::array<char, 64> answer{};
  ASSERT_GT(comes.read_some(boost::asio::buffer(answer)), 0u) << "when there are some again";
  EXPECT_THAT(std::string(answer.data(), 15), HasSubstr("HTTP/1.1 200"));
  EXPECT_EQ(log.lines_with("no connection can be accepted: Too many open files"), 1);
}

TEST(Limits, HeaderLines) {
  auto bounds = front::quick();
  bounds.headers_max = 5;
  front front{bounds};
  front.start();
  auto request = [](int lines) {
    std::string all = "GET /healthz HTTP/1.1\r\nHost: a\r\n";
    for (int line = 1; line < lines; ++line) all += "X: y\r\n";
    return all + "\r\n";
  };
  EXPECT_EQ(front.connect().ask(request(5)).status, 200);
  EXPECT_EQ(front.connect().ask(request(6)).status, 431);
}

TEST(Limits, TrailersCountAsHeaders) {
  auto bounds = front::quick();
  bounds.headers_max = 6;
  bounds.header_bytes_max = 2000;
  front front{bounds};
  front.start();
  std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  std::string many;
  for (int line = 0; line < 5; ++line) many += "X: y\r\n";
  EXPECT_EQ(front.connect().ask(head + many + "\r\n").status, 431);
  EXPECT_EQ(front.connect().ask(head + "X: " + std::string(9000, 'x')).status, 431);
}

TEST(Limits, BodyBytesByLengthAndByChunks) {
  auto bounds = front::quick();
  bounds.body_bytes_max = 100;
  front front{bounds};
  front.add(
      http::verb::post, "/large", [](exchange& x) { x.reply(200, "text/plain", x.body()); },
      access::anyone, 200'000);
  front.start();
  auto chunked = [](const std::string& path, std::size_t chunks) {
    auto all = "POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t chunk = 0; chunk < chunks; ++chunk) all += "a\r\n0123456789\r\n";
    return all + "0\r\n\r\n";
  };
  EXPECT_EQ(front.connect().ask(post("/echo", std::string(100, 'x'))).status, 200);
  EXPECT_EQ(front.connect().ask(chunked("/echo", 10)).status, 200);
  for (auto& request : {post("/echo", std::string(101, 'x')), chunked("/echo", 11)}) {
    auto client = front.connect();
    EXPECT_EQ(client.ask(request).status, 413);
    EXPECT_TRUE(client.is_ended());
  }
  // A length alone is enough to be refused by.
  EXPECT_EQ(front.connect()
                .ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n")
                .status,
            413);
  std::string large(200'000, 'y');
  EXPECT_EQ(front.connect().ask(post("/large", large)).body, large);
  EXPECT_EQ(front.connect().ask(post("/large", large + "y")).status, 413);
}

TEST(Limits, ALargeBodyIsAnsweredAfterARefusal) {
  front front;
  front.start();
  // The client is not done sending when it is refused; it must still read why.
  auto client = front.connect();
  auto answer = client.ask(post("/echo", std::string(80'000, 'x')));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("body_too_large"));
}

TEST(Limits, ConnectionsInAll) {
  auto bounds = front::quick();
  bounds.connections_max = 3;
  front front{bounds};
  front.start();
  std::vector<std::unique_ptr<client>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<client>(front.port()));
    EXPECT_EQ(held.back()->ask(get_root).status, 200);
  }
  auto refused = front.connect();
  auto answer = refused.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("retry-after"), "5");
  EXPECT_TRUE(refused.is_ended());
  // A place that becomes free is given away again.
  EXPECT_EQ(
      held.back()->ask("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status,
      200);
  EXPECT_TRUE(held.back()->is_ended());
  held.pop_back();
  int status = 0;
  for (int tries = 0; status != 200 && tries < 1000; ++tries) {
    try {
      status = front.connect().ask(get_root).status;
    } catch (const std::runtime_error&) {
    }
  }
  EXPECT_EQ(status, 200);
  EXPECT_GE(front.metric(R"(gelombang_http_turned_away_total{reason="connections"})"), 1);
}

TEST(Limits, ConnectionsFromOneAddress) {
  auto bounds = front::quick();
  bounds.connections_per_address_max = 1;
  front front{bounds};
  front.start();
  auto first = front.connect();
  EXPECT_EQ(first.ask(get_root).status, 200);
  EXPECT_EQ(front.connect().read().status, 503);
}

TEST(Limits, RequestsInFlight) {
  auto bounds = front::quick();
  bounds.requests_in_flight_max = 2;
  front front{bounds};
  std::vector<std::function<void()>> waiting;
  front.add(http::verb::post, "/wait", [&waiting](exchange& x) -> task<> {
    co_await callback<int>([&](auto done) { waiting.push_back([done] { done(0); }); });
    x.reply(200, "{}");
  });
  front.add(http::verb::post, "/release", [&waiting](exchange& x) {
    x.reply(200, "{}");
    for (auto& one : std::exchange(waiting, {})) boost::asio::post(x.thread().context(), one);
  });
  front.start();
  auto first = front.connect();
  auto second = front.connect();
  auto third = front.connect();
  first.send(post("/wait", ""));
  second.send(post("/wait", ""));
  // The two are in when the third is refused, in whatever order they were read.
  reply refused;
  do {
    auto in_flight = front.metric("gelombang_http_requests_in_flight");
    if (in_flight < 2) continue;
    refused = third.ask(post("/wait", ""));
  } while (refused.status == 0);
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("overloaded"));
  auto seconds = std::stoi(refused.header("retry-after"));
  EXPECT_TRUE(seconds >= 2 && seconds <= 6) << seconds;
  EXPECT_EQ(third.ask(post("/release", "")).status, 200);
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  EXPECT_EQ(front.metric("gelombang_http_requests_in_flight"), 0);
}

TEST(Limits, HeaderTime) {
  auto bounds = front::quick();
  bounds.header_timeout = milliseconds{50};
  front front{bounds};
  front.start();
  auto client = front.connect();
  auto answer = client.ask("GET /healthz HTTP/1.1\r\nHo");
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(answer.body, HasSubstr("request_too_slow"));
  EXPECT_TRUE(client.is_ended());
}

/// A byte now and then must not move the deadline.
TEST(Limits, HeaderTimeRunsFromTheFirstByte) {
  auto bounds = front::quick();
  bounds.header_timeout = milliseconds{60};
  front front{bounds};
  front.start();
  auto client = front.connect();
  // A byte every few milliseconds, until there is an answer.
  pollfd answered{.fd = client.socket().native_handle(), .events = POLLIN, .revents = 0};
  constexpr int pause_ms = 5;
  client.send("GET /healthz HTTP/1.1\r\nX: ");
  while (::poll(&answered, 1, pause_ms) == 0) client.send("x");
  EXPECT_EQ(client.read().status, 408);
}

TEST(Limits, BodyTime) {
  auto bounds = front::quick();
  bounds.body_timeout = milliseconds{50};
  front front{bounds};
  front.start();
  auto client = front.connect();
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc").status,
            408);
  EXPECT_TRUE(client.is_ended());
}

TEST(Limits, BodyRate) {
  auto bounds = front::quick();
  bounds.body_grace = milliseconds{30};
  bounds.body_bytes_per_second_min = 100'000;
  front front{bounds};
  front.start();
  auto client = front.connect();
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\nabc").status,
            408);
  EXPECT_EQ(front.metric(R"(gelombang_http_turned_away_total{reason="too_slow"})"), 1);
}

TEST(Limits, IdleTime) {
  auto bounds = front::quick();
  bounds.idle_timeout = milliseconds{50};
  front front{bounds};
  front.start();
  auto silent = front.connect();
  EXPECT_TRUE(silent.is_ended());
  auto used = front.connect();
  EXPECT_EQ(used.ask(get_root).status, 200);
  EXPECT_TRUE(used.is_ended());
}

TEST(Limits, WriteTime) {
  auto bounds = front::quick();
  bounds.write_timeout = milliseconds{50};
  front front{bounds};
  std::string much(16 << 20, 'z');
  front.add(http::verb::get, "/much", [&much](exchange& x) { x.reply(200, "text/plain", much); });
  front.start();
  auto client = front.connect();
  client.send("GET /much HTTP/1.1\r\nHost: a\r\n\r\n");
  while (front.metric(R"(gelombang_http_turned_away_total{reason="write_stalled"})") < 1) {
  }
  EXPECT_LT(client.read_to_end().size(), much.size());
}

TEST(Limits, JsonDepthAndQueryParameters) {
  auto bounds = front::quick();
  bounds.json_depth_max = 3;
  bounds.query_parameters_max = 2;
  front front{bounds};
  front.add(http::verb::post, "/json", [](exchange& x) {
    if (x.read_body() != nullptr) x.reply(200, "{}");
  });
  front.add(http::verb::get, "/query", [](exchange& x) {
    auto query = x.query();
    if (!query) return x.refuse(query.error());
    x.reply(200, "{}");
  });
  front.start();
  EXPECT_EQ(front.connect().ask(post("/json", R"({"a":{"b":[]}})")).status, 200);
  EXPECT_EQ(front.connect().ask(post("/json", R"({"a":{"b":[[]]}})")).status, 400);
  EXPECT_EQ(front.connect().ask(post("/json", "{}", "Content-Type: text/plain\r\n")).status, 415);
  EXPECT_EQ(front.get("/query?a=1&b=2").status, 200);
  EXPECT_EQ(front.get("/query?a=1&b=2&c=3").status, 400);
}

/// Idle and slow connections cost a few kilobytes each and disturb nobody.
TEST(Limits, ThousandsOfIdleAndSlowConnectionsDisturbNobody) {
  auto bounds = front::quick();
  bounds.header_timeout = std::chrono::minutes{5};
  bounds.idle_timeout = std::chrono::minutes{5};
  front front{bounds};
  front.start();
  constexpr int idle_connections = 2'000;
  constexpr int slow_connections = 200;
  std::vector<std::unique_ptr<client>> held;
  held.reserve(idle_connections + slow_connections);
  for (int i = 0; i < idle_connections + slow_connections; ++i) {
    held.push_back(std::make_unique<client>(front.port()));
  }
  std::string_view request = get_root;
  auto client = front.connect();
  for (std::size_t byte = 0; byte < request.size(); ++byte) {
    for (int slow = 0; slow < slow_connections; ++slow) held[slow]->send(request.substr(byte, 1));
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.ask(post("/echo", "fast")).body, "fast");
  }
  for (int slow = 0; slow < slow_connections; ++slow) ASSERT_EQ(held[slow]->read().status, 200);
  EXPECT_EQ(front.metric("gelombang_http_connections"), idle_connections + slow_connections + 1);
}

}  // namespace
}  // namespace gelombang::net::test
