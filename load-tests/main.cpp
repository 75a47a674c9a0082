#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "actors/programme/time.hpp"
#include "load-tests/engine/audit.hpp"
#include "load-tests/engine/run.hpp"
#include "load-tests/generator/compare.hpp"
#include "load-tests/generator/report_html.hpp"
#include "load-tests/replay/replay.hpp"
#include "load-tests/replay/sweep.hpp"

namespace {

namespace load = gelombang::load;
namespace fs = std::filesystem;

// Exit codes, as `gelombang` has them.
constexpr int done = 0, check_failed = 1, wrong_usage = 2, failed = 3;

int refuse(int code, const std::string& why) {
  fmt::print(stderr, "gelombang-load: {}\n", why);
  return code;
}

bool write(const fs::path& file, const std::string& text) {
  std::ofstream out{file, std::ios::binary};
  out << text;
  out.close();
  if (!out) fmt::print(stderr, "gelombang-load: {}: {}\n", file.string(), std::strerror(errno));
  return static_cast<bool>(out);
}

struct run_options {
  load::run_settings how;
  fs::path scenario, tokens, key_file, token_file, output, page;
  std::string share, start_at;
  std::uint64_t people_seed = 1;
};

tl::expected<load::people, std::string> people_for(const run_options& from) {
  load::people who;
  who.made = gelombang::seed::people{from.people_seed};
  if (!from.tokens.empty()) {
    auto tokens = load::token_file::open(from.tokens);
    if (!tokens) return tl::unexpected("--tokens " + tokens.error());
    who.tokens.emplace(std::move(*tokens));
  }
  if (!from.key_file.empty()) {
    auto keys = gelombang::keyring::load(from.key_file);
    if (!keys) return tl::unexpected("--key-file " + keys.error());
    who.keys.emplace(std::move(*keys));
  }
  return who;
}

tl::expected<void, std::string> read_share(const std::string& text, load::run_settings& into) {
  unsigned long long which = 0, of = 0;
  char rest = 0;
  if (std::sscanf(text.c_str(), "%llu/%llu%c", &which, &of, &rest) != 2 || which < 1 ||
      which > of || of > 10'000)
    return tl::unexpected("--share " + text + ": must be as 2/4, the second of four");
  into.share = which - 1;
  into.shares = of;
  return {};
}

bool write_page(const load::run_result& found, const fs::path& page) {
  if (page.empty()) return true;
  if (!write(page, load::report_html(found))) return false;
  fmt::print("report in {}\n", page.string());
  return true;
}

/// Keeps what was found, shows it, and says by the exit code whether it was enough.
int tell(const load::run_result& found, const fs::path& output, const fs::path& page) {
  fmt::print("{}", load::summary_text(found));
  if (!output.empty()) {
    if (!write(output, boost::json::serialize(load::to_json(found)) + '\n')) return failed;
    fmt::print("kept in {}\n", output.string());
  }
  if (!write_page(found, page)) return failed;
  return load::all_met(found) ? done : check_failed;
}

int run(run_options& given) {
  auto what = load::load_scenario(given.scenario);
  if (!what) return refuse(wrong_usage, what.error());
  if (!given.share.empty())
    if (auto read = read_share(given.share, given.how); !read)
      return refuse(wrong_usage, read.error());
  if (!given.start_at.empty()) {
    const auto at = gelombang::parse_time(given.start_at);
    if (!at) return refuse(wrong_usage, "--start-at: must be a time as 2026-11-22T12:00:00+07:00");
    given.how.start = std::chrono::system_clock::time_point{at->time_since_epoch()};
  }
  if (given.how.shares > 1 && !given.how.start)
    return refuse(wrong_usage, "--share needs --start-at, so that all begin at once");
  if (!given.token_file.empty()) {
    std::ifstream in{given.token_file};
    if (!std::getline(in, given.how.operator_token))
      return refuse(wrong_usage, "--operator-token-file: can't be read, or is empty");
  }
  const auto who = people_for(given);
  if (!who) return refuse(wrong_usage, who.error());
  const auto found = load::run(*what, *who, given.how);
  if (!found) return refuse(failed, found.error());
  return tell(*found, given.output, given.page);
}

tl::expected<load::run_result, std::string> read_run(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  auto read = load::run_result_from_json(std::string{std::istreambuf_iterator<char>{in}, {}});
  if (!read) return tl::unexpected(fmt::format("{}: {}", file.string(), read.error()));
  return read;
}

int merge(const std::vector<fs::path>& files, const run_options& given) {
  std::optional<load::run_result> all;
  for (const auto& file : files) {
    auto one = read_run(file);
    if (!one) return refuse(wrong_usage, one.error());
    if (!all)
      all = std::move(*one);
    else if (auto merged = load::merge(*all, *one); !merged)
      return refuse(wrong_usage, fmt::format("{}: {}", file.string(), merged.error()));
  }
  return tell(*all, given.output, given.page);
}

int compare(const std::vector<fs::path>& files, double worse_percent_max) {
  const auto before = read_run(files[0]);
  const auto after = read_run(files[1]);
  if (!before || !after) return refuse(wrong_usage, before ? after.error() : before.error());
  const auto found = load::compare(*before, *after, {.worse_share_max = worse_percent_max / 100});
  fmt::print("{}", load::comparison_text(found));
  return found.is_regression ? check_failed : done;
}

int report(const fs::path& file, const fs::path& page) {
  const auto found = read_run(file);
  if (!found) return refuse(wrong_usage, found.error());
  return write_page(*found, page) ? done : failed;
}

int audit(const load::audit_settings& how, const run_options& given) {
  const auto who = people_for(given);
  if (!who) return refuse(wrong_usage, who.error());
  const auto found = load::audit(how, *who);
  if (!found) return refuse(failed, found.error());
  for (const auto& one : found->notes) fmt::print("{}\n", one);
  for (const auto& one : found->examples) fmt::print("  {}\n", one);
  fmt::print("operations {}, checked {}: lost {}, twice {}, invented {}, unanswered {}\n",
             found->operations, found->checked, found->lost, found->twice, found->invented,
             found->unanswered);
  return found->is_clean() ? done : check_failed;
}

struct replay_options {
  load::replay::settings how;
  fs::path timetable = "load-tests/replay/timetable.toml";
};

/// Everything but the numbers that a page of results wants beside them.
boost::json::value result_of(const load::replay::outcome& found,
                             const load::replay::settings& how) {
  auto result = load::replay::to_json(found.found);
  auto& members = result.as_object();
  members["scale"] = how.scale;
  members["seed"] = how.seed;
  members["people"] = found.all.people();
  members["complete"] = found.is_complete;
  return result;
}

int replay(const replay_options& given, const run_options& people) {
  if (people.key_file.empty())
    return refuse(wrong_usage, "--key-file: codes and tokens follow from the server's key");
  const auto history = load::replay::load_timetable(given.timetable);
  if (!history) return refuse(wrong_usage, history.error());
  const auto keys = gelombang::keyring::load(people.key_file);
  if (!keys) return refuse(wrong_usage, "--key-file " + keys.error());
  const auto found = load::replay::run(*history, *keys, given.how);
  if (!found) return refuse(failed, found.error());
  if (!found->is_complete) return refuse(failed, "stopped; the same command goes on");
  double scale = 1;
  std::from_chars(given.how.scale.data(), given.how.scale.data() + given.how.scale.size(), scale);
  const auto page = load::replay::page_of(found->found, found->all, scale);
  fmt::print("{}", page);
  const auto result = boost::json::serialize(result_of(*found, given.how)) + '\n';
  if (!people.output.empty() && !write(people.output, result)) return failed;
  if (!people.page.empty() && !write(people.page, page)) return failed;
  return found->found.is_clean() ? done : check_failed;
}

/// What a command that knows people takes.
void add_people(CLI::App& to, run_options& given) {
  to.add_option("--tokens", given.tokens, "access tokens, one a line, of `gelombang tokens`");
  to.add_option("--key-file", given.key_file, "the server's key: codes and tokens follow from it");
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App app{"Load for Gelombang: people who arrive when they want to, not when the server can"};
  app.require_subcommand(1);
  app.set_version_flag("--version", GELOMBANG_VERSION);
  run_options given;
  auto* runs = app.add_subcommand("run", "run a scenario against a server");
  runs->add_option("scenario", given.scenario, "TOML file")->required();
  runs->add_option("--url", given.how.url, "of the server");
  add_people(*runs, given);
  runs->add_option("--people-seed", given.people_seed, "which people sign up");
  runs->add_option("--operator-token-file", given.token_file, "for orders; its first line");
  runs->add_option("--log", given.how.log, "writes down every operation, for `audit`");
  runs->add_option("--out", given.output, "keeps the result as JSON");
  runs->add_option("--report", given.page, "writes it as one HTML page");
  runs->add_option("--threads", given.how.threads)->check(CLI::Range(1u, load::threads_max));
  runs->add_option("--share", given.share, "of several processes: 2/4 is the second of four");
  runs->add_option("--start-at", given.start_at, "RFC 3339; when all of them begin");
  runs->add_flag("--quiet", given.how.is_quiet, "no line a second");
  std::vector<fs::path> results;
  auto* merges = app.add_subcommand("merge", "put the results of several processes together");
  merges->add_option("results", results, "JSON files of one run")->required();
  merges->add_option("--out", given.output);
  merges->add_option("--report", given.page);
  std::vector<fs::path> pair;
  double worse_percent_max = 10;
  auto* compares = app.add_subcommand("compare", "what changed from one result to another");
  compares->add_option("results", pair, "before and after")->required()->expected(2);
  compares->add_option("--worse-percent", worse_percent_max, "more than this is a regression")
      ->check(CLI::Range(0.0, 1000.0));
  fs::path shown;
  auto* reports = app.add_subcommand("report", "a result as one HTML page");
  reports->add_option("result", shown)->required();
  reports->add_option("--out", given.page, "the page")->required();
  load::audit_settings audited;
  auto* audits = app.add_subcommand("audit", "compare logs of operations with the server");
  audits->add_option("logs", audited.logs, "as `run --log` has written them")->required();
  audits->add_option("--url", audited.url);
  audits->add_option("--connections", audited.connections)->check(CLI::Range(1u, 10'000u));
  audits->add_flag("--with-others", audited.others_take_part,
                   "others than the logs' people have joined");
  add_people(*audits, given);
  replay_options replayed;
  auto* replays = app.add_subcommand("replay", "the programme's history against one node");
  replays->add_option("--timetable", replayed.timetable, "TOML file of what happens when");
  replays->add_option("--url", replayed.how.url);
  replays->add_option("--state", replayed.how.directory, "where its progress is kept")->required();
  replays->add_option("--scale", replayed.how.scale, "1 is everybody; 0.01 a hundredth");
  replays->add_option("--seed", replayed.how.seed, "which people there are");
  replays->add_option("--connections", replayed.how.connections)
      ->check(CLI::Range(1u, load::replay::connections_max));
  replays->add_option("--depth", replayed.how.depth, "requests under way on one connection")
      ->check(CLI::Range(1u, load::replay::depth_max));
  replays->add_option("--node-pid-file", replayed.how.node_id_file, "to measure the node's CPU");
  replays->add_option("--verify-with", replayed.how.verifier,
                      "the program whose `draw verify` runs");
  replays->add_option("--key-file", given.key_file, "the server's key")->required();
  replays->add_option("--out", given.output, "keeps the result as JSON");
  replays->add_option("--report", given.page, "writes it as a page (Markdown)");
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? done : wrong_usage;
  }
  if (*runs) return run(given);
  if (*merges) return merge(results, given);
  if (*compares) return compare(pair, worse_percent_max);
  if (*replays) return replay(replayed, given);
  if (*reports) return report(shown, given.page);
  return audit(audited, given);
}
