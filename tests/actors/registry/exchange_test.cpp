#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "tests/actors/applicant/people.hpp"

/// Applicants and registry, and between them a post that keeps the order between any two of them
/// and nothing else. Whatever the interleaving, nobody ever has what somebody else has.
namespace gelombang::applicant {
namespace {

using namespace testing;

constexpr int people_count = 6;
constexpr int humans_count = 4;
constexpr int phones_count = 4;

human human_at(int n) {
  auto one = nth_human(n);
  // Two family cards; and of each human some accounts declare one region, some another.
  one.kk_digits.back() = n % 2 ? '7' : '8';
  return one;
}

class exchange {
public:
  explicit exchange(unsigned seed) : random_(seed) {
    for (int i = 0; i < people_count; ++i) {
      people_.push_back(all_.verified(static_cast<std::uint64_t>(i) + 1));
      people_.back().sent.clear();
      claimed_.push_back({});
    }
  }

  void step() {
    now_ += std::chrono::seconds{random_() % 100};
    if (random_() % 3 == 0) return act();
    deliver_one();
  }

  void drain() {
    while (deliver_one()) {
    }
  }

  /// What must hold at every moment.
  void check() const {
    std::set<std::string> niks, phones;
    std::map<std::uint64_t, std::uint32_t> regions;
    for (std::size_t i = 0; i < people_.size(); ++i) {
      const auto& state = people_[i].state;
      const auto& identity = state.identity();
      auto verified = identity.status() == wire::Identity::VERIFIED;
      if (verified || identity.claim().nik_held()) {
        ASSERT_TRUE(niks.insert(claimed_[i]).second) << "one NIK, two accounts";
      }
      if (state.has_phone()) {
        ASSERT_TRUE(phones.insert(state.phone().hash()).second) << "one phone, two accounts";
      }
      if (!verified) continue;
      auto [known, first] = regions.emplace(identity.family(), identity.region());
      ASSERT_EQ(known->second, identity.region()) << "one family card, two regions";
    }
  }

  /// What must hold when no mail is on its way: both sides say the same, and nothing has leaked.
  void check_settled() const {
    std::map<std::uint64_t, std::set<std::uint64_t>> members;
    std::size_t niks = 0, phones = 0;
    for (std::size_t i = 0; i < people_.size(); ++i) {
      const auto& who = people_[i];
      ASSERT_NE(who.state.identity().status(), wire::Identity::SUBMITTED);
      ASSERT_FALSE(who.state.has_phone_wanted());
      if (who.state.identity().status() == wire::Identity::VERIFIED) {
        ++niks;
        members[who.state.identity().family()].insert(who.id.value);
        auto at = registry::address_of(all_.keys.nik_hash(claimed_[i]));
        ASSERT_EQ(registry::owner_of(all_.persons.at(at.id), at.rest), who.id);
      }
      if (who.state.has_phone()) ++phones;
    }
    ASSERT_EQ(owned(all_.persons), niks);
    ASSERT_EQ(owned(all_.phones), phones);
    for (const auto& [id, family] : all_.families) {
      std::set<std::uint64_t> there(family.members().begin(), family.members().end());
      ASSERT_EQ(there, members[id]);
    }
  }

  /// Replaying everything from nothing gives the same bytes.
  void check_replay() const {
    for (const auto& who : people_) {
      wire::State again;
      for (const auto& event : who.history) apply(again, event);
      ASSERT_EQ(bytes_of(again), bytes_of(who.state));
    }
  }

  int count(wire::Identity::Status status) const {
    return static_cast<int>(std::count_if(people_.begin(), people_.end(), [&](const auto& who) {
      return who.state.identity().status() == status;
    }));
  }

private:
  using place = std::tuple<int, std::uint64_t, std::uint64_t>;  ///< kind, entity, account

  static std::size_t owned(const std::map<std::uint64_t, registry::wire::Person>& persons) {
    std::size_t count = 0;
    for (const auto& [id, person] : persons) {
      for (const auto& entry : person.entries()) count += entry.has_owner() ? 1 : 0;
    }
    return count;
  }

  static std::size_t owned(const std::map<std::uint64_t, registry::wire::Phone>& phones) {
    std::size_t count = 0;
    for (const auto& [id, phone] : phones) count += static_cast<std::size_t>(phone.owners_size());
    return count;
  }

  void act() {
    auto index = random_() % people_.size();
    auto& who = people_[index];
    auto person = human_at(static_cast<int>(random_() % humans_count));
    if (random_() % 4 == 0) person.region = region_code{3273};
    if (random_() % 2 == 0) {
      auto before = who.history.size();
      all_.submit(who, person, now_);
      if (who.history.size() != before) claimed_[index] = person.nik_digits;
    } else {
      person.phone = nth_human(static_cast<int>(random_() % phones_count)).phone;
      all_.profile(who, person, now_);
    }
    post(who);
  }

  void post(account& who) {
    for (auto& mail : who.sent) {
      auto& one = std::get<registry_mail>(mail);
      orders_[{static_cast<int>(one.to), one.id, who.id.value}].push_back(std::move(one));
    }
    who.sent.clear();
  }

  bool deliver_one() {
    auto waiting = orders_.size() + answers_.size();
    if (waiting == 0) return false;
    auto chosen = random_() % waiting;
    if (chosen < orders_.size()) {
      deliver_order(std::next(orders_.begin(), static_cast<std::ptrdiff_t>(chosen)));
    } else {
      deliver_answer(
          std::next(answers_.begin(), static_cast<std::ptrdiff_t>(chosen - orders_.size())));
    }
    return true;
  }

  template <class Queues, class Position>
  static auto take_first(Queues& queues, Position at) {
    auto first = std::move(at->second.front());
    at->second.pop_front();
    if (at->second.empty()) queues.erase(at);
    return first;
  }

  void deliver_order(std::map<place, std::deque<registry_mail>>::iterator at) {
    auto where = at->first;
    auto mail = take_first(orders_, at);
    auto answer = all_.deliver(mail);
    // Every order can be given twice in a row without harm.
    if (random_() % 4 == 0) {
      auto again = all_.deliver(mail);
      ASSERT_EQ(again.has_value(), answer.has_value());
      if (answer) {
        ASSERT_EQ(bytes_of(again->second), bytes_of(answer->second));
      }
    }
    if (answer) answers_[where].push_back(answer->second);
  }

  void deliver_answer(std::map<place, std::deque<registry::wire::Answer>>::iterator at) {
    auto& who = people_[std::get<2>(at->first) - 1];
    must(all_.hear(who, take_first(answers_, at), now_));
    post(who);
  }

  std::mt19937 random_;
  world all_;
  instant now_ = noon;
  std::vector<account> people_;
  std::vector<std::string> claimed_;  ///< the NIK that each account has submitted last
  std::map<place, std::deque<registry_mail>> orders_;
  std::map<place, std::deque<registry::wire::Answer>> answers_;
};

TEST(Exchange, NoInterleavingGivesTwoAccountsOneNikOrPhone) {
  int verified = 0, rejected = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    exchange post(seed);
    for (int i = 0; i < 120; ++i) {
      post.step();
      post.check();
      if (HasFatalFailure()) return;
    }
    post.drain();
    post.check();
    post.check_settled();
    post.check_replay();
    if (HasFatalFailure()) return;
    verified += post.count(wire::Identity::VERIFIED);
    rejected += post.count(wire::Identity::REJECTED);
  }
  // The runs are worth something only if both ends are reached often.
  EXPECT_GT(verified, 400);
  EXPECT_GT(rejected, 100);
}

}  // namespace
}  // namespace gelombang::applicant
