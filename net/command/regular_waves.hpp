#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "actors/programme/region.hpp"
#include "actors/runtime/node.hpp"
#include "net/command/settings.hpp"

namespace gelombang::command {

/// Tells the calendar every now and then, from a thread of its own, which regular waves there
/// should be, so that `waves.created_ahead` of them are always scheduled. Does nothing when the
/// settings say so. Everything it is given outlives it.
class regular_waves {
public:
  regular_waves(const settings& with, runtime::node& node, const region_table& regions);
  ~regular_waves();
  regular_waves(const regular_waves&) = delete;
  regular_waves& operator=(const regular_waves&) = delete;

private:
  void run();
  void look_ahead();

  const settings& with_;
  runtime::node& node_;
  const region_table& regions_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gelombang::command
