#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <random>
#include <vector>

#include "tests/system/kill/model.hpp"

namespace gelombang::system_testing {

/// The end of a round: threads look at it, and wait by it.
class curtain {
public:
  void fall();
  bool is_down() const { return down_; }
  /// Waits so long, or until it falls. @returns whether it has not.
  bool pause(std::chrono::milliseconds time);

private:
  std::atomic<bool> down_{false};
  std::mutex mutex_;
  std::condition_variable falls_;
};

/// Plays some of the people until the curtain falls: does what they might do, and compares each
/// answer with what is believed.
class client {
public:
  client(world& all, std::vector<person*> mine, mailbox& letters, std::uint16_t port,
         std::uint16_t source, std::uint64_t seed)
      : all_(all),
        mine_(std::move(mine)),
        letters_(letters),
        programme_(port, source),
        dice_(seed),
        seed_(seed) {}

  /// Ends before when the node is gone.
  void play(const curtain& until);

private:
  person& anybody();
  std::string some_key();
  answer ask(const request& what);

  void act(person& one);
  void advance(person& one);
  void enter(person& one);
  void verify(person& one);
  void identify(person& one);
  void finish(person& one);

  void join(person& one, unsigned wave);
  void join_with(person& one, unsigned wave, const request& what);
  void joined(person& one, unsigned wave, const request& what, const answer& got);
  void withdraw(person& one, unsigned wave);
  void repeat(person& one);
  void read(person& one, unsigned wave);
  void wrong(const person& one, const request& what, const answer& got, const std::string& why);

  world& all_;
  std::vector<person*> mine_;
  mailbox& letters_;
  programme_client programme_;
  std::mt19937_64 dice_;
  std::uint64_t seed_;
  std::uint64_t keys_ = 0;
  bool has_lost_node_ = false;
};

/// The operator: takes one wave after the other through its life.
class officer {
public:
  officer(world& all, std::uint16_t port, std::uint64_t seed)
      : all_(all), programme_(port), dice_(seed) {}

  /// @param in_a_hurry  closes the wave that is open and goes on to the next; otherwise only opens
  enum class haste { none, in_a_hurry };
  void play(curtain& until, haste how);

  /// Brings the current wave one step further. @returns whether that step is acknowledged.
  bool step_forward();
  /// Keeps what is published of a wave, or compares it with what was.
  void look_at_publication(unsigned number);

private:
  void create();
  bool order(unsigned number, const std::string& what, int rank);

  world& all_;
  programme_client programme_;
  std::mt19937_64 dice_;
};

}  // namespace gelombang::system_testing
