#pragma once

#include <map>
#include <memory>
#include <mutex>

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
    waves_[wave_number{wave->number()}] = std::move(wave);
  }

  wave_ptr find(wave_number number) const {
    std::lock_guard lock{mutex_};
    auto found = waves_.find(number);
    return found == waves_.end() ? nullptr : found->second;
  }

  /// All, by number.
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
};

}  // namespace gelombang::wave
