#pragma once

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "actors/programme/result.hpp"
#include "net/argon2_memory.hpp"
#include "net/password_hash.hpp"
#include "net/password_pace.hpp"
#include "net/semaphore.hpp"

namespace gelombang::net {

/// What a pool has done since it was made, and how it stands.
struct password_figures {
  std::uint64_t hashes = 0;  ///< made or compared
  std::uint64_t refused_for_wait = 0, refused_for_queue = 0;
  std::uint64_t given_up = 0;  ///< had waited so long that nobody was there any more
  std::chrono::nanoseconds cpu{0};
  std::size_t waiting = 0;
  std::chrono::nanoseconds wait{0};  ///< of whoever came now
  std::size_t memory_bytes = 0;      ///< kept for the next hashes
};

/// Hashes and verifies passwords (Argon2id) on threads of its own, because one takes some 50 ms of
/// a core and 64 MiB: a storm of sign-ins gets its share of the CPUs and no more, at the lowest
/// priority, and who would wait too long is refused at once. Answers come as callbacks on the
/// asker's io thread. Thread-safe. docs/decisions/0013.
///
/// A thread of usual priority ("passwords") has the queue, gives the answers, and takes and returns
/// the memory; those of low priority ("password-0" …) hash and do nothing else. They take no lock
/// that another thread could wait for, neither ours nor the allocator's nor the kernel's for this
/// process' memory: they may be left standing with it for as long as others have work.
class password_pool {
public:
  struct settings {
    std::size_t threads = 1;
    std::size_t queue_max = 64;
    password_cost cost = {};
    /// Of all cores; at 1000 nothing is held back, and the priority is that of all others.
    std::uint32_t cpu_share_permille = 250;
    std::uint32_t cores = std::max(1u, std::thread::hardware_concurrency());
    std::chrono::milliseconds wait_max{2000};  ///< whoever would wait longer is refused
    /// How long a thread's memory is kept after its last hash.
    std::chrono::milliseconds memory_kept{10'000};
  };
  using hashed = std::function<void(result<std::string>)>;
  using verified = std::function<void(result<bool>)>;

  explicit password_pool(settings with);
  /// Waits for the hash that each thread is at; what waits in the queue gets `shutting_down`.
  ~password_pool();
  password_pool(const password_pool&) = delete;
  password_pool& operator=(const password_pool&) = delete;

  /// Whether one who comes now would be refused, which is then counted: asked before anything else
  /// is done for him.
  bool turns_away();

  /// Gives a hash with a random salt. `overloaded` when that would take too long or the queue is
  /// full.
  void hash(std::string password, boost::asio::io_context& asker, hashed done);

  /// Says whether `password` is what `hash` was made of. Without a hash, because there is no such
  /// account, it says no after the same work, so that the time taken does not tell. Likewise for a
  /// hash that is none.
  void verify(std::string password, std::optional<std::string> hash, boost::asio::io_context& asker,
              verified done);

  /// Jobs that wait.
  std::size_t waiting() const;
  password_figures figures() const;

  static constexpr std::size_t password_bytes_max = 256;

private:
  using time_point = password_pace::time_point;

  struct job {
    std::string password;
    std::string hash;  ///< to compare with; to be made: salt and cost of it
    boost::asio::io_context* asker;
    hashed on_hash;
    verified on_verify;
    time_point since{};
    std::optional<password_digest> digest;
  };

  /// A thread that hashes. What it works on is the dispatcher's while it is idle.
  struct hasher {
    std::vector<job> jobs;
    password_pace::batch begun{};
    argon2_memory memory;
    time_point idle_since{};
    std::chrono::nanoseconds cpu{0};
    bool is_busy = false;              ///< the dispatcher's
    std::atomic<bool> is_done{false};  ///< the thread's last word about its jobs
    semaphore may_begin;
    std::thread thread;
  };

  void enqueue(job next);
  std::uint64_t* refusal_of_one_more(time_point now);
  void dispatch();
  void collect();
  std::optional<time_point> hand_out();
  std::optional<time_point> hand_to(hasher& one);
  void give_up_late(time_point now);
  std::optional<time_point> return_memory();
  void answer(job& one) const;
  void run(hasher& own, std::size_t index);
  static void refuse(job& one, errc why);

  settings with_;
  std::string nobodys_hash_;
  mutable std::mutex guard_;  ///< of the three below; never taken by a hasher
  std::deque<job> queue_;
  password_pace pace_;
  password_figures figures_;

  std::atomic<bool> ending_{false};
  semaphore wake_;  ///< of the dispatcher: something came, or a hasher is done
  std::vector<std::unique_ptr<hasher>> hashers_;
  std::thread dispatcher_;
};

}  // namespace gelombang::net
