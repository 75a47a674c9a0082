#include "storage/segment_preparer.hpp"
#include "storage/thread_name.hpp"

#include <algorithm>
#include <utility>

namespace gelombang::storage {
namespace {

/// Between two steps the preparer looks whether it is to stop.
constexpr std::uint64_t step_bytes = 4u << 20;

}  // namespace

segment_preparer::segment_preparer(file_system& files, std::filesystem::path path,
                                   std::uint64_t bytes)
    : files_(files), path_(std::move(path)), bytes_(bytes), thread_([this] { run(); }) {}

segment_preparer::~segment_preparer() {
  {
    const std::lock_guard lock(guard_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  // What stays behind is removed by the next start.
  if (made_) (void)files_.remove(path_);
}

void segment_preparer::request(std::uint64_t number) {
  {
    const std::lock_guard lock(guard_);
    if (requested_ == number || busy_ || made_) return;
    requested_ = number;
  }
  wake_.notify_one();
}

bool segment_preparer::ready() const {
  const std::lock_guard lock(guard_);
  return made_ != nullptr;
}

std::optional<fresh_segment> segment_preparer::take() {
  const std::lock_guard lock(guard_);
  if (!made_) return std::nullopt;
  return fresh_segment{.path = path_, .file = std::move(made_), .reserved = bytes_};
}

bool segment_preparer::stopping() const {
  const std::lock_guard lock(guard_);
  return stop_;
}

void segment_preparer::run() {
  name_this_thread("segments");
  std::unique_lock lock(guard_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || requested_ != tried_; });
    if (stop_) return;
    tried_ = requested_;
    busy_ = true;
    lock.unlock();
    auto file = make();
    lock.lock();
    busy_ = false;
    if (file) made_ = std::move(*file);
  }
}

result<std::unique_ptr<writable_file>> segment_preparer::make() {
  auto file = files_.create(path_);
  if (!file) return file;
  for (std::uint64_t reserved = 0; reserved < bytes_;) {
    reserved = std::min(bytes_, reserved + step_bytes);
    auto done = stopping() ? failed(fault::io, "stopped") : (*file)->reserve(reserved);
    if (done) continue;
    (void)files_.remove(path_);
    return tl::unexpected(done.error());
  }
  return file;
}

}  // namespace gelombang::storage
