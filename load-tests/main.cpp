#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "actors/programme/time.hpp"
#include "load-tests/engine/run.hpp"

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
  fs::path scenario, tokens, key_file, token_file, output;
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

/// Keeps what was found, shows it, and says by the exit code whether it was enough.
int tell(const load::run_result& found, const fs::path& output) {
  fmt::print("{}", load::summary_text(found));
  if (!output.empty()) {
    if (!write(output, boost::json::serialize(load::to_json(found)) + '\n')) return failed;
    fmt::print("kept in {}\n", output.string());
  }
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
  return tell(*found, given.output);
}

tl::expected<load::run_result, std::string> read_run(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  auto read = load::run_result_from_json(std::string{std::istreambuf_iterator<char>{in}, {}});
  if (!read) return tl::unexpected(fmt::format("{}: {}", file.string(), read.error()));
  return read;
}

int merge(const std::vector<fs::path>& files, const fs::path& output) {
  std::optional<load::run_result> all;
  for (const auto& file : files) {
    auto one = read_run(file);
    if (!one) return refuse(wrong_usage, one.error());
    if (!all)
      all = std::move(*one);
    else if (auto merged = load::merge(*all, *one); !merged)
      return refuse(wrong_usage, fmt::format("{}: {}", file.string(), merged.error()));
  }
  return tell(*all, output);
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
  runs->add_option("--tokens", given.tokens, "access tokens, one a line, of `gelombang tokens`");
  runs->add_option("--key-file", given.key_file, "the server's key: codes need no letters then");
  runs->add_option("--people-seed", given.people_seed, "which people sign up");
  runs->add_option("--operator-token-file", given.token_file, "for orders; its first line");
  runs->add_option("--log", given.how.log, "writes down every operation, for `audit`");
  runs->add_option("--out", given.output, "keeps the result as JSON");
  runs->add_option("--threads", given.how.threads)->check(CLI::Range(1u, load::threads_max));
  runs->add_option("--share", given.share, "of several processes: 2/4 is the second of four");
  runs->add_option("--start-at", given.start_at, "RFC 3339; when all of them begin");
  runs->add_flag("--quiet", given.how.is_quiet, "no line a second");
  std::vector<fs::path> results;
  fs::path merged;
  auto* merges = app.add_subcommand("merge", "put the results of several processes together");
  merges->add_option("results", results, "JSON files of one run")->required();
  merges->add_option("--out", merged);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? done : wrong_usage;
  }
  if (*runs) return run(given);
  return merge(results, merged);
}
