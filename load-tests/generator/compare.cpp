#include "load-tests/generator/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace gelombang::load {
namespace {

constexpr std::size_t seconds_for_noise_min = 10;
/// More seconds than these are taken together before they are drawn: it costs a tenth and tells
/// the same, the blocks being longer anyway.
constexpr std::size_t units_max = 300;

enum class direction : std::uint8_t { higher_is_better, lower_is_better };

/// Some neighbouring seconds of a run: what is drawn.
struct unit {
  double seconds = 0;
  double served = 0;
  sparse_histogram latency;
};

bool is_measured(const run_result& run, std::size_t second) {
  const auto middle = std::chrono::seconds(second) + std::chrono::milliseconds(500);
  if (run.phases.empty()) return std::chrono::duration<double>(middle).count() < run.seconds;
  return std::any_of(run.phases.begin(), run.phases.end(), [&](const phase_span& phase) {
    return phase.measured && phase.from <= middle && middle < phase.to;
  });
}

std::vector<unit> units_of(const run_result& run) {
  std::vector<const second_slot*> slots;
  for (std::size_t i = 0; i != run.timeline.size(); ++i) {
    if (is_measured(run, i)) slots.push_back(&run.timeline[i]);
  }
  if (slots.size() < seconds_for_noise_min) return {};
  const auto group = (slots.size() + units_max - 1) / units_max;
  std::vector<unit> units;
  for (std::size_t i = 0; i != slots.size(); ++i) {
    if (i % group == 0) units.emplace_back();
    units.back().seconds += 1;
    units.back().served += static_cast<double>(slots[i]->served);
    units.back().latency.merge(slots[i]->latency);
  }
  return units;
}

/// As many places as there are, drawn in blocks on a circle.
std::vector<std::size_t> draw(std::size_t count, std::mt19937_64& random) {
  const auto block =
      static_cast<std::size_t>(std::ceil(std::cbrt(static_cast<double>(count)) - 1e-9));
  std::vector<std::size_t> places;
  while (places.size() < count) {
    const auto start = static_cast<std::size_t>(random() % count);
    for (std::size_t i = 0; i != block && places.size() < count; ++i) {
      places.push_back((start + i) % count);
    }
  }
  return places;
}

struct drawn_figures {
  double served_per_second = 0;
  double p99_us = 0;
};

drawn_figures figures_of(const std::vector<unit>& units, const std::vector<std::size_t>& places,
                         histogram& scratch) {
  double served = 0;
  double seconds = 0;
  scratch.clear();
  for (auto place : places) {
    served += units[place].served;
    seconds += units[place].seconds;
    scratch.merge(units[place].latency);
  }
  return {served / seconds, static_cast<double>(scratch.quantile(0.99))};
}

std::optional<double> relative_change(std::optional<double> before, std::optional<double> after) {
  if (!before || !after || *before <= 0) return std::nullopt;
  return *after / *before - 1;
}

/// The middle 95 %; nothing where fewer than half of the draws could be related.
std::optional<change_range> middle_of(std::vector<double> changes, std::size_t draws) {
  if (changes.size() * 2 < draws || changes.empty()) return std::nullopt;
  std::sort(changes.begin(), changes.end());
  const auto at = [&](double share) {
    return changes[static_cast<std::size_t>(share * static_cast<double>(changes.size() - 1))];
  };
  return change_range{at(0.025), at(0.975)};
}

struct noise {
  std::optional<change_range> served, p99;
};

noise noise_of(const run_result& before, const run_result& after, const comparing& how) {
  const auto first = units_of(before);
  const auto second = units_of(after);
  if (first.empty() || second.empty()) return {};
  std::mt19937_64 random{how.seed};
  histogram scratch;
  std::vector<double> served;
  std::vector<double> p99;
  for (std::size_t i = 0; i != how.resamples; ++i) {
    const auto places = draw(first.size(), random);
    const auto is_paired = first.size() == second.size();
    const auto one = figures_of(first, places, scratch);
    const auto other =
        figures_of(second, is_paired ? places : draw(second.size(), random), scratch);
    if (one.served_per_second > 0) {
      served.push_back(other.served_per_second / one.served_per_second - 1);
    }
    if (one.p99_us > 0 && other.p99_us > 0) p99.push_back(other.p99_us / one.p99_us - 1);
  }
  return {middle_of(std::move(served), how.resamples), middle_of(std::move(p99), how.resamples)};
}

struct compared_pair {
  std::string what;
  std::optional<double> before, after;
  direction good = direction::lower_is_better;
};

compared row_of(compared_pair pair) {
  compared row;
  row.change = relative_change(pair.before, pair.after);
  row.what = std::move(pair.what);
  row.before = pair.before;
  row.after = pair.after;
  return row;
}

/// By how much it is worse; negative when it is better.
double worse_by(double change, direction good) {
  return good == direction::higher_is_better ? -change : change;
}

/// A row that is there to explain: noise is not asked for.
compared explaining(compared_pair pair, const comparing& how) {
  const auto good = pair.good;
  auto row = row_of(std::move(pair));
  if (!row.change) return row;
  const auto worse = worse_by(*row.change, good);
  if (worse > how.worse_share_max) row.verdict = difference::worse;
  if (worse < -how.worse_share_max) row.verdict = difference::better;
  return row;
}

compared deciding(compared_pair pair, std::optional<change_range> range, const comparing& how) {
  const auto good = pair.good;
  auto row = row_of(std::move(pair));
  row.range = range;
  if (!row.change) return row;
  const auto worse = worse_by(*row.change, good);
  if (range && range->least <= 0 && range->most >= 0) {
    row.verdict = difference::within_noise;
  } else if (worse > how.worse_share_max) {
    row.verdict = difference::regression;
  } else if (range || worse < -how.worse_share_max) {
    row.verdict = worse > 0 ? difference::worse : difference::better;
  }
  return row;
}

std::optional<double> milliseconds(const histogram& of, double share) {
  if (of.count() == 0) return std::nullopt;
  return static_cast<double>(of.quantile(share)) / 1000;
}

std::optional<double> rate(std::uint64_t count, const run_result& run) {
  const auto seconds = run.measured_seconds();
  if (seconds <= 0) return std::nullopt;
  return static_cast<double>(count) / seconds;
}

std::optional<double> percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

/// One of the runs, with what is asked of it again and again.
struct side {
  const run_result& run;
  kind_result total = run.total();
  tally counts = tally_of(total);
};

void explain_all(const side& before, const side& after, const comparing& how,
                 std::vector<compared>& rows) {
  struct percentile {
    const char* name;
    double share;
  };
  for (auto [name, share] :
       {percentile{"p50 ms", 0.5}, {"p90 ms", 0.9}, {"p99.9 ms", 0.999}, {"longest ms", 1}}) {
    rows.push_back(explaining(
        {name, milliseconds(before.total.latency, share), milliseconds(after.total.latency, share)},
        how));
  }
  rows.push_back(explaining({"refused %", percent(before.counts.refused, before.total.offered),
                             percent(after.counts.refused, after.total.offered)},
                            how));
  rows.push_back(explaining({"failed %", percent(before.counts.failed, before.total.offered),
                             percent(after.counts.failed, after.total.offered)},
                            how));
}

void explain_kinds(const side& before, const side& after, const comparing& how,
                   std::vector<compared>& rows) {
  std::set<std::string> names;
  for (const auto& [name, kind] : before.run.kinds) names.insert(name);
  for (const auto& [name, kind] : after.run.kinds) names.insert(name);
  if (names.size() < 2) return;
  const kind_result none;
  for (const auto& name : names) {
    const auto of = [&](const run_result& run) -> const kind_result& {
      const auto found = run.kinds.find(name);
      return found == run.kinds.end() ? none : found->second;
    };
    const auto& one = of(before.run);
    const auto& other = of(after.run);
    rows.push_back(
        explaining({name + ": served a second", rate(tally_of(one).served, before.run),
                    rate(tally_of(other).served, after.run), direction::higher_is_better},
                   how));
    rows.push_back(explaining(
        {name + ": p99 ms", milliseconds(one.latency, 0.99), milliseconds(other.latency, 0.99)},
        how));
  }
}

std::vector<std::string> remarks_on(const side& before, const side& after) {
  std::vector<std::string> remarks;
  const auto note = [&](std::string_view what, const auto& one, const auto& other) {
    if (one != other) remarks.push_back(fmt::format("the {} differs: {} and {}", what, one, other));
  };
  note("scenario", before.run.scenario, after.run.scenario);
  note("target", before.run.target, after.run.target);
  note("measured time", before.run.measured_seconds(), after.run.measured_seconds());
  note("number of generators", before.run.generators, after.run.generators);
  const auto offered =
      relative_change(rate(before.total.offered, before.run), rate(after.total.offered, after.run));
  if (offered && std::abs(*offered) > 0.01) {
    remarks.push_back(fmt::format("what is offered a second differs by {:+.1f} %", 100 * *offered));
  }
  return remarks;
}

std::string_view verdict_text(difference verdict) {
  switch (verdict) {
    case difference::similar:
      return "";
    case difference::within_noise:
      return "within noise";
    case difference::better:
      return "better";
    case difference::worse:
      return "worse";
    case difference::regression:
      return "REGRESSION";
  }
  return "";
}

std::string number(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f}", *value) : "-";
}

std::string signed_percent(const std::optional<double>& change) {
  return change ? fmt::format("{:+.1f} %", 100 * *change) : "-";
}

}  // namespace

comparison compare(const run_result& before, const run_result& after, const comparing& how) {
  const side one{before};
  const side other{after};
  const auto chance = noise_of(before, after, how);
  comparison made;
  made.rows.push_back(deciding({"served a second", rate(one.counts.served, before),
                                rate(other.counts.served, after), direction::higher_is_better},
                               chance.served, how));
  made.rows.push_back(deciding(
      {"p99 ms", milliseconds(one.total.latency, 0.99), milliseconds(other.total.latency, 0.99)},
      chance.p99, how));
  made.is_regression = std::any_of(made.rows.begin(), made.rows.end(), [](const compared& row) {
    return row.verdict == difference::regression;
  });
  explain_all(one, other, how, made.rows);
  explain_kinds(one, other, how, made.rows);
  made.remarks = remarks_on(one, other);
  if (!chance.served) {
    made.remarks.push_back(fmt::format(
        "nothing is known of noise: that takes {} measured seconds of both in which something was "
        "served",
        seconds_for_noise_min));
  }
  return made;
}

std::string comparison_text(const comparison& of) {
  auto text = fmt::format("{:<28} {:>12} {:>12} {:>10}   {}\n", "", "before", "after", "change",
                          "95 % of draws");
  for (const auto& row : of.rows) {
    const auto range = row.range ? fmt::format("{} to {}", signed_percent(row.range->least),
                                               signed_percent(row.range->most))
                                 : "";
    auto line = fmt::format("{:<28} {:>12} {:>12} {:>10}   {:<22} {}", row.what, number(row.before),
                            number(row.after), signed_percent(row.change), range,
                            verdict_text(row.verdict));
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  for (const auto& remark : of.remarks) text += "note: " + remark + '\n';
  return text + (of.is_regression ? "regression\n" : "no regression\n");
}

}  // namespace gelombang::load
