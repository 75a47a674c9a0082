#include <gtest/gtest.h>

#include <random>
#include <set>

#include "actors/applicant/limits.hpp"
#include "tests/actors/applicant/people.hpp"

/// One account under random commands, right and wrong, from phones that repeat themselves.
namespace gelombang::applicant {
namespace {

using namespace testing;

class life {
public:
  explicit life(unsigned seed) : random_(seed), who_{.id = {seed + 1}} {}

  void step() {
    now_ += std::chrono::seconds{random_() % 3 == 0 ? random_() % 400'000 : random_() % 90};
    auto before = who_;
    auto random_before = random_;
    command();
    // The same random choices on the same state: the same events, but for the seals' nonces.
    check_determinism(before, random_before);
    check_state();
    check_steps(before);
  }

  void check_replay() const {
    wire::State again;
    for (const auto& event : who_.history) {
      wire::Event read;
      ASSERT_TRUE(read.ParseFromString(bytes_of(event)));
      apply(again, read);
      wire::State stored;
      ASSERT_TRUE(stored.ParseFromString(bytes_of(again)));
      again = stored;
    }
    ASSERT_EQ(bytes_of(again), bytes_of(who_.state));
  }

  const std::set<stage>& seen() const { return seen_; }

private:
  std::optional<request_key> key() {
    if (random_() % 2) return std::nullopt;
    return request_key{random_() % 4, random_() % 2};
  }

  std::uint32_t some_session() { return static_cast<std::uint32_t>(random_() % 8); }

  void command() {
    switch (random_() % 16) {
      case 0:
        must(all_.enter(who_, now_));
        return;
      case 1:
        verify();
        return;
      case 2:
        who_.take(decide(who_.id, who_.state, open_session{"verifier", key(), now_}));
        return;
      case 3:
      case 4:
        refresh();
        return;
      case 5:
        who_.take(decide(who_.state, close_session{some_session(), now_}));
        return;
      case 6:
      case 7:
        all_.submit(who_, some_human(), now_, key());
        return;
      case 8:
      case 9:
        set();
        return;
      case 10:
        all_.assess(who_, {{"why", "b"}, {"sum", random_() % 4 ? "a" : "z"}}, key(), now_);
        return;
      case 11:
        block_or_not();
        return;
      default:
        hear();
        return;
    }
  }

  human some_human() {
    auto one = nth_human(static_cast<int>(random_() % 3));
    if (random_() % 8 == 0) one.name = "?";
    return one;
  }

  void verify() {
    auto code = random_() % 2 ? all_.code(who_) : std::string("00000x");
    all_.verify(who_, code, now_, "verifier", key());
  }

  void refresh() {
    auto session = some_session();
    std::uint32_t generation = static_cast<std::uint32_t>(random_() % 4);
    if (const auto* open = find_session(who_.state, session); open && random_() % 2) {
      generation = open->generation();
    }
    who_.take(decide(who_.id, who_.state, refresh_session{session, generation, key(), now_}));
  }

  void set() {
    auto employed = static_cast<employment>(random_() % 13);
    all_.profile(who_, set_profile{.phone = nth_human(static_cast<int>(random_() % 3)).phone,
                                   .education = education::sma,
                                   .employment = employed,
                                   .disability = random_() % 2 == 0,
                                   .request = key(),
                                   .now = now_});
  }

  void block_or_not() {
    if (random_() % 4 == 0) who_.take(decide(who_.state, block{"reason", now_}));
    if (random_() % 4 != 0) who_.take(decide(who_.state, unblock{now_}));
  }

  /// Anything the registry may say, about any claim.
  void hear() {
    registry::wire::Answer answer;
    auto claims = who_.state.claims();
    answer.set_claim(claims - std::min<std::uint32_t>(claims, random_() % 3));
    switch (random_() % 6) {
      case 0:
        answer.mutable_refused()->set_reason(static_cast<registry::wire::Reason>(random_() % 4));
        break;
      case 1:
        answer.set_claim(0);
        answer.mutable_lists_changed()->set_lists(static_cast<std::uint32_t>(random_() % 1024));
        break;
      case 2:
      case 3:
        answer.mutable_enrolled();
        break;
      default:
        answer.mutable_taken()->set_lists(0);
    }
    must(all_.hear(who_, answer, now_));
  }

  void check_determinism(const account& before, const std::mt19937& random_before) {
    auto after = who_;
    auto random_after = random_;
    who_ = before;
    random_ = random_before;
    command();
    ASSERT_EQ(who_.history.size(), after.history.size());
    for (std::size_t i = before.history.size(); i < after.history.size(); ++i) {
      ASSERT_EQ(bytes_of(without_seals(who_.history[i])),
                bytes_of(without_seals(after.history[i])));
    }
    who_ = after;
    random_ = random_after;
  }

  static wire::Event without_seals(wire::Event event) {
    if (event.has_email_entered()) event.mutable_email_entered()->clear_sealed_email();
    if (event.has_identity_submitted()) event.mutable_identity_submitted()->clear_sealed();
    if (event.has_profile_set() && event.profile_set().has_wanted()) {
      event.mutable_profile_set()->mutable_wanted()->clear_sealed();
    }
    return event;
  }

  void check_state() const {
    const auto& state = who_.state;
    ASSERT_LE(state.sessions_size(), sessions_max);
    ASSERT_LE(state.requests_size(), requests_max);
    ASSERT_LE(state.code().tries(), code_tries_max);
    ASSERT_LE(state.code().sent_at_size(), codes_an_hour_max);
    std::set<std::uint32_t> ids;
    for (const auto& session : state.sessions()) {
      ASSERT_TRUE(ids.insert(session.id()).second);
      ASSERT_LE(session.id(), state.sessions_opened());
    }
    auto pending = state.identity().status() == wire::Identity::SUBMITTED;
    ASSERT_EQ(state.identity().has_claim(), pending);
    ASSERT_EQ(state.has_phone() && state.phone().claim() != 0, false);
  }

  /// The funnel is climbed; the ways down are a block, a rejection, and a first phone number that
  /// turns out to be somebody else's.
  void check_steps(const account& before) {
    auto state = before.state;
    for (auto i = before.history.size(); i < who_.history.size(); ++i) {
      const auto& event = who_.history[i];
      auto from = stage_of(state);
      apply(state, event);
      auto to = stage_of(state);
      seen_.insert(to);
      if (event.has_blocked() || event.has_unblocked() || from == to) continue;
      if (event.has_identity_rejected() || event.has_identity_submitted()) continue;
      if (event.has_phone_refused()) {
        ASSERT_EQ(from, stage::assessment_taken);
        continue;
      }
      ASSERT_GT(to, from) << name_of(from) << " → " << name_of(to);
    }
    ASSERT_LE(before.state.claims(), state.claims());
    ASSERT_LE(before.state.code().generation(), state.code().generation());
  }

  std::mt19937 random_;
  world all_;
  instant now_ = noon;
  account who_;
  std::set<stage> seen_;
};

TEST(Life, KeepsItsInvariantsUnderAnyCommands) {
  std::set<stage> seen;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    life one(seed);
    for (int i = 0; i < 250; ++i) {
      one.step();
      if (HasFatalFailure()) return;
    }
    one.check_replay();
    if (HasFatalFailure()) return;
    seen.insert(one.seen().begin(), one.seen().end());
  }
  // Every stage but `none` is reached, or the walk has proved little.
  EXPECT_EQ(seen.size(), all_stages.size() - 1);
}

TEST(Events, OfUnknownKindsChangeNothing) {
  world all;
  auto who = all.ready();
  auto before = bytes_of(who.state);
  apply(who.state, wire::Event{});
  EXPECT_EQ(bytes_of(who.state), before);
}

TEST(Stages, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (auto which : all_stages) EXPECT_TRUE(names.insert(name_of(which)).second);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace gelombang::applicant
