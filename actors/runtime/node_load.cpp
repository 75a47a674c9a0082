#include "actors/runtime/node.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/runtime/bounce.hpp"
#include "actors/runtime/memory_ahead.hpp"
#include "actors/runtime/run_queue.hpp"

namespace gelombang::runtime {

void node::load(activation_ptr who) {
  bool first;
  {
    std::lock_guard lock{load_mutex_};
    first = to_load_.empty();
    to_load_.push_back(std::move(who));
  }
  if (first && threaded_) load_wanted_.notify_one();
}

void node::fetch(shard_index where, std::vector<std::string> keys,
                 std::function<void(storage::result<std::vector<row_value>>)> done) {
  {
    std::lock_guard lock{load_mutex_};
    to_fetch_.push_back({where, std::move(keys), std::move(done)});
  }
  if (threaded_) load_wanted_.notify_one();
}

/// What nobody will load any more: each holds its actor awake.
void node::drop_loads() {
  std::vector<activation_ptr> batch;
  std::vector<fetch_request> fetches;
  std::lock_guard lock{load_mutex_};
  batch.swap(to_load_);
  fetches.swap(to_fetch_);
}

void node::run_loader() {
  const std::uint64_t loaders = options_.loader_threads;
  memory_ahead ahead{(options_.memory_ahead_bytes + loaders - 1) / loaders};
  while (!stopping_) {
    if (load_batch()) continue;
    if (ahead.wants_more()) {
      figures_.memory_ahead_bytes += ahead.touch_some();
      continue;
    }
    std::unique_lock lock{load_mutex_};
    load_wanted_.wait(lock,
                      [this] { return stopping_ || !to_load_.empty() || !to_fetch_.empty(); });
  }
}

bool node::load_batch() {
  std::vector<activation_ptr> batch;
  std::vector<fetch_request> fetches;
  {
    std::lock_guard lock{load_mutex_};
    batch.swap(to_load_);
    fetches.swap(to_fetch_);
  }
  if (batch.empty() && fetches.empty()) return false;
  if (!batch.empty()) spawn_batch(batch);
  for (auto& one : fetches) one.done(shards_[one.where]->rows(one.keys));
  return true;
}

/// Reads the rows of all that are to wake with one sorted multi-get, so that a cold click costs a
/// share of a batch and not a read of its own.
void node::spawn_batch(std::vector<activation_ptr>& batch) {
  figures_.activations += batch.size();
  ++figures_.activation_batches;
  std::sort(batch.begin(), batch.end(), [](const activation_ptr& a, const activation_ptr& b) {
    return std::pair{a->home.index(), a->who} < std::pair{b->home.index(), b->who};
  });
  struct wanted {
    std::size_t entity, row;
  };
  std::vector<std::vector<std::string>> keys(batch.size());
  std::vector<std::vector<row_value>> rows(batch.size());
  std::vector<std::pair<std::string, wanted>> missing;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& who = *batch[i];
    keys[i] = kinds_[static_cast<std::size_t>(who.who.kind)]->rows_of(who.home, who.who);
    rows[i].resize(keys[i].size());
    for (auto row : who.home.changed_rows(keys[i], rows[i]))
      missing.emplace_back(keys[i][row], wanted{i, row});
  }
  std::sort(missing.begin(), missing.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> missing_keys;
  missing_keys.reserve(missing.size());
  for (auto& [key, where] : missing) missing_keys.push_back(std::move(key));
  auto stored = store_->get(missing_keys);
  if (!stored) return refuse_batch(batch, stored.error());
  for (std::size_t i = 0; i < missing.size(); ++i)
    rows[missing[i].second.entity][missing[i].second.row] = std::move((*stored)[i]);
  wake_batch(batch, keys, rows);
}

/// This thread also runs what has waited for brief entities: their rows are still in its cache.
void node::wake_batch(std::vector<activation_ptr>& batch,
                      std::vector<std::vector<std::string>>& keys,
                      std::vector<std::vector<row_value>>& rows) {
  run_queue woken{system_};
  for (std::size_t i = 0; i < batch.size(); ++i) {
    auto& who = batch[i];
    const auto what = who->who.kind;
    const auto& room = *kinds_[static_cast<std::size_t>(what)];
    auto actor = room.spawn(system_, who, keys[i], std::move(rows[i]));
    if (!actor)
      refuse_waiting(who);
    else
      who->home.activated(who, std::move(actor), queue_for(what, threaded_ ? &woken : nullptr));
  }
  turn_begins();
  woken.run();
  turn_ends();
}

void node::refuse_waiting(const activation_ptr& who) {
  for (auto& message : who->home.give_up(who)) bounce(message->sender, *message);
}

void node::refuse_batch(std::vector<activation_ptr>& batch, const storage::error& why) {
  spdlog::error("rows can't be read: {}", why.detail);
  for (auto& who : batch) refuse_waiting(who);
}

}  // namespace gelombang::runtime
