#include "load-tests/engine/scenario.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>

#include "actors/seed/people.hpp"

namespace gelombang::load {
namespace {

using std::chrono::nanoseconds;

constexpr double seconds_max = 7 * 24 * 3600;
constexpr std::size_t personas_max = 64, steps_max = 64, phases_max = 1000;

/// "250 ms", "2 s", "1.5min", "1 h".
std::optional<nanoseconds> duration_in(std::string_view text) {
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || !(number >= 0)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  constexpr std::array<std::pair<std::string_view, double>, 4> units{
      {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}}};
  for (const auto& [unit, seconds] : units)
    if (text == unit && number * seconds <= seconds_max)
      return nanoseconds{static_cast<std::int64_t>(number * seconds * 1e9)};
  return std::nullopt;
}

/// One table of the file. Keeps the first fault of the whole file; every key is optional unless it
/// is asked for as `required`, and `end` refuses those that nobody has asked for.
class section {
public:
  section(const toml::table& table, std::string where, std::string& fault)
      : table_(table), where_(std::move(where)), fault_(fault) {}

  bool has(std::string_view key) const { return table_.contains(key); }

  void number(std::string_view key, double& into, double least, double most) {
    const auto* node = find(key);
    if (!node) return;
    const auto value = node->value<double>();
    if (!value || !(*value >= least && *value <= most))
      return fail(key, fmt::format("must be a number from {:g} to {:g}", least, most));
    into = *value;
  }
  template <class Whole>
  void whole(std::string_view key, Whole& into, std::int64_t least, std::int64_t most) {
    const auto* node = find(key);
    if (!node) return;
    const auto* value = node->as_integer();
    if (!value || value->get() < least || value->get() > most)
      return fail(key, fmt::format("must be a whole number from {} to {}", least, most));
    into = static_cast<Whole>(value->get());
  }
  void text(std::string_view key, std::string& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto* value = node->as_string();
    if (!value || value->get().empty()) return fail(key, "must be a text");
    into = value->get();
  }
  void flag(std::string_view key, bool& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto* value = node->as_boolean();
    if (!value) return fail(key, "must be true or false");
    into = value->get();
  }
  template <class Duration>
  void duration(std::string_view key, Duration& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto* value = node->as_string();
    const auto read = value ? duration_in(value->get()) : std::nullopt;
    if (!read)
      return fail(key, "must be a time of up to a week, as \"250 ms\", \"2 s\" or \"5 min\"");
    into = std::chrono::duration_cast<Duration>(*read);
  }
  /// One time, or `["1 s", "5 s"]`.
  void span(std::string_view key, span_of_time& into) {
    const auto* node = find(key);
    if (!node) return;
    const auto* pair = node->as_array();
    const auto* low = pair && pair->size() == 2 ? pair->get(0) : node;
    const auto* high = pair && pair->size() == 2 ? pair->get(1) : node;
    const auto least = low->is_string() ? duration_in(low->as_string()->get()) : std::nullopt;
    const auto most = high->is_string() ? duration_in(high->as_string()->get()) : std::nullopt;
    if (!least || !most || *most < *least)
      return fail(key, "must be a time (\"2 s\") or two of them ([\"1 s\", \"5 s\"])");
    into = {*least, *most};
  }
  /// A number, or `[1, 5]`.
  void range(std::string_view key, std::uint32_t& least, std::uint32_t& most) {
    const auto* node = find(key);
    if (!node) return;
    const auto* pair = node->as_array();
    const auto* low = pair && pair->size() == 2 ? pair->get(0) : node;
    const auto* high = pair && pair->size() == 2 ? pair->get(1) : node;
    constexpr std::int64_t repeats_max = 1'000'000;
    if (!low->is_integer() || !high->is_integer() || low->as_integer()->get() < 0 ||
        high->as_integer()->get() < low->as_integer()->get() ||
        high->as_integer()->get() > repeats_max)
      return fail(key, "must be a whole number or two of them ([1, 5])");
    least = static_cast<std::uint32_t>(low->as_integer()->get());
    most = static_cast<std::uint32_t>(high->as_integer()->get());
  }
  /// Calls `each(section)` for every table of an array of tables.
  template <class Each>
  void tables(std::string_view key, std::size_t most, const Each& each) {
    const auto* node = find(key);
    if (!node) return;
    const auto* array = node->as_array();
    if (!array || array->size() > most)
      return fail(key, fmt::format("must be an array of up to {} tables", most));
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto* table = array->get(i)->as_table();
      if (!table) return fail(key, "must hold tables");
      section one{*table, fmt::format("{}{}[{}]", prefix(), key, i), fault_};
      each(one);
      one.end();
    }
  }
  template <class Read>
  void table(std::string_view key, const Read& read) {
    const auto* node = find(key);
    if (!node) return;
    const auto* inner = node->as_table();
    if (!inner) return fail(key, "must be a table");
    section one{*inner, prefix() + std::string{key}, fault_};
    read(one, *inner);
  }

  void require(std::string_view key) {
    if (!has(key)) fail(key, "is missing");
  }
  void fail(std::string_view key, std::string_view why) {
    if (fault_.empty()) fault_ = fmt::format("{}{}: {}", prefix(), key, why);
  }
  /// A key that has been read as data.
  void know(std::string_view key) { known_.emplace(key); }
  void end() {
    for (const auto& [key, node] : table_)
      if (!known_.contains(key.str())) fail(key.str(), "is no key here");
  }

private:
  std::string prefix() const { return where_.empty() ? where_ : where_ + '.'; }
  const toml::node* find(std::string_view key) {
    known_.emplace(key);
    return table_.get(key);
  }

  const toml::table& table_;
  std::string where_;
  std::string& fault_;
  std::set<std::string, std::less<>> known_;
};

step step_in(section& from) {
  step made;
  std::string what = "request";
  from.require("do");
  from.text("do", what);
  const auto known = act_named(what);
  if (!known)
    from.fail("do",
              "must be one of schedule, sign_up, verify, sign_in, refresh, me, identity, profile, "
              "assessment, join, withdraw, status, request");
  made.what = known.value_or(act::request);
  made.label = what;
  from.text("label", made.label);
  from.number("share", made.go_on, 0, 1);
  from.span("pause", made.pause);
  from.range("repeat", made.repeat_least, made.repeat_most);
  from.number("twice", made.twice, 0, 1);
  from.number("cut", made.cut, 0, 1);
  from.number("slow", made.slow, 0, 1);
  from.whole("slow_bytes_per_second", made.slow_bytes_per_second, 1, 1'000'000);
  from.whole("tries", made.tries, 1, 1000);
  from.flag("insists", made.insists);
  if (made.what == act::request) {
    from.require("path");
    from.text("method", made.method);
    from.text("path", made.path);
    from.text("body", made.body);
    if (!made.path.starts_with('/')) from.fail("path", "must begin with /");
  }
  return made;
}

persona persona_in(section& from) {
  persona made;
  from.require("name");
  from.require("steps");
  from.text("name", made.name);
  from.number("weight", made.weight, 0, 1e9);
  std::string who = "each once";
  from.text("people", who);
  if (who == "each once")
    made.who = choice::each_once;
  else if (who == "in turn")
    made.who = choice::in_turn;
  else if (who == "any")
    made.who = choice::any;
  else
    from.fail("people", "must be \"each once\", \"in turn\" or \"any\"");
  from.whole("first", made.first, 1, static_cast<std::int64_t>(seed::people_max));
  from.whole("count", made.count, 0, static_cast<std::int64_t>(seed::people_max));
  from.whole("addresses", made.addresses, 0, 10'000'000);
  from.flag("keeps_connection", made.keeps_connection);
  from.tables("steps", steps_max, [&](section& one) { made.steps.push_back(step_in(one)); });
  return made;
}

/// The arrivals of a phase: which of the shapes it is, is told by `arrivals`.
intensity::made intensity_in(section& from, const std::filesystem::path& directory) {
  std::string shape;
  from.require("arrivals");
  from.text("arrivals", shape);
  constexpr double most = arrivals_per_second_max;
  nanoseconds duration{0};
  if (shape != "replay") {
    from.require("duration");
    from.duration("duration", duration);
  }
  if (shape == "constant") {
    double rate = 0;
    from.require("rate");
    from.number("rate", rate, 0, most);
    return intensity::constant(rate, duration);
  }
  if (shape == "ramp") {
    double first = 0, last = 0;
    from.require("to");
    from.number("from", first, 0, most);
    from.number("to", last, 0, most);
    return intensity::ramp(first, last, duration);
  }
  if (shape == "spike") {
    spike_shape peak{.duration = duration};
    from.require("peak");
    from.number("base", peak.base, 0, most);
    from.number("peak", peak.peak, 0, most);
    from.duration("at", peak.at);
    from.duration("rise", peak.rise);
    from.duration("hold", peak.hold);
    from.duration("fall", peak.fall);
    return intensity::spike(peak);
  }
  if (shape == "replay") {
    std::string name;
    from.require("file");
    from.text("file", name);
    std::ifstream file{directory / name, std::ios::binary};
    if (!file) return tl::unexpected(fmt::format("{}: {}", name, std::strerror(errno)));
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return intensity::replay(text, name);
  }
  return tl::unexpected(std::string{"must be constant, ramp, spike or replay"});
}

void phase_in(section& from, scenario& into, const std::filesystem::path& directory) {
  std::string name = "phase";
  from.require("name");
  from.text("name", name);
  double scale = 1;
  from.number("scale", scale, 1e-9, 1e9);
  auto when = intensity_in(from, directory);
  if (when && scale != 1) when = when->scaled(scale);
  std::string spaced = "poisson";
  from.text("spacing", spaced);
  if (spaced != "poisson" && spaced != "even") from.fail("spacing", "must be poisson or even");
  bool measured = true;
  from.flag("measured", measured);
  std::vector<double> weights;
  for (const auto& one : into.personas) weights.push_back(one.weight);
  from.table("personas", [&](section& given, const toml::table&) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      weights[i] = 0;
      given.number(into.personas[i].name, weights[i], 0, 1e9);
    }
    given.end();
  });
  double sum = 0;
  for (const auto weight : weights) sum += weight;
  if (sum <= 0) from.fail("personas", "must give somebody a weight");
  if (!when) return from.fail("arrivals", when.error());
  into.phases.push_back({std::move(name),
                         {std::move(*when), spaced == "even" ? spacing::even : spacing::poisson},
                         std::move(weights),
                         measured});
}

void order_in(section& from, scenario& into) {
  operator_order made;
  from.require("do");
  from.duration("at", made.at);
  from.text("do", made.order);
  from.text("body", made.body);
  static const std::set<std::string, std::less<>> known{"open", "close",    "commit",
                                                        "draw", "announce", "cancel"};
  if (!known.contains(made.order))
    from.fail("do", "must be open, close, commit, draw, announce or cancel");
  into.orders.push_back(std::move(made));
}

void threshold_in(section& from, scenario& into) {
  threshold made;
  std::string what;
  from.text("of", made.of);
  from.require("what");
  from.require("limit");
  from.text("what", what);
  from.number("limit", made.limit, 0, 1e15);
  const auto known = measure_named(what);
  if (!known)
    from.fail("what",
              "must be one of p50, p90, p99, p999, max, refusal_p99, rate_served_min, "
              "refused_share_max, failed_share_max, errors_max");
  made.what = known.value_or(measure::p99);
  into.thresholds.push_back(made);
}

void read(section& from, scenario& into, const std::filesystem::path& directory) {
  from.require("name");
  from.require("persona");
  from.require("phase");
  from.text("name", into.name);
  from.text("explanation", into.explanation);
  from.whole("seed", into.seed, 0, std::numeric_limits<std::int64_t>::max());
  from.text("wave", into.wave);
  from.text("create_wave", into.create_wave);
  from.text("password", into.password);
  from.whole("source_addresses", into.source_addresses, 1, 10'000'000);
  from.flag("keep_alive", into.keep_alive);
  from.whole("connections_max", into.connections_max, 1, 1'000'000);
  from.duration("patience", into.patience);
  from.duration("drain", into.drain);
  from.tables("persona", personas_max,
              [&](section& one) { into.personas.push_back(persona_in(one)); });
  from.tables("phase", phases_max, [&](section& one) { phase_in(one, into, directory); });
  from.tables("operator", phases_max, [&](section& one) { order_in(one, into); });
  from.tables("threshold", run_thresholds_max, [&](section& one) { threshold_in(one, into); });
  std::set<std::string_view> names;
  for (const auto& one : into.personas) {
    if (one.steps.empty()) from.fail("persona", one.name + " has no steps");
    if (!names.insert(one.name).second) from.fail("persona", "two are called " + one.name);
  }
  if (into.phases.empty()) from.fail("phase", "must be there");
  std::size_t index = 0;
  for (auto& one : into.personas)
    for (auto& each : one.steps) each.index = index++;
}

}  // namespace

tl::expected<scenario, std::string> scenario_in(std::string_view toml, std::string_view file,
                                                const std::filesystem::path& directory) {
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& error) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  }
  std::string fault;
  scenario made;
  section whole{table, {}, fault};
  read(whole, made, directory);
  whole.end();
  if (!fault.empty()) return tl::unexpected(fmt::format("{}: {}", file, fault));
  return made;
}

tl::expected<scenario, std::string> load_scenario(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  return scenario_in(text, file.string(), file.parent_path());
}

}  // namespace gelombang::load
