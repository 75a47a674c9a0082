#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>

#include "tests/actors/runtime/machine.hpp"
#include "tests/storage/memory_disk.hpp"

namespace gelombang::runtime::test {

/// Banks that give single coins to targets, and what must be true of it whatever happens in
/// between: a coin that was promised is there, one that was never given is not, none is lost.
class workload {
public:
  static constexpr std::uint64_t banks = 8, first_target = 100, targets = 24;
  static constexpr std::int64_t coins_each = 100'000;

  void open_banks(machine& in) {
    for (std::uint64_t i = 0; i < banks; ++i) in.ask(i, put_in{coins_each});
  }

  /// For `asking`: counts what has been promised.
  asking::listener listener() {
    return [this](std::uint64_t target, const answer& what) {
      if (what.ok()) ++promised_[target];
    };
  }

  void give(node& of, asking& front, std::mt19937_64& chance) {
    const auto target = chance() % targets;
    ++given_[target];
    front.ask(of, chance() % banks, hand_over{first_target + target, 1}, target);
  }

  /// Once all mail has arrived. What has been found is the truth from then on.
  void check(machine& in) {
    in.settle_mail();
    std::int64_t sum = 0;
    for (std::uint64_t i = 0; i < banks; ++i) sum += in.ask(i, look{})->value;
    for (std::uint64_t i = 0; i < targets; ++i) {
      const auto there = in.ask(first_target + i, look{})->value;
      EXPECT_GE(there, promised_[i]) << "a promise was broken to target " << i;
      EXPECT_LE(there, given_[i]) << "target " << i << " got a coin twice";
      promised_[i] = given_[i] = there;
      sum += there;
    }
    EXPECT_EQ(sum, static_cast<std::int64_t>(banks) * coins_each);
    EXPECT_EQ(in.running->count({counter::family::accepted, 1}), sum);
    EXPECT_EQ(in.watch.overtaken.load(), 0u);
    EXPECT_EQ(in.watch.twice.load(), 0u);
  }

  std::int64_t promised() const {
    std::int64_t all = 0;
    for (auto one : promised_) all += one;
    return all;
  }

private:
  std::array<std::int64_t, targets> promised_{}, given_{};
};

inline constexpr std::uint64_t small_segment_bytes = 64u << 10;

/// Opens the node anew on what a crash has left.
inline std::unique_ptr<machine> open_on(const std::filesystem::path& where,
                                        storage::file_system& files,
                                        std::size_t active_actors_max = 16) {
  return std::make_unique<machine>(where, active_actors_max, files, small_segment_bytes);
}

}  // namespace gelombang::runtime::test
