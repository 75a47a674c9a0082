#include "actors/wave/draw/mapped_regions.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

namespace gelombang::draw {
namespace {

/// A region as the signal handler sees it. Whoever changes it holds `changing`, and makes `version`
/// odd meanwhile: a handler that looks at it then sees that it is none of its business, since the
/// region that its thread reads is there and stays.
struct slot {
  std::atomic<std::uint32_t> version{0};
  std::atomic<std::uintptr_t> start{0}, end{0};  ///< both 0: free
  std::atomic<bool> damaged{false};
};
// What takes no lock may be used by a signal handler ([support.signal]).
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
static_assert(std::atomic<bool>::is_always_lock_free);

// All of it is initialised before the program runs: a handler may not be the first to use it.
constinit std::array<slot, mapped_regions_max> slots;
constinit std::atomic<std::size_t> slots_used{0};  ///< none behind has ever been used
constinit std::mutex changing;
struct sigaction action_before;
std::uintptr_t page_mask;

void set(slot& one, std::uintptr_t start, std::uintptr_t end) {
  one.version.fetch_add(1);
  one.start.store(start);
  one.end.store(end);
  one.damaged.store(false);
  one.version.fetch_add(1);
}

/// The region that holds `address` and where it ends; null.
std::pair<slot*, std::uintptr_t> region_at(std::uintptr_t address) {
  const auto used = slots_used.load();
  for (std::size_t i = 0; i < used; ++i) {
    auto& one = slots[i];
    const auto version = one.version.load();
    const auto start = one.start.load(), end = one.end.load();
    if (version % 2 != 0 || one.version.load() != version) continue;
    if (start <= address && address < end) return {&one, end};
  }
  return {nullptr, 0};
}

/// Runs on the thread that has read, in the middle of anything: uses atomics without locks, `mmap`
/// and `sigaction`, and allocates nothing. POSIX does not list `mmap` among what a handler may
/// call; on Linux it is a system call and nothing else.
void on_bus_error(int, siginfo_t* what, void*) {
  const int errno_before = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(what->si_addr);
  // Sent by somebody (si_code <= 0) it has no address.
  const auto [region, end] =
      what->si_code > 0 ? region_at(address) : std::pair<slot*, std::uintptr_t>{nullptr, 0};
  if (region) {
    // First, so that no other thread takes the zeros for what the file holds.
    region->damaged.store(true);
    // To the end of the region, not this page alone: of a large file that was cut to nothing each
    // page would cost a signal, and in no order a mapping of its own, of which Linux allows 65,530.
    const auto from = address & page_mask;
    const auto* zeros = ::mmap(reinterpret_cast<void*>(from), end - from, PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros != MAP_FAILED) {
      errno = errno_before;
      return;
    }
  }
  // The same read fails again when this returns, and then has the effect that it always had. What
  // was sent comes again when the signal is no longer blocked: on returning.
  ::sigaction(SIGBUS, &action_before, nullptr);
  if (what->si_code <= 0) ::raise(SIGBUS);
  errno = errno_before;
}

void install_handler() {
  static const bool installed = [] {
    page_mask = ~(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)) - 1);
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, &action_before) == 0;
  }();
  (void)installed;
}

/// @returns `slots.size()` when all are in use.
std::size_t take_slot(void* start, std::size_t size) {
  const std::lock_guard lock{changing};
  std::size_t i = 0;
  while (i < slots.size() && slots[i].end.load() != 0) ++i;
  if (i == slots.size()) return i;
  const auto first = reinterpret_cast<std::uintptr_t>(start);
  // Whole pages are mapped, and given zeros.
  set(slots[i], first, (first + size + ~page_mask) & page_mask);
  if (slots_used.load() <= i) slots_used.store(i + 1);
  return i;
}

}  // namespace

mapped_region mapped_region::map(int file, std::size_t size) {
  install_handler();
  mapped_region made;
  auto* start = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  if (start == MAP_FAILED) return made;
  made.slot_ = take_slot(start, size);
  if (made.slot_ == no_slot) {
    ::munmap(start, size);
    errno = ENFILE;
    return made;
  }
  made.start_ = start;
  made.size_ = size;
  return made;
}

mapped_region::mapped_region(mapped_region&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      slot_(std::exchange(other.slot_, no_slot)) {}

mapped_region& mapped_region::operator=(mapped_region&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(size_, other.size_);
  std::swap(slot_, other.slot_);
  return *this;
}

mapped_region::~mapped_region() {
  if (!start_) return;
  {
    const std::lock_guard lock{changing};
    set(slots[slot_], 0, 0);
  }
  ::munmap(start_, size_);
}

bool mapped_region::is_whole() const {
  return slot_ == no_slot || !slots[slot_].damaged.load();
}

}  // namespace gelombang::draw
