// What happens around requests: handlers that wait, streams, TLS, access, stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <future>
#include <thread>

#include "net/tls.hpp"
#include "tests/net/certificate.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net::test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::string_view get_health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";

/// Handlers that wait until the test lets them go on, from its own thread.
class gate {
public:
  handler waiting_handler() {
    return [this](exchange& x) -> task<> {
      auto value = co_await callback<int>([&](auto done) {
        auto& context = x.thread().context();
        std::lock_guard lock{guard_};
        held_.push_back([done, &context](int with) {
          boost::asio::post(context, [done, with] { done(with); });
        });
        arrived_.notify_all();
      });
      x.reply(200, "text/plain", std::to_string(value));
    };
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock{guard_};
    arrived_.wait(lock, [&] { return held_.size() >= count; });
  }
  void open(int value) {
    std::lock_guard lock{guard_};
    for (auto& one : std::exchange(held_, {})) one(value);
  }

private:
  std::mutex guard_;
  std::condition_variable arrived_;
  std::vector<std::function<void(int)>> held_;
};

TEST(Handlers, MayWaitForAnAnswerFromAnotherThread) {
  gate gate;
  front front;
  front.add(http::verb::post, "/wait", gate.waiting_handler());
  front.start();
  auto client = front.connect();
  client.send(post("/echo", "before") + post("/wait", "") + post("/echo", "after"));
  EXPECT_EQ(client.read().body, "before");
  gate.wait_for(1);
  gate.open(7);
  EXPECT_EQ(client.read().body, "7");
  EXPECT_EQ(client.read().body, "after");
}

TEST(Handlers, MayFail) {
  front front;
  front.add(http::verb::get, "/throws", [](exchange&) { throw std::runtime_error("on purpose"); });
  front.add(http::verb::get, "/throws-later", [](exchange& x) -> task<> {
    co_await callback<int>(
        [&](auto done) { boost::asio::post(x.thread().context(), [done] { done(1); }); });
    throw std::runtime_error("on purpose");
  });
  front.add(http::verb::get, "/silent", [](exchange&) {});
  front.add(http::verb::get, "/twice", [](exchange& x) {
    x.reply(200, "1");
    x.reply(200, "2");
  });
  front.start();
  for (auto path : {"/throws", "/throws-later", "/silent"}) {
    auto answer = front.get(path);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_THAT(answer.body, HasSubstr("/problems/internal"));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("on purpose")));
  }
  auto client = front.connect();
  EXPECT_EQ(client.ask("GET /twice HTTP/1.1\r\nHost: a\r\n\r\n").body, "1");
  EXPECT_EQ(client.ask(get_health).status, 200);
}

TEST(Handlers, StreamMoreThanFitsAnywhere) {
  front front;
  front.add(http::verb::get, "/stream", [](exchange& x) -> task<> {
    x.stream(200, "text/csv");
    std::string line(99, 'c');
    line += '\n';
    for (int i = 0; i < 100'000; ++i) {
      if (!co_await x.write(line)) co_return;
    }
    x.finish();
  });
  front.add(http::verb::get, "/cut", [](exchange& x) -> task<> {
    x.stream(200, "text/csv");
    co_await x.write("begun");
  });
  front.start();
  auto client = front.connect();
  EXPECT_EQ(client.ask("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n").body.size(), 10'000'000u);
  EXPECT_EQ(client.ask(get_health).status, 200);
  EXPECT_EQ(front.connect().ask("GET /stream HTTP/1.0\r\n\r\n").body.size(), 10'000'000u);
  client.send("GET /cut HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(client.read_to_end(), ::testing::Not(HasSubstr("\r\n0\r\n")));
}

TEST(Handlers, SurviveAClientThatLeaves) {
  gate gate;
  front front;
  front.add(http::verb::post, "/wait", gate.waiting_handler());
  front.start();
  {
    auto client = front.connect();
    client.send(post("/wait", ""));
    gate.wait_for(1);
  }
  gate.open(1);
  while (front.metric("gelombang_http_connections") > 0) {
  }
  EXPECT_EQ(front.get("/healthz").status, 200);
}

TEST(Access, IsDecidedByTheRoute) {
  front front;
  auto who = [](exchange& x) {
    x.reply(200, "text/plain", std::to_string(x.bearer().subject.value));
  };
  front.add(http::verb::get, "/me", who, access::applicant);
  front.add(http::verb::get, "/operator", who, access::operator_);
  front.add(http::verb::get, "/any", who, access::signed_in);
  front.start();
  auto ask = [&front](const std::string& path, const std::string& authorization) {
    auto header = authorization.empty() ? "" : "Authorization: " + authorization + "\r\n";
    return front.connect().ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n" + header + "\r\n");
  };
  auto applicant = "Bearer " + token_for(role::applicant);
  EXPECT_EQ(ask("/me", applicant).body, "42");
  EXPECT_EQ(ask("/me", "bEARER " + token_for(role::applicant)).status, 200);
  EXPECT_EQ(ask("/any", applicant).status, 200);
  EXPECT_EQ(ask("/operator", applicant).status, 403);
  EXPECT_EQ(ask("/operator", "Bearer " + token_for(role::operator_)).status, 200);
  EXPECT_EQ(ask("/any", "").status, 401);
  for (auto wrong : {"Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer  x"}) {
    auto answer = ask("/me", wrong);
    EXPECT_EQ(answer.status, 401) << wrong;
    EXPECT_THAT(answer.header("www-authenticate"), HasSubstr("Bearer")) << wrong;
  }
}

TEST(Stopping, FinishesWhatIsUnderWayAndClosesWhatIsIdle) {
  gate gate;
  front front;
  front.add(http::verb::post, "/wait", gate.waiting_handler());
  front.start();
  auto idle = front.connect();
  EXPECT_EQ(idle.ask(get_health).status, 200);
  auto busy = front.connect();
  busy.send(post("/wait", ""));
  gate.wait_for(1);
  auto stopping = std::async(std::launch::async, [&front] { front.server().stop(); });
  EXPECT_TRUE(idle.is_ended());
  EXPECT_EQ(front.server().unready(), errc::shutting_down);
  gate.open(3);
  auto answer = busy.read();
  EXPECT_EQ(answer.body, "3");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(busy.is_ended());
  stopping.get();
  EXPECT_ANY_THROW(front.connect());
}

TEST(Stopping, SaysSoWhileItDrains) {
  auto bounds = front::quick();
  bounds.drain_delay = std::chrono::minutes{5};
  bounds.drain_timeout = milliseconds{1};
  front front{bounds};
  front.start();
  auto client = front.connect();
  auto stopping = std::thread([&front] { front.server().stop(); });
  reply answer;
  do {
    answer = front.get("/readyz");
  } while (answer.status == 200);
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("shutting_down"));
  auto last = client.ask(get_health);
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.header("connection"), "close");
  front.server().hurry();
  stopping.join();
}

TEST(Stopping, DropsWhatDoesNotEndInTime) {
  auto bounds = front::quick();
  bounds.drain_timeout = milliseconds{20};
  gate gate;
  front front{bounds};
  front.add(http::verb::post, "/wait", gate.waiting_handler());
  front.start();
  auto client = front.connect();
  client.send(post("/wait", ""));
  gate.wait_for(1);
  front.server().stop();
  EXPECT_TRUE(client.is_ended());
}

TEST(Listening, NamesTheAddressThatIsTaken) {
  front first;
  manual_clock time{noon};
  server second{{.port = first.port()}, time};
  auto listening = second.listen();
  ASSERT_FALSE(listening.has_value());
  EXPECT_THAT(listening.error(), HasSubstr("127.0.0.1:" + std::to_string(first.port())));
  server nowhere{{.address = "not an address"}, time};
  EXPECT_FALSE(nowhere.listen().has_value());
}

TEST(Listening, ThreadsShareThePort) {
  front front{front::quick(), 4};
  front.start();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(front.get("/healthz").status, 200);
  EXPECT_EQ(front.metric("gelombang_http_connections_total"), 100);
}

/// A client of a TLS server that trusts whatever it is shown.
class tls_client : public client {
public:
  explicit tls_client(std::uint16_t port, std::string_view offered = "\x08http/1.1")
      : client(port), context_(SSL_CTX_new(TLS_client_method())), tls_(SSL_new(context_.get())) {
    SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(offered.data()),
                        static_cast<unsigned>(offered.size()));
    SSL_set_fd(tls_.get(), socket().native_handle());
    if (SSL_connect(tls_.get()) != 1) throw std::runtime_error("no handshake");
  }
  void send(std::string_view bytes) override {
    if (SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) {
      throw std::runtime_error("the server has closed");
    }
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &bytes);
    return {reinterpret_cast<const char*>(name), bytes};
  }
  std::string served_by() const {
    std::unique_ptr<X509, decltype(&X509_free)> theirs{SSL_get1_peer_certificate(tls_.get()),
                                                       &X509_free};
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(theirs.get()), NID_commonName, name,
                              sizeof name);
    return name;
  }

protected:
  std::ptrdiff_t receive(char* to, std::size_t bytes) override {
    return SSL_read(tls_.get(), to, static_cast<int>(bytes));
  }

private:
  std::unique_ptr<SSL_CTX, ssl_deleter> context_;
  ssl_ptr tls_;
};

TEST(Tls, ServesRequestsLikeAPlainConnection) {
  certificate made{"first"};
  front front{front::quick(), 1, made.files()};
  front.start();
  tls_client client{front.port()};
  EXPECT_EQ(client.protocol(), "http/1.1");
  EXPECT_EQ(client.ask(post("/echo", "secret")).body, "secret");
  std::string large(60'000, 'x');
  EXPECT_EQ(client.ask(post("/echo", large)).body, large);
  std::string many;
  for (int i = 0; i < 100; ++i) many += post("/echo", std::to_string(i));
  client.send(many);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.read().body, std::to_string(i));
  EXPECT_EQ(client.ask("bad\r\n\r\n").status, 400);
  EXPECT_TRUE(client.is_ended());
}

TEST(Tls, DoesNotSpeakHttp2) {
  certificate made{"first"};
  front front{front::quick(), 1, made.files()};
  front.start();
  tls_client client{front.port(), "\x02h2"};
  EXPECT_EQ(client.protocol(), "");
  EXPECT_EQ(client.ask(get_health).status, 200);
}

TEST(Tls, PlainRequestsAndSilenceEndTheHandshake) {
  certificate made{"first"};
  auto bounds = front::quick();
  bounds.handshake_timeout = milliseconds{30};
  front front{bounds, 1, made.files()};
  front.start();
  auto plain = front.connect();
  plain.send(get_health);
  EXPECT_THAT(plain.read_to_end(), ::testing::Not(HasSubstr("200")));
  auto silent = front.connect();
  EXPECT_TRUE(silent.is_ended());
  EXPECT_EQ(front.metric(R"(gelombang_http_turned_away_total{reason="handshake"})"), 2);
  tls_client good{front.port()};
  EXPECT_EQ(good.ask(get_health).status, 200);
}

TEST(Tls, TakesANewCertificateWhileItServes) {
  certificate made{"first"};
  front front{front::quick(), 1, made.files()};
  front.start();
  tls_client before{front.port()};
  EXPECT_EQ(before.served_by(), "first");
  made.renew("second");
  ASSERT_TRUE(front.server().reload_certificate().has_value());
  tls_client after{front.port()};
  EXPECT_EQ(after.served_by(), "second");
  EXPECT_EQ(before.ask(get_health).status, 200);
  made.spoil();
  auto failed = front.server().reload_certificate();
  ASSERT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error(), HasSubstr("certificate.pem"));
  EXPECT_THAT(failed.error(), HasSubstr("holds no certificate in PEM form"));
  tls_client still{front.port()};
  EXPECT_EQ(still.served_by(), "second");
}

TEST(Tls, NamesTheFileThatIsMissing) {
  manual_clock time{noon};
  server front{{.tls = tls_files{"/nowhere/a.pem", "/nowhere/b.pem"}}, time};
  auto listening = front.listen();
  ASSERT_FALSE(listening.has_value());
  EXPECT_THAT(listening.error(),
              HasSubstr("listen.tls_certificate = /nowhere/a.pem: No such file or directory"));
}

TEST(Tls, NamesTheKeyOfTheConfigurationWhoseFileWillNotDo) {
  const certificate made{"this"}, other{"other"};
  const auto fault_of = [](const tls_files& files) {
    const auto read = tls_context{}.load(files);
    return read ? "" : read.error();
  };
  const auto [chain, key] = made.files();
  EXPECT_EQ(fault_of({chain, key}), "");
  EXPECT_THAT(fault_of({chain, "/nowhere/b.pem"}),
              HasSubstr("listen.tls_key = /nowhere/b.pem: No such file or directory"));
  EXPECT_THAT(fault_of({chain, "/"}), HasSubstr("listen.tls_key = /: is a directory"));
  EXPECT_THAT(fault_of({chain, chain}),
              HasSubstr("listen.tls_key = " + chain + ": holds no private key in PEM form"));
  EXPECT_THAT(fault_of({key, key}),
              HasSubstr("listen.tls_certificate = " + key + ": holds no cert"));
  const auto stranger = fault_of({chain, other.files().private_key});
  EXPECT_THAT(stranger, HasSubstr("listen.tls_key = " + other.files().private_key));
  EXPECT_THAT(stranger, HasSubstr("does not belong to the first certificate"));
  EXPECT_THAT(stranger, HasSubstr("listen.tls_certificate = " + chain));
}

/// OpenSSL would ask for it at the terminal.
TEST(Tls, AKeyWithAPassphraseIsRefusedAndNotAskedFor) {
  const certificate made{"this"};
  const auto files = made.files();
  const auto locked = files.private_key + ".locked";
  {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{EVP_EC_gen("P-256"),
                                                                  &EVP_PKEY_free};
    auto* out = std::fopen(locked.c_str(), "w");
    std::string secret = "secret";
    PEM_write_PrivateKey(out, key.get(), EVP_aes_128_cbc(), nullptr, 0, nullptr, secret.data());
    std::fclose(out);
  }
  const auto read = tls_context{}.load({files.certificate_chain, locked});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error(), HasSubstr("listen.tls_key = " + locked));
  EXPECT_THAT(read.error(), HasSubstr("passphrase"));
}

}  // namespace
}  // namespace gelombang::net::test
