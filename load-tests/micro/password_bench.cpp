// What a password costs to hash, in memory that is kept (ours) and in memory that libsodium takes
// from the kernel for each; and what a thread that maps memory feels of either, while hashing has
// the lowest priority and all cores are busy.
//
//   password_bench [seconds of each]

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "net/password_hash.hpp"

namespace {

using namespace gelombang::net;
using std::chrono::steady_clock;
using milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::string_view password = "rahasia sekali";

enum class way { kept_memory, libsodium };

std::string_view name_of(way how) {
  return how == way::kept_memory ? "kept memory" : "libsodium";
}

void hash_once(way how, password_cost cost, const std::string& salt, argon2_memory& memory) {
  if (how == way::kept_memory) {
    if (!argon2id(password, salt, cost, memory)) std::abort();
    return;
  }
  password_digest digest;
  if (crypto_pwhash_argon2id(digest.data(), digest.size(), password.data(), password.size(),
                             reinterpret_cast<const unsigned char*>(salt.data()), cost.passes,
                             memory_bytes(cost), crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
    std::abort();
}

double cpu_milliseconds() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  const auto of = [](timeval time) {
    return 1e3 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e3;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

void time_hashes(way how, password_cost cost, std::chrono::seconds lasts) {
  argon2_memory memory;
  const auto salt = random_salt();
  hash_once(how, cost, salt, memory);
  const auto before = cpu_milliseconds();
  const auto end = steady_clock::now() + lasts;
  std::uint64_t hashes = 0;
  for (; steady_clock::now() < end; ++hashes) hash_once(how, cost, salt, memory);
  fmt::print("{:<12} {:>6} KiB, {} passes: {:>8.4f} ms of CPU each\n", name_of(how),
             memory_bytes(cost) / 1024, cost.passes,
             (cpu_milliseconds() - before) / static_cast<double>(hashes));
}

/// One thread hashes at the lowest priority, as many as there are cores have work at the usual one,
/// and this one maps, touches and unmaps 2 MiB a thousand times a second.
void time_mapping(way how, std::chrono::seconds lasts) {
  std::atomic<bool> ending{false};
  std::vector<std::thread> others;
  argon2_memory memory;
  if (how == way::kept_memory && !memory.hold(memory_bytes({}))) std::abort();
  others.emplace_back([&] {
    const sched_param none{};
    ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
    const auto salt = random_salt();
    while (!ending) hash_once(how, {}, salt, memory);
  });
  for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i)
    others.emplace_back([&] {
      while (!ending) continue;
    });
  std::vector<double> took;
  constexpr std::size_t bytes = std::size_t{2} << 20;
  for (const auto end = steady_clock::now() + lasts; steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
    const auto before = steady_clock::now();
    auto* const at =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::abort();
    *static_cast<volatile char*>(at) = 1;
    ::munmap(at, bytes);
    took.push_back(milliseconds{steady_clock::now() - before}.count());
  }
  ending = true;
  for (auto& one : others) one.join();
  std::sort(took.begin(), took.end());
  fmt::print("{:<12} mapping 2 MiB meanwhile: p50 {:.3f}, p99 {:.3f}, longest {:.1f} ms\n",
             name_of(how), took[took.size() / 2], took[took.size() * 99 / 100], took.back());
}

}  // namespace

int main(int argc, char** argv) {
  if (sodium_init() < 0) return EXIT_FAILURE;
  const std::chrono::seconds lasts{argc > 1 ? std::max(1, std::atoi(argv[1])) : 5};
  for (const auto how : {way::kept_memory, way::libsodium}) {
    time_hashes(how, {}, lasts);
    time_hashes(how, {.passes = 1, .memory_log2_kib = password_memory_log2_kib_min}, lasts);
  }
  for (const auto how : {way::kept_memory, way::libsodium}) time_mapping(how, lasts);
  return EXIT_SUCCESS;
}
