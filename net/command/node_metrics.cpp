#include "net/command/node_metrics.hpp"

#include <prometheus/metric_family.h>

#include <string>

#include "actors/applicant/stages.hpp"

namespace gelombang::command {
namespace {

using family = prometheus::MetricFamily;

family new_family(const char* name, const char* help, prometheus::MetricType type) {
  family made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

family counter(const char* name, const char* help, double value) {
  auto made = new_family(name, help, prometheus::MetricType::Counter);
  made.metric.emplace_back().counter.value = value;
  return made;
}

family gauge(const char* name, const char* help, double value) {
  auto made = new_family(name, help, prometheus::MetricType::Gauge);
  made.metric.emplace_back().gauge.value = value;
  return made;
}

double figure(const std::atomic<std::uint64_t>& of) {
  return static_cast<double>(of.load(std::memory_order_relaxed));
}

family accounts_by_stage(const runtime::node& node) {
  auto made = new_family("gelombang_accounts", "Accounts by stage of the funnel",
                         prometheus::MetricType::Gauge);
  for (auto stage : applicant::all_stages) {
    if (stage == applicant::stage::none) continue;
    auto& metric = made.metric.emplace_back();
    metric.label.push_back({"stage", std::string{applicant::name_of(stage)}});
    metric.gauge.value = static_cast<double>(
        node.count({runtime::counter::family::funnel_stage, static_cast<std::uint32_t>(stage)}));
  }
  return made;
}

family letters_by_end(const letter_figures& letters) {
  auto made = new_family("gelombang_letters_total", "Letters by how they ended, since the start",
                         prometheus::MetricType::Counter);
  const auto add = [&](const char* how, const std::atomic<std::uint64_t>& count) {
    auto& metric = made.metric.emplace_back();
    metric.label.push_back({"end", how});
    metric.counter.value = figure(count);
  };
  add("delivered", letters.delivered);
  add("refused", letters.refused);
  add("expired", letters.expired);
  return made;
}

}  // namespace

std::vector<family> node_metrics::Collect() const {
  const auto& now = node_.figures();
  return {
      counter("gelombang_commit_cycles_total", "Commit cycles, one sync each",
              figure(now.commit_cycles)),
      counter("gelombang_committed_records_total", "Records made durable",
              figure(now.committed_records)),
      counter("gelombang_committed_bytes_total", "Bytes of records made durable",
              figure(now.committed_bytes)),
      counter("gelombang_sync_seconds_total", "Time in writing and syncing the journal",
              figure(now.sync_microseconds) / 1e6),
      counter("gelombang_commit_failures_total", "Times the journal refused",
              figure(now.commit_failures)),
      counter("gelombang_checkpoints_total", "Checkpoints written", figure(now.checkpoints)),
      counter("gelombang_activations_total", "Entities woken", figure(now.activations)),
      counter("gelombang_mails_total", "Mails between shards", figure(now.mails)),
      gauge("gelombang_active_entities", "Entities in memory", static_cast<double>(node_.active())),
      gauge("gelombang_memory_ahead_bytes", "Memory touched before it was needed, so far",
            figure(now.memory_ahead_bytes)),
      gauge("gelombang_mails_put_off", "Mails between shards that their receivers failed to take",
            static_cast<double>(node_.mails_put_off())),
      gauge("gelombang_letters_waiting", "Letters that have not ended",
            static_cast<double>(node_.mails_waiting_outside())),
      letters_by_end(mail_.figures()),
      accounts_by_stage(node_),
  };
}

}  // namespace gelombang::command
