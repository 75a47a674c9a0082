#include "net/waiting_room/waiting_room.hpp"

#include <algorithm>
#include <cmath>

namespace gelombang::net {
namespace {

using std::chrono::milliseconds;
using kind = verdict::kind;

/// What the line begins with when nothing was measured yet.
constexpr double rate_presumed = 1'000;
/// Over which the rate follows what a saturated node serves.
constexpr double follows_seconds = 2;
/// By which it grows in a second while the node has room and people wait.
constexpr double grows_by = 0.2;
/// And so far beyond what is served.
constexpr double grows_beyond = 1.25;

/// Turns that were not taken can be taken so much later.
constexpr double tokens_seconds = 0.5;
constexpr std::int64_t tokens_least = 4;
/// A quarter of them is for those who were called so long ago.
constexpr double first_after_seconds = 3;

/// A newcomer comes back after a quarter of the time, because the line may turn out to be faster:
/// nobody knows yet how many stay. Later on, after most of it.
constexpr double share_at_first = 0.25;
constexpr double share_later = 0.7;
constexpr double jitter = 0.2;
/// Whose turn is so near comes when it is there.
constexpr milliseconds soon{5'000};
/// Whose turn it is and who finds no room.
constexpr milliseconds in_a_moment{1'500};

constexpr milliseconds wait_shown_max = std::chrono::hours{7 * 24};
constexpr unsigned number_bits = 16;

std::uint64_t packed(instant epoch, std::uint64_t number) {
  return static_cast<std::uint64_t>(epoch.time_since_epoch().count()) << number_bits | number;
}

instant epoch_in(std::uint64_t packed_room) {
  return instant{milliseconds{packed_room >> number_bits}};
}

std::uint64_t number_in(std::uint64_t packed_room) {
  return packed_room & ((1u << number_bits) - 1);
}

double seconds_of(milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

/// From 0 to 1: as random as the signature that it is made of.
double dice_of(const waiting_tickets::text& ticket) {
  constexpr unsigned sides = 101;
  const auto end = ticket.end();
  return (end[-1] * 17 + end[-2] * 131 + end[-3]) % sides / static_cast<double>(sides - 1);
}

std::uint32_t retry_after(milliseconds left, double share, double dice) {
  if (left <= soon) return static_cast<std::uint32_t>(std::ceil(seconds_of(left) + dice));
  const auto most = static_cast<double>(waiting_room::retry_after_max.count());
  const auto usual = std::min(most, seconds_of(left) * share);
  return static_cast<std::uint32_t>(std::lround(usual * (1 + jitter * (dice - 0.5))));
}

milliseconds time_for(double places, double places_per_second) {
  const auto limit = static_cast<double>(wait_shown_max.count());
  return milliseconds{
      static_cast<std::int64_t>(std::min(limit, places / places_per_second * 1000))};
}

}  // namespace

std::string_view name_of(room_mode mode) {
  switch (mode) {
    case room_mode::automatic:
      return "auto";
    case room_mode::on:
      return "on";
    case room_mode::off:
      return "off";
  }
  return {};
}

waiting_room::waiting_room(const waiting_room_options& with,
                           const std::array<std::uint8_t, 32>& key, instant now)
    : with_(with),
      tickets_(key),
      epoch_(now),
      used_(with.places_kept),
      used_before_(with.places_kept),
      returns_(now),
      pace_(with.turn_lasts, now),
      mode_(with.mode),
      sustained_(rate_presumed),
      stepped_at_(now),
      busy_at_(now) {
  if (with.rate_per_second > 0) rate_set_ = with.rate_per_second;
  rate_.store(rate());
  is_set_.store(mode_ == room_mode::on || rate_set_);
  if (mode_ == room_mode::on) open(now);
}

// ---- at the door

verdict waiting_room::arrive(const visitor& one, instant now) {
  step_when_due(now);
  if (!is_open()) {
    return {.what = one.newcomers == node_room::spare ? kind::admit : kind::refuse};
  }
  if (one.newcomers == node_room::none) saturated_.store(true, std::memory_order_relaxed);
  if (one.ticket.empty()) return newcomer(one, now);
  const auto ticket = tickets_.read(one.ticket);
  const auto fault = ticket ? fault_of(*ticket, one, now) : ticket.error();
  if (!fault) return with_ticket(*ticket, one, now);
  faults_[static_cast<std::size_t>(*fault)].fetch_add(1, std::memory_order_relaxed);
  return newcomer(one, now);
}

std::optional<ticket_fault> waiting_room::fault_of(const waiting_ticket& ticket, const visitor& one,
                                                   instant now) const {
  if (ticket.subject != one.subject) return ticket_fault::of_another;
  if (ticket.issued_at > now + clock_skew_max) return ticket_fault::from_the_future;
  if (is_ours(ticket)) {
    if (ticket.place >= next_.load(std::memory_order_relaxed)) return ticket_fault::of_another_room;
    const auto is_late = ticket.place < expired_below_.load(std::memory_order_relaxed);
    return is_late ? std::optional{ticket_fault::expired} : std::nullopt;
  }
  if (ticket.epoch > epoch_) return ticket_fault::of_another_room;
  const auto was_due_before = ticket.expected_at + before_restart_max < epoch_;
  if (was_due_before || ticket.expected_at + with_.turn_lasts < now) return ticket_fault::expired;
  return std::nullopt;
}

verdict waiting_room::with_ticket(const waiting_ticket& ticket, const visitor& one, instant now) {
  const auto place = bit_of(ticket);
  const auto seen = place.of ? place.of->look(place.number) : used_places::taking::fresh;
  if (!place.of || seen != used_places::taking::fresh) {
    const auto why = !place.of                           ? ticket_fault::of_another_room
                     : seen == used_places::taking::used ? ticket_fault::used
                                                         : ticket_fault::expired;
    faults_[static_cast<std::size_t>(why)].fetch_add(1, std::memory_order_relaxed);
    return newcomer(one, now);
  }
  returns_.came(ticket.is_renewed ? returns::which::later : returns::which::first);
  const auto left = left_of(ticket, now);
  if (left == milliseconds{0}) return in_turn(ticket, place, one, now);
  // Who is left over from before a restart need not wait for a line that is empty.
  if (!somebody_waits() && one.newcomers == node_room::spare) {
    return in_turn(ticket, place, one, now);
  }
  early_.fetch_add(1, std::memory_order_relaxed);
  return {.what = kind::wait, .told = tell(ticket, left, call_back::later, now)};
}

verdict waiting_room::in_turn(const waiting_ticket& ticket, const bit& place, const visitor& one,
                              instant now) {
  if (!take_token(tokens_left_by(ticket))) {
    turned_back_.fetch_add(1, std::memory_order_relaxed);
    return {.what = kind::wait, .told = tell(ticket, in_a_moment, call_back::later, now)};
  }
  if (place.of->take(place.number) != used_places::taking::fresh) {
    give_token_back();
    const auto used = static_cast<std::size_t>(ticket_fault::used);
    faults_[used].fetch_add(1, std::memory_order_relaxed);
    return newcomer(one, now);
  }
  admitted_.fetch_add(1, std::memory_order_relaxed);
  if (!is_ours(ticket)) from_before_.fetch_add(1, std::memory_order_relaxed);
  return {.what = kind::admit_in_turn, .turn = ticket};
}

verdict waiting_room::newcomer(const visitor& one, instant now) {
  // Half of what may be let in at once is kept for those who were called and are on their way.
  const auto is_let_by = one.newcomers == node_room::spare && !somebody_waits();
  if (is_let_by && take_token(tokens_max() / 2)) return {.what = kind::admit};
  const waiting_ticket ticket{.epoch = epoch_,
                              .place = next_.fetch_add(1, std::memory_order_relaxed),
                              .issued_at = now,
                              .expected_at = now,
                              .subject = one.subject};
  return {.what = kind::wait, .told = tell(ticket, left_of(ticket, now), call_back::first, now)};
}

waiting waiting_room::take_back(const verdict& admitted, instant now) {
  const auto place = bit_of(admitted.turn);
  if (place.of) place.of->give_back(place.number);
  give_token_back();
  taken_back_.fetch_add(1, std::memory_order_relaxed);
  saturated_.store(true, std::memory_order_relaxed);
  turned_back_.fetch_add(1, std::memory_order_relaxed);
  return tell(admitted.turn, in_a_moment, call_back::later, now);
}

waiting waiting_room::tell(waiting_ticket ticket, milliseconds left, call_back when, instant now) {
  const auto is_first = when == call_back::first;
  ticket.is_renewed = !is_first;
  ticket.expected_at = now + left;
  waiting told{.ticket = tickets_.write(ticket),
               .place = ticket.place,
               .ahead = 0,
               .expected_at = ticket.expected_at,
               .retry_after_seconds = 0};
  const auto serving = serving_.load(std::memory_order_relaxed);
  if (is_ours(ticket)) {
    told.ahead = ticket.place > serving ? ticket.place - serving : 0;
  } else {
    const auto pace = places_per_second_.load(std::memory_order_relaxed);
    told.ahead = static_cast<std::uint64_t>(seconds_of(left) * pace);
  }
  told.retry_after_seconds =
      retry_after(left, is_first ? share_at_first : share_later, dice_of(told.ticket));
  returns_.told(is_first ? returns::which::first : returns::which::later, told.retry_after_seconds,
                now);
  return told;
}

// ---- places

waiting_room::bit waiting_room::bit_of(const waiting_ticket& ticket) {
  if (is_ours(ticket)) return {&used_, ticket.place};
  auto known = before_.load(std::memory_order_acquire);
  // The youngest room of before is the one that this one took over from.
  while (epoch_in(known) < ticket.epoch) {
    const auto wanted = packed(ticket.epoch, number_in(known) + 1);
    if (before_.compare_exchange_weak(known, wanted, std::memory_order_acq_rel)) known = wanted;
  }
  if (epoch_in(known) != ticket.epoch) return {};
  const auto room_for_each = used_before_.places_end() >> number_bits;
  return {&used_before_, number_in(known) * room_for_each + ticket.place % room_for_each};
}

bool waiting_room::somebody_waits() const {
  return serving_.load(std::memory_order_relaxed) < next_.load(std::memory_order_relaxed);
}

milliseconds waiting_room::left_of(const waiting_ticket& ticket, instant now) const {
  if (!is_ours(ticket)) return std::max(milliseconds{0}, ticket.expected_at - now);
  const auto serving = serving_.load(std::memory_order_relaxed);
  if (ticket.place < serving) return milliseconds{0};
  const auto places = static_cast<double>(ticket.place - serving + 1);
  const auto pace = places_per_second_.load(std::memory_order_relaxed);
  return std::max(milliseconds{1}, time_for(places, pace));
}

// ---- tokens

std::int64_t waiting_room::tokens_max() const {
  const auto people = rate_.load(std::memory_order_relaxed) * tokens_seconds;
  return std::max(tokens_least, static_cast<std::int64_t>(people)) * one_token;
}

std::int64_t waiting_room::tokens_left_by(const waiting_ticket& ticket) const {
  if (!is_ours(ticket)) return 0;
  // Who was called seconds ago and is still here has been turned back: he goes first.
  const auto serving = serving_.load(std::memory_order_relaxed);
  const auto called_since = static_cast<double>(serving - std::min(serving, ticket.place));
  const auto is_old =
      called_since > places_per_second_.load(std::memory_order_relaxed) * first_after_seconds;
  return is_old ? 0 : tokens_max() / 4;
}

bool waiting_room::take_token(std::int64_t left_at_least) {
  auto there = tokens_.load(std::memory_order_relaxed);
  do {
    if (there - one_token < left_at_least) return false;
  } while (!tokens_.compare_exchange_weak(there, there - one_token, std::memory_order_relaxed));
  return true;
}

void waiting_room::refill(double seconds) {
  const auto more = static_cast<std::int64_t>(rate() * seconds * one_token);
  const auto most = tokens_max();
  auto there = tokens_.load(std::memory_order_relaxed);
  while (!tokens_.compare_exchange_weak(there, std::min(most, there + more),
                                        std::memory_order_relaxed)) {
  }
}

// ---- the line goes on

void waiting_room::step_when_due(instant now) {
  const auto due = next_step_ms_.load(std::memory_order_relaxed);
  const auto left = due - now.time_since_epoch().count();
  // More than a step ahead, the clock was set back.
  if (left > 0 && left <= step_interval.count()) return;
  std::unique_lock lock{guard_, std::try_to_lock};
  if (lock) step(now);
}

void waiting_room::step(instant now) {
  // Threads look at the clock one after the other, and time that was counted is not counted again;
  // further back, the clock was set.
  if (is_open() && now <= stepped_at_ && stepped_at_ - now <= clock_skew_max) return;
  next_step_ms_.store((now + step_interval).time_since_epoch().count(), std::memory_order_relaxed);
  const auto passed = std::clamp(now - stepped_at_, milliseconds{0}, line_pace::step_max);
  const auto seconds = seconds_of(passed);
  stepped_at_ = now;
  if (!is_open()) return;
  adapt_rate(seconds);
  refill(seconds);
  const auto admitted = admitted_.load(std::memory_order_relaxed);
  const auto from_before = from_before_.load(std::memory_order_relaxed);
  const auto turned_back = turned_back_.load(std::memory_order_relaxed);
  returns_.settle(now);
  const line_pace::facts known{.rate = rate(),
                               .show_up = returns_.share(),
                               .serving = serving_.load(std::memory_order_relaxed),
                               .next = next_.load(std::memory_order_relaxed),
                               .others = from_before - from_before_before_,
                               .turned_back = turned_back - turned_back_before_};
  const auto serving = pace_.step(known, now);
  show(pace_, serving);
  const auto is_busy = known.serving < known.next || admitted != admitted_before_ ||
                       known.turned_back > 0 || refusing_since_.has_value();
  admitted_before_ = admitted;
  from_before_before_ = from_before;
  turned_back_before_ = turned_back;
  if (is_busy || busy_at_ > now) busy_at_ = now;
  if (mode_ == room_mode::automatic && now - busy_at_ >= with_.closes_after) close();
}

void waiting_room::show(const line_pace& pace, std::uint64_t serving) {
  const auto kept = used_.size();
  const auto overtaken = serving > kept ? serving - kept : 0;
  serving_.store(serving, std::memory_order_relaxed);
  expired_below_.store(std::max(pace.expired_below(), overtaken), std::memory_order_relaxed);
  places_per_second_.store(pace.places_per_second(), std::memory_order_relaxed);
}

double waiting_room::rate() const {
  return rate_set_ ? static_cast<double>(*rate_set_) : sustained_;
}

void waiting_room::adapt_rate(double seconds) {
  const auto is_saturated =
      saturated_.exchange(false, std::memory_order_relaxed) || refusing_since_.has_value();
  if (is_saturated && served_per_second_ > 0) {
    sustained_ += (served_per_second_ - sustained_) * std::min(1.0, seconds / follows_seconds);
  }
  // Where an operator holds the line back, room says nothing about what the node could do.
  if (!is_saturated && !rate_set_ && somebody_waits()) {
    const auto most = std::max(sustained_, served_per_second_ * grows_beyond);
    sustained_ = std::min(most, sustained_ * (1 + grows_by * seconds));
  }
  sustained_ = std::clamp(sustained_, 1.0, static_cast<double>(room_rate_max));
  rate_.store(rate(), std::memory_order_relaxed);
}

// ---- opening and closing

void waiting_room::report(const node_load& load, instant now) {
  std::lock_guard lock{guard_};
  served_per_second_ = load.served_per_second;
  if (load.now == node_room::spare) {
    refusing_since_.reset();
  } else if (!refusing_since_ || *refusing_since_ > now) {
    refusing_since_ = now;
  }
  const auto has_refused_long = refusing_since_ && now - *refusing_since_ >= with_.opens_after;
  if (mode_ == room_mode::automatic && has_refused_long && !is_open()) open(now);
  step(now);
}

void waiting_room::set(room_mode mode, std::optional<std::uint32_t> rate_wanted, instant now) {
  std::lock_guard lock{guard_};
  mode_ = mode;
  rate_set_ = rate_wanted;
  rate_.store(rate(), std::memory_order_relaxed);
  is_set_.store(mode == room_mode::on || rate_set_, std::memory_order_relaxed);
  if (mode == room_mode::on && !is_open()) open(now);
  if (mode == room_mode::off && is_open()) close();
  step(now);
}

void waiting_room::open(instant now) {
  ++openings_;
  // What was served while the rush began says little; what was sustained in the one before says
  // more.
  sustained_ = std::max(sustained_, served_per_second_);
  rate_.store(rate(), std::memory_order_relaxed);
  tokens_.store(tokens_max(), std::memory_order_relaxed);
  pace_.begin(rate(), returns_.share(), now);
  places_per_second_.store(pace_.places_per_second(), std::memory_order_relaxed);
  stepped_at_ = busy_at_ = now;
  is_open_.store(true, std::memory_order_relaxed);
}

void waiting_room::close() {
  // Who still holds a ticket is called: if the room opens again, he has been waiting.
  serving_.store(next_.load(std::memory_order_relaxed), std::memory_order_relaxed);
  is_open_.store(false, std::memory_order_relaxed);
}

// ---- what others see

room_state waiting_room::state(instant now) {
  std::lock_guard lock{guard_};
  step(now);
  const auto serving = serving_.load(std::memory_order_relaxed);
  const auto next = next_.load(std::memory_order_relaxed);
  return {.mode = mode_,
          .is_open = is_open(),
          .rate_per_second = rate_set_,
          .measured_rate = static_cast<std::uint32_t>(std::lround(sustained_)),
          .waiting = next > serving ? next - serving : 0,
          .now_serving = serving,
          .next_place = next,
          .admitted = admitted_.load(std::memory_order_relaxed) -
                      taken_back_.load(std::memory_order_relaxed),
          .show_up_permille = static_cast<std::uint32_t>(std::lround(returns_.share() * 1000))};
}

room_counts waiting_room::counts() const {
  room_counts all;
  {
    std::lock_guard lock{guard_};
    all.openings = openings_;
  }
  all.places_given = next_.load(std::memory_order_relaxed) - 1;
  all.admitted_in_turn = admitted_.load(std::memory_order_relaxed);
  all.admitted_from_before = from_before_.load(std::memory_order_relaxed);
  all.early = early_.load(std::memory_order_relaxed);
  all.turned_back = turned_back_.load(std::memory_order_relaxed);
  for (std::size_t why = 0; why < ticket_faults; ++why) {
    all.faults[why] = faults_[why].load(std::memory_order_relaxed);
  }
  return all;
}

}  // namespace gelombang::net
