#include "storage/state_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <thread>

#include "storage/file_system.hpp"
#include "storage/room.hpp"
#include "storage/state_files.hpp"
#include "storage/thread_name.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;
namespace rdb = ROCKSDB_NAMESPACE;

constexpr std::uint64_t mebibyte = 1u << 20;
/// Compaction writes at most so much a second: enough for a checkpoint of 60 MB every few seconds,
/// rewritten a handful of times, and it leaves the disk to the journal most of the time.
constexpr std::int64_t compaction_bytes_a_second = 96 << 20;
constexpr std::size_t prewarm_step_bytes = 1u << 20;
constexpr int open_files_max = 1024;

fault kind_of(const rdb::Status& status) {
  if (status.IsNoSpace()) return fault::no_space;
  if (status.IsCorruption()) return fault::corrupt;
  if (status.IsNotFound() || status.IsPathNotFound()) return fault::missing;
  if (status.IsNotSupported()) return fault::version;
  if (status.ToString().find("/LOCK") != std::string::npos) return fault::in_use;
  return fault::io;
}

tl::unexpected<error> refused(std::string_view operation, const rdb::Status& status) {
  return failed(kind_of(status), fmt::format("state: {}: {}", operation, status.ToString()));
}

result<void> outcome(std::string_view operation, const rdb::Status& status) {
  if (status.ok()) return {};
  return refused(operation, status);
}

rdb::BlockBasedTableOptions table_options(const state_store_options& options) {
  rdb::BlockBasedTableOptions table;
  table.format_version = 5;
  // A cold row costs one block read and decompressed: 4 KiB of LZ4 was the fastest of none, LZ4 and
  // zstd at 4, 8 and 16 KiB, at 249 bytes an applicant (none 290, zstd 224). README.md has the
  // table.
  table.block_size = 4096;
  table.filter_policy.reset(rdb::NewBloomFilterPolicy(10));
  table.block_cache = rdb::NewLRUCache(options.block_cache_bytes);
  // Most rows that a waking applicant asks for do not exist: held by the open tables, a filter says
  // so at once. About 7 bytes an applicant. README.md has the comparison.
  table.cache_index_and_filter_blocks = false;
  table.optimize_filters_for_memory = true;
  return table;
}

rdb::Options database_options(const state_store_options& options) {
  rdb::Options database;
  database.create_if_missing = true;
  database.table_factory.reset(rdb::NewBlockBasedTableFactory(table_options(options)));
  database.compression = rdb::kLZ4Compression;

  // Levels rather than universal: space stays within about a tenth of the data, which a target of
  // bytes an applicant needs, a cold row is looked for in few sorted runs, and each compaction is
  // small enough for its rate to be limited. README.md has the comparison.
  database.compaction_style = rdb::kCompactionStyleLevel;
  database.level_compaction_dynamic_level_bytes = true;
  database.level0_file_num_compaction_trigger = 6;
  database.max_bytes_for_level_base = 256 * mebibyte;
  database.target_file_size_base = 64 * mebibyte;
  // Nothing is ever written through the memtable, and ingesting must never wait for compaction.
  database.level0_slowdown_writes_trigger = 1 << 20;
  database.level0_stop_writes_trigger = 1 << 20;
  database.soft_pending_compaction_bytes_limit = 0;
  database.hard_pending_compaction_bytes_limit = 0;
  database.write_buffer_size = mebibyte;

  database.max_background_jobs = 2;
  database.max_subcompactions = 1;
  database.rate_limiter.reset(rdb::NewGenericRateLimiter(compaction_bytes_a_second));
  database.bytes_per_sync = mebibyte;
  database.strict_bytes_per_sync = true;  // or a commit's sync waits behind a checkpoint's file
  database.max_open_files = open_files_max;
  database.compaction_readahead_size = 2 * mebibyte;

  database.max_log_file_size = mebibyte;
  database.keep_log_file_num = 2;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

/// Reads stored files ahead into the page cache until it has read enough or is stopped.
class prewarmer {
public:
  prewarmer(std::vector<std::string> files, std::uint64_t bytes)
      : thread_([this, names = std::move(files), bytes] { run(names, bytes); }) {}
  prewarmer(const prewarmer&) = delete;
  prewarmer& operator=(const prewarmer&) = delete;
  ~prewarmer() {
    stop_.store(true, std::memory_order_relaxed);
    thread_.join();
  }

private:
  void run(const std::vector<std::string>& names, std::uint64_t left) {
    name_this_thread("prewarm");
    std::string scratch(prewarm_step_bytes, '\0');
    for (const auto& name : names) {
      const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
      if (file < 0) continue;  // compacted away meanwhile
      ::posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
      while (left != 0 && !stop_.load(std::memory_order_relaxed)) {
        const auto count =
            ::read(file, scratch.data(), std::min<std::uint64_t>(left, scratch.size()));
        if (count <= 0) break;
        left -= static_cast<std::uint64_t>(count);
      }
      ::close(file);
    }
  }

  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class rocksdb_state : public state_store {
public:
  rocksdb_state(state_store_options options, rdb::Options database, std::unique_ptr<rdb::DB> db)
      : options_(std::move(options)), database_(std::move(database)), db_(std::move(db)) {
    if (options_.prewarm_bytes != 0) {
      prewarmer_ = std::make_unique<prewarmer>(files_to_warm(), options_.prewarm_bytes);
    }
  }

  ~rocksdb_state() override { close(); }

  result<std::vector<std::optional<std::string>>> get(
      std::span<const std::string> keys) const override {
    std::vector<std::optional<std::string>> rows(keys.size());
    if (keys.empty()) return rows;
    std::vector<rdb::Slice> slices(keys.begin(), keys.end());
    std::vector<rdb::PinnableSlice> values(keys.size());
    std::vector<rdb::Status> statuses(keys.size());
    const auto sorted = std::is_sorted(keys.begin(), keys.end());
    db_->MultiGet({}, db_->DefaultColumnFamily(), keys.size(), slices.data(), values.data(),
                  statuses.data(), sorted);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      if (!statuses[i].ok()) return refused("get", statuses[i]);
      rows[i].emplace(values[i].data(), values[i].size());
    }
    return rows;
  }

  result<void> scan(
      std::string_view first, std::string_view end,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    const rdb::Slice bound(end.data(), end.size());
    rdb::ReadOptions read;
    read.iterate_upper_bound = &bound;
    read.auto_prefix_mode = false;
    // A long walk must not drive the rows of people who wait out of the cache.
    read.fill_cache = false;
    const std::unique_ptr<rdb::Iterator> at(db_->NewIterator(read));
    for (at->Seek({first.data(), first.size()}); at->Valid(); at->Next()) {
      if (!visit(at->key().ToStringView(), at->value().ToStringView())) return {};
    }
    return outcome("scan", at->status());
  }

  result<void> ingest(std::span<const row_change> rows) override {
    if (rows.empty()) return {};
    const auto disorder = std::adjacent_find(
        rows.begin(), rows.end(),
        [](const row_change& one, const row_change& next) { return one.key >= next.key; });
    if (disorder != rows.end()) return failed(fault::corrupt, "state: rows are not in order");
    const std::lock_guard lock(ingesting_);
    const auto path = (incoming(options_) / "checkpoint.sst").string();
    if (auto written = write_file(path, rows); !written) return written;
    if (auto room = need_room(incoming(options_)); !room) {
      std::error_code unknown;
      fs::remove(path, unknown);
      return room;
    }
    rdb::IngestExternalFileOptions how;
    how.move_files = true;
    how.failed_move_fall_back_to_copy = false;
    how.write_global_seqno = false;
    auto done = outcome("ingest", db_->IngestExternalFile({path}, how));
    std::error_code ignored;
    fs::remove(path, ignored);
    return done;
  }

  result<void> copy_to(const fs::path& directory, const std::stop_token& until) const override {
    std::error_code code;
    if (fs::exists(directory, code)) {
      if (!fs::is_empty(directory, code) || code) {
        return failed(fault::in_use, fmt::format("{} is not empty", directory.string()));
      }
      fs::remove(directory, code);
    }
    if (code) return failed(fault::io, fmt::format("{}: {}", directory.string(), code.message()));
    return copy_state(*db_, directory, until);
  }

  std::uint64_t disk_bytes() const override {
    std::uint64_t bytes = 0;
    db_->GetIntProperty(rdb::DB::Properties::kTotalSstFilesSize, &bytes);
    return bytes;
  }

  result<void> compact() override {
    rdb::CompactRangeOptions how;
    how.bottommost_level_compaction = rdb::BottommostLevelCompaction::kForceOptimized;
    how.exclusive_manual_compaction = false;
    return outcome("compact", db_->CompactRange(how, nullptr, nullptr));
  }

  result<void> verify() const override { return outcome("verify", db_->VerifyChecksum()); }

  static fs::path incoming(const state_store_options& options) {
    return options.directory / "incoming";
  }

protected:
  /// For whoever has something that the database needs until its end.
  void close() {
    prewarmer_.reset();
    if (!db_) return;
    rdb::CancelAllBackgroundWork(db_.get(), true);
    (void)db_->Close();
    db_.reset();
  }

private:
  result<void> write_file(const std::string& path, std::span<const row_change> rows) {
    rdb::SstFileWriter writer(rdb::EnvOptions(database_), database_);
    auto status = writer.Open(path);
    for (auto row = rows.begin(); status.ok() && row != rows.end(); ++row) {
      status = row->value ? writer.Put(row->key, *row->value) : writer.Delete(row->key);
    }
    if (status.ok()) status = writer.Finish();  // syncs the file
    return outcome("write checkpoint", status);
  }

  /// Upper levels first: they hold what changed last.
  std::vector<std::string> files_to_warm() const {
    std::vector<rdb::LiveFileMetaData> live;
    db_->GetLiveFilesMetaData(&live);
    std::stable_sort(live.begin(), live.end(),
                     [](const auto& one, const auto& other) { return one.level < other.level; });
    std::vector<std::string> names;
    names.reserve(live.size());
    for (const auto& file : live) names.push_back(file.db_path + file.name);
    return names;
  }

  const state_store_options options_;
  const rdb::Options database_;
  std::unique_ptr<rdb::DB> db_;
  std::mutex ingesting_;
  std::unique_ptr<prewarmer> prewarmer_;
};

/// Opened to be read: refuses what would leave files behind.
class rocksdb_reader final : public rocksdb_state {
public:
  rocksdb_reader(state_store_options options, rdb::Options database, std::unique_ptr<rdb::DB> db,
                 std::unique_ptr<rdb::Env> around)
      : rocksdb_state(std::move(options), std::move(database), std::move(db)),
        around_(std::move(around)) {}
  ~rocksdb_reader() override { close(); }

  result<void> ingest(std::span<const row_change>) override { return refuse_change(); }
  result<void> compact() override { return refuse_change(); }

private:
  static tl::unexpected<error> refuse_change() {
    return failed(fault::io, "state: opened to be read only");
  }

  const std::unique_ptr<rdb::Env> around_;
};

/// RocksDB opens a log file even to read, unless it is given one.
class no_log final : public rdb::Logger {
public:
  using rdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

result<std::unique_ptr<state_store>> state_store::open(state_store_options options) {
  std::error_code code;
  const auto incoming = rocksdb_state::incoming(options);
  fs::remove_all(incoming, code);  // the remains of a checkpoint that was not taken in
  if (auto made = posix_file_system().make_directories(incoming); !made)
    return tl::unexpected(made.error());
  if (auto room = need_room(incoming); !room) return tl::unexpected(room.error());
  auto database = database_options(options);
  rdb::DB* opened = nullptr;
  const auto status = rdb::DB::Open(database, options.directory.string(), &opened);
  if (!status.ok()) return refused("open", status);
  rdb::Env::Default()->LowerThreadPoolCPUPriority(rdb::Env::LOW);
  return std::make_unique<rocksdb_state>(std::move(options), std::move(database),
                                         std::unique_ptr<rdb::DB>(opened));
}

result<std::unique_ptr<state_store>> state_store::open_to_read(state_store_options options) {
  auto database = database_options(options);
  database.create_if_missing = false;
  database.info_log = std::make_shared<no_log>();
  auto around = rdb::NewCompositeEnv(files_until(options.until));
  database.env = around.get();
  rdb::DB* opened = nullptr;
  const auto status = rdb::DB::OpenForReadOnly(database, options.directory.string(), &opened);
  if (!status.ok()) return refused("open", status);
  return std::make_unique<rocksdb_reader>(std::move(options), std::move(database),
                                          std::unique_ptr<rdb::DB>(opened), std::move(around));
}

}  // namespace gelombang::storage
