#include "actors/runtime/node.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "actors/runtime/protocol.hpp"
#include "actors/runtime/record.hpp"
#include "actors/runtime/runtime.pb.h"

namespace gelombang::runtime {
namespace {

/// Answers a request that can't be handled any more; what is no request is dropped: mail and
/// deadlines come again by themselves.
void bounce(const caf::strong_actor_ptr& to, const caf::mailbox_element& message) {
  if (!to) return;
  const auto id = message.mid.is_request() ? message.mid.response_id() : message.mid;
  if (!id.is_response()) return;
  to->enqueue(
      caf::make_mailbox_element(nullptr, id, {}, caf::make_error(caf::sec::request_receiver_down)),
      nullptr);
}

std::string shard_row_key(shard_index which) {
  return table_prefix(which, table::shard);
}

}  // namespace

// --- opening
// ----------------------------------------------------------------------------------------

node::node(node_options options, storage::file_system& files, const clock& time,
           caf::actor_system& system, std::vector<const entity_kind*> kinds,
           storage::directory_lock lock)
    : options_(std::move(options)),
      files_(files),
      time_(time),
      system_(system),
      lock_(std::move(lock)) {
  for (const auto* one : kinds) kinds_[static_cast<std::size_t>(one->what())] = one;
}

storage::result<std::unique_ptr<node>> node::open(node_options options, storage::file_system& files,
                                                  const clock& time, caf::actor_system& system,
                                                  std::vector<const entity_kind*> kinds) {
  auto lock = storage::directory_lock::take({options.data_directory});
  if (!lock) return tl::unexpected(lock.error());
  std::unique_ptr<node> opened{
      new node{std::move(options), files, time, system, std::move(kinds), std::move(*lock)}};
  if (auto restored = opened->restore(); !restored) return tl::unexpected(restored.error());
  return opened;
}

node::~node() {
  stop();
}

storage::result<void> node::restore() {
  const storage::layout where{options_.data_directory};
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

  auto opened = storage::journal::open(
      files_, {.directory = where.journal(), .segment_bytes_max = options_.segment_bytes_max},
      *checkpoint, [this](const storage::stored_frame& frame) { return replay(frame); });
  if (!opened) return tl::unexpected(opened.error());
  journal_ = std::move(*opened);
  report_.journal = journal_->recovered();
  last_checkpoint_at_ = time_.now();
  return finish_restore();
}

storage::result<storage::positions> node::restore_shards() {
  storage::positions checkpoint;
  for (auto& one : shards_) {
    auto own = store_->get(std::vector<std::string>{shard_row_key(one->index())});
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
  auto& home = *shards_[frame.shard];
  auto rest = frame.records;
  for (lsn at = frame.first; !rest.empty(); ++at) {
    auto what = take_record(rest);
    if (what && at > home.last()) {
      auto done =
          home.replay(at, *what, [&](entity_ref who, std::string_view event, row_editor& rows) {
            const auto* room = kinds_[static_cast<std::size_t>(who.kind)];
            if (!room) return result<void>{refuse(errc::internal, {}, "event of an unknown kind")};
            return room->replay(home, who, event, rows);
          });
      if (!done) what = tl::unexpected(done.error());
      ++report_.records_replayed;
    }
    if (!what)
      return storage::failed(storage::fault::corrupt, "shard " + std::to_string(frame.shard) +
                                                          " record " + std::to_string(at) + ": " +
                                                          what.error().detail);
  }
  return {};
}

storage::result<void> node::finish_restore() {
  for (auto& one : shards_)
    for (const auto* room : kinds_)
      if (room) room->restored(*one);
  return {};
}

// --- running
// ----------------------------------------------------------------------------------------

void node::start() {
  threaded_ = true;
  commit_thread_ = std::thread{[this] { run_commit(); }};
  for (std::uint32_t i = 0; i < options_.loader_threads; ++i)
    loader_threads_.emplace_back([this] { run_loader(); });
  checkpoint_thread_ = std::thread{[this] { run_checkpoints(); }};
  timer_thread_ = std::thread{[this] { run_timer(); }};
  for (auto& one : shards_)
    for (auto& [source, letter] : one->unacknowledged()) send_mail(one->index(), source, letter);
}

void node::stop() {
  if (stopping_.exchange(true)) return;
  if (!threaded_) return;
  auto wake_all = [](std::mutex& mutex, std::condition_variable& wanted) {
    { std::lock_guard lock{mutex}; }
    wanted.notify_all();
  };
  wake_all(timer_mutex_, timer_wanted_);
  timer_thread_.join();
  wake_all(load_mutex_, load_wanted_);
  for (auto& one : loader_threads_) one.join();
  wake_all(commit_mutex_, commit_wanted_);
  commit_thread_.join();
  wake_all(checkpoint_mutex_, checkpoint_wanted_);
  checkpoint_thread_.join();
  threaded_ = false;
  while (commit_cycle()) continue;
  if (writable())
    if (auto saved = checkpoint(); !saved)
      spdlog::error("last checkpoint failed, the journal has it all: {}", saved.error().detail);
}

bool node::pump() {
  bool busy = load_batch();
  busy = commit_cycle() || busy;
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

std::string node::not_writable_because() const {
  std::lock_guard lock{commit_mutex_};
  return not_writable_because_;
}

storage::result<void> node::backup(const std::filesystem::path& target) {
  if (auto saved = checkpoint(); !saved) return saved;
  return storage::backup(*store_, *journal_, {options_.data_directory}, {target});
}

// --- commit
// -----------------------------------------------------------------------------------------

void node::wake(shard_index which) {
  bool first;
  {
    std::lock_guard lock{commit_mutex_};
    first = woken_.empty();
    woken_.push_back(which);
  }
  if (first && threaded_) commit_wanted_.notify_one();
}

void node::run_commit() {
  while (!stopping_) {
    if (commit_cycle()) continue;
    if (!writable()) try_to_resume();
    std::unique_lock lock{commit_mutex_};
    commit_wanted_.wait_for(lock, std::chrono::seconds{1}, [this] {
      return stopping_ || (writable() && (!woken_.empty() || capture_wanted_));
    });
  }
}

/// One commit: everything that has been taken since the last one becomes one frame a shard, one
/// write and one sync; then what waited for it leaves. @returns whether there was anything.
bool node::commit_cycle() {
  std::vector<shard_index> woken;
  bool capture;
  {
    std::lock_guard lock{commit_mutex_};
    if (!writable_) return false;
    woken.swap(woken_);
    capture = std::exchange(capture_wanted_, false);
  }
  if (woken.empty() && !capture) return false;
  if (capture) {
    woken.resize(shards_.size());
    for (std::size_t i = 0; i < woken.size(); ++i) woken[i] = static_cast<shard_index>(i);
  }
  std::vector<shard::cut> cuts;
  std::vector<storage::frame> frames;
  std::vector<captured_shard> captured;
  cuts.reserve(woken.size());
  frames.reserve(woken.size());
  const auto written_at = time_.now().time_since_epoch().count();
  for (auto which : woken) {
    auto& home = *shards_[which];
    cuts.push_back(home.take_pending());
    if (capture) captured.push_back(home.capture());
    const auto& taken = cuts.back();
    if (taken.count == 0) continue;
    frames.push_back({.shard = which,
                      .epoch = 1,
                      .first = taken.first,
                      .count = taken.count,
                      .written_at = written_at,
                      .records = taken.records});
    figures_.committed_records += taken.count;
    figures_.committed_bytes += taken.records.size();
  }
  if (!frames.empty()) {
    const auto before = std::chrono::steady_clock::now();
    if (auto written = journal_->append(frames); !written) {
      commit_failed(written.error());
      return true;
    }
    figures_.sync_microseconds +=
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - before)
                                       .count());
    ++figures_.commit_cycles;
  }
  for (std::size_t i = 0; i < woken.size(); ++i) {
    auto& taken = cuts[i];
    if (taken.count == 0) continue;
    const auto upto = taken.first + taken.count - 1;
    release(woken[i], shards_[woken[i]]->committed(upto, std::move(taken.records)));
  }
  if (capture) hand_to_checkpoint(std::move(captured));
  return true;
}

void node::release(shard_index from, shard::released&& out) {
  for (auto& [to, message] : out.replies)
    if (to) to->enqueue(std::move(message), nullptr);
  for (auto& [source, letter] : out.mails) send_mail(from, source, letter);
  for (auto source : out.acknowledgements) acknowledge(source.from, from, source.sequence);
  if (on_outside_)
    for (auto& [sequence, body] : out.outside) on_outside_(from, sequence, body);
}

/// `source.from` names the receiving shard here; the receiver is told who sent it.
void node::send_mail(shard_index from, mail_source source, const mail& what) {
  if (source.from == outside) {
    if (on_outside_) on_outside_(from, source.sequence, what.body);
    return;
  }
  ++figures_.mails;
  auto message = caf::make_mailbox_element(nullptr, caf::make_message_id(), {},
                                           mail_arrived{{from, source.sequence}, what.body});
  // A shard that is being restored takes none; the timer sends it again.
  shards_[source.from]->deliver(what.to, std::move(message));
}

/// The journal could not make a cycle durable. Nothing of it was answered; what is in memory is
/// ahead of the disk, so every shard forgets it and starts again from what is durable. From here
/// on reads are served and writes refused.
void node::commit_failed(const storage::error& why) {
  ++figures_.commit_failures;
  spdlog::critical("the journal refuses writes, serving reads only: {}", why.detail);
  writable_ = false;
  {
    std::lock_guard lock{commit_mutex_};
    woken_.clear();
    capture_wanted_ = false;
    not_writable_because_ = why.detail;
    resumable_ = why.kind == storage::fault::no_space;
  }
  {
    // A checkpoint that was being written is of durable rows; it must be through before the rows
    // are read anew.
    std::unique_lock lock{checkpoint_mutex_};
    checkpoint_finished_.wait(lock, [this] { return !checkpoint_running_; });
    captured_.clear();
    last_checkpoint_ = storage::failed(why.kind, why.detail);
    checkpoints_done_ = checkpoints_asked_;
  }
  checkpoint_finished_.notify_all();
  for (auto& one : shards_) {
    one->set_writable(false);
    for (auto& [to, message] : one->reset().replies) bounce(to, *message);
  }
  auto checkpoint = restore_shards();
  for (auto& one : shards_) {
    if (!checkpoint) break;
    auto read =
        journal_->read(one->index(), (*checkpoint)[one->index()].last + 1,
                       [this](const storage::stored_frame& frame) { return replay(frame); });
    if (!read) checkpoint = tl::unexpected(read.error());
  }
  if (!checkpoint) {
    spdlog::critical("what is durable can't be read back: {}", checkpoint.error().detail);
    for (auto& one : shards_) one->reset();
    return;
  }
  (void)finish_restore();
}

void node::try_to_resume() {
  {
    std::lock_guard lock{commit_mutex_};
    if (!resumable_) return;
  }
  if (auto resumed = journal_->resume(); !resumed) return;
  spdlog::warn("the journal takes writes again");
  {
    std::lock_guard lock{commit_mutex_};
    not_writable_because_.clear();
    resumable_ = false;
  }
  writable_ = true;
  for (auto& one : shards_) one->set_writable(true);
}

// --- loading
// ----------------------------------------------------------------------------------------

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

void node::run_loader() {
  while (!stopping_) {
    if (load_batch()) continue;
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
  std::vector<std::vector<row_value>> rows(batch.size());
  std::vector<std::pair<std::string, wanted>> missing;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& who = *batch[i];
    auto keys = kinds_[static_cast<std::size_t>(who.who.kind)]->rows_of(who.home, who.who);
    rows[i].resize(keys.size());
    for (auto row : who.home.changed_rows(keys, rows[i]))
      missing.emplace_back(std::move(keys[row]), wanted{i, row});
  }
  std::sort(missing.begin(), missing.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> keys;
  keys.reserve(missing.size());
  for (auto& [key, where] : missing) keys.push_back(std::move(key));
  auto stored = store_->get(keys);
  if (!stored) {
    spdlog::error("rows can't be read: {}", stored.error().detail);
    for (auto& who : batch) {
      std::vector<caf::mailbox_element_ptr> waiting;
      who->home.discard(who);
      waiting.swap(who->waiting);
      for (auto& message : waiting) bounce(message->sender, *message);
    }
    return;
  }
  for (std::size_t i = 0; i < missing.size(); ++i)
    rows[missing[i].second.entity][missing[i].second.row] = std::move((*stored)[i]);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto& room = *kinds_[static_cast<std::size_t>(batch[i]->who.kind)];
    batch[i]->home.activated(batch[i], room.spawn(system_, batch[i], std::move(rows[i])));
  }
}

// --- checkpoints
// ------------------------------------------------------------------------------------

bool node::checkpoint_due() {
  std::size_t dirty = 0;
  for (const auto& one : shards_) dirty += one->dirty_bytes();
  if (dirty == 0) return false;
  return dirty >= options_.checkpoint_bytes ||
         time_.now() - last_checkpoint_at_ >= options_.checkpoint_interval;
}

storage::result<void> node::checkpoint() {
  std::uint64_t ticket;
  {
    std::lock_guard lock{checkpoint_mutex_};
    ticket = ++checkpoints_asked_;
  }
  if (!threaded_) {
    {
      std::lock_guard lock{commit_mutex_};
      capture_wanted_ = true;
    }
    commit_cycle();
    return last_checkpoint_;
  }
  std::unique_lock lock{checkpoint_mutex_};
  checkpoint_wanted_.notify_all();
  checkpoint_finished_.wait(lock, [&] { return checkpoints_done_ >= ticket || stopping_; });
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

void node::run_checkpoints() {
  std::unique_lock lock{checkpoint_mutex_};
  for (;;) {
    checkpoint_wanted_.wait(lock, [this] {
      return stopping_ || checkpoint_running_ || checkpoints_done_ < checkpoints_asked_;
    });
    if (checkpoint_running_) {
      const auto asked = checkpoints_asked_;
      lock.unlock();
      auto written = write_checkpoint();
      lock.lock();
      finish_checkpoint(asked, std::move(written));
      continue;
    }
    if (stopping_) return;
    if (!writable_) {
      finish_checkpoint(checkpoints_asked_,
                        storage::failed(storage::fault::io, "the journal takes no writes"));
      continue;
    }
    {
      std::lock_guard commit_lock{commit_mutex_};
      capture_wanted_ = true;
    }
    commit_wanted_.notify_one();
    checkpoint_wanted_.wait_for(lock, std::chrono::seconds{1},
                                [this] { return stopping_ || checkpoint_running_; });
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
    rows.push_back({shard_row_key(one.index), one.tables + rest.SerializeAsString()});
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

// --- time
// -------------------------------------------------------------------------------------------

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
