#include "load-tests/engine/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "load-tests/engine/acts.hpp"

namespace gelombang::load {
namespace {

using std::chrono::nanoseconds;

/// Arrivals that are let in between two looks at the sockets.
constexpr int arrivals_a_turn_max = 256;
/// Lines of the log that are collected before they are written.
constexpr std::size_t lines_bytes_max = 64 * 1024;
/// How long somebody waits who is told to come back but not when, or got no answer.
constexpr std::chrono::milliseconds first_pause{200};
constexpr std::chrono::seconds pause_max{30};

std::int64_t utc_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

/// Somebody on the way through the steps of a persona.
struct worker::traveller : traveller_state {
  std::size_t persona = 0;
  std::uint32_t source = 0;  ///< address, network order
  bool measured = true;
  std::unique_ptr<lease> own;  ///< kept from step to step, where the persona does so

  /// The same person on another connection.
  static traveller twin_of(const traveller& who) {
    traveller twin;
    static_cast<traveller_state&>(twin) = who;
    twin.persona = who.persona;
    twin.source = who.source;
    twin.measured = who.measured;
    return twin;
  }
};

/// What came of one attempt.
struct worker::outcome {
  loss lost = loss::none;
  int status = 0;
  std::int64_t retry_after_seconds = -1;
  std::string proof;

  bool succeeded() const { return lost == loss::none && is_success(status); }
  bool may_be_repeated() const { return lost != loss::none || status == 429 || status == 503; }
};

/// A place among the connections of this thread, and the connection in it.
class worker::lease {
public:
  explicit lease(worker& of) : of_(of) {}
  ~lease() { give_back(); }
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;

  /// `co_await place.taken()`: there are `connections_max` of them; who finds none waits in line.
  auto taken() {
    struct awaiter {
      worker& of;
      bool waited = false;
      bool await_ready() const { return of.places_taken_ < of.plan_.what.connections_max; }
      void await_suspend(std::coroutine_handle<> who) {
        waited = true;
        of.waiting_for_place_.push_back(who);
      }
      // Who has waited gets the place of the one who left.
      void await_resume() const { of.places_taken_ += waited ? 0 : 1; }
    };
    has_place_ = true;
    return awaiter{of_};
  }

  /// An open one if there is one to share, otherwise one that is closed.
  connection& fetch() {
    auto& spare = of_.spare_;
    if (spare.empty()) {
      of_.connections_.push_back(std::make_unique<connection>(of_.loop_));
      spare.push_back(of_.connections_.back().get());
    }
    with_ = spare.back();
    spare.pop_back();
    return *with_;
  }

  connection& with() { return *with_; }
  bool holds() const { return with_ != nullptr; }

  void give_back() {
    if (with_) of_.spare_.push_back(std::exchange(with_, nullptr));
    if (std::exchange(has_place_, false)) of_.give_place_back();
  }

private:
  worker& of_;
  connection* with_ = nullptr;
  bool has_place_ = false;
};

worker::worker(const run_plan& plan)
    : plan_(plan),
      recorder_(plan.start),
      random_(plan.what.seed * 0x9e3779b97f4a7c15u + plan.share),
      arrived_(plan.what.personas.size(), plan.share) {
  for (const auto& each : plan.what.personas)
    for (const auto& one : each.steps) {
      kinds_.resize(std::max(kinds_.size(), one.index + 1));
      kinds_[one.index] = recorder_.kind_of(one.label);
    }
}

worker::~worker() = default;

void worker::run() {
  phase_start_ = plan_.start;
  auto next = next_arrival();
  while (next && !stopping_) {
    loop_.turn(*next);
    time_out();
    // Not all that are due at once, or those who wait for an answer would seem to wait longer.
    for (int left = arrivals_a_turn_max; left > 0 && next && *next <= loop_.now(); --left) {
      arrive(*next);
      next = next_arrival();
    }
  }
  const auto end = steady::now() + plan_.what.drain;
  while (under_way_ > 0 && loop_.now() < end) {
    loop_.turn(loop_.now() + std::chrono::milliseconds{10});
    time_out();
  }
  end_all();
  if (plan_.log) plan_.log->write(std::exchange(lines_, {}));
}

/// Whoever is still under way is told that time is up, and goes.
void worker::end_all() {
  ending_ = true;
  while (under_way_ > 0) {
    for (auto& each : connections_)
      if (each->is_waiting()) each->give_up(loss::timeout);
    loop_.wake_all();
  }
}

std::optional<time_point> worker::next_arrival() {
  for (;;) {
    if (coming_)
      if (const auto at = coming_->next()) return phase_start_ + *at;
    if (!enter_next_phase()) return std::nullopt;
  }
}

/// @returns whether there is another one.
bool worker::enter_next_phase() {
  if (coming_) phase_start_ += plan_.what.phases[phases_entered_ - 1].arrivals.when.duration();
  coming_.reset();
  if (phases_entered_ >= plan_.what.phases.size()) return false;
  const auto& entered = plan_.what.phases[phases_entered_++];
  persona_of_ = {entered.weights.begin(), entered.weights.end()};
  measured_ = entered.measured;
  coming_ = entered.arrivals.share(plan_.share, plan_.shares, random_());
  return true;
}

void worker::arrive(time_point due) {
  const auto persona = persona_of_(random_);
  if (const auto number = choose(persona)) live(persona, *number, due);
}

/// @returns nothing when everybody of the persona has come.
std::optional<std::uint64_t> worker::choose(std::size_t persona) {
  const auto& kind = plan_.what.personas[persona];
  const auto count = kind.count != 0 ? kind.count : plan_.who.count() - (kind.first - 1);
  if (kind.who == choice::any)
    return kind.first + std::uniform_int_distribution<std::uint64_t>{0, count - 1}(random_);
  const auto at = std::exchange(arrived_[persona], arrived_[persona] + plan_.shares);
  if (at >= count && kind.who == choice::each_once) return std::nullopt;
  return kind.first + at % count;
}

detached worker::live(std::size_t persona, std::uint64_t number, time_point due) {
  ++under_way_;
  const auto& kind = plan_.what.personas[persona];
  traveller who;
  who.number = number;
  who.persona = persona;
  who.measured = measured_;
  if (plan_.who.tokens) who.given_token = plan_.who.tokens->of(number);
  const auto addresses = kind.addresses != 0 ? kind.addresses : plan_.what.source_addresses;
  if (addresses > 1) who.source = loopback_address(number, addresses);
  bool goes_on = true;
  for (const auto& each : kind.steps) {
    if (!goes_on || ending_ || !dice(each.go_on)) break;
    std::uniform_int_distribution<std::uint32_t> repeats{each.repeat_least, each.repeat_most};
    for (auto left = repeats(random_); goes_on && left > 0; --left) {
      if (const auto pause = pause_of(each.pause); pause.count() > 0) {
        due += pause;
        co_await loop_.until(due);
      }
      goes_on = co_await carry_out(who, each, due) || each.insists;
      // The next step is due from the moment at which this one ended.
      due = loop_.now();
    }
  }
  --under_way_;
}

/// One step, with its repetitions. @returns whether it succeeded.
net::task<bool> worker::carry_out(traveller& who, const step& what, time_point due) {
  auto is_cut = dice(what.cut);
  // What may be sent again says so, and is carried out once.
  if (what.cut > 0 || what.twice > 0 || what.tries > 1)
    who.idempotency_key = fmt::format("{:016x}{:016x}", random_(), random_());
  if (dice(what.twice)) click_again(traveller::twin_of(who), what, due);
  nanoseconds pause = first_pause;
  for (std::uint32_t tries = 1;; ++tries) {
    const auto told = co_await attempt(who, what, due, is_cut);
    if (told.succeeded()) co_return true;
    // Whoever has lost the connection tries again, also where the step has no further tries.
    const bool again = is_cut || (tries < what.tries && told.may_be_repeated());
    is_cut = false;
    if (!again || ending_) co_return false;
    auto wait = pause;
    pause = std::min<nanoseconds>(pause * 2, pause_max);
    if (told.retry_after_seconds >= 0)
      wait = std::max<nanoseconds>(std::chrono::seconds{told.retry_after_seconds}, wait);
    due = loop_.now() + wait;
    co_await loop_.until(due);
  }
}

detached worker::click_again(traveller who, const step& what, time_point due) {
  ++under_way_;
  co_await attempt(who, what, due, false);
  --under_way_;
}

net::task<worker::outcome> worker::attempt(traveller& who, const step& what, time_point due,
                                           bool is_cut) {
  const bool measured = who.measured;
  const auto kind = kinds_[what.index];
  recorder_.offered(kind, due, measured);
  outcome told;
  lease once{*this};
  const bool keeps = plan_.what.personas[who.persona].keeps_connection;
  if (keeps && !who.own) who.own = std::make_unique<lease>(*this);
  auto& place = keeps ? *who.own : once;
  if (!place.holds()) {
    co_await place.taken();
    place.fetch();
  }
  const bool is_slow = dice(what.slow);
  attempt_times times{.due = due, .sent = steady::now(), .ended = {}};
  recorder_.sent(kind, times.sent, measured);
  if (!place.with().is_open() && !place.with().open(plan_.target, who.source)) {
    told.lost = loss::connect;
  } else {
    const surroundings_of_acts around{plan_.who, plan_.wave, plan_.what.password, plan_.assessment};
    const auto request = prepare(what, who, around);
    auto& text = place.with().request();
    write_request(text, plan_.host,
                  {.method = request.method,
                   .path = request.path,
                   .token = request.token,
                   .idempotency_key = who.idempotency_key,
                   .if_none_match = request.if_none_match,
                   .body = request.body});
    told.lost = co_await exchange(place.with(), what, is_slow, is_cut);
  }
  times.ended = steady::now();
  if (told.lost == loss::none) {
    const auto& found = place.with().found();
    told.status = found.status;
    told.retry_after_seconds = found.retry_after_seconds;
    told.proof = keep(what, who, found);
    recorder_.answered(kind, times, told.status, measured);
    if (found.closes || !(keeps || plan_.what.keep_alive)) place.with().close();
  } else {
    recorder_.lost(kind, times, told.lost, measured);
  }
  note(who, what, told);
  co_return told;
}

/// Sends what the connection has as its request, and waits for the answer.
net::task<loss> worker::exchange(connection& with, const step& what, bool is_slow, bool is_cut) {
  const std::string_view text = with.request();
  deadlines_.push_back({loop_.now() + plan_.what.patience, &with, with.operations() + 1});
  if (is_cut) {
    const auto sent = co_await with.send(text);
    // What is closed before it is read is answered into the void.
    with.close();
    co_return sent == loss::none ? loss::cut : sent;
  }
  if (!is_slow) co_return co_await with.exchange(text);
  constexpr std::chrono::milliseconds between{250};
  const std::size_t piece = std::max<std::size_t>(1, what.slow_bytes_per_second / 4);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (at != 0) co_await loop_.until(loop_.now() + between);
    if (ending_) co_return loss::timeout;
    const auto sent = co_await with.send(text.substr(at, piece));
    if (sent != loss::none) co_return sent;
  }
  deadlines_.push_back({loop_.now() + plan_.what.patience, &with, with.operations() + 1});
  co_return co_await with.receive();
}

/// Writes down what has changed something, or may have.
void worker::note(const traveller& who, const step& what, const outcome& told) {
  const bool changes = what.what == act::join || what.what == act::withdraw ||
                       what.what == act::sign_up || what.what == act::verify;
  if (!plan_.log || !changes) return;
  const bool of_a_wave = what.what == act::join || what.what == act::withdraw;
  auto became = fate::refused;
  if (told.succeeded()) became = fate::acknowledged;
  // A server that fails, or a proxy before it, may have carried it out.
  else if (told.lost != loss::none || (told.status >= 500 && told.status != 503))
    became = fate::unknown;
  if (told.lost == loss::connect) became = fate::refused;
  append_line(lines_, {.at_ms = utc_ms(),
                       .kind = name_of(what.what),
                       .person = who.number,
                       .wave = of_a_wave ? std::string_view{plan_.wave} : std::string_view{},
                       .became = became,
                       .status = told.status,
                       .proof = told.proof});
  if (lines_.size() < lines_bytes_max) return;
  plan_.log->write(lines_);
  lines_.clear();
}

/// All have the same patience, so the oldest is the first.
void worker::time_out() {
  while (!deadlines_.empty()) {
    const auto& oldest = deadlines_.front();
    const bool is_over = oldest.who->operations() != oldest.operation || !oldest.who->is_waiting();
    if (!is_over && oldest.at > loop_.now()) return;
    auto* const late = is_over ? nullptr : oldest.who;
    deadlines_.pop_front();
    if (late) late->give_up(loss::timeout);
  }
}

void worker::give_place_back() {
  if (waiting_for_place_.empty()) {
    --places_taken_;
    return;
  }
  loop_.soon(waiting_for_place_.front());
  waiting_for_place_.pop_front();
}

bool worker::dice(double share) {
  if (share <= 0) return false;
  if (share >= 1) return true;
  return std::uniform_real_distribution<>{}(random_) < share;
}

nanoseconds worker::pause_of(const span_of_time& between) {
  if (between.most <= between.least) return between.least;
  return nanoseconds{std::uniform_int_distribution<std::int64_t>{between.least.count(),
                                                                 between.most.count()}(random_)};
}

}  // namespace gelombang::load
