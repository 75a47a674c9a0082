#include "storage/state_files.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "storage/copy_file.hpp"
#include "storage/interruption.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;
namespace rdb = ROCKSDB_NAMESPACE;

tl::unexpected<error> refused(const rdb::Status& status) {
  return failed(status.IsNoSpace() ? fault::no_space : fault::io,
                fmt::format("state: copy: {}", status.ToString()));
}

/// While it lives, what compaction leaves behind stays.
class kept_files {
public:
  explicit kept_files(rdb::DB& store) : store_(store), status_(store.DisableFileDeletions()) {}
  kept_files(const kept_files&) = delete;
  kept_files& operator=(const kept_files&) = delete;
  ~kept_files() {
    constexpr bool whoever_else_keeps_them = false;
    if (status_.ok()) store_.EnableFileDeletions(whoever_else_keeps_them).PermitUncheckedError();
  }

  const rdb::Status& status() const { return status_; }

private:
  rdb::DB& store_;
  const rdb::Status status_;
};

result<void> write_whole(const fs::path& path, const std::string& text) {
  auto file = posix_file_system().create(path);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->write_at(0, text); !done) return done;
  return (*file)->sync();
}

class file_until final : public rdb::FSRandomAccessFileOwnerWrapper {
public:
  file_until(std::unique_ptr<rdb::FSRandomAccessFile> file, std::stop_token until)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), until_(std::move(until)) {}

  rdb::IOStatus Read(std::uint64_t offset, std::size_t bytes, const rdb::IOOptions& how,
                     rdb::Slice* read, char* scratch, rdb::IODebugContext* notes) const override {
    if (const auto going = unless_told_to_stop(until_); !going)
      return rdb::IOStatus::IOError(going.error().detail);
    return FSRandomAccessFileOwnerWrapper::Read(offset, bytes, how, read, scratch, notes);
  }

private:
  const std::stop_token until_;
};

class stoppable_files final : public rdb::FileSystemWrapper {
public:
  explicit stoppable_files(std::stop_token until)
      : FileSystemWrapper(rdb::FileSystem::Default()), until_(std::move(until)) {}

  const char* Name() const override { return "gelombang.files_until"; }

  rdb::IOStatus NewRandomAccessFile(const std::string& path, const rdb::FileOptions& how,
                                    std::unique_ptr<rdb::FSRandomAccessFile>* opened,
                                    rdb::IODebugContext* notes) override {
    std::unique_ptr<rdb::FSRandomAccessFile> file;
    auto status = FileSystemWrapper::NewRandomAccessFile(path, how, &file, notes);
    if (status.ok()) *opened = std::make_unique<file_until>(std::move(file), until_);
    return status;
  }

private:
  const std::stop_token until_;
};

}  // namespace

result<void> copy_state(rdb::DB& store, const fs::path& directory, const std::stop_token& until) {
  auto& files = posix_file_system();
  if (auto made = files.make_directories(directory); !made) return made;
  const kept_files meanwhile{store};
  if (!meanwhile.status().ok()) return refused(meanwhile.status());
  std::vector<rdb::LiveFileStorageInfo> live;
  if (const auto status = store.GetLiveFilesStorageInfo({}, &live); !status.ok())
    return refused(status);
  for (const auto& one : live) {
    if (auto going = unless_told_to_stop(until); !going) return going;
    const auto from = fs::path{one.directory} / one.relative_filename;
    const auto to = directory / one.relative_filename;
    if (!one.replacement_contents.empty()) {
      if (auto done = write_whole(to, one.replacement_contents); !done) return done;
      continue;
    }
    if (!one.trim_to_size && files.link(from, to)) continue;
    if (auto done = copy_file_in_steps(files, from, to, one.size, until); !done) return done;
  }
  return files.sync_directory(directory);
}

std::shared_ptr<rdb::FileSystem> files_until(std::stop_token until) {
  return std::make_shared<stoppable_files>(std::move(until));
}

}  // namespace gelombang::storage
