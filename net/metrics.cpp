#include "net/metrics.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <sstream>
#include <utility>

namespace gelombang::net {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view class_names[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr double nanoseconds_per_second = 1e9;
constexpr double microseconds_per_second = 1e6;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

ClientMetric labelled(std::initializer_list<std::pair<const char*, std::string_view>> labels) {
  ClientMetric metric;
  for (auto& [name, value] : labels) metric.label.push_back({name, std::string(value)});
  return metric;
}

using all_threads = std::vector<std::unique_ptr<thread_metrics>>;
using counter_of = std::function<const owned_counter&(const thread_metrics&)>;

double total(const all_threads& threads, const counter_of& counter) {
  std::uint64_t sum = 0;
  for (auto& thread : threads) sum += counter(*thread).value();
  return static_cast<double>(sum);
}

MetricFamily counter_family(const all_threads& threads, std::string name, std::string help,
                            const counter_of& counter) {
  auto made = family(std::move(name), std::move(help), MetricType::Counter);
  ClientMetric metric;
  metric.counter.value = total(threads, counter);
  made.metric.push_back(std::move(metric));
  return made;
}

MetricFamily gauge_family(const all_threads& threads, std::string name, std::string help,
                          const counter_of& counter) {
  auto made = family(std::move(name), std::move(help), MetricType::Gauge);
  ClientMetric metric;
  metric.gauge.value = total(threads, counter);
  made.metric.push_back(std::move(metric));
  return made;
}

/// A gauge of each thread, for a sum of them would say nothing.
MetricFamily by_thread_family(const all_threads& threads, std::string name, std::string help,
                              const counter_of& gauge) {
  auto made = family(std::move(name), std::move(help), MetricType::Gauge);
  for (std::size_t index = 0; index < threads.size(); ++index) {
    auto metric = labelled({{"thread", std::to_string(index)}});
    metric.gauge.value = static_cast<double>(gauge(*threads[index]).value());
    made.metric.push_back(std::move(metric));
  }
  return made;
}

MetricFamily requests_family(const all_threads& threads,
                             const std::vector<std::string>& operations) {
  auto made = family("gelombang_http_requests_total", "Answered requests by operation and class",
                     MetricType::Counter);
  for (std::size_t route = 0; route < operations.size(); ++route) {
    for (std::size_t kind = 0; kind < std::size(class_names); ++kind) {
      auto count = total(threads, [&](auto& thread) -> const owned_counter& {
        return thread.routes[route].by_class[kind];
      });
      if (count == 0) continue;
      auto metric = labelled({{"operation", operations[route]}, {"class", class_names[kind]}});
      metric.counter.value = count;
      made.metric.push_back(std::move(metric));
    }
  }
  return made;
}

/// Prometheus wants cumulative counts; one bound per power of two keeps a page of 40 operations
/// readable, while the finer buckets stay available to the process itself.
MetricFamily latency_family(const all_threads& threads,
                            const std::vector<std::string>& operations) {
  auto made = family("gelombang_http_request_seconds",
                     "From the request's last byte to its answer being ready to write",
                     MetricType::Histogram);
  for (std::size_t route = 0; route < operations.size(); ++route) {
    std::array<std::uint64_t, latency_histogram::buckets> counts{};
    std::uint64_t sum = 0;
    for (auto& thread : threads) {
      thread->routes[route].latency.add_to(counts);
      sum += thread->routes[route].latency.sum_nanoseconds();
    }
    auto metric = labelled({{"operation", operations[route]}});
    std::uint64_t so_far = 0;
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
      so_far += counts[bucket];
      if (bucket % latency_histogram::quarters != latency_histogram::quarters - 1) continue;
      auto bound = static_cast<double>(latency_histogram::end_of(bucket));
      metric.histogram.bucket.push_back({so_far, bound / microseconds_per_second});
    }
    if (so_far == 0) continue;
    metric.histogram.sample_count = so_far;
    metric.histogram.sample_sum = static_cast<double>(sum) / nanoseconds_per_second;
    made.metric.push_back(std::move(metric));
  }
  return made;
}

MetricFamily refused_family(const all_threads& threads) {
  auto made =
      family("gelombang_http_turned_away_total",
             "Connections and requests refused before a handler saw them", MetricType::Counter);
  for (std::size_t reason = 0; reason < turned_away_kinds; ++reason) {
    auto metric = labelled({{"reason", name_of(static_cast<turned_away>(reason))}});
    metric.counter.value = total(
        threads, [&](auto& thread) -> const owned_counter& { return thread.refused[reason]; });
    made.metric.push_back(std::move(metric));
  }
  return made;
}

MetricFamily limits_family(const all_threads& threads, std::string name, std::string help,
                           limit_counters thread_metrics::*counters) {
  auto made = family(std::move(name), std::move(help), MetricType::Counter);
  for (std::size_t kind = 0; kind < limit_kinds; ++kind) {
    auto metric = labelled({{"limit", name_of(static_cast<limit_kind>(kind))}});
    metric.counter.value = total(
        threads, [&](auto& thread) -> const owned_counter& { return (thread.*counters)[kind]; });
    made.metric.push_back(std::move(metric));
  }
  return made;
}

}  // namespace

std::string_view name_of(turned_away reason) {
  switch (reason) {
    case turned_away::connections:
      return "connections";
    case turned_away::in_flight:
      return "in_flight";
    case turned_away::malformed:
      return "malformed";
    case turned_away::too_large:
      return "too_large";
    case turned_away::too_slow:
      return "too_slow";
    case turned_away::not_authorised:
      return "not_authorised";
    case turned_away::not_routed:
      return "not_routed";
    case turned_away::write_stalled:
      return "write_stalled";
    case turned_away::handshake:
      return "handshake";
    case turned_away::overload:
      return "overload";
    case turned_away::over_share:
      return "over_share";
    case turned_away::over_limit:
      return "over_limit";
  }
  return {};
}

std::size_t latency_histogram::bucket_of(std::uint64_t microseconds) {
  if (microseconds < quarters) return microseconds;
  auto power = static_cast<std::size_t>(std::bit_width(microseconds)) - 1;
  auto quarter = microseconds >> (power - 2) & (quarters - 1);
  return std::min((power - 1) * quarters + quarter, buckets - 1);
}

std::uint64_t latency_histogram::end_of(std::size_t bucket) {
  if (bucket < quarters) return bucket + 1;
  auto power = bucket / quarters + 1;
  return (quarters + bucket % quarters + 1) << (power - 2);
}

void latency_histogram::record(std::chrono::nanoseconds duration) {
  auto nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  counts_[bucket_of(nanoseconds / 1000)].add();
  sum_.add(nanoseconds);
}

void latency_histogram::add_to(std::array<std::uint64_t, buckets>& totals) const {
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    totals[bucket] += counts_[bucket].value();
  }
}

http_metrics::http_metrics(std::vector<std::string> operations, std::size_t threads)
    : operations_(std::move(operations)) {
  operations_.emplace_back("none");
  for (std::size_t index = 0; index < threads; ++index) {
    threads_.push_back(std::make_unique<thread_metrics>(operations_.size()));
  }
}

std::vector<MetricFamily> http_metrics::Collect() const {
  auto of = [](owned_counter thread_metrics::*member) -> counter_of {
    return [member](auto& thread) -> const owned_counter& { return thread.*member; };
  };
  std::vector<MetricFamily> all;
  all.push_back(requests_family(threads_, operations_));
  all.push_back(latency_family(threads_, operations_));
  all.push_back(refused_family(threads_));
  all.push_back(limits_family(threads_, "gelombang_limits_refused_total",
                              "Requests over a limit of their account, device or address",
                              &thread_metrics::over_limit));
  all.push_back(limits_family(threads_, "gelombang_limits_forgotten_total",
                              "Callers whose counts made way for others: many of them in calm "
                              "times want a larger limits.keys_kept",
                              &thread_metrics::limits_forgotten));
  all.push_back(by_thread_family(
      threads_, "gelombang_overload_pressure_permille",
      "Part of the requests that are refused: up to 333 browsing, up to 667 entering, then joining",
      of(&thread_metrics::pressure_permille)));
  all.push_back(by_thread_family(threads_, "gelombang_overload_backlog_connections",
                                 "Connections that the kernel may keep until they are accepted",
                                 of(&thread_metrics::backlog)));
  all.push_back(by_thread_family(threads_, "gelombang_overload_places",
                                 "Requests that may wait for the actors at a time",
                                 of(&thread_metrics::places)));
  all.push_back(counter_family(threads_, "gelombang_overload_served_late_total",
                               "Served although they had waited too long, for want of credit to "
                               "refuse",
                               of(&thread_metrics::served_late)));
  all.push_back(gauge_family(threads_, "gelombang_http_requests_in_flight",
                             "Requests whose handler waits for an answer",
                             of(&thread_metrics::requests_in_flight)));
  all.push_back(gauge_family(threads_, "gelombang_http_connections", "Open connections",
                             of(&thread_metrics::connections_open)));
  all.push_back(counter_family(threads_, "gelombang_http_connections_total", "Connections accepted",
                               of(&thread_metrics::connections_opened)));
  all.push_back(counter_family(threads_, "gelombang_http_accept_failures_total",
                               "Tries to accept a connection that failed for want of descriptors "
                               "or memory",
                               of(&thread_metrics::accepts_failed)));
  all.push_back(counter_family(threads_, "gelombang_http_read_bytes_total", "Bytes read",
                               of(&thread_metrics::bytes_read)));
  all.push_back(counter_family(threads_, "gelombang_http_written_bytes_total", "Bytes written",
                               of(&thread_metrics::bytes_written)));
  return all;
}

std::string metrics_page::text() const {
  std::vector<MetricFamily> all;
  for (auto& source : sources_) {
    auto some = source->Collect();
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::ostringstream page;
  prometheus::TextSerializer{}.Serialize(page, all);
  return page.str();
}

}  // namespace gelombang::net
