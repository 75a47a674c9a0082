#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "actors/runtime/node.hpp"

namespace gelombang::command {

/// The node's own figures, read when somebody asks for /metrics. Thread-safe.
class node_metrics final : public prometheus::Collectable {
public:
  /// @param node outlives the page
  explicit node_metrics(const runtime::node& node) : node_(node) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  const runtime::node& node_;
};

}  // namespace gelombang::command
