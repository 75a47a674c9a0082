#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/runtime/step.hpp"
#include "storage/journal.hpp"
#include "storage/state_store.hpp"

namespace gelombang::runtime {

class run_queue;
class shard;

/// The presence of one entity in memory. There is at most one for an entity at any time: it comes
/// into being and goes under its shard's lock, and goes only when no message is on its way.
struct activation {
  activation(shard& in, entity_ref of, std::uint64_t when);
  ~activation();
  activation(const activation&) = delete;
  activation& operator=(const activation&) = delete;

  shard& home;
  const entity_ref who;
  const std::uint64_t incarnation;  ///< of the shard's memory: a step of an earlier one is refused

  /// Messages delivered and not yet handled, and requests whose answer is still owed.
  std::atomic<std::uint32_t> in_flight{0};

  // Under the shard's lock.
  bool trusted = true;          ///< until its handler threw: what it still says is not believed
  caf::strong_actor_ptr actor;  ///< null while the rows are being read
  std::vector<caf::mailbox_element_ptr> waiting;  ///< what has come meanwhile, in order
  std::size_t ring_index = 0;
  std::uint32_t last_used = 0;  ///< seconds of the node's coarse clock
  bool touched = true;          ///< since the eviction hand came by last
};

using activation_ptr = std::shared_ptr<activation>;

/// A row's value, or none where the row is erased.
using row_value = std::optional<std::string>;
using row_map = boost::unordered_flat_map<std::string, row_value>;

/// What a shard hands to a checkpoint: rows as of `last`.
struct captured_shard {
  shard_index index = 0;
  lsn last = 0;
  const row_map* rows = nullptr;  ///< unchanging until `checkpoint_done`
  std::string tables;             ///< wire::Shard without epoch and chain
};

/// What a shard needs of the node it lives on.
class shard_host {
public:
  virtual ~shard_host() = default;
  /// Reads the activation's rows and calls `shard::activated`, soon, on a thread that may block.
  virtual void load(activation_ptr who) = 0;
  /// There is something to commit.
  virtual void wake(shard_index which) = 0;
  /// Shard `receiver` has mail `sequence` of shard `sender` for good.
  virtual void acknowledge(shard_index sender, shard_index receiver, std::uint64_t sequence) = 0;
  virtual std::uint32_t coarse_seconds() const = 0;
};

/// What may wait for the disk in one shard: half of what the journal takes as one frame, since mail
/// and its bookkeeping come on top of what a step brings.
inline constexpr std::size_t pending_bytes_max = 32u << 20;

struct shard_limits {
  std::size_t active_actors_max = 4096;  ///< in this shard; exceeded only while all are busy
  std::uint32_t idle_seconds = 300;      ///< then an activation is given up
};

/// One shard: who is awake in it, what has happened in it and is not yet durable, and what has been
/// changed since the last checkpoint. Thread-safe; nothing is done under the lock that can block.
class shard {
public:
  shard(shard_index index, std::uint32_t shards, shard_limits limits, shard_host& host,
        const storage::state_store& store);

  shard_index index() const { return index_; }
  std::uint32_t shards() const { return shards_; }

  // Messages.

  /// Hands `message` to the entity, waking it if it sleeps. If it is awake, `here` runs it;
  /// without, the scheduler does.
  /// @returns `storage_unavailable` while the shard is being restored; the message is dropped then.
  errc deliver(entity_ref to, caf::mailbox_element_ptr message, run_queue* here = nullptr);

  /// The same, but only if it is awake or waking. @returns whether it was.
  bool deliver_if_active(entity_ref to, caf::mailbox_element_ptr message);

  /// The loader has spawned the entity's actor: it gets what has waited.
  void activated(const activation_ptr& who, caf::strong_actor_ptr actor, run_queue* here = nullptr);

  /// Gives up an activation whose memory can't be trusted (an exception): the next message reads
  /// the rows anew.
  void discard(const activation_ptr& who);

  /// The rows of a waking entity can't be read. @returns what has waited for it.
  std::vector<caf::mailbox_element_ptr> give_up(const activation_ptr& who);

  /// Passivates what has been idle, and whoever rests while there are more than the limit: a burst
  /// has left them. Called about once a second.
  void sweep();

  std::size_t active() const;

  /// Activations that somebody still holds, be it an actor that is about to end. The shard must
  /// outlive them.
  std::size_t alive() const { return alive_.load(std::memory_order_acquire); }

  // What happens.

  /// Takes a step of `by`, and sends `reply` to `to` once it is durable.
  /// @returns the position that makes it durable; `storage_unavailable` when the journal takes no
  ///   writes, `wave_not_open` when a required gate is shut, `overloaded` when what waits for the
  ///   disk and this would be more than a frame may hold. Nothing has changed then.
  result<lsn> append(const activation& by, step&& what, caf::strong_actor_ptr to = nullptr,
                     caf::mailbox_element_ptr reply = nullptr);

  /// Sends `reply`, which tells what `by` knows, once everything up to `after` is durable: at once
  /// if it is. Bounced instead when the shard has forgotten `by`: what it shows may never have
  /// been.
  void reply_after(const activation& by, lsn after, caf::strong_actor_ptr to,
                   caf::mailbox_element_ptr reply);

  /// Position of the last step taken, durable or not.
  lsn last() const;

  /// Whether a mail has had its effect before. The sender is told again then, since it asks again.
  bool mail_seen(mail_source source);

  /// The receiver's handler has thrown: the mail comes again all the same, and is passed over until
  /// a pause is over that doubles each time, from `first_pause` to `longest_pause`. It is never
  /// given up, since the sender counts on it; a program of a later version may know what to do.
  static constexpr std::chrono::seconds first_pause{5};
  static constexpr std::chrono::hours longest_pause{1};
  void mail_failed(mail_source source);
  /// Whether that pause is not over.
  bool is_put_off(mail_source source) const;
  /// How many have failed and not yet had their effect.
  std::size_t mails_put_off() const;
  /// Mails to the outside that nobody has delivered.
  std::size_t mails_waiting_outside() const;

  /// The other side has mail `sequence` for good. Rides along with the next frame.
  void acknowledge(shard_index peer, std::uint64_t sequence);

  std::int64_t count(counter which) const;
  std::map<std::uint64_t, std::int64_t> counts() const;

  // Rows.

  /// The newest rows at `keys`, durable or not.
  storage::result<std::vector<row_value>> rows(const std::vector<std::string>& keys) const;

  /// Fills in what has changed since the last checkpoint; @returns which keys it did not know.
  std::vector<std::size_t> changed_rows(const std::vector<std::string>& keys,
                                        std::vector<row_value>& values) const;

  /// Visits the newest rows with `first <= key < end` in order.
  storage::result<void> scan(
      const std::string& first, const std::string& end,
      const std::function<bool(std::string_view, std::string_view)>& visit) const;

  // Deadlines.

  struct due_deadline {
    entity_ref who;
    instant due;
    std::uint32_t tag;
  };

  /// What is due at `now` and has not been handed out for `again_after`.
  std::vector<due_deadline> due(instant now, std::chrono::milliseconds again_after);

  // For the commit thread, recovery and checkpoints.

  struct cut {
    lsn first = 0;
    std::uint32_t count = 0;
    std::string records;
  };

  /// Takes what is to be committed; its buffer goes back with `committed`.
  cut take_pending();

  struct released {
    std::vector<std::pair<caf::strong_actor_ptr, caf::mailbox_element_ptr>> replies;
    std::vector<std::pair<mail_source, mail>> mails;  ///< `from` is the receiving shard here
    std::vector<std::pair<std::uint64_t, std::string>> outside;
    std::vector<mail_source> acknowledgements;  ///< mail of others that has had its effect here
  };

  /// Everything up to `upto` is on the disk. @returns what may leave now.
  released committed(lsn upto, std::string&& buffer);

  struct captured_cut {
    cut taken;
    captured_shard captured;
  };

  /// `take_pending` and, in the same moment, the rows and tables as of just that position, frozen
  /// for a checkpoint. Not again before `checkpoint_done` or `checkpoint_failed`.
  captured_cut capture();
  /// The captured rows are in the store.
  void checkpoint_done();
  /// They are not: they count as changed again.
  void checkpoint_failed();
  std::size_t dirty_bytes() const;

  /// Forgets everything that is not durable and every activation; @returns replies to be refused.
  released reset();

  /// Restores from the shard's own row. Takes no messages before `restored`.
  result<storage::position> restore(std::string_view tables);
  /// All records have been replayed: messages are taken from here on.
  void restored();

  /// Recovery: one record from the journal. `replay` brings an event's rows up to date.
  using replay_event = std::function<result<void>(entity_ref, std::string_view, row_editor&)>;
  result<void> replay(lsn at, const record& what, const replay_event& replay);

  /// Mail that has left but is not acknowledged: to be sent again after a start, in order. `from`
  /// names the receiving shard.
  std::vector<std::pair<mail_source, mail>> unacknowledged() const;

  /// Mail to other shards that was there a call at least `again_after` ago and still is.
  std::vector<std::pair<mail_source, mail>> overdue_mail(instant now,
                                                         std::chrono::milliseconds again_after);

  /// Nobody outside takes mail `sequence` now.
  void outside_refused(std::uint64_t sequence, instant now);
  /// The oldest mail that nobody outside has taken and that was refused at least `again_after` ago.
  /// Its refusal is forgotten: it is under way now.
  std::optional<std::pair<std::uint64_t, std::string>> next_refused(
      instant now, std::chrono::milliseconds again_after);

  void set_writable(bool writable);
  void set_gate(std::uint64_t number, bool open);

private:
  friend struct activation;

  struct held_reply {
    lsn after;
    caf::strong_actor_ptr to;
    caf::mailbox_element_ptr message;
  };
  struct held_mail {
    lsn after;
    shard_index to;
    std::uint64_t sequence;
    mail what;
  };
  struct put_off {
    std::chrono::seconds pause;
    std::uint32_t until;  ///< seconds of the node's coarse clock
  };
  using deadline_key = std::tuple<std::int64_t, entity_ref, std::uint32_t>;

  class editor;

  bool believes(const activation& who) const;
  cut take_pending_locked();
  void put_row(std::string key, row_value value);
  void note_mail(shard_index to, mail&& what);
  void note_deadline(const record& what);
  void add(const activation_ptr& who);
  void remove(const activation& who);
  bool retire(activation& who);
  void evict();
  released take_released(lsn upto);

  const shard_index index_;
  const std::uint32_t shards_;
  const shard_limits limits_;
  shard_host& host_;
  const storage::state_store& store_;

  mutable std::mutex mutex_;

  // Who is awake.
  boost::unordered_flat_map<entity_ref, activation_ptr, std::hash<entity_ref>> directory_;
  std::vector<activation*> ring_;
  std::size_t hand_ = 0;
  std::uint64_t incarnation_ = 1;
  std::atomic<std::size_t> alive_{0};
  bool writable_ = true;
  bool restoring_ = true;

  // What happens.
  lsn last_ = 0, durable_ = 0, taken_ = 0;
  std::string pending_;
  std::uint32_t pending_count_ = 0;
  bool woken_ = false;  ///< the commit thread knows of `pending_`
  std::deque<held_reply> held_;
  std::deque<held_mail> held_mails_;
  std::deque<std::pair<lsn, mail_source>> held_acknowledgements_;

  // What has changed since the last checkpoint, and what a checkpoint is writing now.
  row_map dirty_, flushing_;
  std::size_t dirty_bytes_ = 0;

  // The shard's own row.
  std::map<std::uint64_t, std::int64_t> counters_;
  std::map<shard_index, outbox> outboxes_;
  std::map<shard_index, std::uint64_t> overdue_before_;  ///< sequence by receiving shard
  instant overdue_asked_{};
  std::map<std::uint64_t, instant> refused_outside_;  ///< to when
  std::map<shard_index, inbox> inboxes_;
  std::map<std::pair<shard_index, std::uint64_t>, put_off> failed_mails_;  ///< by source
  std::map<deadline_key, std::int64_t> deadlines_;  ///< to when it was handed out last, or 0
  boost::unordered_flat_map<std::uint64_t, bool> gates_;
};

}  // namespace gelombang::runtime
