#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/net/certificate.hpp"
#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr ending in_order{.code = 0};

/// Waits until something is so. @returns false when it did not come about.
template <class Question>
bool eventually(const Question& is_so) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool holds(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

/// What /metrics says of a figure without labels; -1 when it is not there.
double figure_in(const std::string& page, const std::string& name) {
  for (const auto& line : lines_of(page))
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  return -1;
}

class Operations : public testing::Test {
protected:
  scratch place_;
  home where_{place_.path()};
};

TEST_F(Operations, ALogThatWasMovedAwayGoesOnInANewFile) {
  const auto log = place_.path() / "node.log", moved = place_.path() / "node.log.1";
  node running{where_, {"log.file=\"" + log.string() + "\""}};
  ASSERT_TRUE(running.start()) << running.log();
  fs::rename(log, moved);
  const auto before = content_of(moved);
  EXPECT_TRUE(holds(before, "nothing is stored in")) << before;
  running.send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return holds(content_of(log), "the log goes on here"); }));
  EXPECT_EQ(content_of(moved), before);
  ASSERT_EQ(running.interrupt(), in_order);
  EXPECT_TRUE(holds(content_of(log), "ended")) << content_of(log);
  EXPECT_EQ(content_of(moved), before);
}

TEST_F(Operations, ALogThatIsMovedAwayWhileTheNodeEndsGoesOnAsWell) {
  const auto log = place_.path() / "node.log", moved = place_.path() / "node.log.1";
  node running{where_, {"log.file=\"" + log.string() + "\"", "front_door.stop_notice_seconds=600"}};
  ASSERT_TRUE(running.start()) << running.log();
  running.send(SIGTERM);
  ASSERT_TRUE(eventually([&] { return holds(content_of(log), "ending"); }));
  for (int times = 0; times < 2; ++times) {
    fs::rename(log, moved);
    running.send(SIGHUP);
    EXPECT_TRUE(eventually([&] { return holds(content_of(log), "the log goes on here"); }));
  }
  ASSERT_EQ(running.interrupt(), in_order);
  EXPECT_TRUE(holds(content_of(log), "ended")) << content_of(log);
}

TEST_F(Operations, ALogThatCantBeOpenedAgainIsKept) {
  const auto folder = place_.path() / "logs", log = folder / "node.log";
  fs::create_directory(folder);
  node running{where_, {"log.file=\"" + log.string() + "\""}};
  ASSERT_TRUE(running.start()) << running.log();
  const auto moved = place_.path() / "moved";
  fs::rename(folder, moved);
  // A file in the folder's place: not even a privileged node makes a folder of it.
  { std::ofstream{folder} << "x"; }
  running.send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return holds(content_of(moved / "node.log"), "certificate"); }));
  EXPECT_TRUE(holds(content_of(moved / "node.log"), "log.file: "));
  EXPECT_TRUE(holds(content_of(moved / "node.log"), "goes on in the file of before"));
  EXPECT_FALSE(holds(content_of(moved / "node.log"), "goes on here"));
  ASSERT_EQ(running.interrupt(), in_order);
  EXPECT_TRUE(holds(content_of(moved / "node.log"), "ended"));
}

TEST_F(Operations, ACertificateThatWasReplacedIsUsedAfterSighup) {
  net::test::certificate certificate{"localhost"};
  const auto files = certificate.files();
  const auto first = place_.path() / "first.pem", second = place_.path() / "second.pem";
  fs::copy_file(files.certificate_chain, first);
  node running{where_,
               {"listen.tls_certificate=\"" + files.certificate_chain + "\"",
                "listen.tls_key=\"" + files.private_key + "\""}};
  ASSERT_TRUE(running.start()) << running.log();
  const auto trusts = [&](const fs::path& root) {
    const auto at = "localhost:" + std::to_string(running.port());
    const auto got =
        run({"/usr/bin/env", "curl", "-sS", "--noproxy", "*", "--cacert", root.string(),
             "--resolve", at + ":127.0.0.1", "https://" + at + "/healthz"});
    return got.how == in_order && holds(got.out, "alive");
  };
  EXPECT_TRUE(trusts(first));
  certificate.renew("localhost");
  fs::copy_file(files.certificate_chain, second);
  EXPECT_TRUE(trusts(first)) << "nobody has told the node";
  running.send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return trusts(second); })) << running.log();
  EXPECT_FALSE(trusts(first));
  certificate.spoil();
  running.send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return holds(running.log(), "certificate was not reloaded"); }));
  EXPECT_TRUE(trusts(second)) << running.log();
}

TEST_F(Operations, ANodeToldToEndServesOnUntilItIsNoticedOrToldAgain) {
  node running{where_, {"front_door.stop_notice_seconds=600"}};
  ASSERT_TRUE(running.start()) << running.log();
  programme_client client{running.port()};
  EXPECT_EQ(client.get("/readyz").status, 200);
  running.send(SIGTERM);
  EXPECT_TRUE(eventually([&] { return client.get("/readyz").status == 503; }));
  EXPECT_EQ(client.get("/v1/waves").status, 200);
  EXPECT_EQ(running.interrupt(), in_order) << "the second signal";
}

TEST_F(Operations, MetricsAreWhereTheConfigurationPutsThem) {
  const std::string page = "gelombang_active_entities";
  {
    node here{where_};
    ASSERT_TRUE(here.start()) << here.log();
    EXPECT_TRUE(holds(programme_client{here.port()}.get("/metrics").body, page));
  }
  {
    node nowhere{where_, {"listen.metrics=\"off\""}};
    ASSERT_TRUE(nowhere.start()) << nowhere.log();
    EXPECT_EQ(programme_client{nowhere.port()}.get("/metrics").status, 404);
  }
  fs::remove(where_.log);
  node elsewhere{where_, {"listen.metrics=\"127.0.0.1:0\""}};
  ASSERT_TRUE(elsewhere.start()) << elsewhere.log();
  EXPECT_EQ(programme_client{elsewhere.port()}.get("/metrics").status, 404);
  const std::string told = "metrics at http://127.0.0.1:";
  const auto log = elsewhere.log();
  ASSERT_TRUE(holds(log, told)) << log;
  const auto port = std::stoi(log.substr(log.find(told) + told.size()));
  programme_client prober{static_cast<std::uint16_t>(port)};
  EXPECT_TRUE(holds(prober.get("/metrics").body, page));
  EXPECT_EQ(prober.get("/readyz").status, 200);
  EXPECT_EQ(prober.get("/v1/waves").status, 404);
  EXPECT_EQ(elsewhere.interrupt(), in_order) << elsewhere.log();
}

TEST_F(Operations, OperatorsHaveADoorOfTheirOwnWhereConfigured) {
  node running{where_, {"listen.operators=\"127.0.0.1:0\"", "front_door.connections_max=1"}};
  ASSERT_TRUE(running.start()) << running.log();
  const std::string told = "operators at http://127.0.0.1:";
  const auto log = running.log();
  ASSERT_TRUE(holds(log, told)) << log;
  const auto port = static_cast<std::uint16_t>(std::stoi(log.substr(log.find(told) + told.size())));
  ASSERT_NE(port, running.port());
  programme_client everybody{running.port()};
  ASSERT_EQ(everybody.get("/v1/waves").status, 200);
  programme_client one_too_many{running.port()};
  EXPECT_EQ(one_too_many.get("/v1/waves").status, 503);
  programme_client house{port};
  EXPECT_EQ(house.get("/v1/waves").status, 200);
  EXPECT_EQ(house.get("/readyz").status, 200);
  EXPECT_EQ(running.interrupt(), in_order) << running.log();
}

TEST_F(Operations, MemoryIsTouchedAheadWhereConfigured) {
  constexpr double wanted = 64 << 20;
  node running{where_, {"runtime.memory_ahead_bytes=67108864"}};
  ASSERT_TRUE(running.start()) << running.log();
  programme_client client{running.port()};
  const auto touched = [&] {
    return figure_in(client.get("/metrics").body, "gelombang_memory_ahead_bytes");
  };
  EXPECT_TRUE(eventually([&] { return touched() >= wanted; })) << touched();
  ASSERT_EQ(running.interrupt(), in_order);
  node without{where_};
  ASSERT_TRUE(without.start()) << without.log();
  programme_client other{without.port()};
  EXPECT_EQ(figure_in(other.get("/metrics").body, "gelombang_memory_ahead_bytes"), 0);
}

TEST_F(Operations, ConnectionsFromOneAddressAreLimitedAsConfigured) {
  node running{where_, {"front_door.connections_by_address_max=2"}};
  ASSERT_TRUE(running.start()) << running.log();
  programme_client first{running.port()}, second{running.port()}, third{running.port()},
      from_elsewhere{running.port(), 2};
  EXPECT_EQ(first.get("/healthz").status, 200);
  EXPECT_EQ(second.get("/healthz").status, 200);
  EXPECT_NE(third.get("/healthz").status, 200);
  EXPECT_EQ(from_elsewhere.get("/healthz").status, 200);
}

TEST_F(Operations, MoreConnectionsThanTheProcessMayHaveAreWarnedOf) {
  rlimit now{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &now), 0);
  constexpr rlim_t most = 10'000'000;  // that can be configured
  node running{where_, {"front_door.connections_max=10000000"}};
  ASSERT_TRUE(running.start()) << running.log();
  EXPECT_EQ(holds(running.log(), "LimitNOFILE"), now.rlim_max <= most) << running.log();
  EXPECT_EQ(holds(running.log(), " warning "), now.rlim_max <= most) << running.log();
}

TEST_F(Operations, AsManyConnectionsAsFitAreNoWarning) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GE(before.rlim_max, 4096u);
  // In a shell of its own: a hard limit that was lowered stays low.
  auto words = command_at(where_, {"serve", "--listen", "127.0.0.1:0", "--set",
                                   "demo.enabled=false", "--set", "waves.automatic=false"});
  words.insert(words.begin(), {"/bin/sh", "-c", "ulimit -n 4096 && exec \"$@\"", "sh"});
  process running{words, where_.log};
  ASSERT_TRUE(running.read_line(patience)) << content_of(where_.log);
  running.send(SIGINT);
  EXPECT_EQ(running.wait(patience), in_order);
  const auto log = content_of(where_.log);
  EXPECT_TRUE(holds(log, "2048 connections at once")) << log;
  EXPECT_FALSE(holds(log, " warning ")) << log;
}

TEST_F(Operations, WhatOneCallerMayAskIsLimitedAsConfigured) {
  ASSERT_EQ(seed(where_, 1).how, in_order);
  const auto person = applicant_tokens(where_, 1).front();
  node running{where_,
               {"limits.requests_by_account_max=3", "limits.requests_by_address_max=2",
                "limits.loopback_is_exempt=false"}};
  ASSERT_TRUE(running.start()) << running.log();
  programme_client here{running.port(), 1}, there{running.port(), 2}, elsewhere{running.port(), 3};
  EXPECT_EQ(here.get("/v1/me", person).status, 200);
  EXPECT_EQ(here.get("/v1/me", person).status, 200);
  EXPECT_EQ(here.get("/v1/waves").status, 429) << "the address has had its two";
  EXPECT_EQ(there.get("/v1/me", person).status, 200);
  const auto told = elsewhere.get("/v1/me", person);
  EXPECT_EQ(told.problem(), "too_many_requests") << "the account has had its three";
  EXPECT_TRUE(told.headers.contains("retry-after"));
  EXPECT_EQ(elsewhere.get("/v1/waves").status, 200);
  const auto page = here.get("/metrics");
  ASSERT_EQ(page.status, 200);
  const std::string refused = "gelombang_limits_refused_total{limit=";
  for (const std::string one : {"\"account\"} 1\n", "\"address\"} 1\n"})
    EXPECT_TRUE(holds(page.body, refused + one)) << one;
}

}  // namespace
}  // namespace gelombang::system_testing
