// A commit cycle in our journal against the same frames as one write batch of RocksDB with sync:
// docs/decisions/0001-own-journal-segments.md. GELOMBANG_BENCH_DIR says on which disk.
#include <benchmark/benchmark.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/checksum.hpp"
#include "storage/journal.hpp"

namespace {

using namespace gelombang::storage;
namespace fs = std::filesystem;

class bench_directory {
public:
  bench_directory() {
    const char* where = std::getenv("GELOMBANG_BENCH_DIR");
    const fs::path root = where != nullptr ? fs::path(where) : fs::temp_directory_path();
    auto name = (root / "gelombang-bench-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  bench_directory(const bench_directory&) = delete;
  bench_directory& operator=(const bench_directory&) = delete;
  ~bench_directory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

private:
  fs::path path_;
};

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<frame> make_frames(std::size_t count, std::string_view records) {
  std::vector<frame> frames(count);
  for (std::size_t i = 0; i < count; ++i) {
    frames[i].shard = static_cast<shard_index>(i);
    frames[i].first = 1;
    frames[i].count = 1;
    frames[i].records = records;
  }
  return frames;
}

/// Runs `commit` for each iteration; reports the CPU and the median latency of a cycle.
template <class Commit>
void measure(benchmark::State& state, Commit commit) {
  std::vector<double> latencies;
  const auto cpu = thread_cpu_seconds();
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    commit();
    latencies.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const auto used = thread_cpu_seconds() - cpu;
  state.counters["cpu_us"] = 1e6 * used / static_cast<double>(state.iterations());
  std::sort(latencies.begin(), latencies.end());
  state.counters["median_us"] = 1e6 * latencies[latencies.size() / 2];
  state.counters["p99_us"] = 1e6 * latencies[latencies.size() * 99 / 100];
}

void journal_cycle(benchmark::State& state) {
  const bench_directory where;
  journal_options options;
  options.directory = where.path() / "journal";
  auto log = journal::open(posix_file_system(), options, {},
                           [](const stored_frame&) { return result<void>{}; });
  if (!log) return state.SkipWithError(log.error().detail.c_str());
  const std::string records(static_cast<std::size_t>(state.range(1)), 'r');
  auto frames = make_frames(static_cast<std::size_t>(state.range(0)), records);
  measure(state, [&] {
    if (!(*log)->append(frames)) state.SkipWithError("append");
    for (auto& each : frames) ++each.first;
  });
}

void rocksdb_batch(benchmark::State& state) {
  const bench_directory where;
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(options, where.path().string(), &opened);
  if (!status.ok()) return state.SkipWithError(status.ToString().c_str());
  const std::unique_ptr<rocksdb::DB> db(opened);
  const std::string records(static_cast<std::size_t>(state.range(1)), 'r');
  auto frames = make_frames(static_cast<std::size_t>(state.range(0)), records);
  std::vector<digest> chain(frames.size());
  rocksdb::WriteOptions sync;
  sync.sync = true;
  rocksdb::WriteBatch batch;
  std::string value;
  // The same facts a frame: 68 bytes before the records, a digest of all, a checksum; key
  // shard|lsn.
  measure(state, [&] {
    batch.Clear();
    for (std::size_t i = 0; i < frames.size(); ++i) {
      auto& each = frames[i];
      value.assign(36, 'h');
      value.append(reinterpret_cast<const char*>(chain[i].data()), chain[i].size());
      value.append(each.records);
      chain[i] = sha256(value);
      const auto sum = crc32c(value);
      value.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
      char key[10];
      for (int byte = 0; byte < 2; ++byte)
        key[byte] = static_cast<char>(each.shard >> (8 - 8 * byte));
      for (int byte = 0; byte < 8; ++byte) {
        key[2 + byte] = static_cast<char>(each.first >> (56 - 8 * byte));
      }
      batch.Put(rocksdb::Slice(key, sizeof(key)), value);
      ++each.first;
    }
    if (!db->Write(sync, &batch).ok()) state.SkipWithError("write");
  });
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"frames", "bytes"});
  for (const auto frames : {1, 16, 64}) {
    for (const auto bytes : {60, 600}) bench->Args({frames, bytes});
  }
  bench->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(journal_cycle)->Apply(sizes);
BENCHMARK(rocksdb_batch)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
