#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "actors/wave/rules.hpp"

namespace gelombang::wave {

using wave_ptr = std::shared_ptr<const wire::State>;

/// What everybody may know of the waves, for the many who only look: each wave's own actor puts up
/// what is durable. Thread-safe.
class board {
public:
  void put(wave_ptr wave) {
    std::lock_guard lock{mutex_};
    const wave_number number{wave->number()};
    if (committing_ == number && wave->phase() >= wire::COMMITTED) committing_.reset();
    waves_[number] = std::move(wave);
  }

  /// Takes the one place between a wave's commitment and its announcement: who is accepted, and how
  /// many places a family has left, must stand before the next roster is frozen, or a person is
  /// accepted twice. Ends when the wave is put up as committed or cancelled, or by `commit_ends`.
  /// @returns the wave that has the place.
  wave_number commit_begins(wave_number number) {
    std::lock_guard lock{mutex_};
    for (const auto& [other, one] : waves_)
      if (other != number && one->phase() >= wire::COMMITTED && one->phase() <= wire::ANNOUNCING)
        return other;
    if (!committing_) committing_ = number;
    return *committing_;
  }
  void commit_ends(wave_number number) {
    std::lock_guard lock{mutex_};
    if (committing_ == number) committing_.reset();
  }

  wave_ptr find(wave_number number) const {
    std::lock_guard lock{mutex_};
    auto found = waves_.find(number);
    return found == waves_.end() ? nullptr : found->second;
  }

  /// A wave whose row does not read: it is not unknown.
  void put_damaged(wave_number number) {
    std::lock_guard lock{mutex_};
    damaged_.insert(number);
  }
  bool is_damaged(wave_number number) const {
    std::lock_guard lock{mutex_};
    return damaged_.contains(number);
  }

  /// All that can be read, by number.
  std::map<wave_number, wave_ptr> all() const {
    std::lock_guard lock{mutex_};
    return waves_;
  }

  /// The wave that people mean: the open one; or the one that is being worked on; or the next
  /// one; or the last one there was. Null before the first.
  wave_ptr current(instant now) const {
    std::lock_guard lock{mutex_};
    wave_ptr working, next, last;
    for (const auto& [number, one] : waves_) {
      if (is_open(*one, now)) return one;
      const auto phase = one->phase();
      if (phase == wire::SCHEDULED && (!next || one->plan().opens_at() < next->plan().opens_at()))
        next = one;
      if (phase >= wire::OPEN && phase <= wire::ANNOUNCING) working = one;
      if (phase != wire::CANCELLED) last = one;
    }
    if (working) return working;
    return next ? next : last;
  }

private:
  mutable std::mutex mutex_;
  std::map<wave_number, wave_ptr> waves_;
  std::set<wave_number> damaged_;
  std::optional<wave_number> committing_;  ///< its roster is being read
};

}  // namespace gelombang::wave
