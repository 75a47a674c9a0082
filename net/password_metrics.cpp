#include "net/password_metrics.hpp"

#include <prometheus/metric_family.h>

#include <chrono>
#include <string>

namespace gelombang::net {
namespace {

using family = prometheus::MetricFamily;
using prometheus::MetricType;

family new_family(const char* name, const char* help, MetricType type) {
  family made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

family counter(const char* name, const char* help, double value) {
  auto made = new_family(name, help, MetricType::Counter);
  made.metric.emplace_back().counter.value = value;
  return made;
}

family gauge(const char* name, const char* help, double value) {
  auto made = new_family(name, help, MetricType::Gauge);
  made.metric.emplace_back().gauge.value = value;
  return made;
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}

family refused(const password_figures& now) {
  auto made = new_family("gelombang_passwords_refused_total",
                         "Passwords that were not hashed and their bearers told to come back",
                         MetricType::Counter);
  const auto add = [&](const char* why, std::uint64_t count) {
    auto& metric = made.metric.emplace_back();
    metric.label.push_back({"reason", why});
    metric.counter.value = static_cast<double>(count);
  };
  add("wait", now.refused_for_wait);
  add("queue", now.refused_for_queue);
  add("late", now.given_up);
  return made;
}

}  // namespace

std::vector<family> password_metrics::Collect() const {
  const auto now = pool_.figures();
  return {
      counter("gelombang_passwords_hashed_total", "Passwords hashed, to keep or to compare",
              static_cast<double>(now.hashes)),
      refused(now),
      counter("gelombang_passwords_cpu_seconds_total", "CPU time of hashing", seconds(now.cpu)),
      gauge("gelombang_passwords_waiting", "Passwords that wait to be hashed",
            static_cast<double>(now.waiting)),
      gauge("gelombang_passwords_wait_seconds", "How long one that came now would wait",
            seconds(now.wait)),
      gauge("gelombang_passwords_memory_bytes", "Memory kept for the next hashes",
            static_cast<double>(now.memory_bytes)),
  };
}

}  // namespace gelombang::net
