#include "net/password_pool.hpp"

#include <sodium.h>

#include <boost/asio/post.hpp>
#include <stdexcept>
#include <utility>

namespace gelombang::net {
namespace {

constexpr std::size_t salt_bytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t digest_bytes = 32;
static_assert(crypto_pwhash_argon2id_MEMLIMIT_MIN <= (1024u << password_memory_log2_kib_min));
static_assert(salt_bytes + digest_bytes + 2 == password_hash_bytes);

using digest_array = std::array<unsigned char, digest_bytes>;

std::optional<digest_array> argon2id(std::string_view password, std::string_view salt,
                                     password_cost cost) {
  digest_array digest;
  auto memory = std::size_t{1024} << cost.memory_log2_kib;
  auto failed =
      crypto_pwhash_argon2id(digest.data(), digest.size(), password.data(), password.size(),
                             reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                             memory, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (failed != 0) return std::nullopt;
  return digest;
}

std::string_view text(const digest_array& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

password_cost cost_of(std::string_view hash) {
  return {.passes = static_cast<std::uint8_t>(hash[password_hash_bytes - 2]),
          .memory_log2_kib = static_cast<std::uint8_t>(hash[password_hash_bytes - 1])};
}

bool is_hash(std::string_view hash) {
  if (hash.size() != password_hash_bytes) return false;
  auto cost = cost_of(hash);
  return cost.passes >= 1 && cost.passes <= password_passes_max &&
         cost.memory_log2_kib >= password_memory_log2_kib_min &&
         cost.memory_log2_kib <= password_memory_log2_kib_max;
}

std::string random_salt() {
  std::string salt(salt_bytes, '\0');
  randombytes_buf(salt.data(), salt.size());
  return salt;
}

std::string assembled(std::string salt, std::string_view digest, password_cost cost) {
  salt += digest;
  salt += static_cast<char>(cost.passes);
  salt += static_cast<char>(cost.memory_log2_kib);
  return salt;
}

result<std::string> hash_of(std::string_view password, password_cost cost) {
  auto salt = random_salt();
  auto digest = argon2id(password, salt, cost);
  if (!digest) return refuse(errc::overloaded);
  return assembled(std::move(salt), text(*digest), cost);
}

result<bool> is_hash_of(std::string_view hash, std::string_view password) {
  auto digest = argon2id(password, hash.substr(0, salt_bytes), cost_of(hash));
  if (!digest) return refuse(errc::overloaded);
  return sodium_memcmp(digest->data(), hash.data() + salt_bytes, digest_bytes) == 0;
}

}  // namespace

password_pool::password_pool(settings with) : with_(with) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium can't start");
  // A digest of chance: no password is known to lead to it.
  nobodys_hash_ = assembled(random_salt(), random_salt() + random_salt(), with_.cost);
  for (std::size_t index = 0; index < with_.threads; ++index) {
    threads_.emplace_back([this] { work(); });
  }
}

password_pool::~password_pool() {
  {
    std::lock_guard lock{guard_};
    ending_ = true;
  }
  arrived_.notify_all();
  for (auto& thread : threads_) thread.join();
  for (auto& one : queue_) refuse(one, errc::shutting_down);
}

void password_pool::hash(std::string password, boost::asio::io_context& asker, hashed done) {
  enqueue({.password = std::move(password),
           .hash = {},
           .asker = &asker,
           .on_hash = std::move(done),
           .on_verify = {}});
}

void password_pool::verify(std::string password, std::optional<std::string> hash,
                           boost::asio::io_context& asker, verified done) {
  auto usable = hash && is_hash(*hash);
  enqueue({.password = std::move(password),
           .hash = usable ? *std::move(hash) : nobodys_hash_,
           .asker = &asker,
           .on_hash = {},
           .on_verify = std::move(done)});
}

std::size_t password_pool::waiting() const {
  std::lock_guard lock{guard_};
  return queue_.size();
}

void password_pool::enqueue(job next) {
  auto too_long = next.password.size() > password_bytes_max;
  {
    std::lock_guard lock{guard_};
    if (!too_long && queue_.size() < with_.queue_max) {
      queue_.push_back(std::move(next));
      arrived_.notify_one();
      return;
    }
  }
  refuse(next, too_long ? errc::field_invalid : errc::overloaded);
}

void password_pool::work() {
  std::unique_lock lock{guard_};
  for (;;) {
    arrived_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (ending_) return;
    auto next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    carry_out(next);
    lock.lock();
  }
}

void password_pool::carry_out(job& one) const {
  auto post = [&one](auto done, auto outcome) {
    boost::asio::post(*one.asker,
                      [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
  };
  if (one.on_hash) {
    post(std::move(one.on_hash), hash_of(one.password, with_.cost));
  } else {
    post(std::move(one.on_verify), is_hash_of(one.hash, one.password));
  }
  sodium_memzero(one.password.data(), one.password.size());
}

void password_pool::refuse(job& one, errc why) {
  auto outcome = gelombang::refuse(why);
  boost::asio::post(*one.asker, [on_hash = std::move(one.on_hash),
                                 on_verify = std::move(one.on_verify), outcome] {
    if (on_hash) on_hash(outcome);
    if (on_verify) on_verify(outcome);
  });
}

}  // namespace gelombang::net
