#include "load-tests/replay/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gelombang::load::replay {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr milliseconds again_after{50};     ///< whoever was refused, or lost his connection
constexpr milliseconds between_looks{200};  ///< at connections, at whoever watches
constexpr seconds silence_max{30};          ///< of a connection with requests under way
constexpr seconds farewell{2};              ///< for answers under way, once it is to stop
constexpr std::size_t examples_max = 10;
constexpr std::size_t example_bytes_max = 300;

}  // namespace

sweep_result sweeper::run(people_stream& who, act what, std::uint32_t wave, const watcher& watch) {
  interval_ns_ = 0;
  depth_ = with_.depth;
  return work(who, what, wave, watch);
}

sweep_result sweeper::run_at(double per_second, people_stream& who, act what, std::uint32_t wave,
                             const watcher& watch) {
  interval_ns_ = 1e9 / per_second;
  depth_ = 1;
  return work(who, what, wave, watch);
}

sweep_result sweeper::work(people_stream& who, act what, std::uint32_t wave, const watcher& watch) {
  who_ = &who;
  what_ = what;
  wave_ = wave;
  found_ = {};
  issued_ = 0;
  stopping_ = false;
  next_number_ = who.next();
  begun_ = heard_ = steady::now();
  while (pipes_.size() < with_.connections) pipes_.push_back(std::make_unique<pipe>(loop_, *this));
  auto looked = begun_ - between_looks;
  loop_.turn(begun_);
  go_on();
  while (!is_idle()) {
    loop_.turn(std::min(next_due(), loop_.now() + between_looks));
    hand_out();
    if (loop_.now() - looked < between_looks) continue;
    looked = loop_.now();
    look_after_connections();
    if (!watch(position(), found_.done)) stopping_ = true;
    // Whoever is told to stop does not wait for a node that is being stopped as well.
    if (found_.is_node_gone || (stopping_ && loop_.now() - heard_ > farewell)) break;
  }
  found_.seconds = std::chrono::duration<double>(steady::now() - begun_).count();
  found_.is_complete = !next_number_ && is_idle();
  watch(position(), found_.done);
  return std::move(found_);
}

/// Every connection gets as much as it may have under way.
void sweeper::go_on() {
  look_after_connections();
  idle_.clear();
  for (auto& one : pipes_) {
    one->is_listed = false;
    if (one->is_usable()) has_room(*one);
  }
}

void sweeper::look_after_connections() {
  for (auto& one : pipes_) {
    if (!one->is_open()) {
      one->open(with_.target.where);
    } else if (!one->waiting().empty() && loop_.now() - one->heard() > silence_max) {
      one->give_up();
    }
  }
  if (loop_.now() - heard_ > with_.patience) found_.is_node_gone = true;
}

std::optional<under_way> sweeper::take() {
  if (!again_.empty() && again_.front().from <= loop_.now()) {
    const auto one = again_.front().one;
    again_.pop_front();
    return one;
  }
  if (!next_number_ || stopping_) return std::nullopt;
  auto due = loop_.now();
  if (interval_ns_ > 0) {
    due = begun_ +
          nanoseconds{static_cast<std::int64_t>(static_cast<double>(issued_) * interval_ns_)};
    if (due > loop_.now()) return std::nullopt;
  }
  under_way one{.what = {.number = *next_number_, .what = what_}, .due = due};
  ++issued_;
  next_number_ = who_->next();
  return one;
}

void sweeper::has_room(pipe& which) {
  // Half empty, so that several requests go in one call.
  if (which.waiting().size() * 2 > depth_) return;
  while (which.waiting().size() < depth_) {
    const auto one = take();
    if (!one) break;
    clerk_.write(which.text(), one->what, wave_);
    which.added(*one);
  }
  which.flush();
  if (interval_ns_ == 0 || !which.waiting().empty() || which.is_listed) return;
  which.is_listed = true;
  idle_.push_back(&which);
}

/// What is due goes to whoever has nothing to do.
void sweeper::hand_out() {
  if (interval_ns_ == 0) {
    // A closed loop's connections ask by themselves, but for what was put off.
    if (again_.empty() || again_.front().from > loop_.now()) return;
    for (auto& one : pipes_)
      if (one->is_usable() && one->waiting().empty()) has_room(*one);
    return;
  }
  while (!idle_.empty()) {
    auto* const one = idle_.back();
    idle_.pop_back();
    one->is_listed = false;
    if (!one->is_usable() || !one->waiting().empty()) continue;
    const auto before = idle_.size();
    has_room(*one);
    if (idle_.size() > before) return;  // there was nothing for it
  }
}

void sweeper::answered(under_way& one, int status, std::string_view body) {
  heard_ = loop_.now();
  const auto person = one.what.number;
  switch (clerk_.judge(one.what, status, body)) {
    case verdict::done:
      ++found_.done;
      if (interval_ns_ > 0) {
        const auto took = steady::now() - one.due;
        found_.latency.record(static_cast<std::uint64_t>(std::max<std::int64_t>(
            0, std::chrono::duration_cast<std::chrono::microseconds>(took).count())));
      }
      return;
    case verdict::next:
      ++found_.repeats;
      again_.push_front({one, loop_.now()});
      return;
    case verdict::later:
      ++found_.repeats;
      again_.push_back({one, loop_.now() + again_after});
      return;
    case verdict::wrong:
      ++found_.wrong;
      if (found_.examples.size() < examples_max)
        found_.examples.push_back(fmt::format("{} of person {}: {} {}", name_of(what_), person,
                                              status, body.substr(0, example_bytes_max)));
      return;
  }
}

void sweeper::lost(under_way& one) {
  ++found_.repeats;
  again_.push_back({one, loop_.now() + again_after});
}

std::uint64_t sweeper::position() const {
  auto least = next_number_.value_or(UINT64_MAX);
  for (const auto& each : pipes_)
    for (const auto& one : each->waiting()) least = std::min(least, one.what.number);
  for (const auto& one : again_) least = std::min(least, one.one.what.number);
  return least;
}

bool sweeper::is_idle() const {
  if ((next_number_ && !stopping_) || !again_.empty()) return false;
  return std::all_of(pipes_.begin(), pipes_.end(),
                     [](const auto& one) { return one->waiting().empty(); });
}

time_point sweeper::next_due() const {
  auto next = again_.empty() ? time_point::max() : again_.front().from;
  if (interval_ns_ > 0 && next_number_ && !stopping_ && !idle_.empty())
    next = std::min(next, begun_ + nanoseconds{static_cast<std::int64_t>(
                                       static_cast<double>(issued_) * interval_ns_)});
  return next;
}

}  // namespace gelombang::load::replay
