#include "net/command/serve.hpp"

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <fstream>
#include <sstream>
#include <thread>

#include "actors/applicant/actor.hpp"
#include "actors/interfaces.hpp"
#include "actors/programme/email.hpp"
#include "actors/registry/actor.hpp"
#include "actors/roster/actor.hpp"
#include "actors/roster/places_actor.hpp"
#include "actors/wave/actor.hpp"
#include "net/command/ask.hpp"
#include "net/command/demo.hpp"
#include "net/io_thread.hpp"
#include "net/programme/routes.hpp"
#include "net/server.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {
namespace {

// Exit codes of the contract.
constexpr int wrong_configuration = 2;
constexpr int environment_failed = 3;

/// Stops the start: which code, and what to tell.
struct stopped {
  int code;
  std::string why;
};

std::string read_text(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in) throw stopped{wrong_configuration, path + " can't be read"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

template <class T>
T or_stop(tl::expected<T, std::string>&& read, int code = wrong_configuration) {
  if (!read) throw stopped{code, read.error()};
  if constexpr (!std::is_void_v<T>) return std::move(*read);
}

/// What is read once and never changes.
struct world {
  explicit world(const settings& with)
      : keys(or_stop(with.keys.create ? keyring::load_or_create(with.keys.file)
                                      : keyring::load(with.keys.file))),
        regions(or_stop(region_table::load(with.programme.regions))),
        questions(or_stop(applicant::parse_assessment(read_text(with.programme.assessment),
                                                      with.programme.assessment))) {
    std::error_code missing;
    for (const auto& file :
         std::filesystem::directory_iterator{with.programme.eligibility, missing}) {
      if (file.path().extension() != ".toml") continue;
      auto rules = or_stop(
          applicant::parse_eligibility(read_text(file.path().string()), file.path().string()));
      const auto name = rules.name;
      eligibility.emplace(name, std::move(rules));
    }
    if (missing) throw stopped{wrong_configuration, "programme.eligibility: " + missing.message()};
    if (!eligibility.contains(with.waves.scheme))
      throw stopped{wrong_configuration, "waves.scheme: there is no rule set \"" +
                                             with.waves.scheme + "\" in " +
                                             with.programme.eligibility};
  }

  keyring keys;
  region_table regions;
  applicant::assessment questions;
  roster::eligibility_catalogue eligibility;
};

/// The rooms: every kind of entity, and what their actors share.
struct rooms {
  rooms(const world& around, const clock& time, std::uint32_t shards)
      : views(shards),
        applicants({around.keys, around.regions, around.questions, views}),
        rosters(views, around.eligibility, time),
        waves(board, time),
        calendar(around.regions) {}

  std::vector<const runtime::entity_kind*> kinds() const {
    return {&applicants, &persons, &families, &phones, &rosters, &places, &waves, &calendar};
  }

  /// The parts that read storage for the actors exist only once the node does.
  void connect(runtime::node& node, wave::draw_desk& desk) {
    applicants.reads_with(node);
    places.reads_with(node);
    rosters.settles_with(desk);
    waves.draws_with(desk);
  }

  roster::views views;
  wave::board board;
  applicant::applicant_kind applicants;
  registry::registry_kind persons{runtime::kind::person};
  registry::registry_kind families{runtime::kind::family};
  registry::registry_kind phones{runtime::kind::phone};
  roster::roster_kind rosters;
  roster::places_kind places;
  wave::wave_kind waves;
  wave::calendar_kind calendar;
};

void configure_log(const settings& with) {
  auto log = with.log.file.empty() ? spdlog::stderr_logger_mt("gelombang")
                                   : spdlog::basic_logger_mt("gelombang", with.log.file);
  log->set_level(spdlog::level::from_str(with.log.level == "warn" ? "warning" : with.log.level));
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

std::unique_ptr<caf::actor_system_config> caf_config(const settings& with) {
  auto config = std::make_unique<caf::actor_system_config>();
  config->add_message_types<caf::id_block::gelombang_runtime>();
  config->add_message_types<caf::id_block::gelombang_rooms>();
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  // docs/decisions: `sharing` has a tenth of the latency of `stealing` at low load.
  config->set("scheduler.policy", caf::atom("sharing"));
  config->set("scheduler.max-threads",
              static_cast<std::size_t>(with.runtime.workers ? with.runtime.workers : cores));
  config->set("scheduler.max-throughput", static_cast<std::size_t>(50));
  return config;
}

runtime::node_options node_options(const settings& with) {
  runtime::node_options options;
  options.data_directory = with.storage.data_dir;
  options.shards = with.runtime.shards;
  options.active_actors_max = with.runtime.active_actors_max;
  options.idle_seconds = with.runtime.idle_seconds;
  options.segment_bytes_max = with.storage.segment_bytes_max;
  options.block_cache_bytes = with.storage.block_cache_bytes;
  options.checkpoint_bytes = with.storage.checkpoint_bytes;
  options.checkpoint_interval = std::chrono::seconds{with.storage.checkpoint_interval_seconds};
  return options;
}

std::unique_ptr<runtime::node> open_node(const settings& with, const clock& time,
                                         caf::actor_system& system, const rooms& all) {
  auto opened = runtime::node::open(node_options(with), storage::posix_file_system(), time, system,
                                    all.kinds());
  if (!opened)
    throw stopped{environment_failed,
                  fmt::format("{}: {}", with.storage.data_dir, opened.error().detail)};
  const auto& found = (*opened)->started_with();
  spdlog::info("restored from {}: {} frames behind the checkpoint, {} records replayed",
               with.storage.data_dir, found.journal.frames, found.records_replayed);
  if (found.journal.torn_bytes > 0)
    spdlog::warn("cut off {} bytes of a write that never ended, at {}", found.journal.torn_bytes,
                 found.journal.torn_at);
  return std::move(*opened);
}

/// The post office: mail to the outside leaves here, and is acknowledged when it is delivered.
class outgoing_mail {
public:
  outgoing_mail(const settings& with, runtime::node& node, const keyring& keys, const clock& time)
      : node_(node), keys_(keys), is_off_(with.mail.kind == "off") {
    if (!is_off_)
      office_ = or_stop(mailer::open_post_office(
          with.mail, time,
          {.delivered = [this](mailer::job_id id) { finish(id); },
           .failed = [this](mailer::job_id id, mailer::send_fault why) { failed(id, why); }}));
    node_.on_outside([this](runtime::shard_index from, std::uint64_t sequence,
                            const std::string& body) { take(from, sequence, body); });
  }
  ~outgoing_mail() { stop(); }

  void stop() {
    if (office_) office_->stop();
  }

private:
  void take(runtime::shard_index from, std::uint64_t sequence, const std::string& body) {
    applicant::wire::Letter letter;
    if (is_off_ || !letter.ParseFromString(body)) return finish({from, sequence});
    const applicant_id account{letter.account()};
    auto address = keys_.open(account, letter.sealed_email());
    if (!address) {
      spdlog::error("a letter's address can't be opened: the master key is another one");
      return finish({from, sequence});
    }
    mailer::job job{.id = {from, sequence},
                    .to = std::move(*address),
                    .kind = mailer::letter_kind::code,
                    .code = keys_.email_code(account, letter.generation())};
    // What is not taken now stays in the outbox, and is offered again after a while.
    if (office_->accept(std::move(job)) == mailer::intake::full)
      spdlog::warn("the post office is full: a letter waits in the journal");
  }

  void finish(mailer::job_id id) {
    node_.outside_delivered(static_cast<runtime::shard_index>(id.origin), id.sequence);
  }
  void failed(mailer::job_id id, mailer::send_fault why) {
    // Refused for good: keeping it would only refuse it again. Otherwise it stays for the next
    // start.
    if (why == mailer::send_fault::permanent) finish(id);
  }

  runtime::node& node_;
  const keyring& keys_;
  bool is_off_;
  std::unique_ptr<mailer::post_office> office_;
};

/// Creates the regular waves ahead of their time, every now and then.
class regular_waves {
public:
  regular_waves(const settings& with, runtime::node& node, const region_table& regions)
      : with_(with), node_(node), regions_(regions) {
    if (with.waves.automatic && with.waves.created_ahead > 0)
      thread_ = std::thread{[this] { run(); }};
  }
  ~regular_waves() {
    {
      std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    wanted_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

private:
  void run() {
    constexpr std::chrono::seconds interval{30};
    std::unique_lock lock{mutex_};
    while (!stopping_) {
      lock.unlock();
      look_ahead();
      lock.lock();
      wanted_.wait_for(lock, interval, [this] { return stopping_; });
    }
  }

  void look_ahead() {
    wave::keep_ahead command;
    command.now = node_.time().now();
    auto after = command.now;
    for (std::uint32_t i = 0; i < with_.waves.created_ahead; ++i) {
      const auto window = next_regular_window(after, with_.waves.schedule);
      command.regular.push_back(plan_of(with_, window, regions_));
      after = window.opens_at;
    }
    if (auto done = ask_and_wait<wave::calendar_actor>(node_, runtime::calendar_ref, command);
        !done)
      spdlog::error("regular waves can't be created ahead: {}", name_of(done.error().code));
  }

  const settings& with_;
  runtime::node& node_;
  const region_table& regions_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  bool stopping_ = false;
  std::thread thread_;
};

/// The node's own figures, read when somebody asks for /metrics.
class node_metrics final : public prometheus::Collectable {
public:
  explicit node_metrics(const runtime::node& node) : node_(node) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const auto& figures = node_.figures();
    std::vector<prometheus::MetricFamily> all;
    auto counter = [&](const char* name, const char* help, double value) {
      all.push_back(family(name, help, prometheus::MetricType::Counter));
      prometheus::ClientMetric metric;
      metric.counter.value = value;
      all.back().metric.push_back(metric);
    };
    counter("gelombang_commit_cycles_total", "Commit cycles, one sync each",
            static_cast<double>(figures.commit_cycles));
    counter("gelombang_committed_records_total", "Records made durable",
            static_cast<double>(figures.committed_records));
    counter("gelombang_committed_bytes_total", "Bytes of records made durable",
            static_cast<double>(figures.committed_bytes));
    counter("gelombang_sync_seconds_total", "Time in writing and syncing the journal",
            static_cast<double>(figures.sync_microseconds) / 1e6);
    counter("gelombang_commit_failures_total", "Times the journal refused",
            static_cast<double>(figures.commit_failures));
    counter("gelombang_checkpoints_total", "Checkpoints written",
            static_cast<double>(figures.checkpoints));
    counter("gelombang_activations_total", "Entities woken",
            static_cast<double>(figures.activations));
    counter("gelombang_mails_total", "Mails between shards", static_cast<double>(figures.mails));
    all.push_back(
        family("gelombang_active_entities", "Entities in memory", prometheus::MetricType::Gauge));
    prometheus::ClientMetric active;
    active.gauge.value = static_cast<double>(node_.active());
    all.back().metric.push_back(active);
    all.push_back(family("gelombang_accounts", "Accounts by stage of the funnel",
                         prometheus::MetricType::Gauge));
    for (auto stage : applicant::all_stages) {
      if (stage == applicant::stage::none) continue;
      prometheus::ClientMetric metric;
      metric.label.push_back({"stage", std::string{applicant::name_of(stage)}});
      metric.gauge.value = static_cast<double>(
          node_.count({runtime::counter::family::funnel_stage, static_cast<std::uint32_t>(stage)}));
      all.back().metric.push_back(metric);
    }
    return all;
  }

private:
  static prometheus::MetricFamily family(const char* name, const char* help,
                                         prometheus::MetricType type) {
    prometheus::MetricFamily made;
    made.name = name;
    made.help = help;
    made.type = type;
    return made;
  }

  const runtime::node& node_;
};

net::server_options server_options(const settings& with, const net::access_tokens& tokens) {
  net::server_options options;
  options.address = with.listen.address;
  options.port = with.listen.port;
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  options.threads =
      with.front_door.io_threads ? with.front_door.io_threads : std::max(1u, cores / 2);
  options.bounds.connections_max = with.front_door.connections_max;
  options.bounds.body_bytes_max = with.front_door.body_bytes_max;
  options.bounds.header_bytes_max = with.front_door.header_bytes_max;
  options.bounds.requests_in_flight_max = with.runtime.requests_in_flight_max;
  options.bounds.header_timeout = std::chrono::seconds{with.front_door.header_seconds_max};
  options.bounds.body_timeout = std::chrono::seconds{with.front_door.body_seconds_max};
  options.bounds.idle_timeout = std::chrono::seconds{with.front_door.idle_seconds_max};
  options.bounds.request_timeout = std::chrono::seconds{with.front_door.answer_seconds_max};
  options.bounds.drain_timeout =
      std::chrono::seconds{std::min<std::int64_t>(with.front_door.stop_seconds_max, 3)};
  if (!with.listen.tls_certificate.empty())
    options.tls = net::tls_files{with.listen.tls_certificate, with.listen.tls_key};
  options.tokens = &tokens;
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

std::set<std::string, std::less<>> operators_of(const settings& with) {
  std::set<std::string, std::less<>> emails;
  auto add = [&](const std::string& address) {
    if (auto email = normalise_email(address)) emails.insert(*email);
  };
  for (const auto& one : with.operator_emails) add(one);
  if (with.demo.enabled) add(with.demo.operator_email);
  return emails;
}

/// A backup takes as long as the disk takes, so it runs on a thread of its own.
net::task<> answer_backup(net::exchange& x, runtime::node& node) {
  auto* body = x.read_body();
  if (!body) co_return;
  const std::string target{body->string("target", 1, 4096)};
  if (!body->ok()) co_return x.refuse(body->faults());
  auto& io = x.thread().context();
  auto made = co_await net::callback<storage::result<void>>([&](auto done) {
    std::thread{[&node, &io, target, done] {
      auto finished = node.backup(target);
      boost::asio::post(io, [done, finished] { done(finished); });
    }}.detach();
  });
  if (!made) {
    spdlog::error("backup to {} failed: {}", target, made.error().detail);
    co_return x.refuse(refusal{errc::storage_unavailable, "/target", made.error().detail});
  }
  x.json().begin_object().key("target").value(target).end_object();
  x.reply(201);
}

/// Waits for the signal to end; SIGHUP reads the certificate again.
void wait_for_the_end(const sigset_t& signals, net::server& front) {
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    if (signal != SIGHUP) return;
    if (auto reloaded = front.reload_certificate(); !reloaded)
      spdlog::error("the certificate was not reloaded: {}", reloaded.error());
  }
}

void print_demo(const settings& with, const std::string& url) {
  fmt::print(stderr,
             "\n  operator   {}  {}\n  applicant  {}  {}\n  try: curl {}/v1/waves/current\n\n",
             with.demo.operator_email, with.demo.operator_password, with.demo.applicant_email,
             with.demo.applicant_password, url);
}

void run(const settings& with, const sigset_t& signals) {
  const system_clock time;
  const world around{with};
  auto config = caf_config(with);
  caf::actor_system system{*config};
  rooms all{around, time, with.runtime.shards};
  auto node = open_node(with, time, system, all);
  const auto cores = std::max(1u, std::thread::hardware_concurrency());
  wave::draw_desk desk{*node, around.keys, storage::layout{with.storage.data_dir}.draws(), cores};
  all.connect(*node, desk);
  outgoing_mail mail{with, *node, around.keys, time};
  node->start();
  if (with.demo.enabled)
    or_stop(make_demo(*node, around.keys, with, around.regions, around.questions),
            environment_failed);
  const net::access_tokens access{{{"1", around.keys.access_token_key()}}};
  const net::refresh_tokens refresh{around.keys.refresh_token_key()};
  net::password_pool passwords{{.threads = with.front_door.password_threads,
                                .queue_max = with.front_door.password_queue_max}};
  net::metrics_page page;
  page.add(std::make_shared<node_metrics>(*node));
  net::server front{server_options(with, access), time};
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
                         .eligibility_of_scheme = {},
                         .operator_emails = operators_of(with)};
  for (auto& one : gateways) services.gateways.push_back(one.get());
  for (const auto& [name, rules] : around.eligibility)
    services.eligibility_of_scheme.emplace(name, name);
  net::router routes;
  net::add_house_routes(routes, front, page);
  net::add_programme_routes(routes, services);
  routes.add({boost::beast::http::verb::post, "/v1/operator/backups", net::access::operator_,
              "makeBackup", [&node](net::exchange& x) { return answer_backup(x, *node); }});
  front.on_readiness([&node]() -> std::optional<errc> {
    if (!node->writable()) return errc::storage_unavailable;
    return std::nullopt;
  });
  or_stop(front.listen(), environment_failed);
  front.start(std::move(routes), &page);
  {
    const regular_waves regular{with, *node, around.regions};
    const auto url = fmt::format("{}://{}:{}", with.listen.tls_key.empty() ? "http" : "https",
                                 with.listen.address, front.port());
    fmt::print("ready {}\n", url);
    std::fflush(stdout);
    if (with.demo.enabled) print_demo(with, url);
    wait_for_the_end(signals, front);
  }
  spdlog::info("ending");
  front.stop();
  gateways.clear();
  desk.stop();
  mail.stop();
  node->stop();
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
    configure_log(with);
    run(with, signals);
    return 0;
  } catch (const stopped& why) {
    fmt::print(stderr, "gelombang: {}\n", why.why);
    return why.code;
  } catch (const std::exception& what) {
    fmt::print(stderr, "gelombang: {}\n", what.what());
    return environment_failed;
  }
}

}  // namespace gelombang::command
