#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.hpp"

namespace gelombang::storage::testing {

/// A disk in memory that can be full, refuse a sync, lose power in the middle of any operation, and
/// come back with what was synced and an arbitrary part of what was not.
class memory_disk final : public file_system {
public:
  memory_disk() = default;

  // ------ faults

  /// The power goes at the `operations`-th change from now on; a write is then cut at any byte.
  void power_off_after(std::uint64_t operations, std::uint64_t seed) {
    const std::lock_guard lock(guard_);
    operations_left_ = operations;
    random_.seed(seed);
  }
  bool powered() const {
    const std::lock_guard lock(guard_);
    return powered_;
  }
  void limit(std::optional<std::uint64_t> bytes) {
    const std::lock_guard lock(guard_);
    capacity_ = bytes;
  }
  void fail_next_sync() {
    const std::lock_guard lock(guard_);
    fail_sync_ = true;
  }
  void fail_next_rename() {
    const std::lock_guard lock(guard_);
    fail_rename_ = true;
  }
  std::uint64_t bytes() const {
    const std::lock_guard lock(guard_);
    return used();
  }
  std::uint64_t changes() const {
    const std::lock_guard lock(guard_);
    return changes_;
  }

  /// The disk after a loss of power: of what was not synced, a random set of sectors, a random
  /// choice of sizes, and a random prefix of the changes of names.
  std::unique_ptr<memory_disk> after_power_loss(std::uint64_t seed) const {
    const std::lock_guard lock(guard_);
    std::mt19937_64 random(seed);
    auto names = durable_names_;
    const auto kept = random() % (log_.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) log_[i].apply(names);
    auto disk = std::make_unique<memory_disk>();
    for (const auto& [path, file] : names) disk->put(path, survivor(*file, random));
    return disk;
  }

  /// The disk after the process was killed: everything written is there.
  std::unique_ptr<memory_disk> after_kill() const {
    const std::lock_guard lock(guard_);
    auto disk = std::make_unique<memory_disk>();
    for (const auto& [path, file] : names_) disk->put(path, file->now);
    return disk;
  }

  // ------ direct access

  void put(const std::string& path, std::string bytes) {
    auto file = std::make_shared<node>();
    file->now = file->durable = std::move(bytes);
    names_[path] = durable_names_[path] = std::move(file);
  }
  std::string get(const std::string& path) const { return names_.at(path)->now; }
  bool has(const std::string& path) const { return names_.contains(path); }
  void erase(const std::string& path) {
    names_.erase(path);
    durable_names_.erase(path);
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& [path, file] : names_) all.push_back(path);
    return all;
  }
  void flip(const std::string& path, std::uint64_t bit) {
    auto& file = *names_.at(path);
    file.now[bit / 8] = static_cast<char>(file.now[bit / 8] ^ (1 << (bit % 8)));
    file.durable = file.now;
  }

  // ------ file_system

  result<std::unique_ptr<writable_file>> create(const std::filesystem::path& path) override {
    const std::lock_guard lock(guard_);
    if (auto up = change(); !up) return tl::unexpected(up.error());
    const auto found = names_.find(path.string());
    if (found != names_.end()) {
      found->second->now.clear();
      return std::make_unique<handle>(*this, found->second);
    }
    auto file = std::make_shared<node>();
    log({path.string(), {}, file});
    return std::make_unique<handle>(*this, std::move(file));
  }

  result<std::unique_ptr<writable_file>> open(const std::filesystem::path& path) override {
    const std::lock_guard lock(guard_);
    const auto found = names_.find(path.string());
    if (found == names_.end()) return failed(fault::missing, "open " + path.string());
    return std::make_unique<handle>(*this, found->second);
  }

  result<std::string> read(const std::filesystem::path& path, std::uint64_t offset,
                           std::size_t bytes) override {
    const std::lock_guard lock(guard_);
    const auto found = names_.find(path.string());
    if (found == names_.end()) return failed(fault::missing, "read " + path.string());
    const auto& now = found->second->now;
    return offset >= now.size() ? std::string() : now.substr(offset, bytes);
  }

  result<std::uint64_t> size(const std::filesystem::path& path) override {
    const std::lock_guard lock(guard_);
    const auto found = names_.find(path.string());
    if (found == names_.end()) return failed(fault::missing, "size " + path.string());
    return found->second->now.size();
  }

  result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    const std::lock_guard lock(guard_);
    if (auto up = change(); !up) return up;
    if (std::exchange(fail_rename_, false)) return failed(fault::no_space, "rename refused");
    const auto found = names_.find(from.string());
    if (found == names_.end()) return failed(fault::missing, "rename " + from.string());
    log({to.string(), from.string(), found->second});
    return {};
  }

  result<void> remove(const std::filesystem::path& path) override {
    const std::lock_guard lock(guard_);
    if (auto up = change(); !up) return up;
    if (!names_.contains(path.string())) return failed(fault::missing, "remove " + path.string());
    log({{}, path.string(), nullptr});
    return {};
  }

  result<void> sync_directory(const std::filesystem::path&) override {
    const std::lock_guard lock(guard_);
    if (auto up = change(); !up) return up;
    durable_names_ = names_;
    log_.clear();
    return {};
  }

  result<void> link(const std::filesystem::path& from, const std::filesystem::path& to) override {
    const std::lock_guard lock(guard_);
    if (auto up = change(); !up) return up;
    const auto found = names_.find(from.string());
    if (found == names_.end()) return failed(fault::missing, "link " + from.string());
    if (names_.contains(to.string())) return failed(fault::io, "link " + to.string());
    log({to.string(), {}, found->second});
    return {};
  }

  result<void> make_directories(const std::filesystem::path&) override { return {}; }

  result<std::vector<std::string>> list(const std::filesystem::path& directory) override {
    const std::lock_guard lock(guard_);
    std::vector<std::string> found;
    for (const auto& [name, file] : names_) {
      const std::filesystem::path path(name);
      if (path.parent_path() == directory) found.push_back(path.filename().string());
    }
    return found;
  }

private:
  static constexpr std::size_t sector = 512;

  struct node {
    std::string now;
    std::string durable;
  };
  using name_map = std::map<std::string, std::shared_ptr<node>>;

  struct renaming {
    std::string added;
    std::string removed;
    std::shared_ptr<node> file;

    void apply(name_map& names) const {
      if (!removed.empty()) names.erase(removed);
      if (!added.empty()) names[added] = file;
    }
  };

  class handle final : public writable_file {
  public:
    handle(memory_disk& disk, std::shared_ptr<node> file) : disk_(disk), file_(std::move(file)) {}

    result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
      const std::lock_guard lock(disk_.guard_);
      if (!disk_.powered_) return failed(fault::io, "no power");
      auto whole = true;
      if (!disk_.change()) {
        whole = false;
        bytes = bytes.substr(0, disk_.random_() % (bytes.size() + 1));
      }
      auto room = true;
      const auto grown = disk_.growth(*file_, offset + bytes.size());
      if (disk_.capacity_ && disk_.used() + grown > *disk_.capacity_) {
        room = false;
        const auto missing = disk_.used() + grown - *disk_.capacity_;
        bytes = bytes.substr(0, bytes.size() - std::min<std::size_t>(missing, bytes.size()));
      }
      if (!bytes.empty()) {
        if (file_->now.size() < offset + bytes.size()) file_->now.resize(offset + bytes.size());
        file_->now.replace(offset, bytes.size(), bytes);
      }
      if (!whole) return failed(fault::io, "no power");
      if (!room) return failed(fault::no_space, "full");
      return {};
    }

    result<void> sync() override {
      const std::lock_guard lock(disk_.guard_);
      if (auto up = disk_.change(); !up) return up;
      if (std::exchange(disk_.fail_sync_, false)) return failed(fault::io, "sync refused");
      file_->durable = file_->now;
      return {};
    }

    result<void> reserve(std::uint64_t bytes) override {
      std::uint64_t size = 0;
      {
        const std::lock_guard lock(disk_.guard_);
        size = file_->now.size();
      }
      if (bytes <= size) return {};
      if (auto done = write_at(size, std::string(bytes - size, '\0')); !done) return done;
      return sync();
    }

    result<void> truncate(std::uint64_t bytes) override {
      const std::lock_guard lock(disk_.guard_);
      if (auto up = disk_.change(); !up) return up;
      file_->now.resize(bytes);
      return {};
    }

  private:
    memory_disk& disk_;
    std::shared_ptr<node> file_;
  };

  result<void> change() {
    if (!powered_) return failed(fault::io, "no power");
    ++changes_;
    if (operations_left_ && (*operations_left_)-- == 0) {
      powered_ = false;
      return failed(fault::io, "no power");
    }
    return {};
  }

  void log(renaming step) {
    step.apply(names_);
    log_.push_back(std::move(step));
  }

  std::uint64_t used() const {
    std::uint64_t bytes = 0;
    for (const auto& [path, file] : names_) bytes += file->now.size();
    return bytes;
  }

  static std::uint64_t growth(const node& file, std::uint64_t end) {
    return end > file.now.size() ? end - file.now.size() : 0;
  }

  static std::string survivor(const node& file, std::mt19937_64& random) {
    if (file.now == file.durable) return file.now;
    std::string bytes(random() % 2 == 0 ? file.now.size() : file.durable.size(), '\0');
    // Sometimes nearly all sectors have made it, sometimes nearly none.
    const auto odds = random() % 101;
    for (std::size_t at = 0; at < bytes.size(); at += sector) {
      const auto& from = random() % 100 < odds ? file.now : file.durable;
      for (auto i = at; i < std::min({at + sector, bytes.size(), from.size()}); ++i) {
        bytes[i] = from[i];
      }
    }
    return bytes;
  }

  mutable std::mutex guard_;
  name_map names_;
  name_map durable_names_;
  std::vector<renaming> log_;
  std::mt19937_64 random_;
  std::optional<std::uint64_t> operations_left_;
  std::optional<std::uint64_t> capacity_;
  std::uint64_t changes_ = 0;
  bool fail_sync_ = false;
  bool fail_rename_ = false;
  bool powered_ = true;
};

}  // namespace gelombang::storage::testing
