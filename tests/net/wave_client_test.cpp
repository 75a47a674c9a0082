#include "net/command/wave_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio.hpp>
#include <thread>

#include "net/command/operator_client.hpp"
#include "tests/net/capture.hpp"

namespace gelombang::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = boost::asio;

/// Answers one request with what it is told to, and keeps the request.
class one_answer {
public:
  one_answer(const std::string& status, const std::string& body)
      : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}),
        answer_("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\nConnection: close\r\n\r\n" + body),
        thread_([this] { serve(); }) {}
  ~one_answer() {
    if (thread_.joinable()) thread_.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/";
  }
  const std::string& request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

private:
  void serve() {
    auto socket = acceptor_.accept();
    const auto head = asio::read_until(socket, asio::dynamic_buffer(request_), "\r\n\r\n");
    const std::string_view name = "Content-Length: ";
    if (const auto at = request_.find(name); at != std::string::npos) {
      const auto whole = head + std::stoul(request_.substr(at + name.size()));
      if (request_.size() < whole)
        asio::read(socket, asio::dynamic_buffer(request_),
                   asio::transfer_exactly(whole - request_.size()));
    }
    asio::write(socket, asio::buffer(answer_));
  }

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_;
  std::string answer_, request_;
  std::thread thread_;
};

TEST(OperatorClient, TellsWarningsApart) {
  const auto said_to = [](const std::string& body, int code) {
    one_answer server{"201 Created", body};
    const testing::capture out, complaints;
    const http_call call{
        .url = server.url(), .token = "t", .path = "/v1/operator/backups", .body = "{}"};
    EXPECT_EQ(call_node(call, out.file(), complaints.file()), code);
    EXPECT_EQ(out.text(), body + "\n");
    return complaints.text();
  };
  EXPECT_EQ(said_to(R"({"target":"/copy","warnings":["wave-1/tree.bin: is not there","two"]})", 1),
            "gelombang: warning: wave-1/tree.bin: is not there\ngelombang: warning: two\n");
  for (const auto* other : {R"({"target":"/copy","warnings":[]})", R"({"warnings":7})", "[]", "no"})
    EXPECT_EQ(said_to(other, 0), "");
}

TEST(WaveClient, PlansAWave) {
  one_answer server{"201 Created", R"({"number":3})"};
  wave_request request{.order = wave_order::create, .url = server.url(), .token = "abc"};
  request.create.scheme = "normal-2023";
  request.create.opens_at = "2026-12-04T12:00:00+07:00";
  request.create.closes_at = "2026-12-07T12:00:00+07:00";
  request.create.quota = 50'000;
  request.create.minimum_per_region = 10;
  request.create.groups = {{"disability", 20}};
  request.create.weights = {{"3201", 7}};
  const testing::capture out, complaints;
  EXPECT_EQ(wave_command(request, out.file(), complaints.file()), 0);
  EXPECT_EQ(out.text(), "{\"number\":3}\n");
  EXPECT_EQ(complaints.text(), "");
  EXPECT_THAT(server.request(), StartsWith("POST /v1/operator/waves HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("Authorization: Bearer abc\r\n"));
  EXPECT_THAT(
      server.request(),
      HasSubstr(R"({"scheme":"normal-2023","opens_at":"2026-12-04T12:00:00+07:00",)"
                R"("closes_at":"2026-12-07T12:00:00+07:00","quota":50000,)"
                R"("minimum_per_region":10,"groups":[{"name":"disability","share_permille":20}],)"
                R"("weights":{"3201":7}})"));
}

TEST(WaveClient, TellsAWaveWhatToDo) {
  for (auto name : {"open", "close", "commit", "draw", "announce", "cancel"}) {
    one_answer server{"200 OK", "{}"};
    wave_request request{
        .order = wave_order_named(name).value(), .url = server.url(), .token = "abc", .wave = 12};
    request.commit = {"drand", 77, "aa"};
    request.draw = {"bb", "cc"};
    const testing::capture out;
    EXPECT_EQ(wave_command(request, out.file()), 0);
    const auto& sent = server.request();
    EXPECT_THAT(sent, StartsWith(std::string("POST /v1/operator/waves/12/") + name + " HTTP"));
    const auto body = sent.substr(sent.find("\r\n\r\n") + 4);
    if (request.order == wave_order::commit) {
      EXPECT_EQ(body, R"({"beacon_source":"drand","beacon_round":77,)"
                      R"("operator_secret_hash":"aa"})");
    } else if (request.order == wave_order::draw) {
      EXPECT_EQ(body, R"({"beacon_value":"bb","operator_secret":"cc"})");
    } else {
      EXPECT_EQ(body, "{}");
    }
  }
}

TEST(WaveClient, ShowsAWaveOrTheCurrentOne) {
  for (auto [wave, path] : {std::pair{0u, "current"}, {9u, "9"}}) {
    one_answer server{"200 OK", "{}"};
    const testing::capture out;
    EXPECT_EQ(wave_command({.url = server.url(), .wave = wave}, out.file()), 0);
    EXPECT_THAT(server.request(), StartsWith(std::string("GET /v1/waves/") + path + " HTTP"));
  }
}

TEST(WaveClient, SaysWhatTheProblemIs) {
  one_answer server{"422 Unprocessable Entity",
                    R"({"title":"Invalid","detail":"Look again.",)"
                    R"("errors":[{"pointer":"/quota","message":"at least 1"}]})"};
  const testing::capture out, complaints;
  const wave_request request{.order = wave_order::create, .url = server.url(), .token = "abc"};
  EXPECT_EQ(wave_command(request, out.file(), complaints.file()), 1);
  EXPECT_EQ(out.text(), "");
  EXPECT_EQ(complaints.text(), "gelombang: 422 Invalid: Look again.\n  /quota: at least 1\n");
}

TEST(WaveClient, AServerThatFailsIsTheEnvironmentsFault) {
  one_answer server{"503 Service Unavailable", "later"};
  const testing::capture complaints;
  EXPECT_EQ(wave_command({.url = server.url()}, stdout, complaints.file()), 3);
  EXPECT_EQ(complaints.text(), "gelombang: status 503: later\n");
}

TEST(WaveClient, SoIsOneThatIsNotThere) {
  std::string url;
  {
    one_answer gone{"200 OK", ""};
    url = gone.url();
    const testing::capture out;
    EXPECT_EQ(wave_command({.url = url}, out.file()), 0);
  }
  const testing::capture complaints;
  EXPECT_EQ(wave_command({.url = url}, stdout, complaints.file()), 3);
  EXPECT_THAT(complaints.text(), HasSubstr(url));
}

TEST(WaveClient, AnAnswerBeyondTheLimitIsNotTaken) {
  one_answer server{"200 OK", std::string(http_answer_bytes_max + 1, ' ')};
  const testing::capture out, complaints;
  EXPECT_EQ(wave_command({.url = server.url()}, out.file(), complaints.file()), 3);
  EXPECT_EQ(out.text(), "");
}

TEST(WaveClient, OptionsThatMakeNoRequestAreRefusedHere) {
  const testing::capture complaints;
  EXPECT_EQ(wave_command({.order = wave_order::open}, stdout, complaints.file()), 2);
  EXPECT_EQ(wave_command({.token = "a\r\nX-Y: z"}, stdout, complaints.file()), 2);
  EXPECT_EQ(wave_command({.url = "file:///etc/passwd"}, stdout, complaints.file()), 2);
  EXPECT_EQ(wave_order_named("Open"), std::nullopt);
  for (const auto* url : {"http://", "http://a b/", "http://127.0.0.1:99999", "http://[::1"}) {
    const testing::capture told;
    EXPECT_EQ(wave_command({.url = url}, stdout, told.file()), 2) << url;
    EXPECT_THAT(told.text(), HasSubstr(std::string{"--url "} + url));
  }
}

/// Whether there is a node at the URL or not, and whatever the order: with none it would be
/// refused.
TEST(WaveClient, AnOrderWithoutATokenIsWrongUsage) {
  for (const std::string name :
       {"create", "open", "close", "commit", "draw", "announce", "cancel"}) {
    const testing::capture told;
    const wave_request request{
        .order = wave_order_named(name).value(), .url = "http://127.0.0.1:1", .wave = 12};
    EXPECT_EQ(wave_command(request, stdout, told.file()), 2) << name;
    EXPECT_THAT(told.text(), HasSubstr("wave " + name + ": an operator's access token is needed"));
    EXPECT_THAT(told.text(), HasSubstr(token_variable));
  }
}

TEST(WaveClient, RefusedAndUnreachableAreTheSameForEveryOrder) {
  for (const std::string name :
       {"create", "open", "close", "commit", "draw", "announce", "cancel", "show"}) {
    for (const auto& [status, code] : {std::pair{"401 Unauthorized", 1},
                                       {"403 Forbidden", 1},
                                       {"409 Conflict", 1},
                                       {"429 Too Many Requests", 1},
                                       {"500 Internal Server Error", 3}}) {
      one_answer server{status, "{}"};
      const testing::capture told;
      const wave_request request{
          .order = wave_order_named(name).value(), .url = server.url(), .token = "abc", .wave = 12};
      EXPECT_EQ(wave_command(request, stdout, told.file()), code) << name << " " << status;
    }
  }
}

}  // namespace
}  // namespace gelombang::command
