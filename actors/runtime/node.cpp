#include "actors/runtime/node.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "actors/runtime/bounce.hpp"
#include "actors/runtime/protocol.hpp"
#include "actors/runtime/replay.hpp"
#include "storage/data_mark.hpp"
#include "storage/read_through.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::runtime {
namespace {

std::thread named(const char* name, std::function<void()> work) {
  return std::thread{[name, work = std::move(work)] {
    name_this_thread(name);
    work();
  }};
}

}  // namespace

node::node(node_options options, storage::file_system& files, const clock& time,
           caf::actor_system& system, const std::vector<const entity_kind*>& kinds,
           storage::directory_lock lock)
    : options_(std::move(options)),
      files_(files),
      time_(time),
      system_(system),
      lock_(std::move(lock)),
      kinds_(by_number(kinds)) {}

storage::result<std::unique_ptr<node>> node::open(node_options options, storage::file_system& files,
                                                  const clock& time, caf::actor_system& system,
                                                  const std::vector<const entity_kind*>& kinds) {
  auto lock = storage::directory_lock::take({options.data_directory});
  if (!lock) return tl::unexpected(lock.error());
  return open(std::move(options), files, time, system, kinds, std::move(*lock));
}

storage::result<std::unique_ptr<node>> node::open(node_options options, storage::file_system& files,
                                                  const clock& time, caf::actor_system& system,
                                                  const std::vector<const entity_kind*>& kinds,
                                                  storage::directory_lock held) {
  std::unique_ptr<node> opened{
      new node{std::move(options), files, time, system, kinds, std::move(held)}};
  if (auto restored = opened->restore(); !restored) return tl::unexpected(restored.error());
  return opened;
}

node::~node() {
  stop();
  if (ran_) give_up_actors();
}

storage::result<void> node::restore() {
  const storage::layout where{options_.data_directory};
  auto& disk = storage::posix_file_system();  // where the state is kept, whatever keeps the journal
  if (auto there = storage::check_state_is_there(disk, where); !there) return there;
  auto store = storage::state_store::open({.directory = where.state(),
                                           .block_cache_bytes = options_.block_cache_bytes,
                                           .prewarm_bytes = options_.prewarm_bytes});
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);

  coarse_seconds_ = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time_.now().time_since_epoch()).count());
  const shard_limits limits{
      .active_actors_max = std::max<std::size_t>(options_.active_actors_max / options_.shards, 1),
      .idle_seconds = options_.idle_seconds};
  for (std::uint32_t i = 0; i < options_.shards; ++i)
    shards_.push_back(std::make_unique<shard>(static_cast<shard_index>(i), options_.shards, limits,
                                              *this, *store_));
  auto checkpoint = restore_shards();
  if (!checkpoint) return tl::unexpected(checkpoint.error());

  // Before the journal has its first segment: one found without the mark is old data's.
  if (auto marked = storage::mark_begun(disk, where); !marked) return marked;
  const auto newest = storage::naming_in(disk, where);
  if (!newest) return tl::unexpected(newest.error());
  auto opened = storage::journal::open(
      files_,
      {.directory = where.journal(),
       .newest = *newest,
       .segment_bytes_max = options_.segment_bytes_max},
      *checkpoint, [this](const storage::stored_frame& frame) { return replay(frame); });
  if (!opened) return tl::unexpected(opened.error());
  journal_ = std::move(*opened);
  if (auto marked = storage::mark_begun(disk, where); !marked) return marked;
  report_.journal = journal_->recovered();
  last_checkpoint_at_ = time_.now();
  finish_restore();
  return {};
}

storage::result<storage::positions> node::restore_shards() {
  storage::positions checkpoint;
  for (auto& one : shards_) {
    auto own = store_->get(std::vector<std::string>{shard_key(one->index())});
    if (!own) return tl::unexpected(own.error());
    auto position = one->restore(own->front().value_or(std::string{}));
    if (!position) return storage::failed(storage::fault::corrupt, position.error().detail);
    if (position->last > 0) checkpoint[one->index()] = *position;
  }
  return checkpoint;
}

storage::result<void> node::replay(const storage::stored_frame& frame) {
  if (frame.shard >= shards_.size())
    return storage::failed(storage::fault::corrupt, "a frame of shard " +
                                                        std::to_string(frame.shard) + " of " +
                                                        std::to_string(shards_.size()));
  const auto news = runtime::replay(*shards_[frame.shard], frame, kinds_);
  if (!news) return tl::unexpected(news.error());
  report_.records_replayed += *news;
  return {};
}

/// Only when every shard is whole again does any take messages.
void node::finish_restore() {
  for (auto& one : shards_)
    for (const auto* room : kinds_)
      if (room) room->restored(*one);
  for (auto& one : shards_) one->restored();
}

void node::start() {
  send_what_was_under_way();
  threaded_ = ran_ = true;
  commit_thread_ = named("commit", [this] { run_commit(); });
  for (std::uint32_t i = 0; i < options_.loader_threads; ++i)
    loader_threads_.push_back(named("loader", [this] { run_loader(); }));
  checkpoint_thread_ = named("checkpoint", [this] { run_checkpoints(); });
  timer_thread_ = named("timer", [this] { run_timer(); });
}

void node::wake_all(std::mutex& mutex, std::condition_variable& wanted) {
  { std::lock_guard lock{mutex}; }
  wanted.notify_all();
}

void node::stop() {
  if (stopping_.exchange(true)) return;
  if (!threaded_) return;
  wake_all(timer_mutex_, timer_wanted_);
  timer_thread_.join();
  wake_all(load_mutex_, load_wanted_);
  for (auto& one : loader_threads_) one.join();
  wake_all(commit_mutex_, commit_wanted_);
  commit_thread_.join();
  {
    std::lock_guard lock{checkpoint_mutex_};
    checkpoints_ending_ = true;
  }
  checkpoint_wanted_.notify_all();
  checkpoint_finished_.notify_all();
  checkpoint_thread_.join();
  threaded_ = false;
  while (commit_cycle()) continue;
  if (writable())
    if (auto saved = checkpoint(); !saved)
      spdlog::error("last checkpoint failed, the journal has it all: {}", saved.error().detail);
}

/// Actors refer to their shards, so the shards must outlast the last of them.
void node::give_up_actors() {
  for (auto& one : shards_)
    for (auto& [to, message] : one->reset().replies) bounce(to, *message);
  constexpr std::chrono::seconds patience{2};
  const auto until = std::chrono::steady_clock::now() + patience;
  for (auto& one : shards_)
    while (one->alive() > 0 && std::chrono::steady_clock::now() < until) {
      drop_loads();
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
}

bool node::pump() {
  send_what_was_under_way();
  bool busy = load_batch();
  busy = commit_cycle() || busy;
  if (!writable()) try_to_resume();
  busy = tick() || busy;
  return busy;
}

void node::on_outside(outside_handler handler) {
  on_outside_ = std::move(handler);
}

void node::acknowledge(shard_index sender, shard_index receiver, std::uint64_t sequence) {
  shards_[sender]->acknowledge(receiver, sequence);
}

void node::outside_delivered(shard_index from, std::uint64_t sequence) {
  shards_[from]->acknowledge(outside, sequence);
}

void node::outside_failed(shard_index from, std::uint64_t sequence) {
  shards_[from]->outside_refused(sequence, time_.now());
}

std::int64_t node::count(counter which) const {
  std::int64_t sum = 0;
  for (const auto& one : shards_) sum += one->count(which);
  return sum;
}

std::map<std::uint64_t, std::int64_t> node::counts() const {
  std::map<std::uint64_t, std::int64_t> sum;
  for (const auto& one : shards_)
    for (const auto& [key, value] : one->counts()) sum[key] += value;
  return sum;
}

std::size_t node::active() const {
  std::size_t sum = 0;
  for (const auto& one : shards_) sum += one->active();
  return sum;
}

std::size_t node::mails_put_off() const {
  std::size_t sum = 0;
  for (const auto& one : shards_) sum += one->mails_put_off();
  return sum;
}

std::size_t node::mails_waiting_outside() const {
  std::size_t sum = 0;
  for (const auto& one : shards_) sum += one->mails_waiting_outside();
  return sum;
}

std::string node::not_writable_because() const {
  std::lock_guard lock{commit_mutex_};
  return not_writable_because_;
}

storage::result<std::vector<std::string>> node::backup(const std::filesystem::path& target,
                                                       const std::stop_token& until) {
  if (auto saved = checkpoint(); !saved)
    return storage::failed(saved.error().kind,
                           fmt::format("the node's own checkpoint before the copy failed, {} was "
                                       "not written to: {}",
                                       target.string(), saved.error().detail));
  if (auto made = storage::backup(*store_, *journal_, {options_.data_directory}, {target}, until);
      !made)
    return tl::unexpected(made.error());
  return storage::read_through(files_, {target}, until);
}

void node::run_timer() {
  std::unique_lock lock{timer_mutex_};
  while (!stopping_) {
    timer_wanted_.wait_for(lock, std::chrono::milliseconds{50});
    if (stopping_) return;
    tick();
  }
}

/// Hands out what is due, sends again what got no answer, gives up what has been idle.
bool node::tick() {
  const auto now = time_.now();
  const auto seconds = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const bool new_second = coarse_seconds_.exchange(seconds) != seconds;
  bool busy = false;
  if (!writable()) return false;
  for (auto& one : shards_) {
    for (auto& deadline : one->due(now, options_.again_after)) {
      busy = true;
      one->deliver(deadline.who,
                   caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                             deadline_reached{deadline.due, deadline.tag}));
    }
    if (!new_second) continue;
    for (auto& [source, letter] : one->overdue_mail(now, options_.again_after))
      send_mail(one->index(), source, letter);
    offer_refused(*one, now);
    one->sweep();
  }
  if (new_second && threaded_ && checkpoint_due()) {
    std::lock_guard lock{checkpoint_mutex_};
    if (!checkpoint_running_ && checkpoints_done_ == checkpoints_asked_) {
      ++checkpoints_asked_;
      checkpoint_wanted_.notify_all();
    }
  }
  return busy;
}

}  // namespace gelombang::runtime
