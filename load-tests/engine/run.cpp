#include "load-tests/engine/run.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "load-tests/engine/acts.hpp"
#include "load-tests/engine/address.hpp"
#include "load-tests/engine/interruption.hpp"
#include "load-tests/engine/server_watch.hpp"
#include "load-tests/engine/worker.hpp"
#include "net/command/http_call.hpp"

namespace gelombang::load {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Calls the server before or beside the load. @returns the answer's JSON, or what went wrong.
tl::expected<json::value, std::string> ask(const run_settings& how, const std::string& path,
                                           std::optional<std::string> body = std::nullopt) {
  const auto told = command::send(
      {.url = how.url, .token = how.operator_token, .path = path, .body = std::move(body)});
  if (told.status == 0) return tl::unexpected(told.failure);
  if (told.status < 200 || told.status > 299)
    return tl::unexpected(fmt::format("{}: {}", path, command::text_of_problem(told)));
  boost::system::error_code fault;
  auto parsed = json::parse(told.body, fault);
  if (fault) return tl::unexpected(fmt::format("{}: the answer is no JSON", path));
  return parsed;
}

bool needs(const scenario& what, std::initializer_list<act> acts) {
  for (const auto& one : what.personas)
    for (const auto& each : one.steps)
      if (std::find(acts.begin(), acts.end(), each.what) != acts.end()) return true;
  return false;
}

/// The number of the wave that is joined: made now, or found out.
tl::expected<std::string, std::string> wave_for(const scenario& what, const run_settings& how) {
  auto path = what.wave == "current" ? std::string{"/v1/waves/current"} : "/v1/waves/" + what.wave;
  std::optional<std::string> body;
  if (!what.create_wave.empty()) {
    path = "/v1/operator/waves";
    body = what.create_wave;
  } else if (!needs(what, {act::join, act::withdraw, act::status}) && what.orders.empty()) {
    return what.wave;
  }
  const auto told = ask(how, path, std::move(body));
  if (!told) return tl::unexpected(told.error());
  const auto* number = told->is_object() ? told->get_object().if_contains("wave") : nullptr;
  if (!number) number = told->is_object() ? told->get_object().if_contains("number") : nullptr;
  if (!number || !number->is_int64())
    return tl::unexpected(fmt::format("{}: the answer has no wave's number", path));
  return std::to_string(number->get_int64());
}

/// The first option of each question.
tl::expected<std::string, std::string> assessment_for(const scenario& what,
                                                      const run_settings& how) {
  if (!needs(what, {act::assessment})) return std::string{};
  const auto told = ask(how, "/v1/assessment");
  if (!told) return tl::unexpected(told.error());
  try {
    json::object answers;
    for (const auto& one : told->at("questions").as_array())
      answers[one.at("id").as_string()] = one.at("options").as_array().at(0).at("id");
    return json::serialize(json::object{{"answers", answers}});
  } catch (const std::exception& fault) {
    return tl::unexpected(fmt::format("/v1/assessment: {}", fault.what()));
  }
}

/// As many as the system lets a program have: each person is a socket.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string text_of(std::chrono::system_clock::time_point when) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch());
  return format_time(instant{ms});
}

;

/// Upper edge of the bucket in which the share lies, in ms.
double quantile(const std::array<std::uint64_t, live_histogram::buckets>& counts, double share) {
  std::uint64_t all = 0, seen = 0;
  for (auto one : counts) all += one;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen != 0 && static_cast<double>(seen) >= share * static_cast<double>(all))
      return static_cast<double>(std::uint64_t{1} << i) / 1000;
  }
  return 0;
}

/// Tells how it goes, once a second.
class live_line {
public:
  void tell(seconds passed, const std::vector<std::unique_ptr<worker>>& workers) {
    figures now;
    std::array<std::uint64_t, live_histogram::buckets> latency{};
    for (const auto& one : workers) {
      auto& live = one->live();
      now.offered += live.offered;
      now.served += live.served;
      now.refused += live.refused;
      now.failed += live.failed;
      live.latency.drain(latency);
    }
    const auto ended = now.served + now.refused + now.failed;
    fmt::print(stderr,
               "{:>5} s  offered {:>7}/s  served {:>7}/s  refused {:>6}/s  failed {:>5}/s  in "
               "flight {:>6}  p50 < {:g} ms  p99 < {:g} ms  max < {:g} ms\n",
               passed.count(), now.offered - before_.offered, now.served - before_.served,
               now.refused - before_.refused, now.failed - before_.failed,
               now.offered > ended ? now.offered - ended : 0, quantile(latency, 0.5),
               quantile(latency, 0.99), quantile(latency, 1));
    before_ = now;
  }

private:
  struct figures {
    std::uint64_t offered = 0, served = 0, refused = 0, failed = 0;
  };
  figures before_;
};

/// Carries out the operator's orders when they are due, on a thread of its own: a draw takes long.
class orders {
public:
  orders(const scenario& what, const run_settings& how, std::string wave, time_point start)
      : thread_([this, &what, &how, wave = std::move(wave), start] {
          for (const auto& one : what.orders) {
            if (!wait_until(start + one.at)) return;
            const auto path = fmt::format("/v1/operator/waves/{}/{}", wave, one.order);
            const auto done = ask(how, path, one.body.empty() ? "{}" : one.body);
            std::lock_guard lock{mutex_};
            notes_.push_back(done ? fmt::format("{}: done", one.order)
                                  : fmt::format("{}: {}", one.order, done.error()));
          }
        }) {}
  ~orders() { end(); }
  orders(const orders&) = delete;
  orders& operator=(const orders&) = delete;

  /// Those that are not due yet are left. @returns what became of each of the others.
  std::vector<std::string> end() {
    {
      std::lock_guard lock{mutex_};
      ending_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    return notes_;
  }

private:
  bool wait_until(time_point when) {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, when, [this] { return ending_; });
    return !ending_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::vector<std::string> notes_;
  std::thread thread_;
};

std::vector<phase_span> spans_of(const scenario& what) {
  std::vector<phase_span> spans;
  nanoseconds at{0};
  for (const auto& one : what.phases) {
    spans.push_back({one.name, at, at + one.arrivals.when.duration(), one.measured});
    at = spans.back().to;
  }
  return spans;
}

tl::expected<void, std::string> check_people(const scenario& what, const people& who) {
  for (const auto& one : what.personas) {
    const auto last = one.first - 1 + std::max<std::uint64_t>(one.count, 1);
    if (last > who.count())
      return tl::unexpected(
          fmt::format("persona {}: people up to number {} are asked for, there are {}", one.name,
                      last, who.count()));
  }
  if (needs(what, {act::verify}) && !who.keys)
    return tl::unexpected(std::string{
        "a step verifies e-mail addresses: --key-file must be the server's, for the codes"});
  if (needs(what, {act::join, act::withdraw, act::status, act::me}) && !who.tokens &&
      !needs(what, {act::verify, act::sign_in}))
    return tl::unexpected(
        std::string{"the scenario's people are signed in: --tokens must be given"});
  return {};
}

}  // namespace

tl::expected<run_result, std::string> run(const scenario& what, const people& who,
                                          const run_settings& how) {
  if (auto fits = check_people(what, who); !fits) return tl::unexpected(fits.error());
  const auto target = address_in(how.url);
  if (!target) return tl::unexpected(target.error());
  const auto wave = wave_for(what, how);
  if (!wave) return tl::unexpected(wave.error());
  const auto assessment = assessment_for(what, how);
  if (!assessment) return tl::unexpected(assessment.error());
  std::unique_ptr<operations_log> log;
  if (!how.log.empty()) {
    auto made = operations_log::create(how.log);
    if (!made) return tl::unexpected(made.error());
    log = std::move(*made);
  }
  raise_descriptor_limit();
  const interruption handled;
  run_result found;
  const auto start_utc =
      how.start.value_or(std::chrono::system_clock::now() + std::chrono::milliseconds{200});
  const auto start = steady::now() + (start_utc - std::chrono::system_clock::now());
  std::vector<std::unique_ptr<worker>> workers;
  std::vector<std::thread> threads;
  std::vector<run_plan> plans;
  plans.reserve(how.threads);
  for (unsigned i = 0; i < how.threads; ++i) {
    plans.push_back({what, who, target->where, target->host, *wave, *assessment, log.get(), start,
                     how.share * how.threads + i, how.shares * how.threads});
    workers.push_back(std::make_unique<worker>(plans.back()));
  }
  orders ordered{what, how, *wave, start};
  std::atomic<unsigned> running{how.threads};
  for (auto& one : workers)
    threads.emplace_back([&running, &one] {
      one->run();
      running.fetch_sub(1);
    });
  live_line line;
  for (std::uint64_t second = 0; running.load() > 0; ++second) {
    while (running.load() > 0 && steady::now() < start + seconds{second + 1}) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
      if (interruption::has_come())
        for (auto& one : workers) one->stop();
    }
    if (auto metrics = metrics_of(how.url); !metrics.empty())
      found.server.push_back({second, std::move(metrics)});
    if (!how.is_quiet) line.tell(seconds{second + 1}, workers);
  }
  for (auto& one : threads) one.join();
  found.scenario = what.name;
  found.target = how.url;
  found.started_at = text_of(start_utc);
  found.seed = what.seed;
  found.phases = spans_of(what);
  found.seconds = std::chrono::duration<double>(found.phases.back().to).count();
  for (auto& one : workers) one->found().add_to(found);
  found.notes = ordered.end();
  if (interruption::has_come()) found.notes.push_back("ended early by a signal");
  if (log)
    if (auto written = log->close(); !written) return tl::unexpected(written.error());
  found.thresholds = judge(found, what.thresholds);
  return found;
}

}  // namespace gelombang::load
