#include "net/command/regular_waves.hpp"

#include <spdlog/spdlog.h>

#include "actors/interfaces.hpp"
#include "net/command/ask.hpp"
#include "net/command/demo.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::command {

regular_waves::regular_waves(const settings& with, runtime::node& node, const region_table& regions)
    : with_(with), node_(node), regions_(regions) {
  if (with.waves.automatic && with.waves.created_ahead > 0)
    thread_ = std::thread{[this] { run(); }};
}

regular_waves::~regular_waves() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wanted_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void regular_waves::run() {
  name_this_thread("regular-waves");
  constexpr std::chrono::seconds interval{30};
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    lock.unlock();
    look_ahead();
    lock.lock();
    wanted_.wait_for(lock, interval, [this] { return stopping_; });
  }
}

void regular_waves::look_ahead() {
  wave::keep_ahead command;
  command.now = node_.time().now();
  auto after = command.now;
  for (std::uint32_t i = 0; i < with_.waves.created_ahead; ++i) {
    const auto window = next_regular_window(after, with_.waves.schedule);
    command.regular.push_back(plan_of(with_, window, regions_));
    after = window.opens_at;
  }
  if (auto done = ask_and_wait<wave::calendar_actor>(node_, runtime::calendar_ref, command); !done)
    spdlog::error("regular waves can't be created ahead: {}", name_of(done.error().code));
}

}  // namespace gelombang::command
