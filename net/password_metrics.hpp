#pragma once

#include <prometheus/collectable.h>

#include <vector>

#include "net/password_pool.hpp"

namespace gelombang::net {

/// The pool's figures, read when somebody asks for /metrics. Thread-safe.
class password_metrics final : public prometheus::Collectable {
public:
  /// It outlives the page.
  explicit password_metrics(const password_pool& pool) : pool_(pool) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

private:
  const password_pool& pool_;
};

}  // namespace gelombang::net
