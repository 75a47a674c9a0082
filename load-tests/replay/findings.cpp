#include "load-tests/replay/findings.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>

namespace gelombang::load::replay {
namespace {

namespace json = boost::json;

double number(const json::value& of, std::string_view name) {
  return of.at(name).to_number<double>();
}
std::uint64_t whole(const json::value& of, std::string_view name) {
  return of.at(name).to_number<std::uint64_t>();
}

json::value to_json(const wave_figures& one) {
  return {{"number", one.number},
          {"places", one.places},
          {"joins", one.joins},
          {"entries", one.entries},
          {"accepted", one.accepted},
          {"join_seconds", one.join_seconds},
          {"draw_seconds", one.draw_seconds},
          {"publish_seconds", one.publish_seconds},
          {"verify_seconds", one.verify_seconds}};
}

wave_figures wave_in(const json::value& from) {
  return {.number = static_cast<std::uint32_t>(whole(from, "number")),
          .places = whole(from, "places"),
          .joins = whole(from, "joins"),
          .entries = whole(from, "entries"),
          .accepted = whole(from, "accepted"),
          .join_seconds = number(from, "join_seconds"),
          .draw_seconds = number(from, "draw_seconds"),
          .publish_seconds = number(from, "publish_seconds"),
          .verify_seconds = number(from, "verify_seconds")};
}

void add_acts(std::string& page, const findings& found, const plan& all) {
  page +=
      "| act | requests | a second | node, µs CPU | generator, µs CPU | repeated |\n"
      "|---|---:|---:|---:|---:|---:|\n";
  for (std::size_t a = 0; a < acts; ++a) {
    const auto& one = found.by_act[a];
    const auto each = [&](double seconds) {
      return one.done > 0 ? seconds * 1e6 / static_cast<double>(one.done) : 0;
    };
    fmt::format_to(std::back_inserter(page), "| {} | {} | {:.0f} | {:.1f} | {:.1f} | {} |\n",
                   name_of(static_cast<act>(a)), all.total(static_cast<act>(a)), one.rate(),
                   each(one.node_cpu), each(one.generator_cpu), one.repeats);
  }
}

void add_waves(std::string& page, const findings& found) {
  page +=
      "\n| wave | joins | in the draw | places | accepted | joining, s | draw, s | publication, s "
      "| "
      "`draw verify`, s |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
  for (const auto& one : found.waves)
    fmt::format_to(std::back_inserter(page),
                   "| {} | {} | {} | {} | {} | {:.1f} | {:.2f} | {:.2f} | {:.2f} |\n", one.number,
                   one.joins, one.entries, one.places, one.accepted, one.join_seconds,
                   one.draw_seconds, one.publish_seconds, one.verify_seconds);
}

}  // namespace

void findings::fault(std::string what) {
  ++faults_count;
  if (faults.size() < faults_max) faults.push_back(std::move(what));
}

json::value to_json(const findings& from) {
  json::array by_act, waves, peaks;
  for (const auto& one : from.by_act)
    by_act.push_back({{"done", one.done},
                      {"repeats", one.repeats},
                      {"seconds", one.seconds},
                      {"generator_cpu", one.generator_cpu},
                      {"node_cpu", one.node_cpu}});
  for (const auto& one : from.waves) waves.push_back(to_json(one));
  for (const auto& one : from.peaks)
    peaks.push_back({{"wave", one.wave},
                     {"per_second", one.per_second},
                     {"latency_us", load::to_json(one.latency)}});
  json::array faults(from.faults.begin(), from.faults.end());
  return {{"acts", std::move(by_act)},
          {"waves", std::move(waves)},
          {"peaks", std::move(peaks)},
          {"faults", std::move(faults)},
          {"faults_count", from.faults_count},
          {"interruptions", from.interruptions},
          {"seconds", from.seconds}};
}

tl::expected<findings, std::string> findings_from_json(const json::value& from) {
  findings read;
  try {
    const auto& by_act = from.at("acts").as_array();
    if (by_act.size() != acts) return tl::unexpected(std::string{"/acts: are not all there"});
    for (std::size_t a = 0; a < acts; ++a)
      read.by_act[a] = {whole(by_act[a], "done"), whole(by_act[a], "repeats"),
                        number(by_act[a], "seconds"), number(by_act[a], "generator_cpu"),
                        number(by_act[a], "node_cpu")};
    for (const auto& one : from.at("waves").as_array()) read.waves.push_back(wave_in(one));
    for (const auto& one : from.at("peaks").as_array()) {
      auto latency = histogram_from_json(one.at("latency_us"), "/peaks");
      if (!latency) return tl::unexpected(latency.error());
      read.peaks.push_back({static_cast<std::uint32_t>(whole(one, "wave")),
                            number(one, "per_second"), std::move(*latency)});
    }
    for (const auto& one : from.at("faults").as_array()) read.faults.emplace_back(one.as_string());
    read.faults_count = whole(from, "faults_count");
    read.interruptions = whole(from, "interruptions");
    read.seconds = number(from, "seconds");
    return read;
  } catch (const std::exception& fault) {
    return tl::unexpected(std::string{fault.what()});
  }
}

std::string page_of(const findings& found, const plan& all, double scale) {
  std::string page;
  const auto out = std::back_inserter(page);
  std::uint64_t requests = 0;
  for (std::size_t a = 0; a < acts; ++a) requests += all.total(static_cast<act>(a));
  std::uint64_t accepted = 0;
  for (const auto& one : found.waves) accepted += one.accepted;
  fmt::format_to(out,
                 "Scale {:g}: {} accounts, {} requests, {} waves, {} accepted, in {:.1f} minutes "
                 "({:.0f} requests a second over all); {} interruptions.\n\n",
                 scale, all.people(), requests, found.waves.size(), accepted, found.seconds / 60,
                 found.seconds > 0 ? static_cast<double>(requests) / found.seconds : 0,
                 found.interruptions);
  add_acts(page, found, all);
  for (const auto& one : found.peaks) {
    const histogram latency{one.latency};
    fmt::format_to(
        out,
        "\nWave {}: {:.0f} joins a second offered at a constant rate, {} of them; from "
        "when each was due p50 {:.2f} ms, p99 {:.2f} ms, p99.9 {:.2f} ms, longest {:.1f} "
        "ms.\n",
        one.wave, one.per_second, latency.count(),
        static_cast<double>(latency.quantile(0.5)) / 1000,
        static_cast<double>(latency.quantile(0.99)) / 1000,
        static_cast<double>(latency.quantile(0.999)) / 1000,
        static_cast<double>(latency.max()) / 1000);
  }
  add_waves(page, found);
  if (found.is_clean()) {
    page +=
        "\nThe audit is clean: counts of the funnel and of every wave, every draw, and the people "
        "that were asked about.\n";
    return page;
  }
  fmt::format_to(out, "\n**{} faults**, the first of them:\n\n", found.faults_count);
  for (const auto& one : found.faults) fmt::format_to(out, "- {}\n", one);
  return page;
}

}  // namespace gelombang::load::replay
