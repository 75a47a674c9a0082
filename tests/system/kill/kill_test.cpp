#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/system/kill/checker.hpp"
#include "tests/system/kill/players.hpp"
#include "tests/system/support/node.hpp"

namespace gelombang::system_testing {
namespace {

/// What the environment says, or else the fallback.
std::uint64_t number_from(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

/// One data directory, and people who live through all kills.
class KillTest : public testing::Test {
protected:
  static constexpr std::size_t clients = 4;
  static constexpr unsigned new_people_a_round = 12;
  /// Every so many of the new people are after a NIK that another one wants too.
  static constexpr unsigned contested_every = 4;
  static constexpr unsigned rounds_a_wave = 3;

  void SetUp() override {
    std::printf("GELOMBANG_KILL_SEED=%llu GELOMBANG_KILL_ROUNDS=%llu\n",
                static_cast<unsigned long long>(seed_), static_cast<unsigned long long>(rounds_));
    // Everything that a start reads, or a kill interrupts, is to come up in a short run: rows from
    // checkpoints, segments that are closed, archived and taken away, actors that leave memory.
    const auto seeded = seed(node_.where(), world::seeded);
    ASSERT_EQ(seeded.how.code, 0) << seeded.err;
    const auto tokens = applicant_tokens(node_.where(), world::seeded);
    ASSERT_EQ(tokens.size(), world::seeded);
    all_.operator_token = operator_token(node_.where());
    all_.people.reserve(world::seeded + new_people_a_round * (rounds_ + 1));
    for (unsigned i = 1; i <= world::seeded; ++i) {
      person one;
      one.papers = source_(i);
      one.email = one.papers.email;
      one.token = tokens[i - 1];
      one.reached = step::ready;
      one.is_seeded = true;
      all_.people.push_back(std::move(one));
    }
  }

  void TearDown() override { print_tally(); }

  /// New people who want accounts. @see contested_every
  void add_people() {
    for (unsigned i = 0; i < new_people_a_round; ++i) {
      const auto number = all_.people.size() + 1;
      person one;
      one.papers = source_(number);
      one.email = one.papers.email;
      one.password = fmt::format("a long passphrase {}", number);
      if (i % contested_every == contested_every - 1) {
        auto& other = all_.people.back();
        const auto phone = one.papers.phone;
        one.papers = other.papers;
        one.papers.phone = phone;
        one.is_contested = other.is_contested = true;
      }
      all_.people.push_back(std::move(one));
    }
  }

  /// The people of one client: a person does one thing after the other. Those without an account
  /// are left to the last two clients, for a password keeps one waiting long.
  std::vector<person*> people_of(std::size_t which) {
    std::vector<person*> mine;
    for (std::size_t i = 0; i < all_.people.size(); ++i) {
      auto& one = all_.people[i];
      const auto whose = one.is_seeded ? i % clients : clients - 1 - i % 2;
      if (whose == which) mine.push_back(&one);
    }
    return mine;
  }

  /// Everybody does something until the node is killed at a moment that the dice choose.
  void play_and_kill(std::uint64_t round) {
    constexpr std::uint64_t least = 50, most = 700;
    curtain falls;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < clients; ++i)
      threads.emplace_back([this, i, &falls, dice = dice_()] {
        client one{all_, people_of(i), letters_, node_.port(), static_cast<std::uint16_t>(2 + i),
                   dice};
        one.play(falls);
      });
    threads.emplace_back([this, round, &falls, dice = dice_()] {
      const bool is_due = round % rounds_a_wave == rounds_a_wave - 1;
      officer on_duty{all_, node_.port(), dice};
      on_duty.play(falls, is_due ? officer::haste::in_a_hurry : officer::haste::none);
    });
    falls.pause(std::chrono::milliseconds{least + dice_() % (most - least)});
    node_.kill();
    falls.fall();
    for (auto& one : threads) one.join();
  }

  /// Starts it again, one time in four after a kill in the middle of the start.
  bool restart() {
    constexpr std::uint64_t start_takes_about_milliseconds = 60;
    if (dice_() % 4 == 0) {
      curtain nobody;
      node_.begin();
      nobody.pause(std::chrono::milliseconds{dice_() % start_takes_about_milliseconds});
      node_.kill();
    }
    return node_.start();
  }

  void print_tally() const {
    const auto& done = all_.done;
    fmt::print(
        "{} joins, {} withdrawals, {} repeats, {} retries, {} reads, {} accounts ready, {} NIKs "
        "refused, {} waves drawn, {} requests never answered\n",
        done.joins.load(), done.withdrawals.load(), done.repeats.load(), done.retries.load(),
        done.reads.load(), done.accounts.load(), done.collisions.load(), done.waves_drawn.load(),
        done.unanswered.load());
  }

  const std::uint64_t seed_ = number_from("GELOMBANG_KILL_SEED", std::random_device{}());
  const std::uint64_t rounds_ = number_from("GELOMBANG_KILL_ROUNDS", 20);
  std::mt19937_64 dice_{seed_};
  scratch place_;
  node node_{
      home{place_.path()},
      {"storage.checkpoint_interval_seconds=1", "storage.segment_bytes_max=1048576",
       "storage.checkpoint_bytes=65536", "runtime.active_actors_max=512", "log.level=\"warn\""}};
  mailbox letters_{node_.where().mail};
  const seed::people source_{world::people_seed};
  world all_;
};

/// A wave is taken to its end, and its draw recomputed from what is published.
void verify_draw(const world& all, unsigned wave, const std::filesystem::path& below) {
  const auto& published = all.waves.at(wave);
  ASSERT_FALSE(published.summary.empty());
  ASSERT_FALSE(published.entries.empty());
  std::ofstream{below / "summary.json"} << published.summary;
  std::ofstream{below / "entries.csv"} << published.entries;
  const auto verified =
      run(command({"draw", "verify", "--summary", (below / "summary.json").string(), "--entries",
                   (below / "entries.csv").string()}));
  EXPECT_EQ(verified.how.code, 0) << verified.out << verified.err;
}

TEST_F(KillTest, NothingAcknowledgedIsLostAndNothingIsHalfDone) {
  ASSERT_TRUE(node_.start()) << node_.log();
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    SCOPED_TRACE(fmt::format("round {} of seed {}", round, seed_));
    add_people();
    play_and_kill(round);
    const auto audited = audit(node_.where().data);
    ASSERT_EQ(audited.how.code, 0) << audited.out << audited.err;
    ASSERT_TRUE(restart()) << node_.log();
    checker{all_, node_.port()}.check();
    ASSERT_TRUE(all_.wrong.empty()) << all_.wrong.all() << node_.log();
  }

  officer last{all_, node_.port(), seed_};
  const auto until = std::chrono::steady_clock::now() + patience;
  while ((all_.current == 0 || all_.waves[all_.current].rank < rank_of("announced")) &&
         std::chrono::steady_clock::now() < until && all_.wrong.empty())
    last.step_forward();
  ASSERT_EQ(all_.waves[all_.current].rank, rank_of("announced")) << all_.wrong.all();
  checker final_look{all_, node_.port()};
  final_look.check();
  for (const auto& [number, wave] : all_.waves) {
    final_look.check_wave(number);
    verify_draw(all_, number, place_.path());
  }
  for (const auto& one : all_.people) {
    if (one.reached != step::entered) continue;
    EXPECT_TRUE(letters_.wait_for_code(one.email, patience)) << "no letter to " << one.email;
  }
  EXPECT_TRUE(all_.wrong.empty()) << all_.wrong.all();

  // A node that ends in order writes down everything: now the recount is of all there is.
  EXPECT_EQ(node_.interrupt(), (ending{.code = 0})) << node_.log();
  const auto audited = audit(node_.where().data);
  EXPECT_EQ(audited.how.code, 0) << audited.out << audited.err;
  EXPECT_GT(all_.done.joins, 0u);
  EXPECT_GT(all_.done.unanswered, 0u);
}

}  // namespace
}  // namespace gelombang::system_testing
