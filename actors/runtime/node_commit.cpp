#include "actors/runtime/node.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

#include "actors/runtime/bounce.hpp"
#include "actors/runtime/protocol.hpp"

namespace gelombang::runtime {

void bounce(const caf::strong_actor_ptr& to, const caf::mailbox_element& message) {
  if (!to) return;
  const auto id = message.mid.is_request() ? message.mid.response_id() : message.mid;
  if (!id.is_response()) return;
  to->enqueue(
      caf::make_mailbox_element(nullptr, id, {}, caf::make_error(caf::sec::request_receiver_down)),
      nullptr);
}

void node::wake(shard_index which) {
  bool first;
  {
    std::lock_guard lock{commit_mutex_};
    first = woken_.empty() && turns_under_way_ == 0;
    woken_.push_back(which);
  }
  if (first && threaded_) commit_wanted_.notify_one();
}

void node::turn_begins() {
  std::lock_guard lock{commit_mutex_};
  ++turns_under_way_;
}

void node::turn_ends() {
  bool wanted;
  {
    std::lock_guard lock{commit_mutex_};
    --turns_under_way_;
    // Not only by the last of several: there may always be one under way.
    wanted = !woken_.empty();
  }
  if (wanted && threaded_) commit_wanted_.notify_one();
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
  // A shard may have been taken from between its step and its wake, and have woken us again.
  std::sort(woken.begin(), woken.end());
  woken.erase(std::unique(woken.begin(), woken.end()), woken.end());
  std::vector<shard::cut> cuts;
  std::vector<storage::frame> frames;  // of the cuts at the same places
  std::vector<captured_shard> captured;
  cuts.reserve(woken.size());
  frames.reserve(woken.size());
  const auto written_at = time_.now().time_since_epoch().count();
  for (auto which : woken) {
    auto& home = *shards_[which];
    shard::cut taken;
    if (capture) {
      auto both = home.capture();
      taken = std::move(both.taken);
      captured.push_back(std::move(both.captured));
    } else {
      taken = home.take_pending();
    }
    if (taken.count == 0) continue;
    cuts.push_back(std::move(taken));
    frames.push_back({.shard = which,
                      .epoch = 1,
                      .first = cuts.back().first,
                      .count = cuts.back().count,
                      .written_at = written_at,
                      .records = cuts.back().records});
    figures_.committed_records += cuts.back().count;
    figures_.committed_bytes += cuts.back().records.size();
  }
  if (auto written = write_and_release(frames, cuts); !written) {
    commit_failed(written.error());
    return true;
  }
  if (capture) hand_to_checkpoint(std::move(captured));
  return true;
}

/// One write and one sync, unless the shards together have more than the journal takes at once.
/// What is on the disk is answered before the next write may fail.
storage::result<void> node::write_and_release(std::span<const storage::frame> frames,
                                              std::span<shard::cut> cuts) {
  constexpr std::size_t bytes_a_write_max = 128u << 20;
  while (!frames.empty()) {
    std::size_t taken = 0, bytes = 0;
    while (taken < frames.size() &&
           (taken == 0 || bytes + frames[taken].records.size() <= bytes_a_write_max))
      bytes += frames[taken++].records.size();
    const auto before = std::chrono::steady_clock::now();
    if (auto written = journal_->append(frames.first(taken)); !written) return written;
    const auto time = std::chrono::steady_clock::now() - before;
    figures_.sync_microseconds += static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(time).count());
    ++figures_.commit_cycles;
    for (std::size_t i = 0; i < taken; ++i) {
      const auto upto = cuts[i].first + cuts[i].count - 1;
      auto& home = *shards_[frames[i].shard];
      release(frames[i].shard, home.committed(upto, std::move(cuts[i].records)));
    }
    frames = frames.subspan(taken);
    cuts = cuts.subspan(taken);
  }
  return {};
}

void node::release(shard_index from, shard::released&& out) {
  for (auto& [to, message] : out.replies)
    if (to) to->enqueue(std::move(message), nullptr);
  for (auto& [source, letter] : out.mails) send_mail(from, source, letter);
  for (auto source : out.acknowledgements) acknowledge(source.from, from, source.sequence);
  for (auto& [sequence, body] : out.outside) send_outside(from, sequence, body);
}

/// @returns whether it is under way now.
bool node::send_outside(shard_index from, std::uint64_t sequence, const std::string& body) {
  if (on_outside_ && on_outside_(from, sequence, body)) return true;
  shards_[from]->outside_refused(sequence, time_.now());
  return false;
}

/// Stops at the first that is refused: the others would be too.
void node::offer_refused(shard& home, instant now) {
  while (auto letter = home.next_refused(now, options_.again_after))
    if (!send_outside(home.index(), letter->first, letter->second)) return;
}

/// Everything between shards, in order: what is not taken now is sent again by the timer.
void node::send_unacknowledged() {
  for (auto& one : shards_)
    for (auto& [source, letter] : one->unacknowledged())
      if (source.from != outside) send_mail(one->index(), source, letter);
}

/// Once, before anything new can leave, so that mail from one entity to another stays in order.
void node::send_what_was_under_way() {
  if (std::exchange(mail_sent_again_, true)) return;
  send_unacknowledged();
  for (auto& one : shards_)
    for (auto& [source, letter] : one->unacknowledged())
      if (source.from == outside) send_outside(one->index(), source.sequence, letter.body);
}

/// `source.from` names the receiving shard here; the receiver is told who sent it.
void node::send_mail(shard_index from, mail_source source, const mail& what) {
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
    std::lock_guard commit_lock{commit_mutex_};
    capture_wanted_ = false;  // it may have been asked for once more meanwhile
    last_checkpoint_ = storage::failed(why.kind, why.detail);
    checkpoints_done_ = checkpoints_asked_;
  }
  checkpoint_finished_.notify_all();
  checkpoint_wanted_.notify_all();
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
    std::lock_guard lock{commit_mutex_};
    resumable_ = false;
    return;
  }
  finish_restore();
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
  // What was on its way when memory was forgotten; before anything new can leave, to keep order.
  // Letters to the outside are with whoever delivers them.
  send_unacknowledged();
}

}  // namespace gelombang::runtime
