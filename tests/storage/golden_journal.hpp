#pragma once

#include "tests/storage/journal_support.hpp"

namespace gelombang::storage::testing {

/// The history that the golden files hold: two cycles, then two more in a segment of their own.
inline std::vector<std::vector<kept_frame>> golden_cycles() {
  constexpr std::int64_t friday_noon = 1'790'312'400'000;
  return {
      {{0, 1, 1, 2, friday_noon, "first\nsecond\n"},
       {7, 1, 1, 1, friday_noon, std::string(3, '\0')}},
      {{7, 1, 2, 3, friday_noon + 1, std::string(1500, '\0') + "end"}},
      {{0, 2, 3, 1, friday_noon + 250, ""}},
      {{0, 2, 4, 1, friday_noon + 251, "\xff"}, {65535, 9, 1, 1, -1, "last shard"}},
  };
}

inline journal_options golden_options() {
  auto options = small_journal();
  options.salt = 0x0123456789abcdef;
  return options;
}

inline void append_golden(journal& log, std::size_t first, std::size_t end) {
  const auto cycles = golden_cycles();
  for (auto i = first; i < end; ++i) ASSERT_OK(log.append(as_frames(cycles[i])));
}

/// Writes the golden history: segments 1 and 2, both closed.
inline void make_golden(memory_disk& disk) {
  for (const std::size_t first : {0, 2}) {
    auto opened = open_journal(disk, golden_options());
    ASSERT_OK(opened);
    append_golden(*opened->log, first, first + 2);
  }
}

inline kept_history golden_history() {
  kept_history history;
  for (const auto& cycle : golden_cycles()) {
    for (const auto& each : cycle) history[each.shard].push_back(each);
  }
  return history;
}

}  // namespace gelombang::storage::testing
