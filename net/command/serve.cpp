#include "net/command/serve.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "actors/interfaces.hpp"
#include "actors/programme/email.hpp"
#include "net/caller_limits.hpp"
#include "net/command/connections.hpp"
#include "net/command/cpus.hpp"
#include "net/command/damage.hpp"
#include "net/command/demo.hpp"
#include "net/command/key_check.hpp"
#include "net/command/listen.hpp"
#include "net/command/log_file.hpp"
#include "net/command/manual_clock.hpp"
#include "net/command/needed_files.hpp"
#include "net/command/node_metrics.hpp"
#include "net/command/outgoing_mail.hpp"
#include "net/command/places.hpp"
#include "net/command/regular_waves.hpp"
#include "net/command/start_failure.hpp"
#include "net/command/world.hpp"
#include "net/io_thread.hpp"
#include "net/password_metrics.hpp"
#include "net/programme/routes.hpp"
#include "net/server.hpp"
#include "net/tls.hpp"
#include "net/waiting_room/metrics.hpp"
#include "storage/backup.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::command {
namespace {

std::unique_ptr<caf::actor_system_config> caf_config(const settings& with) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->add_message_types<caf::id_block::gelombang_runtime>();
  config->add_message_types<caf::id_block::gelombang_rooms>();
  const auto cores = usable_cpus();
  // docs/decisions: `sharing` has a tenth of the latency of `stealing` at low load.
  config->set("scheduler.policy", caf::atom("sharing"));
  // Half of the cores: applicants are run by the io threads, and what is left for the workers,
  // waves, rosters and the registry, would only wake more threads than there are cores.
  config->set("scheduler.max-threads",
              static_cast<std::size_t>(with.runtime.workers ? with.runtime.workers
                                                            : std::max(1u, cores / 2)));
  config->set("scheduler.max-throughput", static_cast<std::size_t>(50));
  return config;
}

runtime::node_options node_options(const settings& with) {
  runtime::node_options options;
  options.data_directory = with.storage.data_dir;
  options.shards = with.runtime.shards;
  options.active_actors_max = with.runtime.active_actors_max;
  options.idle_seconds = with.runtime.idle_seconds;
  options.memory_ahead_bytes = with.runtime.memory_ahead_bytes;
  // At an opening nearly everybody is cold, and reading takes a third of the work.
  options.loader_threads = std::max(1u, usable_cpus() / 2);
  options.segment_bytes_max = with.storage.segment_bytes_max;
  options.block_cache_bytes = with.storage.block_cache_bytes;
  options.checkpoint_bytes = with.storage.checkpoint_bytes;
  options.checkpoint_interval = std::chrono::seconds{with.storage.checkpoint_interval_seconds};
  return options;
}

/// Nothing has ever happened here, and nobody was seeded.
bool is_blank(const runtime::node& node) {
  return node.durable().empty() && node.counts().empty();
}

std::unique_ptr<runtime::node> open_node(const settings& with, const clock& time,
                                         caf::actor_system& system, const rooms& all,
                                         storage::directory_lock held) {
  auto opened = runtime::node::open(node_options(with), storage::posix_file_system(), time, system,
                                    all.kinds(), std::move(held));
  if (!opened) {
    const auto& why = opened.error();
    const bool is_damage =
        why.kind == storage::fault::corrupt || why.kind == storage::fault::missing;
    throw start_failure{environment_failed,
                        fmt::format("{}: {}{}", with.storage.data_dir, why.detail,
                                    is_damage ? advice_on_damage(with.storage.data_dir) : "")};
  }
  const auto& found = (*opened)->started_with();
  if (is_blank(**opened))
    spdlog::info("nothing is stored in {} yet", with.storage.data_dir);
  else
    spdlog::info("restored from {}: {} frames behind the checkpoint, {} records replayed",
                 with.storage.data_dir, found.journal.frames, found.records_replayed);
  if (found.journal.torn_bytes > 0)
    spdlog::warn("cut off {} bytes of a write that never ended, at {}", found.journal.torn_bytes,
                 found.journal.torn_at);
  if (found.journal.newest_was_absent)
    spdlog::warn(
        "{}/journal/NEWEST was missing, as in data of before it was written: whether segments are "
        "missing at the journal's end could not be told. It is there from now on",
        with.storage.data_dir);
  return std::move(*opened);
}

net::server_options server_options(const settings& with, const net::access_tokens* tokens = nullptr,
                                   net::waiting_room* room = nullptr,
                                   net::caller_limits* callers = nullptr) {
  net::server_options options;
  options.address = with.listen.address;
  options.port = with.listen.port;
  const auto cores = usable_cpus();
  options.threads = with.front_door.io_threads ? with.front_door.io_threads : cores;
  if (const auto at = parse_listen(with.listen.operators))
    options.house = net::server_options::house_port{at->address, at->port};
  options.admission = with.overload;
  options.bounds.connections_max = connections_of(with).most;
  options.bounds.connections_per_address_max = with.front_door.connections_by_address_max;
  options.bounds.body_bytes_max = with.front_door.body_bytes_max;
  options.bounds.header_bytes_max = with.front_door.header_bytes_max;
  options.bounds.requests_in_flight_max = with.runtime.requests_in_flight_max;
  options.bounds.header_timeout = std::chrono::seconds{with.front_door.header_seconds_max};
  options.bounds.body_timeout = std::chrono::seconds{with.front_door.body_seconds_max};
  options.bounds.idle_timeout = std::chrono::seconds{with.front_door.idle_seconds_max};
  options.bounds.request_timeout = std::chrono::seconds{with.front_door.answer_seconds_max};
  options.bounds.drain_delay = std::chrono::seconds{with.front_door.stop_notice_seconds};
  options.bounds.drain_timeout = std::chrono::seconds{with.front_door.stop_seconds_max};
  if (!with.listen.tls_certificate.empty())
    options.tls = net::tls_files{with.listen.tls_certificate, with.listen.tls_key};
  options.tokens = tokens;
  options.room = room;
  options.callers = callers;
  return options;
}

std::vector<std::unique_ptr<net::gateway>> open_gateways(const settings& with, net::server& front,
                                                         runtime::node& node) {
  std::vector<std::unique_ptr<net::gateway>> gateways;
  for (std::size_t i = 0; i < front.threads(); ++i)
    gateways.push_back(std::make_unique<net::gateway>(
        node.system(), node, front.context(i),
        net::gateway::limits{
            .pending_requests_max = with.runtime.requests_in_flight_max,
            .deadline = std::chrono::seconds{with.front_door.answer_seconds_max}}));
  return gateways;
}

/// Each scheme has the rule set of its name.
decltype(net::services::eligibility_of_scheme) rules_by_scheme(const world& around) {
  decltype(net::services::eligibility_of_scheme) names;
  for (const auto& [name, rules] : around.eligibility) names.emplace(name, name);
  return names;
}

std::set<std::string, std::less<>> operators_of(const settings& with) {
  std::set<std::string, std::less<>> emails;
  auto add = [&](const std::string& address) {
    if (auto email = normalise_email(address)) emails.insert(*email);
  };
  for (const auto& one : with.operator_emails) add(one);
  if (with.demo.enabled) add(with.demo.operator_email);
  return emails;
}

/// Says where the log goes on, in the log.
void reopen_log(const log_output& log) {
  if (auto opened = log.reopen(); !opened)
    spdlog::error("{}: the log goes on in the file of before", opened.error());
  else
    spdlog::info("the log goes on here");
}

/// SIGHUP: what others may have replaced under the node is opened anew. What can't be stays as it
/// was.
void open_anew(net::server& front, const log_output& log) {
  reopen_log(log);
  auto reloaded = front.reload_certificate();
  if (!reloaded) return spdlog::error("the certificate was not reloaded: {}", reloaded.error());
  spdlog::info("new connections use the certificate of now");
}

void wait_for_the_end(const sigset_t& signals, net::server& front, const log_output& log) {
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP) return spdlog::info("ending");
    open_anew(front, log);
  }
}

/// Whoever tells a node twice to end does not want to wait for those whose requests are under way;
/// a log that is moved away meanwhile goes on in a new file. The thread lives as long as the
/// process, which ends without taking `front` apart.
void hurry_when_told_again(const sigset_t& signals, net::server& front, const log_output& log) {
  std::thread{[&signals, &front, &log] {
    name_this_thread("signals");
    for (int signal = 0; sigwait(&signals, &signal) == 0;) {
      if (signal != SIGHUP) {
        front.hurry();
        continue;
      }
      reopen_log(log);
    }
  }}.detach();
}

/// /metrics at an address of its own, and beside it what a prober asks; null where it has none.
std::unique_ptr<net::server> metrics_server(const settings& with, const clock& time) {
  const auto at = parse_listen(with.listen.metrics);
  if (!at) return nullptr;
  net::server_options options{.address = at->address, .port = at->port};
  options.bounds.connections_max = 64;
  return std::make_unique<net::server>(std::move(options), time);
}

std::unique_ptr<net::server> serve_metrics(const settings& with, const clock& time,
                                           const net::server& front,
                                           const net::metrics_page& page) {
  auto alone = metrics_server(with, time);
  if (!alone) return nullptr;
  or_stop(alone->listen(), environment_failed);
  net::router routes;
  net::add_house_routes(routes, front);
  net::add_metrics_route(routes, page);
  alone->start(std::move(routes));
  const listen_at where{alone->options().address, alone->port()};
  spdlog::info("metrics at http://{}:{}/metrics", where.host(), where.port);
  return alone;
}

net::router routes_of(const settings& with, const net::server& front, net::services& services,
                      const net::metrics_page& page) {
  net::router routes;
  net::add_house_routes(routes, front);
  net::add_programme_routes(routes, services);
  if (with.listen.metrics == metrics_here) net::add_metrics_route(routes, page);
  return routes;
}

/// A start that can't serve must not leave data or a key behind: the ports are bound for a moment.
void check_places(const settings& with, const clock& time) {
  auto options = server_options(with);
  if (options.tls) or_stop(net::tls_context{}.load(*options.tls));
  options.threads = 1;
  net::server trial{options, time};
  or_stop(trial.listen(), environment_failed);
  if (auto metrics = metrics_server(with, time)) or_stop(metrics->listen(), environment_failed);
  if (storage::has_backup_mark({with.storage.data_dir}))
    throw start_failure{wrong_configuration,
                        fmt::format("storage.data_dir: {} is a backup, and would be none any more: "
                                    "restore it, and serve what comes of it",
                                    with.storage.data_dir)};
  if (auto alone = check_surroundings(with.storage.data_dir); !alone)
    throw start_failure{wrong_configuration, "storage.data_dir: " + alone.error()};
  if (const auto open = openness_of(with.keys.file)) spdlog::warn("keys.file: {}", *open);
}

/// Before anybody looks at the key: of two starts on a new directory one begins it, with its key,
/// and the other leaves nothing there.
storage::directory_lock lock_data(const settings& with) {
  auto taken = storage::directory_lock::take({with.storage.data_dir});
  if (!taken) throw start_failure{environment_failed, taken.error().detail};
  return std::move(*taken);
}

/// When the state is there: of a start that failed before, no mark is left that speaks of data.
void keep_key_mark(const settings& with, const keyring& keys, bool had_data) {
  const bool is_there = or_stop(key_mark_in(with.storage.data_dir)).has_value();
  if (is_there) return;
  or_stop(write_key_mark(with.storage.data_dir, keys), environment_failed);
  if (had_data)
    spdlog::warn(
        "{}/KEY was missing, and is written again for the key of keys.file, which fits the data",
        with.storage.data_dir);
}

/// Before anything else is: its first checkpoint says into how many shards the data is divided, so
/// that an audit of what a kill leaves needs no configuration.
void begin_data(runtime::node& node) {
  if (!is_blank(node)) return;
  if (auto begun = node.checkpoint(); !begun)
    throw start_failure{environment_failed, begun.error().detail};
}

std::string url_of(const settings& with, std::uint16_t port) {
  return fmt::format("{}://{}:{}", with.listen.tls_key.empty() ? "http" : "https",
                     listen_at{with.listen.address}.host(), port);
}

void begin_demo(runtime::node& node, const world& around, const settings& with) {
  if (!with.demo.enabled) return;
  or_stop(make_demo(node, around.keys, with, around.regions, around.questions), environment_failed);
}

void begin(runtime::node& node, wave::draw_desk& desk, const world& around, const settings& with) {
  node.start();
  desk.look_after_all();
  begin_data(node);
  begin_demo(node, around, with);
}

void tell_of_demo(runtime::node& node, const keyring& keys, const settings& with,
                  const std::string& url) {
  if (!can_sign_in(node, keys, with)) {
    spdlog::info("{} was begun without the demo's accounts", with.storage.data_dir);
    return;
  }
  fmt::print(stderr,
             "\n  operator   {}  {}\n  applicant  {}  {}\n  try: curl {}/v1/waves/current\n\n",
             with.demo.operator_email, with.demo.operator_password, with.demo.applicant_email,
             with.demo.applicant_password, url);
}

/// Everything is on the disk. To take a million actors apart one by one would be all that is left,
/// for seconds in which an operator waits to start the next node.
[[noreturn]] void end_at_once() {
  spdlog::info("ended");
  spdlog::default_logger()->flush();
  std::fflush(nullptr);
  std::_Exit(0);
}

/// What the node's time is; `ahead` is null where it is the system's.
struct time_source {
  std::unique_ptr<clock> shown;
  ahead_clock* ahead = nullptr;
};

/// For whom has the directory's lock.
time_source clock_of(const settings& with, bool had_data) {
  or_stop(may_have_its_clock(with, had_data));
  if (!with.clock.is_manual) return {std::make_unique<system_clock>()};
  const auto start = with.clock.start == instant{} ? system_clock{}.now() : with.clock.start;
  auto opened = or_stop(ahead_clock::open(with.storage.data_dir, start), environment_failed);
  spdlog::warn(
      "clock.kind = \"manual\": this node's time is not the world's, it shows {}, and operators "
      "may put it ahead. Nothing that real people rely on may stand here",
      format_time(opened->now()));
  auto* const ahead = opened.get();
  return {std::move(opened), ahead};
}

decltype(net::services::put_clock_ahead) putting_ahead(ahead_clock* ahead) {
  if (!ahead) return {};
  return [ahead](instant when) {
    auto shown = ahead->put_ahead_to(when);
    if (shown) spdlog::warn("the clock has been put ahead: it shows {}", format_time(*shown));
    return shown;
  };
}

net::password_pool::settings password_settings(const settings& with) {
  constexpr net::password_cost usual;
  const auto& cost = with.passwords.cost;
  if (cost.passes < usual.passes || cost.memory_log2_kib < usual.memory_log2_kib)
    spdlog::warn(
        "passwords.passes = {}, passwords.memory_kib = {}: whoever gets hold of the data tries "
        "passwords faster than with {} and {}",
        cost.passes, 1u << cost.memory_log2_kib, usual.passes, 1u << usual.memory_log2_kib);
  return {.threads = with.front_door.password_threads,
          .queue_max = with.front_door.password_queue_max,
          .cost = cost,
          .cpu_share_permille = with.passwords.cpu_share_permille,
          .cores = usable_cpus(),
          .wait_max = std::chrono::milliseconds{with.passwords.wait_milliseconds_max}};
}

/// Where operators come, and how many others may: before a wave opens rather than when it does.
void tell_of_front(const net::server& front, const settings& with) {
  const auto bound = connections_of(with);
  if (bound.note)
    spdlog::log(bound.is_beyond ? spdlog::level::warn : spdlog::level::info, "{}", *bound.note);
  const auto& house = front.options().house;
  if (!house) return;
  const listen_at where{house->address, front.house_port()};
  spdlog::info("operators at {}://{}:{}", front.options().tls ? "https" : "http", where.host(),
               where.port);
}

void tell_ready(runtime::node& node, const keyring& keys, const settings& with,
                const std::string& url) {
  fmt::print("ready {}\n", url);
  std::fflush(stdout);
  if (with.demo.enabled) tell_of_demo(node, keys, with, url);
}

/// Whoever waits for a backup is told that it was interrupted while the front door drains.
void close_doors(net::server& front, net::server* metrics, net::backups& backups) {
  backups.interrupt();
  front.stop();
  if (metrics) metrics->stop();
  backups.stop();
}

void run(const settings& with, const sigset_t& signals, const log_output& log) {
  check_places(with, system_clock{});
  const world around{with};
  auto lock = lock_data(with);
  const bool had_data = holds_data(with.storage.data_dir);
  or_stop(compare_key(with.storage.data_dir, around.keys));
  const auto source = clock_of(with, had_data);
  const clock& time = *source.shown;
  auto config = caf_config(with);
  caf::actor_system system{*config};
  rooms all{around, time, with.runtime.shards};
  auto node = open_node(with, time, system, all, std::move(lock));
  keep_key_mark(with, around.keys, had_data);
  const auto cores = usable_cpus();
  wave::draw_desk desk{
      *node, around.keys, all.board, time, storage::layout{with.storage.data_dir}.draws(), cores};
  all.connect(*node, desk);
  outgoing_mail mail{with, *node, around.keys, time};
  begin(*node, desk, around, with);
  const net::access_tokens access{{{"1", around.keys.access_token_key()}}};
  const net::refresh_tokens refresh{around.keys.refresh_token_key()};
  net::password_pool passwords{password_settings(with)};
  net::metrics_page page;
  page.add(std::make_shared<node_metrics>(*node, mail));
  net::waiting_room room{with.waiting_room, around.keys.waiting_ticket_key(), time.now()};
  page.add(std::make_shared<net::waiting_room_metrics>(room, time));
  page.add(std::make_shared<net::password_metrics>(passwords));
  const net::coarse_steady_clock since_boot;
  net::caller_limits callers{with.limits, since_boot};
  page.add(std::make_shared<net::caller_limits_metrics>(callers));
  net::server front{server_options(with, &access, &room, &callers), time};
  auto gateways = open_gateways(with, front, *node);
  net::services services{.gateways = {},
                         .node = *node,
                         .waves = all.board,
                         .desk = desk,
                         .time = time,
                         .keys = around.keys,
                         .regions = around.regions,
                         .questions = around.questions,
                         .access = access,
                         .refresh = refresh,
                         .passwords = passwords,
                         .room = room,
                         .eligibility_of_scheme = rules_by_scheme(around),
                         .operator_emails = operators_of(with),
                         .attempts = net::attempt_limits{with.front_door.guesses},
                         .put_clock_ahead = putting_ahead(source.ahead)};
  for (auto& one : gateways) services.gateways.push_back(one.get());
  front.on_readiness([&node] {
    return node->writable() ? std::nullopt : std::optional{errc::storage_unavailable};
  });
  or_stop(front.listen(), environment_failed);
  front.start(routes_of(with, front, services, page), &page);
  tell_of_front(front, with);
  const auto metrics = serve_metrics(with, time, front, page);
  {
    const regular_waves regular{with, *node, around.regions};
    tell_ready(*node, around.keys, with, url_of(with, front.port()));
    wait_for_the_end(signals, front, log);
  }
  hurry_when_told_again(signals, front, log);
  close_doors(front, metrics.get(), services.backups);
  gateways.clear();
  desk.stop();
  mail.stop();
  node->stop();
  end_at_once();
}

}  // namespace

int serve(const settings& with) {
  // Blocked before any thread starts, so that only `wait_for_the_end` gets them.
  sigset_t signals;
  sigemptyset(&signals);
  for (int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    or_stop(check_needed_files(with));
    run(with, signals, or_stop(log_output::open(with), environment_failed));
    return 0;
  } catch (const start_failure& why) {
    fmt::print(stderr, "gelombang: {}\n", why.why);
    return why.code;
  } catch (const std::exception& what) {
    fmt::print(stderr, "gelombang: {}\n", what.what());
    return environment_failed;
  }
}

}  // namespace gelombang::command
