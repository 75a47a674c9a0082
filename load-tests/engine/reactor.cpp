#include "load-tests/engine/reactor.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace gelombang::load {

reactor::reactor() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error(std::string{"epoll: "} + std::strerror(errno));
}

reactor::~reactor() {
  ::close(epoll_);
}

bool reactor::watch(int socket, ready_handler& who) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.ptr = &who}};
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
}

void reactor::forget(const ready_handler& who) {
  for (int i = 0; i < ready_; ++i)
    if (events_[static_cast<std::size_t>(i)].data.ptr == &who)
      events_[static_cast<std::size_t>(i)].data.ptr = nullptr;
}

void reactor::turn(time_point until) {
  if (!sleepers_.empty()) until = std::min(until, sleepers_.top().when);
  const auto wait = std::clamp(std::chrono::duration_cast<std::chrono::nanoseconds>(until - now_),
                               std::chrono::nanoseconds{0}, std::chrono::nanoseconds{100'000'000});
  const timespec patience{.tv_sec = 0, .tv_nsec = static_cast<long>(wait.count())};
  ready_ = ::epoll_pwait2(epoll_, events_.data(), events_a_turn_max, &patience, nullptr);
  now_ = steady::now();
  for (int i = 0; i < ready_; ++i) {
    const auto& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr) static_cast<ready_handler*>(event.data.ptr)->ready(event.events);
  }
  ready_ = 0;
  wake_sleepers();
  go_on();
}

void reactor::go_on() {
  while (!soon_.empty()) {
    going_on_.swap(soon_);
    for (auto who : going_on_) who.resume();
    going_on_.clear();
  }
}

void reactor::wake_all() {
  while (!sleepers_.empty()) {
    const auto who = sleepers_.top().who;
    sleepers_.pop();
    who.resume();
  }
  go_on();
}

void reactor::wake_sleepers() {
  while (!sleepers_.empty() && sleepers_.top().when <= now_) {
    const auto who = sleepers_.top().who;
    sleepers_.pop();
    who.resume();
  }
}

}  // namespace gelombang::load
