#include "net/gateway.hpp"

#include <boost/asio/post.hpp>
#include <caf/all.hpp>
#include <utility>

namespace gelombang::net {

gateway::gateway(caf::actor_system& system, runtime::node& node, boost::asio::io_context& io,
                 limits bounds)
    : node_(node),
      io_(io),
      bounds_(bounds),
      turn_(system),
      sweep_timer_(io),
      inbox_(std::make_shared<inbox>()) {
  inbox_->owner = this;
  auto spawned = system.spawn<caf::actor_companion, caf::hidden>();
  handle_ = caf::actor_cast<caf::strong_actor_ptr>(spawned);
  companion_ = static_cast<caf::actor_companion*>(caf::actor_cast<caf::abstract_actor*>(handle_));
  companion_->on_enqueue([this](caf::mailbox_element_ptr answer) { collect(std::move(answer)); });
  sweep_later();
}

gateway::~gateway() {
  companion_->on_enqueue(nullptr);
  {
    std::lock_guard lock{inbox_->mutex};
    inbox_->owner = nullptr;
    inbox_->arrived.clear();
  }
  caf::scoped_execution_unit context{&companion_->home_system()};
  companion_->cleanup(caf::error{}, &context);
}

/// Behind what the event loop has ready now, so that all its requests share one turn.
void gateway::turn_soon() {
  if (std::exchange(turn_is_coming_, true)) return;
  boost::asio::post(io_, [box = inbox_] {
    if (box->owner) box->owner->take_turn();
  });
}

void gateway::take_turn() {
  turn_is_coming_ = false;
  in_turn_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  node_.turn_begins();
  turn_.run();
  node_.turn_ends();
  in_turn_.store({}, std::memory_order_relaxed);
  deal(answered_here_);
}

/// On whatever thread the answer was made. One post wakes the io thread for all that arrive before
/// it gets there.
void gateway::collect(caf::mailbox_element_ptr answer) {
  if (in_turn_.load(std::memory_order_relaxed) == std::this_thread::get_id())
    return answered_here_.push_back(std::move(answer));
  bool first;
  {
    std::lock_guard lock{inbox_->mutex};
    first = inbox_->arrived.empty();
    inbox_->arrived.push_back(std::move(answer));
  }
  if (!first) return;
  boost::asio::post(io_, [box = inbox_] {
    if (box->owner) box->owner->deal();
  });
}

void gateway::deal() {
  {
    std::lock_guard lock{inbox_->mutex};
    dealing_.swap(inbox_->arrived);
  }
  deal(dealing_);
}

void gateway::deal(std::vector<caf::mailbox_element_ptr>& answers) {
  for (auto& answer : answers) {
    auto found = pending_.find(answer->mid.integer_value());
    if (found == pending_.end()) continue;  // too late: it has been told that it timed out
    auto entry = found->second;
    pending_.erase(found);
    entry.complete(entry.done, answer.get(), errc::ok);
  }
  answers.clear();
}

/// What has been answered meanwhile goes as well, so that the queue is as long as the oldest wait
/// and not as the deadline.
void gateway::time_out(deadline_queue& queue, clock_type::time_point now) {
  while (!queue.empty()) {
    const auto [at, key] = queue.front();
    auto found = pending_.find(key);
    if (found != pending_.end() && at > now) return;
    queue.pop_front();
    if (found == pending_.end()) continue;
    auto entry = found->second;
    pending_.erase(found);
    entry.complete(entry.done, nullptr, errc::timed_out);
  }
}

void gateway::sweep() {
  const auto now = clock_type::now();
  time_out(deadlines_, now);
  time_out(long_deadlines_, now);
  sweep_later();
}

void gateway::sweep_later() {
  sweep_timer_.expires_after(std::chrono::milliseconds{100});
  sweep_timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) sweep();
  });
}

}  // namespace gelombang::net
