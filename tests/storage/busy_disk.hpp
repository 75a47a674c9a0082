#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.hpp"

namespace gelombang::storage::testing {

/// A disk as somebody sees it beside whom others work: before each of their looks, and in the
/// middle of each read, `between` is called, and does what others do.
class busy_disk final : public file_system {
public:
  busy_disk(file_system& disk, std::function<void()> between)
      : disk_(disk), between_(std::move(between)) {}

  /// A listing may miss a name that comes or goes while it is made.
  void hide_from_listings(std::string name) { hidden_ = std::move(name); }

  /// Reads that go over this place of a file, instead of over their middle, have seen what was
  /// before it earlier than what is behind it.
  void split_reads_at(std::uint64_t offset) { split_ = offset; }

  result<std::string> read(const std::filesystem::path& path, std::uint64_t offset,
                           std::size_t bytes) override {
    between_();
    auto seen = disk_.read(path, offset, bytes);
    if (!seen) return seen;
    between_();
    const auto later = disk_.read(path, offset, bytes);
    if (!later) return seen;  // a file that has been opened is read to its end
    const auto middle = split_ > offset ? split_ - offset : seen->size() / 2;
    if (middle >= later->size()) return seen->substr(0, later->size());
    seen->resize(std::min<std::size_t>(seen->size(), middle));
    return *seen + later->substr(seen->size());
  }

  result<std::uint64_t> size(const std::filesystem::path& path) override {
    between_();
    return disk_.size(path);
  }

  result<std::vector<std::string>> list(const std::filesystem::path& directory) override {
    between_();
    auto names = disk_.list(directory);
    if (names) std::erase(*names, hidden_);
    return names;
  }

  result<std::unique_ptr<writable_file>> create(const std::filesystem::path& path) override {
    return disk_.create(path);
  }
  result<std::unique_ptr<writable_file>> open(const std::filesystem::path& path) override {
    return disk_.open(path);
  }
  result<void> rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return disk_.rename(from, to);
  }
  result<void> remove(const std::filesystem::path& path) override { return disk_.remove(path); }
  result<void> sync_directory(const std::filesystem::path& directory) override {
    return disk_.sync_directory(directory);
  }
  result<void> link(const std::filesystem::path& from, const std::filesystem::path& to) override {
    return disk_.link(from, to);
  }
  result<void> make_directories(const std::filesystem::path& directory) override {
    return disk_.make_directories(directory);
  }

private:
  file_system& disk_;
  std::function<void()> between_;
  std::string hidden_;
  std::uint64_t split_ = 0;
};

}  // namespace gelombang::storage::testing
