#include "net/waiting_room/metrics.hpp"

#include <prometheus/metric_family.h>

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

family counter(const char* name, const char* help, std::uint64_t value) {
  auto made = new_family(name, help, MetricType::Counter);
  made.metric.emplace_back().counter.value = static_cast<double>(value);
  return made;
}

family gauge(const char* name, const char* help, double value) {
  auto made = new_family(name, help, MetricType::Gauge);
  made.metric.emplace_back().gauge.value = value;
  return made;
}

family refused_tickets(const room_counts& counts) {
  auto made =
      new_family("gelombang_waiting_tickets_refused_total",
                 "Tickets that gave no turn; their bearers got a new place", MetricType::Counter);
  for (std::size_t why = 0; why < ticket_faults; ++why) {
    auto& metric = made.metric.emplace_back();
    metric.label.push_back({"reason", std::string{name_of(static_cast<ticket_fault>(why))}});
    metric.counter.value = static_cast<double>(counts.faults[why]);
  }
  return made;
}

}  // namespace

std::vector<family> waiting_room_metrics::Collect() const {
  const auto now = room_.state(time_.now());
  const auto counts = room_.counts();
  return {
      gauge("gelombang_waiting_room_open", "1 while people wait in line", now.is_open ? 1 : 0),
      gauge("gelombang_waiting_places", "Places that have not been called",
            static_cast<double>(now.waiting)),
      gauge("gelombang_waiting_rate", "People a second that the node is taken to sustain",
            now.measured_rate),
      gauge("gelombang_waiting_show_up_ratio", "The part of called places that somebody comes for",
            now.show_up_permille / 1000.0),
      counter("gelombang_waiting_room_openings_total", "Times the room opened", counts.openings),
      counter("gelombang_waiting_places_total", "Places given out", counts.places_given),
      counter("gelombang_waiting_admitted_total", "Let in in turn", counts.admitted_in_turn),
      counter("gelombang_waiting_admitted_from_before_total",
              "Of them, with a ticket of before the last start", counts.admitted_from_before),
      counter("gelombang_waiting_early_total", "Came back before their turn", counts.early),
      counter("gelombang_waiting_turned_back_total",
              "Came in turn when there was no room at that moment; their turn is kept",
              counts.turned_back),
      refused_tickets(counts),
  };
}

}  // namespace gelombang::net
