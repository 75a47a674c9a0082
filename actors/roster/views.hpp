#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/applicant/eligibility.hpp"
#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/roster/roster.pb.h"
#include "storage/frame.hpp"

namespace gelombang::roster {

/// What an applicant's actor must know of a wave to decide a join.
struct view {
  wave_number wave{};
  wire::Phase phase = wire::NONE;
  instant opens_at{};
  instant closes_at{};
  std::string scheme;
  const applicant::eligibility_rules* rules = nullptr;
  /// The shard's roster does not read: nobody can say who is in, and nothing else here is known.
  bool is_damaged = false;
};

using view_list = std::shared_ptr<const std::vector<view>>;

/// Every shard's own view of the waves, kept by its rosters and read by its applicants. The views
/// of two shards may differ for the moment in which a wave is being closed; what counts is the
/// gate of the shard, shut in the same step that freezes the roster. Thread-safe.
class views {
public:
  explicit views(std::uint32_t shards) : of_shard_(shards) {}

  /// In ascending order of the waves.
  view_list of(storage::shard_index shard) const {
    auto& mine = of_shard_[shard];
    std::lock_guard lock{mine.mutex};
    return mine.list;
  }

  void put(storage::shard_index shard, view what) {
    auto& mine = of_shard_[shard];
    std::lock_guard lock{mine.mutex};
    auto changed = std::make_shared<std::vector<view>>(*mine.list);
    auto at = changed->begin();
    while (at != changed->end() && at->wave < what.wave) ++at;
    if (at != changed->end() && at->wave == what.wave)
      *at = std::move(what);
    else
      changed->insert(at, std::move(what));
    mine.list = std::move(changed);
  }

  void clear(storage::shard_index shard) {
    auto& mine = of_shard_[shard];
    std::lock_guard lock{mine.mutex};
    mine.list = std::make_shared<std::vector<view>>();
  }

private:
  struct one_shard {
    mutable std::mutex mutex;
    view_list list = std::make_shared<std::vector<view>>();
  };
  std::vector<one_shard> of_shard_;
};

/// The view of `wave` in a list, or null.
inline const view* find(const view_list& list, wave_number wave) {
  for (const auto& one : *list)
    if (one.wave == wave) return &one;
  return nullptr;
}

}  // namespace gelombang::roster
