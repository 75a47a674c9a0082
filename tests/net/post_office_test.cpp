#include "net/mailer/post_office.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "tests/log_capture.hpp"
#include "tests/net/smtp_sink.hpp"

namespace gelombang::mailer {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr instant start{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};

job job_number(std::uint64_t sequence) {
  return {{0, sequence}, "siti@example.com", letter_kind::code, "123456"};
}

// --- when is what tried -------------------------------------------------------------------------

outbox_options without_chance() {
  return {.queue_max = 3,
          .attempts_max = 5,
          .first_pause = 2s,
          .longest_pause = 10s,
          .jitter_permille = 0};
}

TEST(Outbox, TakesNoMoreThanItsLimitUntilOneHasEnded) {
  outbox box{without_chance(), 1};
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_TRUE(box.add(job_number(i), start));
  EXPECT_FALSE(box.add(job_number(4), start));
  ASSERT_TRUE(box.take(start));
  EXPECT_FALSE(box.add(job_number(4), start)) << "a job being sent still counts";
  box.finished();
  EXPECT_TRUE(box.add(job_number(4), start));
}

TEST(Outbox, GivesJobsInTheOrderTheyCame) {
  outbox box{without_chance(), 1};
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(box.add(job_number(i), start));
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(box.take(start)->what.id.sequence, i);
  EXPECT_FALSE(box.take(start));
}

TEST(Outbox, PausesDoubleUpToTheLongestAndThenTheJobIsGivenUp) {
  outbox box{without_chance(), 1};
  ASSERT_TRUE(box.add(job_number(1), start));
  auto now = start;
  for (const auto pause : {2s, 4s, 8s, 10s}) {
    auto taken = box.take(now);
    ASSERT_TRUE(taken);
    ASSERT_TRUE(box.failed(*std::move(taken), now));
    EXPECT_EQ(box.next_due(), now + pause);
    EXPECT_FALSE(box.take(now + pause - 1ms));
    now += pause;
  }
  EXPECT_FALSE(box.failed(*box.take(now), now)) << "the fifth of five attempts";
  EXPECT_EQ(box.size(), 0U);
  EXPECT_FALSE(box.next_due());
}

TEST(Outbox, ChanceSpreadsWhatFailedTogetherWithinItsBounds) {
  auto options = without_chance();
  options.queue_max = 200;
  options.jitter_permille = 250;
  outbox box{options, 1};
  std::set<instant> due;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    ASSERT_TRUE(box.add(job_number(i), start));
    ASSERT_TRUE(box.failed(*box.take(start), start));
  }
  while (const auto next = box.next_due()) {
    due.insert(*next);
    ASSERT_TRUE(box.take(*next));
  }
  EXPECT_GE(*due.begin(), start + 1500ms);
  EXPECT_LE(*due.rbegin(), start + 2500ms);
  EXPECT_GT(due.size(), 50U);
}

// --- the post office ----------------------------------------------------------------------------

/// Notes how each job ended, and lets a test wait for a number of them.
class verdicts {
public:
  post_events events() {
    return {[this](job_id id) { note(id, "delivered"); },
            [this](job_id id, send_fault fault) {
              note(id, fault == send_fault::permanent ? "permanent" : "temporary");
            }};
  }
  std::multimap<std::uint64_t, std::string> wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return ended_.size() >= count; });
    return ended_;
  }
  std::multimap<std::uint64_t, std::string> now() {
    const std::lock_guard lock{mutex_};
    return ended_;
  }

private:
  void note(job_id id, std::string how) {
    const std::lock_guard lock{mutex_};
    ended_.emplace(id.sequence, std::move(how));
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::uint64_t, std::string> ended_;
};

/// Answers with what it was told to, then with success; counts.
class scripted_sender final : public mail_sender {
public:
  explicit scripted_sender(std::deque<send_fault> faults) : faults_(std::move(faults)) {}
  send_result send(const letter&) override {
    if (faults_.empty()) return {};
    const auto fault = faults_.front();
    faults_.pop_front();
    return tl::unexpected(send_error{fault, "told to"});
  }

private:
  std::deque<send_fault> faults_;
};

/// Holds every letter until it is let go.
class gate {
public:
  void open() {
    const std::lock_guard lock{mutex_};
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock{mutex_};
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void wait_for_arrival() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return arrived_ > 0; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int arrived_ = 0;
};

class held_sender final : public mail_sender {
public:
  explicit held_sender(gate& by) : by_(by) {}
  send_result send(const letter&) override {
    by_.pass();
    return {};
  }

private:
  gate& by_;
};

outbox_options at_once() {
  return {.first_pause = 0ms, .longest_pause = 0ms};
}

std::vector<std::unique_ptr<mail_sender>> just(std::unique_ptr<mail_sender> sender) {
  std::vector<std::unique_ptr<mail_sender>> senders;
  senders.push_back(std::move(sender));
  return senders;
}

const mailbox from_us{"", "no-reply@example.com"};
const system_clock real_time;

using ended = std::multimap<std::uint64_t, std::string>;

TEST(PostOffice, EndsEachJobOnceWhateverBecomesOfIt) {
  verdicts seen;
  const auto now = send_fault::temporary, for_good = send_fault::permanent;
  std::deque<send_fault> faults{now, now, for_good};
  post_office office{from_us, at_once(), just(std::make_unique<scripted_sender>(faults)), real_time,
                     seen.events()};
  ASSERT_EQ(office.accept(job_number(1)), intake::taken);
  EXPECT_EQ(seen.wait_for(1), (ended{{1, "permanent"}}))
      << "tried again twice, then refused for good";
  ASSERT_EQ(office.accept(job_number(2)), intake::taken);
  EXPECT_EQ(seen.wait_for(2), (ended{{1, "permanent"}, {2, "delivered"}}));
  office.stop();
  EXPECT_EQ(seen.now().size(), 2U);
}

TEST(PostOffice, GivesUpForNowAfterItsAttempts) {
  verdicts seen;
  auto options = at_once();
  options.attempts_max = 3;
  post_office office{from_us, options,
                     just(std::make_unique<scripted_sender>(std::deque(3, send_fault::temporary))),
                     real_time, seen.events()};
  ASSERT_EQ(office.accept(job_number(1)), intake::taken);
  EXPECT_EQ(seen.wait_for(1), (ended{{1, "temporary"}}));
}

TEST(PostOffice, TellsOnceAMinuteHowManyLettersWereRefusedForGood) {
  const gelombang::testing::log_capture log;
  verdicts seen;
  manual_clock time{start};
  post_office office{from_us, at_once(),
                     just(std::make_unique<scripted_sender>(std::deque(5, send_fault::permanent))),
                     time, seen.events()};
  auto send = [&, sequence = std::uint64_t{0}](int letters) mutable {
    for (int i = 0; i < letters; ++i) {
      ASSERT_EQ(office.accept(job_number(++sequence)), intake::taken);
      seen.wait_for(sequence);
    }
  };
  send(4);
  EXPECT_EQ(log.lines_with("mail: a letter was refused for good and not tried again"), 1);
  EXPECT_EQ(log.lines_with("refused for good"), 1);
  time.advance(post_office::refused_told_every);
  send(1);
  EXPECT_EQ(log.lines_with("mail: 4 letters were refused for good and not tried again; the last: "
                           "told to"),
            1);
  EXPECT_EQ(log.lines_with("refused for good"), 2);
}

TEST(PostOffice, RefusesAnAddressThatIsNone) {
  verdicts seen;
  post_office office{from_us, at_once(), just(std::make_unique<no_sender>()), real_time,
                     seen.events()};
  auto bad = job_number(1);
  bad.to = "siti@example.com\r\nBcc: all@example.com";
  ASSERT_EQ(office.accept(bad), intake::taken);
  EXPECT_EQ(seen.wait_for(1), (ended{{1, "permanent"}}));
}

TEST(PostOffice, SaysWhenItIsFullAndGivesBackWhatItDidNotSend) {
  verdicts seen;
  gate holding;
  auto options = at_once();
  options.queue_max = 2;
  post_office office{from_us, options, just(std::make_unique<held_sender>(holding)), real_time,
                     seen.events()};
  EXPECT_EQ(office.accept(job_number(1)), intake::taken);
  holding.wait_for_arrival();
  EXPECT_EQ(office.accept(job_number(2)), intake::taken);
  EXPECT_EQ(office.accept(job_number(3)), intake::full);
  EXPECT_EQ(office.pending(), 2U);
  std::thread stopping{[&] { office.stop(); }};
  while (office.accept(job_number(4)) != intake::closed) std::this_thread::yield();
  holding.open();
  stopping.join();
  EXPECT_EQ(seen.now(), (ended{{1, "delivered"}, {2, "temporary"}}));
  EXPECT_EQ(office.pending(), 0U);
}

TEST(PostOffice, ManyThreadsHandInAndEveryJobEndsOnce) {
  verdicts seen;
  constexpr std::uint64_t threads = 4, each = 500;
  std::vector<std::unique_ptr<mail_sender>> senders;
  senders.reserve(3);
  for (int i = 0; i < 3; ++i)
    senders.push_back(std::make_unique<scripted_sender>(std::deque(50, send_fault::temporary)));
  post_office office{from_us, at_once(), std::move(senders), real_time, seen.events()};
  std::vector<std::thread> people;
  for (std::uint64_t t = 0; t < threads; ++t)
    people.emplace_back([&, t] {
      for (std::uint64_t i = 0; i < each; ++i)
        EXPECT_EQ(office.accept(job_number(t * each + i)), intake::taken);
    });
  for (auto& person : people) person.join();
  const auto all = seen.wait_for(threads * each);
  EXPECT_EQ(all.size(), threads * each);
  for (std::uint64_t i = 0; i < threads * each; ++i) EXPECT_EQ(all.count(i), 1U) << i;
}

// --- as configured ------------------------------------------------------------------------------

TEST(PostOfficeOptions, NameTheKeyAtFault) {
  const auto complaint = [](const post_office_options& options) {
    const auto office = open_post_office(options, real_time, {});
    return office ? std::string{} : office.error();
  };
  EXPECT_THAT(complaint({.kind = "pigeon"}), HasSubstr("mail.kind"));
  EXPECT_THAT(complaint({.from = "nobody"}), HasSubstr("mail.from"));
  EXPECT_THAT(complaint({.kind = "smtp", .tls = "maybe"}), HasSubstr("mail.tls"));
  EXPECT_THAT(complaint({.kind = "smtp", .user = "a", .password_file = "nowhere/at/all"}),
              HasSubstr("mail.password_file"));
  EXPECT_THAT(complaint({.kind = "smtp", .connections = 0}), HasSubstr("mail.connections"));
}

TEST(PostOfficeOptions, SmtpReachesTheRelayOverItsConnections) {
  gelombang::testing::smtp_sink sink{{.to_rcpt = {"451 later"}}};
  verdicts seen;
  auto office = open_post_office({.kind = "smtp",
                                  .host = "127.0.0.1",
                                  .port = sink.port(),
                                  .from = "Kartu <no-reply@example.com>",
                                  .connections = 1,
                                  .queue = at_once()},
                                 real_time, seen.events());
  ASSERT_TRUE(office) << office.error();
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_EQ((*office)->accept(job_number(i)), intake::taken);
  EXPECT_EQ(seen.wait_for(3), (ended{{1, "delivered"}, {2, "delivered"}, {3, "delivered"}}));
  EXPECT_EQ(sink.received().size(), 3U);
}

}  // namespace
}  // namespace gelombang::mailer
