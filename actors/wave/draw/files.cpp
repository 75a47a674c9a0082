#include "actors/wave/draw/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gelombang::draw {
namespace {

class descriptor {
public:
  descriptor(const std::filesystem::path& path, int flags)
      : number_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (number_ >= 0) ::close(number_);
  }

  bool valid() const { return number_ >= 0; }
  int number() const { return number_; }

private:
  int number_;
};

tl::unexpected<refusal> failed(const std::filesystem::path& path, int reason) {
  return refuse(errc::storage_unavailable, {},
                fmt::format("{}: {}", path.string(), std::strerror(reason)));
}

bool write_all(int file, std::string_view bytes) {
  constexpr std::size_t bytes_at_once = 8u << 20;
  while (!bytes.empty()) {
    auto written = ::write(file, bytes.data(), std::min(bytes.size(), bytes_at_once));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    // Starts the disk on it while the next piece is prepared, so that the sync has less to wait
    // for.
    ::sync_file_range(file, 0, 0, SYNC_FILE_RANGE_WRITE);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

result<void> sync_directory(const std::filesystem::path& path) {
  descriptor directory{path, O_RDONLY | O_DIRECTORY};
  if (!directory.valid() || ::fsync(directory.number()) != 0) return failed(path, errno);
  return {};
}

file_identity identity_in(const struct stat& status) {
  const auto nanoseconds = [](const timespec& at) {
    return std::int64_t{at.tv_sec} * 1'000'000'000 + at.tv_nsec;
  };
  return file_identity{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                       nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
}

}  // namespace

result<mapped_file> mapped_file::open(const std::filesystem::path& path) {
  // A FIFO in a file's place would wait here for somebody who writes to it.
  descriptor file{path, O_RDONLY | O_NONBLOCK | O_NOCTTY};
  if (!file.valid() && errno == ENOENT) return refuse(errc::not_found, {}, path.string());
  struct stat status {};
  if (!file.valid() || ::fstat(file.number(), &status) != 0) return failed(path, errno);
  if (!S_ISREG(status.st_mode))
    return refuse(errc::storage_unavailable, {},
                  fmt::format("{}: {}, and a file must be there: move it aside", path.string(),
                              S_ISDIR(status.st_mode)    ? "is a directory"
                              : S_ISFIFO(status.st_mode) ? "is a pipe"
                                                         : "is no regular file"));
  mapped_file mapped;
  mapped.path_ = path;
  mapped.opened_ = identity_in(status);
  if (status.st_size == 0) return mapped;
  mapped.region_ = mapped_region::map(file.number(), static_cast<std::size_t>(status.st_size));
  if (mapped.region_.size() == 0) return failed(path, errno);
  return mapped;
}

bool mapped_file::is_whole() const {
  if (!opened_) return true;
  if (!region_.is_whole()) return false;
  // What a cut takes away up to the next page reads as zeros without a signal. The time of the last
  // change is compared as well: who writes can put the other one back.
  const auto now = identity_of(path_);
  const bool is_replaced = !now || now->device != opened_->device || now->inode != opened_->inode;
  return is_replaced || (now == opened_);
}

file_replacement::file_replacement(std::filesystem::path path)
    : path_(std::move(path)), draft_(path_) {
  draft_ += ".new";
  file_ = ::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file_ < 0) note(draft_, errno);
}

file_replacement::~file_replacement() {
  if (file_ >= 0) ::close(file_);
}

void file_replacement::note(const std::filesystem::path& at, int reason) {
  if (state_) state_ = failed(at, reason);
}

void file_replacement::append(std::string_view bytes) {
  if (state_ && !write_all(file_, bytes)) note(draft_, errno);
}

result<void> file_replacement::finish() {
  if (state_ && ::fdatasync(file_) != 0) note(draft_, errno);
  if (state_ && ::rename(draft_.c_str(), path_.c_str()) != 0) note(path_, errno);
  if (!state_) return state_;
  return sync_directory(parent_of(path_));
}

std::optional<file_identity> identity_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return identity_in(status);
}

result<void> move_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failed(to, errno);
  return sync_directory(parent_of(to));
}

result<void> make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0750) == 0) return sync_directory(parent_of(path));
  if (errno == ENOENT && path.has_parent_path()) {
    if (auto above = make_directory(path.parent_path()); !above) return above;
    if (::mkdir(path.c_str(), 0750) == 0) return sync_directory(parent_of(path));
  }
  if (errno == EEXIST && std::filesystem::is_directory(path)) return {};
  return failed(path, errno);
}

}  // namespace gelombang::draw
