#include "net/password_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/command/settings.hpp"
#include "net/metrics.hpp"
#include "net/password_metrics.hpp"

namespace gelombang::net {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;

constexpr password_cost cheap{.passes = 1, .memory_log2_kib = 3};
/// Some milliseconds: with a share of a thousandth the next one waits for seconds.
constexpr password_cost dear{.passes = 4, .memory_log2_kib = 12};

/// What libsodium's own function for whole passwords takes for right.
std::string libsodium_text(std::string_view password, password_cost cost) {
  std::array<char, crypto_pwhash_argon2id_STRBYTES> text{};
  EXPECT_EQ(crypto_pwhash_argon2id_str(text.data(), password.data(), password.size(), cost.passes,
                                       std::size_t{1024} << cost.memory_log2_kib),
            0);
  return text.data();
}

/// Its fields: "$argon2id$v=19$m=8,t=1,p=1$SALT$DIGEST", base 64 without padding.
std::string decoded(const std::string& text) {
  std::string bytes(text.size(), '\0');
  std::size_t length = 0;
  EXPECT_EQ(sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                              text.data(), text.size(), nullptr, &length, nullptr,
                              sodium_base64_VARIANT_ORIGINAL_NO_PADDING),
            0);
  bytes.resize(length);
  return bytes;
}

std::string text_of(const password_digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

const std::vector<password_cost> some_costs{
    cheap, dear, {.passes = 3, .memory_log2_kib = 7}, {.passes = 2, .memory_log2_kib = 16}};

TEST(PasswordHash, IsWhatLibsodiumMakesOfIt) {
  ASSERT_GE(sodium_init(), 0);
  argon2_memory memory;
  for (const auto cost : some_costs)
    for (const std::string_view password : {"", "rahasia sekali", "ß∂ƒ\n"}) {
      const auto salt = random_salt();
      const auto digest = argon2id(password, salt, cost, memory);
      ASSERT_TRUE(digest);
      password_digest same{};
      ASSERT_EQ(
          crypto_pwhash_argon2id(same.data(), same.size(), password.data(), password.size(),
                                 reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                                 memory_bytes(cost), crypto_pwhash_argon2id_ALG_ARGON2ID13),
          0);
      EXPECT_EQ(*digest, same) << int{cost.passes} << ' ' << int{cost.memory_log2_kib};
    }
}

TEST(PasswordHash, VerifiesWhatLibsodiumHasWritten) {
  ASSERT_GE(sodium_init(), 0);
  argon2_memory memory;
  for (const auto cost : some_costs) {
    const auto text = libsodium_text("rahasia sekali", cost);
    ASSERT_THAT(text, HasSubstr("$argon2id$v=19$"));
    ASSERT_THAT(text, HasSubstr(",p=1$"));
    const auto digest_at = text.rfind('$');
    const auto salt_at = text.rfind('$', digest_at - 1);
    const auto salt = decoded(text.substr(salt_at + 1, digest_at - salt_at - 1));
    const auto digest = argon2id("rahasia sekali", salt, cost, memory);
    ASSERT_TRUE(digest);
    EXPECT_EQ(text_of(*digest), decoded(text.substr(digest_at + 1)));
    EXPECT_NE(*argon2id("rahasia sekalI", salt, cost, memory), *digest);
  }
}

TEST(PasswordHash, LeavesNothingInTheMemoryThatIsKept) {
  argon2_memory memory;
  ASSERT_TRUE(argon2id("rahasia sekali", random_salt(), dear, memory));
  ASSERT_EQ(memory.bytes(), memory_bytes(dear));
  const auto* const end = memory.data() + memory.bytes();
  EXPECT_EQ(std::find_if(memory.data(), const_cast<unsigned char*>(end), [](auto b) { return b; }),
            end);
}

TEST(Argon2Memory, IsTakenOnceAndGivenBack) {
  argon2_memory memory;
  EXPECT_EQ(memory.bytes(), 0u);
  ASSERT_TRUE(memory.hold(3u << 20));
  auto* const at = memory.data();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % (2u << 20), 0u) << "for huge pages";
  at[0] = at[(3u << 20) - 1] = 1;
  ASSERT_TRUE(memory.hold(1u << 20));
  EXPECT_EQ(memory.data(), at);
  memory.release();
  EXPECT_EQ(memory.bytes(), 0u);
  ASSERT_TRUE(memory.hold(8192));
  EXPECT_FALSE(memory.hold(std::size_t{1} << 60));
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(PasswordHash, HasACostWithinBoundsOrIsNone) {
  const auto hash = random_password_hash(cheap);
  EXPECT_TRUE(is_password_hash(hash));
  EXPECT_EQ(cost_of(hash), cheap);
  EXPECT_FALSE(is_password_hash(""));
  EXPECT_FALSE(is_password_hash(hash + "x"));
  for (const password_cost wrong :
       {password_cost{0, 3}, password_cost{17, 3}, password_cost{1, 2}, password_cost{1, 21}}) {
    auto damaged = hash;
    damaged[password_hash_bytes - 2] = static_cast<char>(wrong.passes);
    damaged[password_hash_bytes - 1] = static_cast<char>(wrong.memory_log2_kib);
    EXPECT_FALSE(is_password_hash(damaged))
        << int{wrong.passes} << ' ' << int{wrong.memory_log2_kib};
  }
}

class PasswordPool : public testing::Test {
protected:
  /// Runs the asker until so many have been answered.
  void answer(std::size_t many) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (told_.size() < many && std::chrono::steady_clock::now() < end) {
      context_.restart();
      context_.run_one_for(1s);
    }
    ASSERT_EQ(told_.size(), many);
  }
  void verify(password_pool& pool) {
    pool.verify("p", std::nullopt, context_,
                [this](auto given) { told_.push_back(given ? errc{} : given.error().code); });
  }

  boost::asio::io_context context_;
  std::vector<errc> told_;  ///< in the order of the answers
};

TEST_F(PasswordPool, AnswersAllOfManyOnManyThreads) {
  password_pool pool{
      {.threads = 4, .queue_max = 2000, .cost = cheap, .cpu_share_permille = 1000, .wait_max = 1h}};
  for (int i = 0; i < 1000; ++i) verify(pool);
  answer(1000);
  EXPECT_THAT(told_, testing::Each(errc{}));
  const auto now = pool.figures();
  EXPECT_EQ(now.hashes, 1000u);
  EXPECT_EQ(now.waiting, 0u);
  EXPECT_GT(now.cpu, 0ns);
}

TEST_F(PasswordPool, RefusesAtOnceWhoWouldWaitTooLong) {
  password_pool pool{{.threads = 0,
                      .queue_max = 1000,
                      .cost = dear,
                      .cpu_share_permille = 1,
                      .cores = 1,
                      .wait_max = 1min}};
  EXPECT_FALSE(pool.turns_away());
  // A hundred of them are more than the burst and a minute's share give.
  for (int i = 0; i < 100; ++i) verify(pool);
  const auto taken = pool.waiting();
  EXPECT_GT(taken, 1u);
  answer(100 - taken);
  EXPECT_THAT(told_, testing::Each(errc::overloaded));
  EXPECT_EQ(pool.figures().refused_for_wait, 100 - taken);
  EXPECT_GT(pool.figures().wait, 1min);
  EXPECT_TRUE(pool.turns_away());
  EXPECT_EQ(pool.figures().refused_for_wait, 101 - taken);
}

TEST_F(PasswordPool, EndsWhileItPauses) {
  {
    password_pool pool{{.threads = 2,
                        .queue_max = 1000,
                        .cost = dear,
                        .cpu_share_permille = 1,
                        .cores = 1,
                        .wait_max = 1h}};
    for (int i = 0; i < 200; ++i) verify(pool);
    answer(1);
  }
  // What it had no CPU time for would have taken an hour.
  context_.restart();
  context_.run();
  ASSERT_EQ(told_.size(), 200u);
  EXPECT_THAT(told_, Contains(errc::shutting_down));
}

TEST_F(PasswordPool, GivesUpWhatHasWaitedForTooLong) {
  password_pool pool{{.threads = 0, .queue_max = 2, .cost = cheap, .wait_max = 1ms}};
  verify(pool);
  answer(1);
  EXPECT_EQ(told_, std::vector{errc::overloaded});
  EXPECT_EQ(pool.figures().given_up, 1u);
  EXPECT_EQ(pool.waiting(), 0u);
}

TEST_F(PasswordPool, GivesItsMemoryBackWhenNobodyHasComeForAWhile) {
  password_pool pool{{.threads = 2, .cost = cheap, .memory_kept = 1ms}};
  verify(pool);
  answer(1);
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (pool.figures().memory_bytes > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  EXPECT_EQ(pool.figures().memory_bytes, 0u);
  verify(pool);
  answer(2);
  EXPECT_THAT(told_, testing::Each(errc{}));
}

TEST_F(PasswordPool, KeepsNoMoreThanAPasswordCostsHere) {
  std::string made;
  {
    password_pool before{{.threads = 1, .cost = dear}};
    before.hash("p", context_, [&](auto given) {
      made = *given;
      told_.push_back({});
    });
    answer(1);
  }
  password_pool pool{{.threads = 1, .cost = cheap, .memory_kept = 1h}};
  pool.verify("p", made, context_,
              [&](auto given) { told_.push_back(*given ? errc{} : errc::overloaded); });
  answer(2);
  verify(pool);
  answer(3);
  EXPECT_THAT(told_, testing::Each(errc{}));
  EXPECT_LE(pool.figures().memory_bytes, memory_bytes(cheap));
}

/// What the kernel says of each thread of this process: policy and nice value, by name.
std::map<std::string, std::pair<int, int>> threads_here() {
  std::map<std::string, std::pair<int, int>> found;
  for (const auto& one : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name;
    std::getline(std::ifstream{one.path() / "comm"}, name);
    const auto id = static_cast<pid_t>(std::stol(one.path().filename()));
    found[name] = {::sched_getscheduler(id), ::getpriority(PRIO_PROCESS, static_cast<id_t>(id))};
  }
  return found;
}

TEST_F(PasswordPool, HashesAtTheLowestPriorityAndAnswersAtTheUsualOne) {
  password_pool pool{{.threads = 1, .cost = cheap}};
  verify(pool);
  answer(1);
  const auto threads = threads_here();
  ASSERT_THAT(threads, Contains(Key("password-0")));
  EXPECT_EQ(threads.at("password-0"), (std::pair{SCHED_BATCH, 19}));
  EXPECT_EQ(threads.at("passwords"),
            (std::pair{::sched_getscheduler(0), ::getpriority(PRIO_PROCESS, 0)}));
}

TEST_F(PasswordPool, HashesLikeAllOthersWhereNothingIsHeldBack) {
  password_pool pool{{.threads = 1, .cost = cheap, .cpu_share_permille = 1000}};
  verify(pool);
  answer(1);
  EXPECT_EQ(threads_here().at("password-0").second, ::getpriority(PRIO_PROCESS, 0));
}

TEST_F(PasswordPool, ShowsItsFigures) {
  password_pool pool{{.threads = 1, .queue_max = 1, .cost = cheap}};
  verify(pool);
  answer(1);
  metrics_page page;
  page.add(std::make_shared<password_metrics>(pool));
  const auto text = page.text();
  EXPECT_THAT(text, HasSubstr("gelombang_passwords_hashed_total 1\n"));
  for (const auto* why : {"wait", "queue", "late"})
    EXPECT_THAT(text, HasSubstr(std::string{"gelombang_passwords_refused_total{reason=\""} + why +
                                "\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("gelombang_passwords_cpu_seconds_total "));
  EXPECT_THAT(text, HasSubstr("gelombang_passwords_waiting 0\n"));
  EXPECT_THAT(text, HasSubstr("gelombang_passwords_wait_seconds "));
}

TEST(PasswordSettings, AreReadAndKeptWithinBounds) {
  const auto set = command::load_settings(
      "", {"passwords.cpu_share_permille=1", "passwords.wait_milliseconds_max=500"});
  ASSERT_TRUE(set.has_value()) << set.error();
  EXPECT_EQ(set->passwords.cpu_share_permille, 1u);
  EXPECT_EQ(set->passwords.wait_milliseconds_max, 500);
  for (const auto* wrong :
       {"cpu_share_permille=0", "cpu_share_permille=1001", "cpu_share_permille=0.5",
        "wait_milliseconds_max=0", "wait_milliseconds_max=600001"}) {
    const auto refused = command::load_settings("", {std::string{"passwords."} + wrong});
    ASSERT_FALSE(refused.has_value()) << wrong;
    EXPECT_THAT(refused.error(), HasSubstr("passwords.")) << wrong;
  }
}

TEST(PasswordSettings, AreThoseOfTheDocumentedFileWhenNothingIsSaid) {
  const auto file = command::load_settings(GELOMBANG_SOURCE_DIR "/config/dev.toml", {});
  ASSERT_TRUE(file.has_value()) << file.error();
  const command::settings usual;
  const password_pool::settings pool;
  EXPECT_EQ(file->passwords.cpu_share_permille, usual.passwords.cpu_share_permille);
  EXPECT_EQ(file->passwords.cpu_share_permille, pool.cpu_share_permille);
  EXPECT_EQ(file->passwords.wait_milliseconds_max, usual.passwords.wait_milliseconds_max);
  EXPECT_EQ(file->passwords.wait_milliseconds_max, pool.wait_max.count());
  EXPECT_EQ(file->passwords.cost, pool.cost);
}

}  // namespace
}  // namespace gelombang::net
