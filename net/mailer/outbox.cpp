#include "net/mailer/outbox.hpp"

#include <algorithm>
#include <utility>

namespace gelombang::mailer {

outbox::outbox(outbox_options options, std::uint64_t seed)
    : options_(options), chance_(static_cast<std::minstd_rand::result_type>(seed)) {}

bool outbox::add(job what, instant now) {
  if (under_way_ >= options_.queue_max) return false;
  waiting_.emplace(now, attempt{std::move(what)});
  ++under_way_;
  return true;
}

std::optional<outbox::attempt> outbox::take(instant now) {
  const auto first = waiting_.begin();
  if (first == waiting_.end() || first->first > now) return std::nullopt;
  auto taken = std::move(first->second);
  waiting_.erase(first);
  return taken;
}

void outbox::finished() {
  --under_way_;
}

bool outbox::failed(attempt what, instant now) {
  if (++what.failed >= options_.attempts_max) {
    finished();
    return false;
  }
  const auto due = now + pause_after(what.failed);
  waiting_.emplace(due, std::move(what));
  return true;
}

std::optional<instant> outbox::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

std::chrono::milliseconds outbox::pause_after(int failures) {
  auto pause = options_.first_pause;
  for (int i = 1; i < failures && pause < options_.longest_pause; ++i) pause *= 2;
  pause = std::min(pause, options_.longest_pause);
  std::uniform_int_distribution<int> jitter{-options_.jitter_permille, options_.jitter_permille};
  return pause + pause * jitter(chance_) / 1000;
}

}  // namespace gelombang::mailer
