#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/result.hpp"

namespace gelombang::storage {

/// A row to store, or to erase where there is no value.
struct row_change {
  std::string key;
  std::optional<std::string> value;
};

struct state_store_options {
  std::filesystem::path directory;
  std::uint64_t block_cache_bytes = 256u << 20;
  /// How much of the stored files a start reads ahead in the background, so that the first cold
  /// clicks after a restart find them in the page cache.
  std::uint64_t prewarm_bytes = 4ull << 30;
  /// Only of `open_to_read`: told to stop, it reads no further, be it in the middle (`io`).
  std::stop_token until = {};
};

/// The state as of the last checkpoint: sorted rows in RocksDB. It is changed only by whole
/// checkpoints, each one sorted file that is taken in atomically and durably, so it needs no log of
/// its own and no row is ever half there. Thread-safe; one `ingest` at a time.
class state_store {
public:
  static result<std::unique_ptr<state_store>> open(state_store_options options);

  /// Opens an existing store and changes nothing on the disk, not even a log: for audits. `ingest`
  /// and `compact` are refused.
  static result<std::unique_ptr<state_store>> open_to_read(state_store_options options);

  virtual ~state_store() = default;

  /// Reads the rows at `keys`, in their order; nothing where there is none. Sorted keys read
  /// fastest.
  virtual result<std::vector<std::optional<std::string>>> get(
      std::span<const std::string> keys) const = 0;

  /// Visits the rows with `first <= key < end` in order until `visit` returns false.
  virtual result<void> scan(
      std::string_view first, std::string_view end,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;

  /// Takes in all of `rows` (strictly ascending keys), or nothing; durable when it returns.
  virtual result<void> ingest(std::span<const row_change> rows) = 0;

  /// A consistent copy (hard links where the file system allows) in the empty or absent
  /// `directory`. Told to stop, it fails between two steps (`io`).
  virtual result<void> copy_to(const std::filesystem::path& directory,
                               const std::stop_token& until) const = 0;

  /// Bytes on the disk, after compaction if that is asked for.
  virtual std::uint64_t disk_bytes() const = 0;
  virtual result<void> compact() = 0;

  /// Reads every block and checks its checksum.
  virtual result<void> verify() const = 0;
};

}  // namespace gelombang::storage
