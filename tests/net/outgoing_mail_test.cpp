#include "net/command/outgoing_mail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "actors/applicant/limits.hpp"
#include "net/command/node_metrics.hpp"
#include "tests/actors/rooms.hpp"
#include "tests/net/smtp_sink.hpp"

namespace gelombang::command {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

/// A node whose letters leave through a post office of its own.
class OutgoingMail : public ::testing::Test {
protected:
  static settings with_options() {
    settings with;
    with.mail.queue.attempts_max = 1;
    return with;
  }

  /// Somebody enters his address, and a letter with a code is on its way.
  void enter() {
    applicant::testing::must(
        in_.ask(in_.account(1),
                applicant::enter_email{.email = in_.person(1).email, .now = in_.time.now()}));
  }

  /// Waits for the post office's threads, a step of time each round.
  template <class Question>
  bool eventually(const Question& is_so, std::chrono::milliseconds step = 0ms) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      in_.advance(step);
      std::this_thread::yield();
    }
    return true;
  }

  double metric(const outgoing_mail& mail, const std::string& name, const std::string& end) const {
    for (const auto& family : node_metrics{*in_.running, mail}.Collect()) {
      if (family.name != name) continue;
      for (const auto& one : family.metric) {
        if (end.empty()) return one.gauge.value;
        if (one.label.front().value == end) return one.counter.value;
      }
    }
    return -1;
  }
  double ended(const outgoing_mail& mail, const std::string& how) const {
    return metric(mail, "gelombang_letters_total", how);
  }
  double waiting(const outgoing_mail& mail) const {
    return metric(mail, "gelombang_letters_waiting", "");
  }

  rooms_test::world around_;
  rooms_test::machine in_{around_};
  settings with_ = with_options();
};

TEST_F(OutgoingMail, ThatIsRefusedForGoodHasEndedAndIsCounted) {
  const gelombang::testing::smtp_sink sink{{.to_rcpt = {"550 5.1.1 no such mailbox"}}};
  with_.mail.kind = "smtp";
  with_.mail.host = "127.0.0.1";
  with_.mail.port = sink.port();
  outgoing_mail mail{with_, *in_.running, around_.keys, in_.time};
  enter();
  ASSERT_TRUE(eventually([&] { return ended(mail, "refused") == 1; }));
  EXPECT_EQ(waiting(mail), 0);
  for (int minutes = 0; minutes < 30; ++minutes) in_.advance(60s);
  mail.stop();
  const auto commands = sink.commands();
  EXPECT_EQ(std::count_if(commands.begin(), commands.end(),
                          [](const auto& one) { return one.starts_with("RCPT"); }),
            1)
      << "never tried again";
  EXPECT_THAT(sink.received(), IsEmpty());
}

TEST_F(OutgoingMail, ThatCantBeDeliveredWaitsAsLongAsItsCodeIsGoodForAndNoLonger) {
  with_.mail.kind = "directory";
  const auto file = around_.where.path() / "file";
  std::ofstream{file} << "no directory";
  with_.mail.path = (file / "mail").string();
  outgoing_mail mail{with_, *in_.running, around_.keys, in_.time};
  const auto began = in_.time.now();
  enter();
  ASSERT_TRUE(
      eventually([&] { return in_.time.now() >= began + applicant::code_lifetime - 60s; }, 10s));
  EXPECT_EQ(ended(mail, "expired"), 0);
  EXPECT_EQ(waiting(mail), 1);
  ASSERT_TRUE(eventually([&] { return ended(mail, "expired") == 1; }, 10s));
  EXPECT_GE(in_.time.now(), began + applicant::code_lifetime);
  EXPECT_EQ(waiting(mail), 0);
  mail.stop();
}

TEST_F(OutgoingMail, LeavesOnceWhatWasInTheWayIsGone) {
  with_.mail.kind = "directory";
  const auto place = around_.where.path() / "mail";
  std::ofstream{place} << "no directory";
  with_.mail.path = place.string();
  outgoing_mail mail{with_, *in_.running, around_.keys, in_.time};
  enter();
  for (int i = 0; i < 6; ++i) in_.advance(10s);
  std::filesystem::remove(place);
  ASSERT_TRUE(eventually([&] { return ended(mail, "delivered") == 1; }, 10s));
  EXPECT_EQ(waiting(mail), 0);
  EXPECT_EQ(ended(mail, "expired"), 0);
  mail.stop();
}

}  // namespace
}  // namespace gelombang::command
