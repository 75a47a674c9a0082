#include "load-tests/engine/recorder.hpp"

#include <algorithm>

namespace gelombang::load {
namespace {

std::uint64_t microseconds(time_point from, time_point to) {
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
  return time < 0 ? 0 : static_cast<std::uint64_t>(time);
}

}  // namespace

std::size_t recorder::kind_of(std::string_view label) {
  const auto known = std::find(labels_.begin(), labels_.end(), label);
  if (known != labels_.end()) return static_cast<std::size_t>(known - labels_.begin());
  labels_.emplace_back(label);
  kinds_.emplace_back();
  return labels_.size() - 1;
}

/// What is due before the start counts in the first second, and later ones than a week are one.
recorder::slot& recorder::slot_of(time_point when) {
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(when - start_).count();
  const auto second = static_cast<std::size_t>(
      std::clamp<std::int64_t>(at, 0, static_cast<std::int64_t>(run_seconds_max) - 1));
  if (second >= slots_.size()) slots_.resize(second + 1);
  return slots_[second];
}

void recorder::offered(std::size_t kind, time_point due, bool measured) {
  if (measured) ++kinds_[kind].offered;
  auto& in = slot_of(due);
  ++in.offered;
  ++in.begun_less_ended;
  live_.offered.fetch_add(1, std::memory_order_relaxed);
}

void recorder::sent(std::size_t kind, time_point at, bool measured) {
  if (measured) ++kinds_[kind].sent;
  ++slot_of(at).sent;
}

void recorder::answered(std::size_t kind, const attempt_times& times, int status, bool measured) {
  auto& in = slot_of(times.ended);
  --in.begun_less_ended;
  const auto latency = microseconds(times.due, times.ended);
  const auto what = standing_of(status);
  if (measured) {
    auto& tally = kinds_[kind];
    ++tally.answers[status];
    if (what == standing::served) {
      tally.latency.record(latency);
      tally.service.record(microseconds(times.sent, times.ended));
    } else if (what == standing::refused) {
      tally.refusal.record(latency);
    }
  }
  switch (what) {
    case standing::served:
      ++in.served;
      if (!in.latency) in.latency = std::make_unique<histogram>();
      in.latency->record(latency);
      live_.latency.record(latency);
      live_.served.fetch_add(1, std::memory_order_relaxed);
      break;
    case standing::refused:
      ++in.refused;
      live_.refused.fetch_add(1, std::memory_order_relaxed);
      break;
    case standing::failed:
      ++in.failed;
      live_.failed.fetch_add(1, std::memory_order_relaxed);
  }
}

void recorder::lost(std::size_t kind, const attempt_times& times, loss why, bool measured) {
  auto& in = slot_of(times.ended);
  --in.begun_less_ended;
  ++in.failed;
  ++in.lost[static_cast<std::size_t>(why)];
  live_.failed.fetch_add(1, std::memory_order_relaxed);
  if (measured) ++kinds_[kind].errors[std::string{name_of(why)}];
}

void recorder::add_to(run_result& into) const {
  for (std::size_t i = 0; i < labels_.size(); ++i) into.kinds[labels_[i]].merge(kinds_[i]);
  if (into.timeline.size() < slots_.size()) into.timeline.resize(slots_.size());
  std::int64_t in_flight = 0;
  for (std::size_t i = 0; i < into.timeline.size(); ++i) {
    if (i >= slots_.size()) {
      into.timeline[i].in_flight +=
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_flight));
      continue;
    }
    const auto& from = slots_[i];
    in_flight += from.begun_less_ended;
    second_slot made{.offered = from.offered,
                     .sent = from.sent,
                     .served = from.served,
                     .refused = from.refused,
                     .failed = from.failed,
                     .in_flight = static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_flight)),
                     .errors = {},
                     .latency = from.latency ? from.latency->sparse() : sparse_histogram{}};
    for (std::size_t why = 0; why < losses; ++why)
      if (from.lost[why] != 0)
        made.errors[std::string{name_of(static_cast<loss>(why))}] = from.lost[why];
    into.timeline[i].merge(made);
  }
}

}  // namespace gelombang::load
