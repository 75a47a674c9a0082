#include "net/admission.hpp"

#include <algorithm>

namespace gelombang::net {
namespace {

using std::chrono::nanoseconds;

double seconds_of(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// Without a sample for so long, nothing stands: what was says nothing about now.
constexpr std::chrono::seconds pause{2};
/// How far pressure goes in one interval while requests stand for twice the target, …
constexpr double pressure_step = 40;
/// … and so many times as far at most: at the opening of a wave everybody comes within one
/// interval.
constexpr double pressure_steps_max = 25;
/// So many refusals joining leaves to browsing.
constexpr std::uint32_t kept_for_browsing = 20;
/// By how much the kernel's queue is shortened in one interval at most.
constexpr double backlog_step_max = 4;
/// By how much places are taken away in one interval at most.
constexpr double places_step_max = 2;
/// For how long a choice among accounts holds: who is refused gains nothing by asking again at
/// once, and who was served for one step is served for the next.
constexpr std::chrono::seconds choice_lasts{10};

}  // namespace

void admission::lowest::add(nanoseconds one) {
  value = std::min(value, one);
  ++samples;
}

std::optional<nanoseconds> admission::lowest::standing() const {
  if (samples == 0) return std::nullopt;
  return value;
}

admission::admission(const admission_settings& with, time_point now)
    : with_(with),
      interval_began_(now),
      credit_(with.refusals_saved_max * with.served_per_refusal),
      backlog_(with.backlog_max),
      places_(with.places_max) {}

// ---- what the thread reports

void admission::waited(came_on what, nanoseconds wait, time_point now) {
  if (now >= interval_began_ + pause) begin_anew(now);
  (what == came_on::new_connection ? first_wait_ : kept_wait_).add(wait);
  const auto is_due = now >= interval_began_ + with_.interval;
  if (is_due && first_wait_.samples + kept_wait_.samples >= samples_min) end_interval(now);
}

void admission::look(time_point now) {
  if (now >= interval_began_ + pause) begin_anew(now);
}

void admission::answered(urgency what, nanoseconds took) {
  if (what == urgency::joining) answer_.add(took);
}

// ---- steering

void admission::begin_anew(time_point now) {
  first_wait_ = kept_wait_ = answer_ = {};
  interval_began_ = now;
  pressure_ = 0;
  backlog_ = with_.backlog_max;
  places_ = with_.places_max;
}

void admission::end_interval(time_point now) {
  const auto elapsed = now - interval_began_;
  const auto intervals = elapsed / std::chrono::duration<double>(with_.interval);
  if (with_.is_on) {
    steer_pressure(intervals);
    steer_backlog();
    steer_places();
  }
  const auto trickle =
      with_.refusals_per_second_min * with_.served_per_refusal * std::min(seconds_of(elapsed), 1.0);
  const auto saved_max = with_.refusals_saved_max * with_.served_per_refusal;
  credit_ = std::min(saved_max, credit_ + static_cast<std::uint32_t>(trickle));
  accounts_.tick(now);
  addresses_.tick(now);
  interval_began_ = now;
  first_wait_ = kept_wait_ = answer_ = {};
}

void admission::steer_pressure(double intervals) {
  const auto standing = std::max(first_wait_.standing().value_or(nanoseconds{0}),
                                 kept_wait_.standing().value_or(nanoseconds{0}));
  const auto over = standing / std::chrono::duration<double>(with_.wait_target) - 1;
  // Upwards a long interval counts once: it is long because there is much to do.
  const auto step = over > 0 ? std::min(over, pressure_steps_max) * pressure_step
                             : over * pressure_step * intervals;
  pressure_ = static_cast<std::uint32_t>(
      std::clamp(pressure_ + step, 0.0, static_cast<double>(pressure_max)));
}

/// By what stands and not by the rate that is reached: a queue made too short for the pauses of a
/// node that is held to a part of a core would lower the rate, and that the queue.
void admission::steer_backlog() {
  const auto standing = first_wait_.standing().value_or(nanoseconds{0});
  const auto over = standing / std::chrono::duration<double>(with_.queue_target);
  auto wanted = static_cast<double>(backlog_);
  if (over > 1) wanted /= std::min(over, backlog_step_max);
  if (over <= 0.5) wanted += wanted / 4 + with_.backlog_min;
  backlog_ = std::clamp(static_cast<int>(wanted), with_.backlog_min, with_.backlog_max);
}

/// Likewise by what stands: fewer places make answers come sooner, whatever the rate is.
void admission::steer_places() {
  const auto standing = answer_.standing().value_or(nanoseconds{0});
  const auto over = standing / std::chrono::duration<double>(with_.answer_target);
  auto wanted = static_cast<double>(places_);
  if (over > 1) wanted /= std::min(over, places_step_max);
  if (over <= 1) wanted += wanted / 4 + static_cast<double>(with_.places_min);
  const auto least = static_cast<double>(with_.places_min);
  const auto most = static_cast<double>(with_.places_max);
  places_ = static_cast<std::size_t>(std::clamp(wanted, least, most));
}

// ---- deciding

admission::verdict admission::decide(const asker& who, urgency what, std::uint64_t dice) {
  if (what == urgency::house) return verdict::serve;
  if (pressure_ == 0) {
    serve({}, what);
    return verdict::serve;
  }
  // Who asks for more than his part is not paid for: he would take it from the others.
  if (who.account && accounts_.of(*who.account) >= with_.account_requests_max)
    return verdict::over_share;
  const auto is_first_to_go = what == urgency::browsing || is_large(who.address);
  if (!is_chosen(who, is_first_to_go ? urgency::browsing : what, dice)) {
    serve(who, what);
    return verdict::serve;
  }
  // Where credit is short it goes to those who are to be refused first; the others are served.
  const auto kept = is_first_to_go ? 0 : kept_for_browsing * with_.served_per_refusal;
  if (credit_ >= kept + with_.served_per_refusal) {
    credit_ -= with_.served_per_refusal;
    return verdict::refuse;
  }
  ++unaffordable_;
  serve(who, what);
  return verdict::serve_late;
}

void admission::serve(const asker& who, urgency what) {
  credit_ = std::min(with_.refusals_saved_max * with_.served_per_refusal, credit_ + 1);
  served_ += what == urgency::joining || what == urgency::entering;
  if (pressure_ == 0) return;
  if (who.account) accounts_.count(*who.account);
  addresses_.count(who.address);
}

bool admission::is_large(std::uint64_t address) const {
  const auto share = std::uint64_t{addresses_.total_before()} * with_.address_share_permille / 1000;
  return share > 0 && addresses_.of(address) > share;
}

/// Browsing goes in the first third of the pressure, entering in the second, joining in the last.
bool admission::is_chosen(const asker& who, urgency what, std::uint64_t dice) const {
  const auto rises = static_cast<int>(3 * pressure_);
  const auto before = what == urgency::joining ? 2'000 : what == urgency::entering ? 1'000 : 0;
  const auto refused_permille = std::clamp(rises - before, 0, 1'000);
  if (who.account) {
    const auto epoch = interval_began_.time_since_epoch() / choice_lasts;
    dice = (*who.account ^ static_cast<std::uint64_t>(epoch) << 48) * 0x9e3779b97f4a7c15u >> 32;
  }
  return static_cast<int>(dice % 1000) < refused_permille;
}

}  // namespace gelombang::net
