#include "load-tests/replay/replay.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <thread>

#include "load-tests/engine/address.hpp"
#include "load-tests/engine/interruption.hpp"
#include "load-tests/replay/check.hpp"
#include "load-tests/replay/cpu.hpp"
#include "load-tests/replay/progress.hpp"
#include "load-tests/replay/sweep.hpp"

namespace gelombang::load::replay {
namespace {

namespace json = boost::json;
using steady_clock = std::chrono::steady_clock;
/// False: a signal has ended it.
using told = tl::expected<bool, std::string>;

/// People who register together: few enough that those who are awake for one act are for the next,
/// and that nobody's code gets old meanwhile.
constexpr std::uint64_t lot_people = 50'000;
constexpr std::chrono::seconds between_saves{1};
constexpr std::chrono::seconds patience{120};
constexpr std::chrono::seconds settling{3};  ///< before latencies are measured
constexpr const char* everybodys_password = "ikut-gelombang";

;

/// The first option of each question.
tl::expected<std::string, std::string> answers_for(const json::value& assessment) {
  try {
    json::object answers;
    for (const auto& one : assessment.at("questions").as_array())
      answers[one.at("id").as_string()] = one.at("options").as_array().at(0).at("id");
    return json::serialize(json::object{{"answers", answers}});
  } catch (const std::exception& fault) {
    return tl::unexpected(fmt::format("/v1/assessment: {}", fault.what()));
  }
}

/// Goes through the steps of a plan, from where it was left.
class player {
public:
  player(const plan& all, const clerk& writes, officer& leads, wire_settings wire,
         const settings& how, const progress_file& file, progress_file::content now)
      : all_(all),
        clerk_(writes),
        officer_(leads),
        how_(how),
        file_(file),
        now_(std::move(now)),
        who_(all),
        sweeper_(writes, std::move(wire)),
        line_(all, steady_clock::now()) {}

  told play() {
    if (auto restored = restore(); !restored) return tl::unexpected(restored.error());
    while (now_.at.step < all_.steps.size()) {
      const auto done = carry_out(all_.steps[now_.at.step]);
      if (!done || !*done) return ended(done);
      now_.at = {.step = now_.at.step + 1};
      if (auto saved = save(); !saved) return tl::unexpected(saved.error());
    }
    if (!now_.at.is_complete) {
      const auto checked = check_all(officer_, clerk_, all_, who_, now_.found);
      if (!checked) return ended(tl::unexpected(checked.error()));
      now_.at.is_complete = true;
    }
    return ended(true);
  }

  const findings& found() const { return now_.found; }

private:
  told ended(told how) {
    line_.end();
    if (auto saved = save(); !saved) return tl::unexpected(saved.error());
    // Whoever is stopped is not told of what was under way.
    if (!how && interruption::has_come()) return false;
    return how;
  }

  /// Who is a member and who has joined the wave under way follows from the steps that are done.
  tl::expected<void, std::string> restore() {
    std::uint32_t announced = 0;
    std::size_t opened = 0;
    for (std::size_t i = 0; i < now_.at.step; ++i) {
      if (all_.steps[i].what == deed::close) announced = all_.steps[i].wave;
      if (all_.steps[i].what == deed::open) opened = i;
    }
    if (announced != 0)
      if (auto read = file_.read_members(announced, who_.members()); !read) return read;
    for (std::size_t i = opened; i < now_.at.step; ++i) {
      if (all_.steps[i].what == deed::join) mark_joined(all_.steps[i]);
      if (all_.steps[i].what == deed::close) who_.joined().clear();
    }
    return {};
  }

  void mark_joined(const step& which) {
    joiners those{who_, who_.joined(), which};
    // Who is marked lies behind those who are looked at.
    while (const auto number = those.next()) who_.joined().set(*number);
  }

  told carry_out(const step& next) {
    switch (next.what) {
      case deed::accounts:
        return register_people(next);
      case deed::open:
        return open(next);
      case deed::join:
        return join(next);
      case deed::close:
        return close(next);
    }
    return true;
  }

  told register_people(const step& next) {
    if (auto put = officer_.put_clock_to(next.at); !put) return tl::unexpected(put.error());
    const auto& own = all_.cohorts[next.group];
    const auto end = own.first + own.size();
    auto& at = now_.at;
    if (at.lot == 0) at.lot = own.first;
    for (; at.lot < end; at.lot += lot_people, at.part = 0, at.position = 0) {
      const auto last = std::min(at.lot + lot_people, end) - 1;
      for (; at.part < funnel_acts; ++at.part, at.position = 0) {
        const auto what = static_cast<act>(at.part);
        doers those{who_, what, std::max(at.lot, at.position), last};
        auto done = sweep(those, what, 0, 0, fmt::format("{}", name_of(what)));
        if (!done || !*done) return done;
      }
    }
    return true;
  }

  told open(const step& next) {
    if (auto opened = officer_.open(next, all_); !opened) return tl::unexpected(opened.error());
    auto& waves = now_.found.waves;
    if (waves.empty() || waves.back().number != next.wave)
      waves.push_back({.number = next.wave, .places = next.places});
    return true;
  }

  told join(const step& next) {
    joiners those{who_, who_.joined(), next};
    those.skip_to(now_.at.position);
    const auto usual = now_.found.by_act[static_cast<std::size_t>(act::join)].rate();
    const auto rate = next.rate > 0 && usual > 0 ? next.rate * usual : 0;
    if (rate > 0) let_settle();
    auto done = sweep(those, act::join, next.wave, rate, fmt::format("wave {}: join", next.wave));
    if (!done || !*done) return done;
    mark_joined(next);
    now_.found.waves.back().joins += next.joins;
    return true;
  }

  /// A clock that leaps leaves everybody idle at once and a checkpoint due: no wave meets that.
  static void let_settle() {
    const auto until = steady_clock::now() + settling;
    while (!interruption::has_come() && steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }

  told close(const step& next) {
    line_.tell(now_.found, fmt::format("wave {}: draw", next.wave), 0);
    const auto drawn = officer_.close(next);
    if (!drawn) return tl::unexpected(drawn.error());
    now_.found.waves.back().draw_seconds = *drawn;
    const auto checked =
        check_wave(officer_, clerk_, next, file_.directory(), how_.verifier, who_, now_.found);
    if (!checked) return tl::unexpected(checked.error());
    who_.joined().clear();
    if (auto kept = file_.write_members(next.wave, who_.members()); !kept)
      return tl::unexpected(kept.error());
    return true;
  }

  /// @param rate  a second; 0: as fast as it goes
  told sweep(people_stream& those, act what, std::uint32_t wave, double rate,
             const std::string& doing) {
    auto& figures = now_.found.by_act[static_cast<std::size_t>(what)];
    std::uint64_t counted = 0;
    auto looked = steady_clock::now();
    const cpu_meter cpu{how_.node_id_file};
    std::string failure;
    const auto watch = [&](std::uint64_t position, std::uint64_t done) {
      const auto now = steady_clock::now();
      const std::chrono::duration<double> since = now - looked;
      looked = now;
      note(what, done - counted, since.count(), rate);
      line_.tell(now_.found, doing,
                 since.count() > 0 ? static_cast<double>(done - counted) / since.count() : 0);
      counted = done;
      now_.at.position = position;
      if (now - saved_ >= between_saves)
        if (auto saved = save(); !saved) failure = saved.error();
      return !interruption::has_come() && failure.empty();
    };
    auto found = rate > 0 ? sweeper_.run_at(rate, those, what, wave, watch)
                          : sweeper_.run(those, what, wave, watch);
    figures.repeats += found.repeats;
    const auto used = cpu.used();
    figures.generator_cpu += used.generator;
    figures.node_cpu += used.node;
    if (found.wrong > 0) {
      for (auto& one : found.examples) now_.found.fault(std::move(one));
      now_.found.faults_count += found.wrong - found.examples.size();
      return tl::unexpected(fmt::format("{}: {} answers that should not be: {}", doing, found.wrong,
                                        now_.found.faults.back()));
    }
    if (rate > 0) now_.found.peaks.push_back({wave, rate, found.latency.sparse()});
    if (!failure.empty()) return tl::unexpected(failure);
    if (found.is_node_gone) return tl::unexpected(fmt::format("{}: no answer any more", how_.url));
    return found.is_complete;
  }

  /// An open loop's time says nothing about how fast a node is.
  void note(act what, std::uint64_t done, double seconds, double rate) {
    auto& figures = now_.found.by_act[static_cast<std::size_t>(what)];
    const auto usual = figures.rate();
    figures.done += done;
    figures.seconds += rate > 0 && usual > 0 ? static_cast<double>(done) / usual : seconds;
    if (what == act::join) now_.found.waves.back().join_seconds += seconds;
  }

  tl::expected<void, std::string> save() {
    const auto now = steady_clock::now();
    now_.found.seconds += std::chrono::duration<double>(now - counted_).count();
    counted_ = saved_ = now;
    return file_.write(now_);
  }

  const plan& all_;
  const clerk& clerk_;
  officer& officer_;
  const settings& how_;
  const progress_file& file_;
  progress_file::content now_;
  crowd who_;
  sweeper sweeper_;
  progress_line line_;
  steady_clock::time_point saved_ = steady_clock::now(), counted_ = saved_;
};

}  // namespace

tl::expected<outcome, std::string> run(const timetable& history, const keyring& keys,
                                       const settings& how) {
  double scale = 0;
  const auto [rest, fault] =
      std::from_chars(how.scale.data(), how.scale.data() + how.scale.size(), scale);
  if (fault != std::errc{} || rest != how.scale.data() + how.scale.size())
    return tl::unexpected(std::string{"--scale: must be a number such as 0.01"});
  auto all = scaled(history, scale);
  if (!all) return tl::unexpected(all.error());
  auto target = address_in(how.url);
  if (!target) return tl::unexpected(target.error());
  std::error_code unmade;
  std::filesystem::create_directories(how.directory, unmade);
  const progress_file file{how.directory};
  auto before = file.read();
  if (!before) return tl::unexpected(before.error());
  const identity own{how.seed, how.scale, history.digest};
  if (*before && (*before)->of != own)
    return tl::unexpected(fmt::format("{} holds a replay of another seed, scale or timetable",
                                      how.directory.string()));
  progress_file::content now{.of = own, .at = {}, .found = {}};
  if (*before) {
    now = std::move(**before);
    if (!now.at.is_complete) ++now.found.interruptions;
  }
  const interruption handled;
  const auto first = all->steps.front().at - std::chrono::days{30};
  const auto last = all->steps.back().at + std::chrono::days{3650};
  clerk::settings writing{.host = target->host,
                          .password = everybodys_password,
                          .assessment = {},
                          .seed = how.seed,
                          .issued = first,
                          .expires = last};
  const clerk signs{keys, writing};
  officer leads{{.url = how.url,
                 .token = signs.operator_token(),
                 .seed = how.seed,
                 .patience = patience,
                 .is_stopped = [] { return interruption::has_come(); }}};
  const auto questions = leads.read("/v1/assessment");
  if (!questions) return tl::unexpected(questions.error());
  const auto answers = answers_for(*questions);
  if (!answers) return tl::unexpected(answers.error());
  writing.assessment = *answers;
  const clerk writes{keys, writing};
  player plays{*all,
               writes,
               leads,
               {.target = std::move(*target),
                .connections = how.connections,
                .depth = how.depth,
                .patience = patience},
               how,
               file,
               std::move(now)};
  const auto ended = plays.play();
  if (!ended) return tl::unexpected(ended.error());
  return outcome{.all = std::move(*all), .found = plays.found(), .is_complete = *ended};
}

}  // namespace gelombang::load::replay
