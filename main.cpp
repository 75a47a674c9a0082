#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <string>
#include <vector>

#include "actors/seed/people.hpp"
#include "actors/wave/rules.hpp"
#include "net/command/audit.hpp"
#include "net/command/draws.hpp"
#include "net/command/listen.hpp"
#include "net/command/operator_client.hpp"
#include "net/command/people.hpp"
#include "net/command/serve.hpp"
#include "net/command/snapshots.hpp"
#include "net/command/wave_client.hpp"

/// Read by jemalloc before `main`. A node touches a million applicants in no order: on huge pages a
/// look-up spares the page walk. And memory that a burst has needed is kept, since the next one
/// needs it again and fresh pages are dear; what may be in use is bounded by the configuration. A
/// large piece kept so may be cut for small ones (`lg_extent_max_active_fit`): that is what memory
/// touched ahead is for.
extern "C" {
const char* malloc_conf =
    "thp:always,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1,lg_extent_max_active_fit:48";
}

namespace {

using namespace gelombang;

constexpr int wrong_usage = 2;

/// An empty text is what a shell makes of a variable that is not set: never what was meant.
const CLI::Validator given_at_all{
    [](std::string& text) { return text.empty() ? std::string{"must not be empty"} : ""; }, ""};

/// A whole number within bounds. Read with its sign: what is unsigned would take -5 for a large
/// one.
CLI::Range between(std::uint64_t least, std::uint64_t most) {
  return {static_cast<std::int64_t>(least), static_cast<std::int64_t>(most)};
}

/// What several commands share: where the configuration is, and what is laid over it.
struct common {
  std::string config;
  std::string data_dir;
  std::vector<std::string> overrides;

  void add_to(CLI::App& command) {
    // The last one counts: `./dev run` puts its own before what it is given.
    command
        .add_option("--config", config,
                    "configuration file (TOML); without it, the embedded default")
        ->check(given_at_all)
        ->take_last();
    command
        .add_option("--data-dir", data_dir, "where the node's data is; overrides storage.data_dir")
        ->check(given_at_all)
        ->take_last();
    command.add_option("--set", overrides, "section.key=value, over the configuration")
        ->allow_extra_args(false);
  }

  /// @returns the settings, or says on standard error what is wrong with them.
  std::optional<command::settings> load() const {
    auto read = command::load_settings(config, overrides);
    if (read && !data_dir.empty()) read->storage.data_dir = data_dir;
    if (read) return std::move(*read);
    std::fprintf(stderr, "gelombang: %s\n", read.error().c_str());
    return std::nullopt;
  }
};

void add_serve(CLI::App& app, int& code) {
  auto* serve = app.add_subcommand("serve", "run a node until it is told to end");
  auto given = std::make_shared<common>();
  auto listen = std::make_shared<std::string>();
  given->add_to(*serve);
  serve->add_option("--listen", *listen, "ADDR:PORT; port 0 picks a free one");
  serve->callback([serve, given, listen, &code] {
    const auto at = command::parse_listen(*listen);
    const bool is_given = serve->count("--listen") > 0;
    if (is_given && !at) throw CLI::ValidationError("--listen", at.error());
    auto with = given->load();
    if (with && is_given)
      std::tie(with->listen.address, with->listen.port) = std::tie(at->address, at->port);
    code = with ? command::serve(*with) : wrong_usage;
  });
}

void add_people(CLI::App& app, int& code) {
  auto* seed = app.add_subcommand("seed", "write synthetic applicants into a stopped node's data");
  auto given = std::make_shared<common>();
  auto order = std::make_shared<command::people_order>();
  given->add_to(*seed);
  seed->add_option("--applicants", order->applicants, "how many")
      ->required()
      ->check(between(1, gelombang::seed::people_max));
  seed->add_option("--seed", order->seed, "the same seed makes the same people");
  seed->callback([given, order, &code] {
    const auto with = given->load();
    code = with ? command::seed(*with, *order) : wrong_usage;
  });

  auto* tokens =
      app.add_subcommand("tokens", "print access tokens of seeded applicants, one a line");
  given->add_to(*tokens);
  tokens->add_option("--applicants", order->applicants, "of applicants 1 to this one")
      ->check(between(1, gelombang::seed::people_max));
  tokens->add_option("--role", order->role, "applicant or operator")
      ->check(CLI::IsMember({"applicant", "operator"}));
  tokens->callback([given, order, &code] {
    if (order->role == "applicant" && order->applicants == 0)
      throw CLI::ValidationError("--applicants", "is needed: of how many?");
    const auto with = given->load();
    code = with ? command::tokens(*with, *order) : wrong_usage;
  });
}

void add_draw(CLI::App& app, int& code) {
  auto* draw = app.add_subcommand("draw", "published draws")->require_subcommand(1);
  auto* verify = draw->add_subcommand("verify", "recompute a draw from its two published files");
  auto order = std::make_shared<command::draw_order>();
  verify->add_option("--summary", order->summary, "the summary (JSON)")
      ->required()
      ->check(given_at_all);
  verify->add_option("--entries", order->entries, "the entries (CSV)")
      ->required()
      ->check(given_at_all);
  verify
      ->add_option("--committed", order->committed,
                   "the summary as it was published at the commitment, to be compared")
      ->check(given_at_all);
  verify->add_option("--entry", order->entry, "say what became of this entry")->check(given_at_all);
  verify->callback([order, &code] { code = command::verify_draw(*order); });
}

void add_audit(CLI::App& app, int& code) {
  auto* audit = app.add_subcommand("audit", "what is stored")->require_subcommand(1);
  auto* verify =
      audit->add_subcommand("verify", "check everything that a stopped node or a backup holds");
  auto where = std::make_shared<std::string>();
  auto key = std::make_shared<std::string>();
  verify->add_option("--data-dir", *where, "the data directory or backup")
      ->required()
      ->check(given_at_all);
  verify
      ->add_option("--key-file", *key,
                   "the master key, to check also what only it can tell: that it belongs to the "
                   "data, and whose each draw's entries are")
      ->check(given_at_all);
  verify->callback([where, key, &code] { code = command::audit({*where, *key}); });
}

/// An operator's access token: on the command line `ps` shows it to everybody on the machine.
void add_token(CLI::App& to, command::token_source& source) {
  auto* given =
      to.add_option("--token", source.given, "an operator's access token; visible to others in ps")
          ->check(given_at_all);
  to.add_option("--token-file", source.file,
                "a file whose first line is the token; without either, the environment's " +
                    std::string{command::token_variable})
      ->excludes(given)
      ->check(given_at_all);
}

/// @returns the token, or says on standard error why there is none.
std::optional<std::string> token_of(const command::token_source& source) {
  auto token = command::token_from(source);
  if (token) return std::move(*token);
  std::fprintf(stderr, "gelombang: %s\n", token.error().c_str());
  return std::nullopt;
}

void add_snapshots(CLI::App& app, int& code) {
  auto* backup = app.add_subcommand("backup",
                                    "a consistent copy of a running node, on its own disk; "
                                    "without the key file, which is to be kept apart");
  backup->footer(
      "Waits until the node has copied everything and read it through, however long that takes. "
      "That the node's machine is gone is noticed within 4 minutes. A node that is told to stop "
      "gives the copy up.");
  auto order = std::make_shared<command::backup_order>();
  auto proof = std::make_shared<command::token_source>();
  backup->add_option("--url", order->url, "of the node")->default_val("http://127.0.0.1:8080");
  add_token(*backup, *proof);
  backup
      ->add_option("--target", order->target,
                   "an empty or absent directory, as an absolute path on the node's machine")
      ->required()
      ->check(given_at_all);
  backup->callback([order, proof, &code] {
    code = wrong_usage;
    const auto token = token_of(*proof);
    if (!token) return;
    order->token = *token;
    code = command::backup(*order);
  });

  auto* restore = app.add_subcommand("restore",
                                     "a backup into an empty data directory; it opens only with "
                                     "the key file (keys.file) of the node that it was made of");
  auto paths = std::make_shared<std::pair<std::string, std::string>>();
  restore->add_option("--from", paths->first, "the backup")->required()->check(given_at_all);
  restore->add_option("--data-dir", paths->second, "empty or absent")
      ->required()
      ->check(given_at_all);
  restore->callback([paths, &code] { code = command::restore(paths->first, paths->second); });
}

/// "name:permille" as operators type it.
std::pair<std::string, std::uint32_t> group_from(const std::string& text) {
  const auto colon = text.rfind(':');
  std::uint32_t permille = 0;
  const auto* end = text.data() + text.size();
  const auto* digits = colon == std::string::npos ? end : text.data() + colon + 1;
  const auto read = std::from_chars(digits, end, permille);
  if (colon == 0 || read.ec != std::errc{} || read.ptr != end)
    throw CLI::ValidationError("--group", "must be NAME:PERMILLE, not '" + text + "'");
  return {text.substr(0, colon), permille};
}

void add_wave(CLI::App& app, int& code) {
  auto* wave = app.add_subcommand("wave", "an operator's commands to a running node");
  wave->require_subcommand(1);
  for (const char* name :
       {"create", "open", "close", "commit", "draw", "announce", "cancel", "show"}) {
    auto* one = wave->add_subcommand(name, std::string{name} + " a wave");
    auto order = std::make_shared<command::wave_request>();
    auto groups = std::make_shared<std::vector<std::string>>();
    auto proof = std::make_shared<command::token_source>();
    order->order = *command::wave_order_named(name);
    one->add_option("--url", order->url, "of the node")->capture_default_str();
    add_token(*one, *proof);
    // The node gives the next free number to a new wave.
    if (order->order != command::wave_order::create)
      one->add_option("number,--wave", order->wave, "the wave's number")
          ->check(between(1, UINT32_MAX));
    switch (order->order) {
      case command::wave_order::create:
        one->add_option("--scheme", order->create.scheme, "e.g. normal-2023")->required();
        one->add_option("--opens-at", order->create.opens_at, "RFC 3339")->required();
        one->add_option("--closes-at", order->create.closes_at, "RFC 3339")->required();
        one->add_option("--quota", order->create.quota, "places")
            ->required()
            ->check(between(1, gelombang::wave::quota_max));
        one->add_option("--minimum-per-region", order->create.minimum_per_region, "places")
            ->check(between(0, gelombang::wave::minimum_per_region_max));
        one->add_option("--group", *groups, "NAME:PERMILLE, in the order in which groups draw");
        break;
      case command::wave_order::commit:
        one->add_option("--beacon-source", order->commit.beacon_source, "e.g. drand")->required();
        one->add_option("--beacon-round", order->commit.beacon_round, "the round to come")
            ->required()
            // What is too large for 64 bits is read as the largest.
            ->check(between(0, INT64_MAX - 1));
        one->add_option("--operator-secret-hash", order->commit.operator_secret_hash, "hex")
            ->required();
        break;
      case command::wave_order::draw:
        one->add_option("--beacon-value", order->draw.beacon_value, "hex")->required();
        one->add_option("--operator-secret", order->draw.operator_secret, "hex")->required();
        break;
      case command::wave_order::cancel:
        one->add_option("--reason", order->cancel_reason,
                        "in one line, for everybody to read: say it of a wave that is committed to")
            ->check(given_at_all);
        break;
      default:
        break;
    }
    one->callback([order, groups, proof, &code] {
      for (const auto& text : *groups) order->create.groups.push_back(group_from(text));
      code = wrong_usage;
      const auto token = token_of(*proof);
      if (!token) return;
      order->token = *token;
      code = command::wave_command(*order);
    });
  }
}

/// What a node keeps is for its own user and group: also what a library makes, RocksDB's files.
void keep_others_out() {
  const auto given = ::umask(0);
  ::umask(given | S_IWGRP | S_IRWXO);
}

}  // namespace

int main(int argc, char** argv) {
  keep_others_out();
  CLI::App app{"Gelombang: a national training programme's waves, on actors"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gelombang " GELOMBANG_VERSION);
  int code = 0;
  add_serve(app, code);
  add_people(app, code);
  add_draw(app, code);
  add_audit(app, code);
  add_snapshots(app, code);
  add_wave(app, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& wrong) {
    return app.exit(wrong) == 0 ? 0 : wrong_usage;
  }
  return code;
}
