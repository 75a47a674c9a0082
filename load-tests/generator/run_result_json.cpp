#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "load-tests/generator/json_place.hpp"
#include "load-tests/generator/run_result.hpp"

namespace gelombang::load {
namespace {

namespace json = boost::json;

constexpr std::uint64_t nanoseconds_max = run_seconds_max * std::uint64_t{1'000'000'000};

std::string_view view_of(json::string_view text) {
  return {text.data(), text.size()};
}

json::object counts_json(const counts_by_name& counts) {
  json::object object;
  for (const auto& [name, count] : counts) object[name] = count;
  return object;
}

json::object kind_json(const kind_result& kind) {
  json::object answers;
  for (const auto& [status, count] : kind.answers) answers[fmt::to_string(status)] = count;
  return {{"offered", kind.offered},
          {"sent", kind.sent},
          {"answers", std::move(answers)},
          {"errors", counts_json(kind.errors)},
          {"latency", to_json(kind.latency.sparse())},
          {"service", to_json(kind.service.sparse())},
          {"refusal", to_json(kind.refusal.sparse())}};
}

json::object slot_json(const second_slot& slot) {
  return {{"offered", slot.offered},
          {"sent", slot.sent},
          {"served", slot.served},
          {"refused", slot.refused},
          {"failed", slot.failed},
          {"in_flight", slot.in_flight},
          {"errors", counts_json(slot.errors)},
          {"latency", to_json(slot.latency)}};
}

json::object sample_json(const server_sample& sample) {
  json::object metrics;
  for (const auto& [name, value] : sample.metrics) {
    if (std::isfinite(value)) metrics[name] = value;
  }
  return {{"second", sample.second}, {"metrics", std::move(metrics)}};
}

json::object phase_json(const phase_span& phase) {
  return {{"name", phase.name},
          {"from_ns", phase.from.count()},
          {"to_ns", phase.to.count()},
          {"measured", phase.measured}};
}

json::object threshold_json(const threshold_found& one) {
  return {{"name", one.name},
          {"limit", one.limit},
          {"found", one.found ? json::value(*one.found) : json::value(nullptr)},
          {"met", one.met}};
}

template <class List, class Render>
json::array array_of(const List& list, const Render& render) {
  json::array array;
  array.reserve(list.size());
  for (const auto& one : list) array.emplace_back(render(one));
  return array;
}

sparse_histogram read_histogram(const json_place& from) {
  auto read = histogram_from_json(from.value(), from.pointer());
  if (!read) throw json_fault{std::move(read.error())};
  return *std::move(read);
}

std::uint64_t read_count(const json_place& from, std::string_view name) {
  return from.member(name).whole_number(histogram_count_max);
}

/// Calls `visit(name, place)` for each member of an object of at most `most`.
template <class Visit>
void for_each_member(const json_place& from, std::size_t most, const Visit& visit) {
  for (const auto& [key, ignored] : from.object(most)) {
    const auto name = view_of(key);
    if (name.size() > run_name_bytes_max) from.fail("has a member with too long a name");
    visit(std::string(name), from.member(name));
  }
}

template <class Element, class Read>
std::vector<Element> read_list(const json_place& from, std::size_t most, const Read& read) {
  const auto size = from.list(most).size();
  std::vector<Element> list;
  list.reserve(size);
  for (std::size_t i = 0; i != size; ++i) list.push_back(read(from.at(i)));
  return list;
}

counts_by_name read_errors(const json_place& from) {
  counts_by_name counts;
  for_each_member(from, run_error_kinds_max, [&](std::string name, const json_place& place) {
    counts.emplace(std::move(name), place.whole_number(histogram_count_max));
  });
  return counts;
}

std::map<int, std::uint64_t> read_answers(const json_place& from) {
  std::map<int, std::uint64_t> answers;
  for_each_member(from, 1000, [&](const std::string& name, const json_place& place) {
    int status = 0;
    const auto* end = name.data() + name.size();
    const auto [stopped, fault] = std::from_chars(name.data(), end, status);
    if (fault != std::errc{} || stopped != end || status < 100 || status > 999) {
      place.fail("is not of an HTTP status");
    }
    answers.emplace(status, place.whole_number(histogram_count_max));
  });
  return answers;
}

kind_result read_kind(const json_place& from) {
  from.has_only({"offered", "sent", "answers", "errors", "latency", "service", "refusal"});
  kind_result kind;
  kind.offered = read_count(from, "offered");
  kind.sent = read_count(from, "sent");
  kind.answers = read_answers(from.member("answers"));
  kind.errors = read_errors(from.member("errors"));
  kind.latency.merge(read_histogram(from.member("latency")));
  kind.service.merge(read_histogram(from.member("service")));
  kind.refusal.merge(read_histogram(from.member("refusal")));
  return kind;
}

second_slot read_slot(const json_place& from) {
  from.has_only(
      {"offered", "sent", "served", "refused", "failed", "in_flight", "errors", "latency"});
  second_slot slot;
  slot.offered = read_count(from, "offered");
  slot.sent = read_count(from, "sent");
  slot.served = read_count(from, "served");
  slot.refused = read_count(from, "refused");
  slot.failed = read_count(from, "failed");
  slot.in_flight = read_count(from, "in_flight");
  slot.errors = read_errors(from.member("errors"));
  slot.latency = read_histogram(from.member("latency"));
  return slot;
}

phase_span read_phase(const json_place& from) {
  from.has_only({"name", "from_ns", "to_ns", "measured"});
  const auto time = [&](std::string_view name) {
    return std::chrono::nanoseconds{from.member(name).whole_number(nanoseconds_max)};
  };
  phase_span phase{from.member("name").text(run_name_bytes_max), time("from_ns"), time("to_ns"),
                   from.member("measured").flag()};
  if (phase.to < phase.from) from.member("to_ns").fail("is before its begin");
  return phase;
}

server_sample read_sample(const json_place& from) {
  from.has_only({"second", "metrics"});
  server_sample sample;
  sample.second = from.member("second").whole_number(run_seconds_max);
  for_each_member(from.member("metrics"), run_metrics_max,
                  [&](std::string name, const json_place& place) {
                    sample.metrics.emplace(std::move(name), place.number());
                  });
  return sample;
}

threshold_found read_threshold(const json_place& from) {
  from.has_only({"name", "limit", "found", "met"});
  threshold_found one;
  one.name = from.member("name").text(run_note_bytes_max);
  one.limit = from.member("limit").number();
  if (const auto found = from.member("found"); !found.is_null()) one.found = found.number();
  one.met = from.member("met").flag();
  if (one.met && !one.found) from.member("met").fail("is true of nothing");
  return one;
}

void read_head(const json_place& from, run_result& run) {
  from.has_only({"format", "scenario", "target", "started_at", "seconds", "seed", "generators",
                 "kinds", "timeline", "phases", "server", "thresholds", "notes"});
  if (from.member("format").text(run_name_bytes_max) != run_format) {
    from.member("format").fail(fmt::format("is not {}", run_format));
  }
  run.scenario = from.member("scenario").text(run_name_bytes_max);
  run.target = from.member("target").text(run_name_bytes_max);
  run.started_at = from.member("started_at").text(run_name_bytes_max);
  run.seconds = from.member("seconds").number();
  if (run.seconds < 0 || run.seconds > static_cast<double>(run_seconds_max)) {
    from.member("seconds").fail(fmt::format("is not between 0 and {}", run_seconds_max));
  }
  run.seed = from.member("seed").whole_number(std::numeric_limits<std::uint64_t>::max());
  run.generators = from.member("generators").whole_number(1'000'000);
}

run_result read_run(const json_place& from) {
  run_result run;
  read_head(from, run);
  for_each_member(from.member("kinds"), run_kinds_max,
                  [&](std::string name, const json_place& place) {
                    if (name == "all") place.fail("is the name of all kinds together");
                    run.kinds.emplace(std::move(name), read_kind(place));
                  });
  run.timeline = read_list<second_slot>(from.member("timeline"), run_seconds_max, read_slot);
  run.phases = read_list<phase_span>(from.member("phases"), run_phases_max, read_phase);
  run.server = read_list<server_sample>(from.member("server"), run_seconds_max, read_sample);
  for (std::size_t i = 1; i < run.server.size(); ++i) {
    if (run.server[i].second <= run.server[i - 1].second) {
      from.member("server").at(i).fail("is out of order");
    }
  }
  run.thresholds =
      read_list<threshold_found>(from.member("thresholds"), run_thresholds_max, read_threshold);
  run.notes =
      read_list<std::string>(from.member("notes"), run_notes_max,
                             [](const json_place& note) { return note.text(run_note_bytes_max); });
  return run;
}

}  // namespace

json::value to_json(const run_result& run) {
  json::object kinds;
  for (const auto& [name, kind] : run.kinds) kinds[name] = kind_json(kind);
  return json::object{
      {"format", json::string_view(run_format.data(), run_format.size())},
      {"scenario", run.scenario},
      {"target", run.target},
      {"started_at", run.started_at},
      {"seconds", run.seconds},
      {"seed", run.seed},
      {"generators", run.generators},
      {"kinds", std::move(kinds)},
      {"timeline", array_of(run.timeline, slot_json)},
      {"phases", array_of(run.phases, phase_json)},
      {"server", array_of(run.server, sample_json)},
      {"thresholds", array_of(run.thresholds, threshold_json)},
      {"notes", array_of(run.notes, [](const std::string& note) { return json::value(note); })}};
}

tl::expected<run_result, std::string> run_result_from_json(std::string_view text) {
  if (text.size() > run_json_bytes_max) {
    return tl::unexpected(fmt::format("the document is longer than {} bytes", run_json_bytes_max));
  }
  json::error_code fault;
  const auto document = json::parse({text.data(), text.size()}, fault);
  if (fault) return tl::unexpected("the document is not JSON: " + fault.message());
  try {
    return read_run({document, {}});
  } catch (const json_fault& wrong) {
    return tl::unexpected(wrong.what);
  }
}

}  // namespace gelombang::load
