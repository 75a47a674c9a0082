#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "actors/runtime/node.hpp"
#include "net/command/outgoing_mail.hpp"

namespace gelombang::command {

/// The node's own figures, read when somebody asks for /metrics. Thread-safe.
class node_metrics final : public prometheus::Collectable {
public:
  /// Both outlive the page.
  node_metrics(const runtime::node& node, const outgoing_mail& mail) : node_(node), mail_(mail) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  const runtime::node& node_;
  const outgoing_mail& mail_;
};

}  // namespace gelombang::command
