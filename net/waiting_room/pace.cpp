#include "net/waiting_room/pace.hpp"

#include <algorithm>

namespace gelombang::net {
namespace {

/// Whoever is called first needs so long to come, and is called ahead.
constexpr double ahead_at_first_seconds = 1.5;
/// Where so large a part of those who may be let in is turned back, nobody is called any more. Up
/// to there they are what keeps the node busy when fewer come than were expected.
constexpr double turned_back_most = 0.5;
constexpr double turned_back_seconds = 1;
constexpr double others_seconds = 2;
constexpr double places_per_second_least = 0.01;

}  // namespace

line_pace::line_pace(std::chrono::milliseconds turn_lasts, instant now)
    : turn_lasts_(turn_lasts), stepped_at_(now) {
  samples_.fill({.at = now, .serving = 0});
}

void line_pace::begin(double rate, double show_up, instant now) {
  stepped_at_ = now;
  others_per_second_ = turned_back_per_second_ = 0;
  places_per_second_ = std::max(places_per_second_least, rate / show_up);
  part_of_place_ = places_per_second_ * ahead_at_first_seconds;
}

std::uint64_t line_pace::step(const facts& known, instant now) {
  const auto passed = std::clamp(now - stepped_at_, std::chrono::milliseconds{0}, step_max);
  const auto seconds = std::chrono::duration<double>(passed).count();
  stepped_at_ = now;
  if (seconds > 0) {
    const auto follow = [seconds](double& value, std::uint64_t count, double over) {
      value += (static_cast<double>(count) / seconds - value) * std::min(1.0, seconds / over);
    };
    follow(others_per_second_, known.others, others_seconds);
    follow(turned_back_per_second_, known.turned_back, turned_back_seconds);
  }
  places_per_second_ =
      std::max(places_per_second_least, (known.rate - others_per_second_) / known.show_up);
  const auto crowd = turned_back_per_second_ / (known.rate * turned_back_most);
  const auto people = known.rate * seconds - static_cast<double>(known.others);
  const auto more = people / known.show_up * std::max(0.0, 1 - crowd);
  // What the others took beyond their time is theirs, and not a debt of the line.
  part_of_place_ = std::max(0.0, part_of_place_ + more);
  const auto whole = static_cast<std::uint64_t>(part_of_place_);
  const auto serving = std::min(known.next, known.serving + whole);
  // Who is not there yet can't be called ahead.
  part_of_place_ = serving == known.next ? 0 : part_of_place_ - static_cast<double>(whole);
  remember(serving, now);
  return serving;
}

void line_pace::remember(std::uint64_t serving, instant now) {
  const auto& newest = samples_[sample_];
  if (now - newest.at < turn_lasts_ / samples_in_turn && now >= newest.at) return;
  sample_ = (sample_ + 1) % samples;
  samples_[sample_] = {.at = now, .serving = serving};
  // All but those called since the newest sample that is a turn old.
  for (std::size_t back = 0; back < samples; ++back) {
    const auto& one = samples_[(sample_ + samples - back) % samples];
    if (now - one.at < turn_lasts_) continue;
    expired_below_ = std::max(expired_below_, one.serving);
    return;
  }
}

}  // namespace gelombang::net
