#pragma once

#include <array>
#include <atomic>
#include <caf/actor_system.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/runtime/shard.hpp"
#include "storage/backup.hpp"
#include "storage/journal.hpp"
#include "storage/state_store.hpp"

namespace gelombang::runtime {

/// What the runtime must know of a kind of entity to store, restore and wake it. One object a kind,
/// made by `main`; thread-safe.
class entity_kind {
public:
  virtual ~entity_kind() = default;

  virtual kind what() const = 0;

  /// Whether no handler of it takes longer than some microseconds: then the thread that asks may
  /// run it itself.
  virtual bool is_brief() const { return false; }

  /// Keys of the rows that waking `who` reads; the first is its snapshot.
  virtual std::vector<std::string> rows_of(const shard& home, entity_ref who) const = 0;

  /// Makes the actor from those rows (`keys` are as `rows_of` gave them). Runs on a loader thread;
  /// must not block. @returns null, having said why, when they can't be what this kind has written.
  virtual caf::strong_actor_ptr spawn(caf::actor_system& system, activation_ptr who,
                                      const std::vector<std::string>& keys,
                                      std::vector<row_value>&& rows) const = 0;

  /// Recovery: brings the rows up to date with an event, as the actor did when it happened.
  virtual result<void> replay(const shard& home, entity_ref who, std::string_view event,
                              row_editor& rows) const = 0;

  /// The shard stands as it was; nobody is awake in it yet. What is kept in memory for this kind
  /// beside its actors is made here.
  virtual void restored(shard&) const {}
};

/// Every kind at the place of its number, null where there is none.
using kinds_by_number = std::array<const entity_kind*, 256>;

struct node_options {
  std::filesystem::path data_directory;
  std::uint32_t shards = 64;
  std::size_t active_actors_max = 1'000'000;
  std::uint32_t idle_seconds = 300;
  std::uint64_t segment_bytes_max = 64u << 20;
  std::uint64_t block_cache_bytes = 256u << 20;
  std::uint64_t prewarm_bytes = 4ull << 30;
  /// A checkpoint is taken when this much has changed,
  std::size_t checkpoint_bytes = 64u << 20;
  /// or when anything has and this time has passed.
  std::chrono::milliseconds checkpoint_interval{60'000};
  /// Mail and deadlines are handed out again if nothing has come of them for so long.
  std::chrono::milliseconds again_after{5'000};
  std::uint32_t loader_threads = 1;
  /// Touched after a start, before anybody needs it: `memory_ahead.hpp`. Divided among the loaders.
  std::uint64_t memory_ahead_bytes = 0;
};

/// What a start found.
struct start_report {
  storage::recovery_report journal;
  std::uint64_t records_replayed = 0;
};

/// Counters for the metrics page. Only ever grow.
struct node_figures {
  std::atomic<std::uint64_t> commit_cycles{0}, committed_records{0}, committed_bytes{0};
  std::atomic<std::uint64_t> commit_failures{0}, checkpoints{0}, checkpoint_rows{0};
  std::atomic<std::uint64_t> activations{0}, activation_batches{0}, mails{0};
  std::atomic<std::uint64_t> sync_microseconds{0};
  std::atomic<std::uint64_t> memory_ahead_bytes{0};  ///< touched so far
};

/// A node: its shards, the journal that makes their steps durable, the store of their checkpoints,
/// and the threads that move things between them. Thread-safe.
///
/// With `start` it runs by itself; without, `pump` does one round of everything on the caller's
/// thread, which is how tests drive it.
class node final : public shard_host {
public:
  /// Takes mail to the outside: called from the commit and timer threads, must not block. Each is
  /// acknowledged with `outside_delivered`, and handed over again after a start until it is.
  /// @returns false when it does not take this one now: it is offered again after a while.
  using outside_handler =
      std::function<bool(shard_index from, std::uint64_t sequence, const std::string& body)>;

  /// Opens the data directory, restores every shard. Kinds must outlive the node.
  /// @returns what stopped it, with the place in stored data where it is damaged.
  static storage::result<std::unique_ptr<node>> open(node_options options,
                                                     storage::file_system& files, const clock& time,
                                                     caf::actor_system& system,
                                                     const std::vector<const entity_kind*>& kinds);
  /// The same for whom has taken the directory's lock already, to look at the data first.
  static storage::result<std::unique_ptr<node>> open(node_options options,
                                                     storage::file_system& files, const clock& time,
                                                     caf::actor_system& system,
                                                     const std::vector<const entity_kind*>& kinds,
                                                     storage::directory_lock held);

  ~node() override;

  void start();
  /// Makes everything durable that has been taken, writes a checkpoint, ends the threads. Who is in
  /// memory stays there until the node goes.
  void stop();
  /// One round; @returns whether anything was done.
  bool pump();

  void on_outside(outside_handler handler);
  void outside_delivered(shard_index from, std::uint64_t sequence);
  /// What was taken could not be delivered after all: offered again after a while.
  void outside_failed(shard_index from, std::uint64_t sequence);

  shard& home_of(entity_ref who) { return *shards_[shard_of(who.id, options_.shards)]; }
  shard& at(shard_index which) { return *shards_[which]; }
  const shard& at(shard_index which) const { return *shards_[which]; }
  std::uint32_t shards() const { return options_.shards; }

  /// Hands over a message. Brief entities are run by `here`, if it is given; see `turn_begins`.
  errc deliver(entity_ref to, caf::mailbox_element_ptr message, run_queue* here = nullptr) {
    return home_of(to).deliver(to, std::move(message), queue_for(to.kind, here));
  }

  /// Around the running of a `run_queue`: what its actors want committed wakes the commit thread
  /// once, at the end, and so makes one frame and not a frame of its first and one of the rest.
  void turn_begins();
  void turn_ends();

  /// Reads rows on a loader thread and calls `done` there.
  void fetch(shard_index where, std::vector<std::string> keys,
             std::function<void(storage::result<std::vector<row_value>>)> done);

  /// False while the journal refuses writes (disk full, failed sync); reads go on.
  bool writable() const { return writable_.load(std::memory_order_acquire); }
  std::string not_writable_because() const;

  std::int64_t count(counter which) const;
  std::map<std::uint64_t, std::int64_t> counts() const;
  std::size_t active() const;

  /// Mails whose receivers have failed and that wait for their next try; mails to the outside that
  /// are not delivered.
  std::size_t mails_put_off() const;
  std::size_t mails_waiting_outside() const;

  /// Everything up to now into the store; returns when it is there.
  storage::result<void> checkpoint();
  /// A checkpoint, then a copy of everything, as `storage::backup`, which is read through. Told to
  /// stop, it fails while it copies, and reads no further once the copy is complete.
  /// @returns as `storage::read_through`: the copy is complete, and is no better than what it is of
  storage::result<std::vector<std::string>> backup(const std::filesystem::path& target,
                                                   const std::stop_token& until = {});

  /// Position and chain of each shard on the disk.
  storage::positions durable() const { return journal_->durable(); }

  const start_report& started_with() const { return report_; }
  const node_figures& figures() const { return figures_; }
  const clock& time() const { return time_; }
  const node_options& options() const { return options_; }
  const storage::state_store& store() const { return *store_; }
  caf::actor_system& system() { return system_; }

  // shard_host
  void load(activation_ptr who) override;
  void wake(shard_index which) override;
  void acknowledge(shard_index sender, shard_index receiver, std::uint64_t sequence) override;
  std::uint32_t coarse_seconds() const override {
    return coarse_seconds_.load(std::memory_order_relaxed);
  }

private:
  node(node_options options, storage::file_system& files, const clock& time,
       caf::actor_system& system, const std::vector<const entity_kind*>& kinds,
       storage::directory_lock lock);

  struct fetch_request {
    shard_index where;
    std::vector<std::string> keys;
    std::function<void(storage::result<std::vector<row_value>>)> done;
  };

  storage::result<void> restore();
  storage::result<storage::positions> restore_shards();
  storage::result<void> replay(const storage::stored_frame& frame);
  void finish_restore();
  void give_up_actors();

  run_queue* queue_for(kind what, run_queue* here) const {
    const auto* found = here ? kinds_[static_cast<std::size_t>(what)] : nullptr;
    return found && found->is_brief() ? here : nullptr;
  }

  bool commit_cycle();
  storage::result<void> write_and_release(std::span<const storage::frame> frames,
                                          std::span<shard::cut> cuts);
  void release(shard_index from, shard::released&& out);
  void send_mail(shard_index from, mail_source source, const mail& what);
  void send_what_was_under_way();
  void send_unacknowledged();
  bool send_outside(shard_index from, std::uint64_t sequence, const std::string& body);
  void offer_refused(shard& home, instant now);
  void commit_failed(const storage::error& why);
  void try_to_resume();
  void run_commit();

  bool load_batch();
  void spawn_batch(std::vector<activation_ptr>& batch);
  void wake_batch(std::vector<activation_ptr>& batch, std::vector<std::vector<std::string>>& keys,
                  std::vector<std::vector<row_value>>& rows);
  void refuse_waiting(const activation_ptr& who);
  void refuse_batch(std::vector<activation_ptr>& batch, const storage::error& why);
  void run_loader();

  bool checkpoint_due();
  void wake_all(std::mutex& mutex, std::condition_variable& wanted);
  void drop_loads();
  void hand_to_checkpoint(std::vector<captured_shard>&& captured);
  storage::result<void> write_checkpoint();
  void finish_checkpoint(std::uint64_t asked, storage::result<void>&& outcome);
  void run_checkpoints();

  bool tick();
  void run_timer();

  const node_options options_;
  storage::file_system& files_;
  const clock& time_;
  caf::actor_system& system_;
  storage::directory_lock lock_;
  const kinds_by_number kinds_;
  std::unique_ptr<storage::state_store> store_;
  std::unique_ptr<storage::journal> journal_;
  std::vector<std::unique_ptr<shard>> shards_;
  start_report report_;
  node_figures figures_;
  outside_handler on_outside_;
  std::atomic<std::uint32_t> coarse_seconds_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> writable_{true};
  std::atomic<bool> threaded_{false};
  bool ran_ = false;
  bool mail_sent_again_ = false;  ///< since the start

  // Commit.
  mutable std::mutex commit_mutex_;
  std::condition_variable commit_wanted_;
  std::vector<shard_index> woken_;
  int turns_under_way_ = 0;
  bool capture_wanted_ = false;
  std::string not_writable_because_;
  bool resumable_ = false;
  std::thread commit_thread_;

  // Loading.
  std::mutex load_mutex_;
  std::condition_variable load_wanted_;
  std::vector<activation_ptr> to_load_;
  std::vector<fetch_request> to_fetch_;
  std::vector<std::thread> loader_threads_;

  // Checkpoints.
  std::mutex checkpoint_mutex_;
  std::condition_variable checkpoint_wanted_, checkpoint_finished_;
  std::vector<captured_shard> captured_;
  storage::positions captured_at_;
  std::uint64_t checkpoints_asked_ = 0, checkpoints_done_ = 0;
  bool checkpoint_running_ = false;
  bool checkpoints_ending_ = false;  ///< nobody commits any more
  storage::result<void> last_checkpoint_;
  std::atomic<instant> last_checkpoint_at_{};
  std::thread checkpoint_thread_;

  // Time.
  std::mutex timer_mutex_;
  std::condition_variable timer_wanted_;
  std::thread timer_thread_;
};

}  // namespace gelombang::runtime
