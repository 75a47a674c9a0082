// The time that one small durable write takes on a disk: what any server that keeps its word pays
// for a request that comes alone.
//   sync_time DIRECTORY [SECONDS]     prints "median_us p99_us count"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

constexpr std::size_t block_bytes = 4096;
constexpr std::size_t file_bytes = 16u << 20;

/// Fills the file with zeros, as the journal reserves its segments: later syncs change no metadata.
bool reserve(int file) {
  const std::string zeros(file_bytes, '\0');
  return ::pwrite(file, zeros.data(), zeros.size(), 0) == static_cast<ssize_t>(zeros.size()) &&
         ::fsync(file) == 0;
}

/// Writes one 4 KiB block after the other, each made durable before the next.
std::vector<double> sync_times(int file, std::chrono::duration<double> how_long) {
  using clock = std::chrono::steady_clock;
  std::array<char, block_bytes> block{};
  block.fill('g');
  std::vector<double> microseconds;
  std::size_t offset = 0;
  const auto end = clock::now() + how_long;
  for (auto before = clock::now(); before < end; before = clock::now()) {
    if (::pwrite(file, block.data(), block.size(), static_cast<off_t>(offset)) !=
            static_cast<ssize_t>(block.size()) ||
        ::fdatasync(file) != 0)
      return {};
    microseconds.push_back(
        std::chrono::duration<double, std::micro>(clock::now() - before).count());
    offset = (offset + block_bytes) % file_bytes;
  }
  std::sort(microseconds.begin(), microseconds.end());
  return microseconds;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2 || count > 3) {
    std::fprintf(stderr, "usage: sync_time DIRECTORY [SECONDS]\n");
    return 2;
  }
  const double seconds = count == 3 ? std::atof(arguments[2]) : 3.0;
  const auto path = std::string{arguments[1]} + "/sync_time.XXXXXX";
  std::vector<char> name{path.c_str(), path.c_str() + path.size() + 1};
  const int file = ::mkstemp(name.data());
  if (file < 0 || !reserve(file)) {
    std::fprintf(stderr, "sync_time: %s: %s\n", name.data(), std::strerror(errno));
    return 3;
  }
  ::unlink(name.data());
  const auto times = sync_times(file, std::chrono::duration<double>{seconds});
  ::close(file);
  if (times.empty()) {
    std::fprintf(stderr, "sync_time: %s\n", std::strerror(errno));
    return 3;
  }
  std::printf("%.0f %.0f %zu\n", times[times.size() / 2], times[times.size() * 99 / 100],
              times.size());
  return 0;
}
