#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "storage/journal.hpp"
#include "tests/storage/format_support.hpp"
#include "tests/storage/memory_disk.hpp"

namespace gelombang::storage::fuzz {

/// Something that must never happen has happened: the fuzzer keeps the input.
inline void require(bool holds) {
  if (!holds) std::abort();
}

inline journal_options options() {
  journal_options small;
  small.directory = "/journal";
  small.segment_bytes_max = 64 << 10;
  small.frame_bytes_max = 1 << 20;
  small.reserve_bytes_first = 0;
  small.prepare_next = false;
  return small;
}

/// Takes a journal through its life: audited, opened, read, written, opened again. Damage may be
/// refused anywhere on the way, but what has been opened must go on working.
inline void live_with(testing::memory_disk& disk) {
  const auto ignore = [](const stored_frame&) { return result<void>{}; };
  const auto audit = verify_journal(disk, "/journal");
  auto log = journal::open(disk, options(), {}, ignore);
  if (!log) return;
  // An audit is at least as strict as a start, and has seen the same.
  require(!audit || audit->ends == (*log)->durable());
  const auto ends = (*log)->durable();
  for (const auto& [shard, end] : ends) {
    lsn last = 0;
    const auto read = (*log)->read(shard, 1, [&](const stored_frame& frame) -> result<void> {
      last = frame.last();
      return {};
    });
    require(read && last == end.last);
  }
  frame next;
  const auto known = ends.find(3);
  next.shard = 3;
  next.epoch = known == ends.end() ? 1 : known->second.epoch;
  next.first = known == ends.end() ? 1 : known->second.last + 1;
  next.count = 1;
  next.records = "appended";
  const auto can_follow = next.first != 0 && next.first + 1 > next.first;
  if (!can_follow || !(*log)->append(std::span(&next, 1))) return;
  const auto written = (*log)->durable();
  log->reset();
  const auto again = journal::open(disk, options(), {}, ignore);
  require(again.has_value() && (*again)->durable() == written);
}

}  // namespace gelombang::storage::fuzz
