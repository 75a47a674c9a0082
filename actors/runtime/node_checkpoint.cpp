#include "actors/runtime/node.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "actors/runtime/runtime.pb.h"

namespace gelombang::runtime {
namespace {

/// A tenth of a core's time where others want it: checkpoints and archives can wait for seconds,
/// whoever joins meanwhile can't.
constexpr int checkpoint_niceness = 10;

void give_way_to_others() {
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), checkpoint_niceness);
}

}  // namespace

bool node::checkpoint_due() {
  std::size_t dirty = 0;
  for (const auto& one : shards_) dirty += one->dirty_bytes();
  if (dirty == 0) return false;
  return dirty >= options_.checkpoint_bytes ||
         time_.now() - last_checkpoint_at_.load() >= options_.checkpoint_interval;
}

storage::result<void> node::checkpoint() {
  std::uint64_t ticket;
  {
    std::lock_guard lock{checkpoint_mutex_};
    ticket = ++checkpoints_asked_;
  }
  if (!threaded_) {
    if (!writable()) return storage::failed(storage::fault::io, "the journal takes no writes");
    {
      std::lock_guard lock{commit_mutex_};
      capture_wanted_ = true;
    }
    commit_cycle();
    return last_checkpoint_;
  }
  std::unique_lock lock{checkpoint_mutex_};
  checkpoint_wanted_.notify_all();
  checkpoint_finished_.wait(lock,
                            [&] { return checkpoints_done_ >= ticket || checkpoints_ending_; });
  if (checkpoints_done_ < ticket)
    return storage::failed(storage::fault::io, "the node is stopping");
  return last_checkpoint_;
}

void node::hand_to_checkpoint(std::vector<captured_shard>&& captured) {
  {
    std::lock_guard lock{checkpoint_mutex_};
    captured_ = std::move(captured);
    captured_at_ = journal_->durable();
    checkpoint_running_ = true;
  }
  if (!threaded_) {
    last_checkpoint_ = write_checkpoint();
    std::lock_guard lock{checkpoint_mutex_};
    checkpoint_running_ = false;
    checkpoints_done_ = checkpoints_asked_;
    return;
  }
  checkpoint_wanted_.notify_all();
}

/// Asks the commit thread for one capture at a time: it must not come to another before the rows
/// of the first are written.
void node::run_checkpoints() {
  give_way_to_others();
  std::unique_lock lock{checkpoint_mutex_};
  for (;;) {
    checkpoint_wanted_.wait(
        lock, [this] { return checkpoints_ending_ || checkpoints_done_ < checkpoints_asked_; });
    if (checkpoints_ending_) return;
    const auto asked = checkpoints_asked_;
    if (!writable_) {
      finish_checkpoint(asked, storage::failed(storage::fault::io, "the journal takes no writes"));
      continue;
    }
    {
      std::lock_guard commit_lock{commit_mutex_};
      capture_wanted_ = true;
    }
    commit_wanted_.notify_one();
    checkpoint_wanted_.wait(lock, [&] {
      return checkpoint_running_ || checkpoints_ending_ || checkpoints_done_ >= asked;
    });
    if (!checkpoint_running_) continue;
    lock.unlock();
    auto written = write_checkpoint();
    lock.lock();
    finish_checkpoint(asked, std::move(written));
  }
}

void node::finish_checkpoint(std::uint64_t asked, storage::result<void>&& outcome) {
  last_checkpoint_ = std::move(outcome);
  checkpoint_running_ = false;
  checkpoints_done_ = asked;
  checkpoint_finished_.notify_all();
}

storage::result<void> node::write_checkpoint() {
  std::vector<storage::row_change> rows;
  std::size_t total = shards_.size();
  for (const auto& one : captured_) total += one.rows->size();
  rows.reserve(total);
  for (const auto& one : captured_) {
    for (const auto& [key, value] : *one.rows) rows.push_back({key, value});
    wire::Shard rest;
    if (auto position = captured_at_.find(one.index); position != captured_at_.end()) {
      rest.set_epoch(position->second.epoch);
      rest.set_chain(position->second.chain.data(), position->second.chain.size());
    }
    // Two encoded messages behind each other read as one with the members of both.
    rows.push_back({shard_key(one.index), one.tables + rest.SerializeAsString()});
  }
  std::sort(
      rows.begin(), rows.end(),
      [](const storage::row_change& a, const storage::row_change& b) { return a.key < b.key; });
  auto taken = store_->ingest(rows);
  if (!taken) {
    // The captured rows stay where reads find them; the journal still has their events.
    spdlog::error("checkpoint failed: {}", taken.error().detail);
    for (const auto& one : captured_) shards_[one.index]->checkpoint_failed();
    captured_.clear();
    return taken;
  }
  for (const auto& one : captured_) shards_[one.index]->checkpoint_done();
  captured_.clear();
  ++figures_.checkpoints;
  figures_.checkpoint_rows += rows.size();
  last_checkpoint_at_ = time_.now();
  if (auto archived = journal_->release(captured_at_); !archived)
    spdlog::error("old frames can't be archived, they stay: {}", archived.error().detail);
  return {};
}

}  // namespace gelombang::runtime
