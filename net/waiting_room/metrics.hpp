#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "actors/programme/clock.hpp"
#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {

/// The waiting room's figures, read when somebody asks for /metrics. Thread-safe.
class waiting_room_metrics final : public prometheus::Collectable {
public:
  /// Both outlive the page.
  waiting_room_metrics(waiting_room& room, const clock& time) : room_(room), time_(time) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  waiting_room& room_;
  const clock& time_;
};

}  // namespace gelombang::net
