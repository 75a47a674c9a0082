#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "actors/programme/result.hpp"

namespace gelombang::net {

/// What a password costs to hash (libsodium's Argon2id): passes, and memory as a power of two in
/// KiB. Both stand in the hash, so that a later, dearer setting still verifies older hashes.
struct password_cost {
  std::uint8_t passes = 2;
  std::uint8_t memory_log2_kib = 16;  ///< 64 MiB
  friend bool operator==(const password_cost&, const password_cost&) = default;
};

/// What a cost may be: libsodium's least, and what a stored hash may ask for at most, since a
/// damaged row must not take all the memory.
inline constexpr std::uint8_t password_passes_max = 16;
inline constexpr std::uint8_t password_memory_log2_kib_min = 3;
inline constexpr std::uint8_t password_memory_log2_kib_max = 20;

/// Salt (16 bytes), digest (32), cost (2).
inline constexpr std::size_t password_hash_bytes = 50;

/// Hashes and verifies passwords on threads of its own, because one takes some 50 ms of a core and
/// 64 MiB: a storm of sign-ins fills this queue and nothing else, and is refused when it is full.
/// Answers come as callbacks on the asker's io thread. Thread-safe.
class password_pool {
public:
  struct settings {
    std::size_t threads = 1;
    std::size_t queue_max = 64;
    password_cost cost = {};
  };
  using hashed = std::function<void(result<std::string>)>;
  using verified = std::function<void(result<bool>)>;

  explicit password_pool(settings with);
  /// Waits for the job that each thread is at; what waits in the queue gets `shutting_down`.
  ~password_pool();
  password_pool(const password_pool&) = delete;
  password_pool& operator=(const password_pool&) = delete;

  /// Gives a hash with a random salt. `overloaded` when the queue is full.
  void hash(std::string password, boost::asio::io_context& asker, hashed done);

  /// Says whether `password` is what `hash` was made of. Without a hash, because there is no such
  /// account, it says no after the same work, so that the time taken does not tell. Likewise for a
  /// hash that is none.
  void verify(std::string password, std::optional<std::string> hash, boost::asio::io_context& asker,
              verified done);

  /// Jobs that wait.
  std::size_t waiting() const;

  static constexpr std::size_t password_bytes_max = 256;

private:
  struct job {
    std::string password;
    std::string hash;  ///< empty: make one
    boost::asio::io_context* asker;
    hashed on_hash;
    verified on_verify;
  };

  void enqueue(job next);
  void work();
  void carry_out(job& one) const;
  static void refuse(job& one, errc why);

  settings with_;
  std::string nobodys_hash_;
  mutable std::mutex guard_;
  std::condition_variable arrived_;
  std::deque<job> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace gelombang::net
