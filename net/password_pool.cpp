#include "net/password_pool.hpp"
#include "storage/thread_name.hpp"

#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <ctime>
#include <stdexcept>
#include <utility>

namespace gelombang::net {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::uint32_t whole_permille = 1000;
/// Of CPU for each KiB and pass, before anything has been measured: rather too much, so that the
/// first of a storm are not promised what can't be kept.
constexpr nanoseconds per_kib_and_pass{800};

nanoseconds first_guess_of(password_cost cost) {
  return per_kib_and_pass * (std::int64_t{cost.passes} << cost.memory_log2_kib);
}

password_pace::settings pace_of(const password_pool::settings& with) {
  return {.budget = {.share_permille = with.cpu_share_permille,
                     .cores = with.cores,
                     .burst = password_pace::burst_usual},
          .threads = with.threads,
          .patience = with.wait_max,
          .first_guess = first_guess_of(with.cost)};
}

nanoseconds cpu_of_this_thread() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + nanoseconds{now.tv_nsec};
}

using maybe_time = std::optional<password_pace::time_point>;

maybe_time earlier(maybe_time a, maybe_time b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Whoever else has work goes before. Linux has a nice value for each thread, and a thread's id is
/// what `setpriority` takes there (sched(7)). Both are always allowed; were they not, the share
/// would still be kept.
void give_way() {
  const sched_param none{};
  ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
}

}  // namespace

password_pool::password_pool(settings with)
    : with_(with), pace_(pace_of(with), steady_clock::now()) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium can't start");
  nobodys_hash_ = random_password_hash(with_.cost);
  for (std::size_t index = 0; index < with_.threads; ++index) {
    auto& own = *hashers_.emplace_back(std::make_unique<hasher>());
    own.thread = std::thread{[this, &own, index] { run(own, index); }};
  }
  dispatcher_ = std::thread{[this] { dispatch(); }};
}

password_pool::~password_pool() {
  ending_ = true;
  wake_.post();
  dispatcher_.join();
  for (auto& one : hashers_) one->may_begin.post();
  for (auto& one : hashers_) one->thread.join();
  collect();
  for (auto& one : queue_) refuse(one, errc::shutting_down);
}

bool password_pool::turns_away() {
  std::lock_guard lock{guard_};
  auto* const why = refusal_of_one_more(steady_clock::now());
  if (why) ++*why;
  return why != nullptr;
}

void password_pool::hash(std::string password, boost::asio::io_context& asker, hashed done) {
  enqueue({.password = std::move(password),
           .hash = random_password_hash(with_.cost),
           .asker = &asker,
           .on_hash = std::move(done),
           .on_verify = {},
           .digest = {}});
}

void password_pool::verify(std::string password, std::optional<std::string> hash,
                           boost::asio::io_context& asker, verified done) {
  auto usable = hash && is_password_hash(*hash);
  enqueue({.password = std::move(password),
           .hash = usable ? *std::move(hash) : nobodys_hash_,
           .asker = &asker,
           .on_hash = {},
           .on_verify = std::move(done),
           .digest = {}});
}

std::size_t password_pool::waiting() const {
  std::lock_guard lock{guard_};
  return queue_.size();
}

password_figures password_pool::figures() const {
  std::lock_guard lock{guard_};
  auto now = figures_;
  now.waiting = queue_.size();
  now.wait = pace_.wait(queue_.size(), steady_clock::now());
  return now;
}

/// The counter of why one more is refused, if he is.
std::uint64_t* password_pool::refusal_of_one_more(time_point now) {
  if (queue_.size() >= with_.queue_max) return &figures_.refused_for_queue;
  if (!pace_.is_in_time(queue_.size(), now)) return &figures_.refused_for_wait;
  return nullptr;
}

void password_pool::enqueue(job next) {
  if (next.password.size() > password_bytes_max) return refuse(next, errc::field_invalid);
  next.since = steady_clock::now();
  std::uint64_t* why = nullptr;
  {
    std::lock_guard lock{guard_};
    why = refusal_of_one_more(next.since);
    if (!why) {
      // Who finds others waiting has no need to say so: they have.
      if (queue_.empty()) wake_.post();
      queue_.push_back(std::move(next));
      return;
    }
    ++*why;
  }
  refuse(next, errc::overloaded);
}

// ---- the dispatcher

void password_pool::dispatch() {
  name_this_thread("passwords");
  std::optional<time_point> look_again;
  while (!ending_) {
    if (look_again) {
      wake_.wait_until(*look_again);
    } else {
      wake_.wait();
    }
    if (ending_) return;
    collect();
    look_again = earlier(hand_out(), return_memory());
  }
}

/// Takes back what hashers have done, and answers.
void password_pool::collect() {
  for (auto& one : hashers_) {
    if (!one->is_busy || !one->is_done.load(std::memory_order_acquire)) continue;
    one->idle_since = steady_clock::now();
    {
      std::lock_guard lock{guard_};
      pace_.end(one->begun, one->cpu, one->idle_since);
      figures_.hashes += one->jobs.size();
      figures_.cpu += one->cpu;
    }
    for (auto& each : one->jobs) answer(each);
    one->jobs.clear();
    one->is_busy = false;
  }
}

/// Gives to those who are idle what waits, as far as there is CPU time for it. @returns when there
/// is something to do again, also if nobody says so.
std::optional<password_pool::time_point> password_pool::hand_out() {
  for (auto& one : hashers_) {
    if (one->is_busy) continue;
    const auto look_again = hand_to(*one);
    if (!one->is_busy) return look_again;
  }
  std::lock_guard lock{guard_};
  give_up_late(steady_clock::now());
  if (queue_.empty()) return std::nullopt;
  return pace_.too_late_at(queue_.front().since);
}

/// @returns, where it is given nothing, when there is time for something.
std::optional<password_pool::time_point> password_pool::hand_to(hasher& one) {
  {
    std::lock_guard lock{guard_};
    const auto now = steady_clock::now();
    give_up_late(now);
    if (queue_.empty()) return std::nullopt;
    if (const auto pause = pace_.pause(now); pause > nanoseconds{0})
      return std::min(now + pause, pace_.too_late_at(queue_.front().since));
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(pace_.batch_of(queue_.size()));
    one.jobs.assign(std::move_iterator{queue_.begin()}, std::move_iterator{end});
    queue_.erase(queue_.begin(), end);
    one.begun = pace_.begin(one.jobs.size(), now);
  }
  for (const auto& each : one.jobs) one.memory.hold(memory_bytes(cost_of(each.hash)));
  one.is_busy = true;
  one.is_done.store(false, std::memory_order_relaxed);
  one.may_begin.post();
  return std::nullopt;
}

/// Returns to the kernel what idle threads have not needed for a while, and at once what is more
/// than a password costs here. @returns when it is the next one's time.
std::optional<password_pool::time_point> password_pool::return_memory() {
  const auto now = steady_clock::now();
  std::optional<time_point> next;
  std::size_t kept = 0;
  for (auto& one : hashers_) {
    const auto until = one->idle_since + with_.memory_kept;
    if (!one->is_busy && one->memory.bytes() > 0) {
      if (until <= now || one->memory.bytes() > memory_bytes(with_.cost)) {
        one->memory.release();
      } else {
        next = earlier(next, until);
      }
    }
    kept += one->memory.bytes();
  }
  std::lock_guard lock{guard_};
  figures_.memory_bytes = kept;
  return next;
}

void password_pool::give_up_late(time_point now) {
  while (!queue_.empty() && pace_.is_too_late(queue_.front().since, now)) {
    refuse(queue_.front(), errc::overloaded);
    queue_.pop_front();
    ++figures_.given_up;
  }
}

void password_pool::answer(job& one) const {
  auto post = [&one](auto done, auto outcome) {
    boost::asio::post(*one.asker,
                      [done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
  };
  if (!one.digest) {
    refuse(one, errc::overloaded);
  } else if (one.on_hash) {
    post(std::move(one.on_hash),
         result<std::string>{password_hash(salt_of(one.hash), *one.digest, cost_of(one.hash))});
  } else {
    post(std::move(one.on_verify), result<bool>{is_digest_of(one.hash, *one.digest)});
  }
}

void password_pool::refuse(job& one, errc why) {
  sodium_memzero(one.password.data(), one.password.size());
  auto outcome = gelombang::refuse(why);
  boost::asio::post(*one.asker, [on_hash = std::move(one.on_hash),
                                 on_verify = std::move(one.on_verify), outcome] {
    if (on_hash) on_hash(outcome);
    if (on_verify) on_verify(outcome);
  });
}

// ---- a hasher

void password_pool::run(hasher& own, std::size_t index) {
  name_this_thread("password-" + std::to_string(index));
  if (with_.cpu_share_permille < whole_permille) give_way();
  for (;;) {
    own.may_begin.wait();
    // What it was given before the end is done; the end comes with a call of its own.
    if (!own.is_busy || own.is_done) return;
    const auto before = cpu_of_this_thread();
    for (auto& one : own.jobs) {
      one.digest = argon2id(one.password, salt_of(one.hash), cost_of(one.hash), own.memory);
      sodium_memzero(one.password.data(), one.password.size());
    }
    own.cpu = cpu_of_this_thread() - before;
    own.is_done.store(true, std::memory_order_release);
    wake_.post();
  }
}

}  // namespace gelombang::net
