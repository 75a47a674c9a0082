#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "storage/journal.hpp"
#include "tests/storage/memory_disk.hpp"

namespace gelombang::storage {

/// So that a failing test prints what went wrong.
inline void PrintTo(const error& what, std::ostream* out) {
  *out << "fault " << static_cast<int>(what.kind) << ": " << what.detail;
}

}  // namespace gelombang::storage

namespace gelombang::storage::testing {

#define ASSERT_OK(expression)                                     \
  do {                                                            \
    const auto& outcome_ = (expression);                          \
    ASSERT_TRUE(outcome_.has_value()) << outcome_.error().detail; \
  } while (false)

#define EXPECT_FAULT(expression, fault_kind)                                 \
  do {                                                                       \
    const auto& outcome_ = (expression);                                     \
    ASSERT_FALSE(outcome_.has_value());                                      \
    EXPECT_EQ(outcome_.error().kind, fault_kind) << outcome_.error().detail; \
  } while (false)

/// What one frame held, kept apart from the journal that is tested.
struct kept_frame {
  shard_index shard = 0;
  std::uint64_t epoch = 0;
  lsn first = 0;
  std::uint32_t count = 0;
  std::int64_t written_at = 0;
  std::string records;

  bool operator==(const kept_frame&) const = default;
};

inline void PrintTo(const kept_frame& each, std::ostream* out) {
  *out << each.shard << '/' << each.first << '+' << each.count;
}

inline kept_frame keep(const frame& each) {
  return {each.shard, each.epoch,      each.first,
          each.count, each.written_at, std::string(each.records)};
}

inline frame as_frame(const kept_frame& each) {
  frame made;
  made.shard = each.shard;
  made.epoch = each.epoch;
  made.first = each.first;
  made.count = each.count;
  made.written_at = each.written_at;
  made.records = each.records;
  return made;
}

inline std::vector<frame> as_frames(const std::vector<kept_frame>& cycle) {
  std::vector<frame> frames;
  frames.reserve(cycle.size());
  for (const auto& each : cycle) frames.push_back(as_frame(each));
  return frames;
}

/// Frames by shard, in order.
using kept_history = std::map<shard_index, std::vector<kept_frame>>;

/// Makes cycles that follow each other, of random shards, sizes and contents.
class cycle_maker {
public:
  explicit cycle_maker(std::uint64_t seed, std::size_t records_bytes_max = 900)
      : random_(seed), records_bytes_max_(records_bytes_max) {}

  /// A cycle that follows what was last accepted.
  std::vector<kept_frame> next() {
    std::vector<kept_frame> cycle;
    for (shard_index shard = 0; shard < 8; ++shard) {
      if (random_() % 3 != 0) continue;
      cycle.push_back(frame_of(shard));
    }
    if (cycle.empty()) cycle.push_back(frame_of(3));
    return cycle;
  }

  /// The cycle stands in the journal.
  void accept(const std::vector<kept_frame>& cycle) {
    for (const auto& each : cycle) {
      history_[each.shard].push_back(each);
      ends_[each.shard] = each.first + each.count - 1;
    }
  }

  const kept_history& history() const { return history_; }

  std::uint64_t random() { return random_(); }

private:
  kept_frame frame_of(shard_index shard) {
    kept_frame made;
    made.shard = shard;
    made.epoch = 7;
    made.first = ends_[shard] + 1;
    made.count = 1 + static_cast<std::uint32_t>(random_() % 4);
    made.written_at = 1'700'000'000'000 + static_cast<std::int64_t>(random_() % 1000);
    // Long runs of zeros as well: they must not be mistaken for sectors that were never written.
    const auto zeros = random_() % 8 == 0;
    made.records.resize(random_() % (zeros ? 4 * records_bytes_max_ + 1 : records_bytes_max_ + 1));
    if (!zeros) {
      for (auto& byte : made.records) byte = static_cast<char>(random_());
    }
    return made;
  }

  std::mt19937_64 random_;
  std::size_t records_bytes_max_;
  kept_history history_;
  std::map<shard_index, lsn> ends_;
};

/// Collects what a journal hands out.
class frame_collector {
public:
  journal::visitor visitor() {
    return [this](const stored_frame& each) -> result<void> {
      history_[each.shard].push_back(keep(each));
      ++count_;
      return {};
    };
  }
  const kept_history& history() const { return history_; }
  std::size_t count() const { return count_; }

private:
  kept_history history_;
  std::size_t count_ = 0;
};

/// Small segments, nothing on other threads: every run with the same seed does the same.
inline journal_options small_journal() {
  journal_options options;
  options.directory = "/journal";
  options.segment_bytes_max = 16 << 10;
  options.reserve_bytes_first = 8 << 10;
  options.prepare_next = false;
  return options;
}

/// Of data that says that its newest segment is named.
inline journal_options named_journal() {
  auto options = small_journal();
  options.newest = naming::must_be_there;
  return options;
}

struct opened_journal {
  std::unique_ptr<journal> log;
  kept_history recovered;
};

inline result<opened_journal> open_journal(file_system& files,
                                           const journal_options& options = small_journal(),
                                           const positions& checkpoint = {}) {
  frame_collector collector;
  auto log = journal::open(files, options, checkpoint, collector.visitor());
  if (!log) return tl::unexpected(log.error());
  return opened_journal{std::move(*log), collector.history()};
}

inline void append_cycles(journal& log, cycle_maker& maker, int cycles) {
  for (int i = 0; i < cycles; ++i) {
    const auto cycle = maker.next();
    ASSERT_OK(log.append(as_frames(cycle)));
    maker.accept(cycle);
  }
}

}  // namespace gelombang::storage::testing
