#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "storage/file_system.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t reserve_step_bytes = 1u << 20;

fault kind_of(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return fault::no_space;
    case ENOENT:
      return fault::missing;
    default:
      return fault::io;
  }
}

tl::unexpected<error> refused(std::string_view operation, const fs::path& path, int code) {
  return failed(kind_of(code), fmt::format("{} {}: {}", operation, path.string(),
                                           std::generic_category().message(code)));
}

class descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  descriptor& operator=(descriptor&&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

private:
  int number_;
};

class posix_file final : public writable_file {
public:
  posix_file(fs::path path, descriptor open) : path_(std::move(path)), open_(std::move(open)) {}

  result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto written =
          ::pwrite(open_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return refused("write", path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
    return {};
  }

  result<void> sync() override {
    // Never repeated, not even after EINTR: a second call may report success for dropped pages.
    if (::fdatasync(open_.number()) != 0) return refused("sync", path_, errno);
    return {};
  }

  result<void> reserve(std::uint64_t bytes) override {
    struct stat status {};
    if (::fstat(open_.number(), &status) != 0) return refused("stat", path_, errno);
    auto offset = static_cast<std::uint64_t>(status.st_size);
    const std::string zeros(std::min<std::uint64_t>(reserve_step_bytes, bytes), '\0');
    // Synced step by step, so that a commit's sync never waits behind a heap of zeros.
    while (offset < bytes) {
      const auto step = std::min<std::uint64_t>(zeros.size(), bytes - offset);
      if (auto done = write_at(offset, std::string_view(zeros).substr(0, step)); !done) return done;
      if (auto done = sync(); !done) return done;
      offset += step;
    }
    return {};
  }

  result<void> truncate(std::uint64_t bytes) override {
    if (::ftruncate(open_.number(), static_cast<off_t>(bytes)) != 0) {
      return refused("truncate", path_, errno);
    }
    return {};
  }

private:
  fs::path path_;
  descriptor open_;
};

class posix_files final : public file_system {
public:
  result<std::unique_ptr<writable_file>> create(const fs::path& path) override {
    return open_with(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC);
  }

  result<std::unique_ptr<writable_file>> open(const fs::path& path) override {
    return open_with(path, O_RDWR | O_CLOEXEC);
  }

  result<std::string> read(const fs::path& path, std::uint64_t offset, std::size_t bytes) override {
    // A FIFO in a file's place would wait here for somebody who writes to it.
    const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.number() < 0) return refused("open", path, errno);
    struct stat status {};
    if (::fstat(file.number(), &status) != 0) return refused("stat", path, errno);
    if (!S_ISREG(status.st_mode))
      return refused("read", path, S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
    const auto end = static_cast<std::uint64_t>(status.st_size);
    if (offset >= end) return std::string();
    std::string read(std::min<std::uint64_t>(bytes, end - offset), '\0');
    std::size_t done = 0;
    while (done < read.size()) {
      const auto count = ::pread(file.number(), read.data() + done, read.size() - done,
                                 static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return refused("read", path, errno);
      if (count == 0) break;  // cut off meanwhile
      done += static_cast<std::size_t>(count);
    }
    read.resize(done);
    return read;
  }

  result<std::uint64_t> size(const fs::path& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return refused("stat", path, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  result<void> rename(const fs::path& from, const fs::path& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return refused("rename", from, errno);
    return {};
  }

  result<void> remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0) return refused("remove", path, errno);
    return {};
  }

  result<void> sync_directory(const fs::path& directory) override {
    const descriptor open(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (open.number() < 0) return refused("open", directory, errno);
    if (::fsync(open.number()) != 0) return refused("sync", directory, errno);
    return {};
  }

  result<void> link(const fs::path& from, const fs::path& to) override {
    if (::link(from.c_str(), to.c_str()) != 0) return refused("link", to, errno);
    return {};
  }

  result<void> make_directories(const fs::path& directory) override {
    std::error_code code;
    if (fs::is_directory(directory, code)) return {};
    const auto parent = directory.parent_path();
    if (!parent.empty()) {
      if (auto done = make_directories(parent); !done) return done;
    }
    if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
      return refused("mkdir", directory, errno);
    }
    return sync_directory(parent.empty() ? fs::path(".") : parent);
  }

  result<std::vector<std::string>> list(const fs::path& directory) override {
    std::error_code code;
    std::vector<std::string> names;
    for (fs::directory_iterator at(directory, code), end; !code && at != end; at.increment(code)) {
      if (at->is_regular_file(code)) names.push_back(at->path().filename().string());
    }
    if (code) return refused("list", directory, code.value());
    std::sort(names.begin(), names.end());
    return names;
  }

private:
  static result<std::unique_ptr<writable_file>> open_with(const fs::path& path, int flags) {
    descriptor file(::open(path.c_str(), flags, 0640));
    if (file.number() < 0) return refused("open", path, errno);
    return std::make_unique<posix_file>(path, std::move(file));
  }
};

}  // namespace

file_system& posix_file_system() {
  static posix_files files;
  return files;
}

}  // namespace gelombang::storage
