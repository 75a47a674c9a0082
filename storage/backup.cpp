#include "storage/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "storage/checksum.hpp"
#include "storage/interruption.hpp"
#include "storage/plain_files.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view mark_title = "gelombang backup 1\n";
constexpr std::string_view mark_end = "end ";
constexpr std::uint64_t step_bytes = 1u << 20;
constexpr std::uint64_t mark_bytes_max = 256u << 20;
constexpr std::size_t digest_digits = 64;

/// A file of a backup, as the mark of completeness lists it.
struct listed_file {
  fs::path path;  ///< below the backup's root
  std::uint64_t bytes = 0;
  std::string sha256;
};

result<bool> is_absent_or_empty(const fs::path& directory) {
  std::error_code code;
  if (!fs::exists(directory, code)) return true;
  const auto empty = fs::is_directory(directory, code) && fs::is_empty(directory, code);
  if (code) return failed(fault::io, fmt::format("{}: {}", directory.string(), code.message()));
  return empty;
}

result<void> need_room_at(const fs::path& directory) {
  const auto free = is_absent_or_empty(directory);
  if (!free) return tl::unexpected(free.error());
  if (*free) return {};
  return failed(fault::in_use, fmt::format("{} is not empty", directory.string()));
}

tl::unexpected<error> unfit(const fs::path& target, std::string_view why) {
  return failed(fault::unfit, fmt::format("{} {}", target.string(), why));
}

result<fs::path> followed(const fs::path& path) {
  std::error_code code;
  auto whole = fs::absolute(path, code);
  if (!code) whole = fs::weakly_canonical(whole, code);
  if (code) return unfit(path, fmt::format("can't be used: {}", code.message()));
  return whole;
}

/// Makes the directory, but not what it would lie in, and a file in it for a moment. A disk that is
/// full or broken is no fault of the place: the copy will say so.
result<void> need_writable(const fs::path& target) {
  const auto judge = [&](int code) -> result<void> {
    const bool is_the_disks = code == ENOSPC || code == EDQUOT || code == EIO || code == EMFILE ||
                              code == ENFILE || code == ENOMEM;
    if (is_the_disks) return {};
    return unfit(target,
                 fmt::format("can't be written: {}", std::generic_category().message(code)));
  };
  if (::mkdir(target.c_str(), 0750) != 0 && errno != EEXIST) return judge(errno);
  auto name = (target / "trial-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return judge(errno);
  ::close(file);
  ::unlink(name.c_str());
  return {};
}

result<void> need_fit_target(const layout& from, const fs::path& target) {
  // What a copy puts below it, at the longest.
  constexpr std::size_t names_below_bytes_max = 64;
  const auto& name = target.native();
  if (name.find('\0') != std::string::npos)
    return failed(fault::unfit, "the path holds a NUL byte");
  if (!target.is_absolute()) return unfit(target, "is no absolute path: it must begin with /");
  if (name.size() + names_below_bytes_max > PATH_MAX)
    return failed(fault::unfit, fmt::format("a path of {} bytes is too long", name.size()));
  std::error_code unknown;
  const auto what = fs::status(target, unknown).type();
  if (what != fs::file_type::not_found && what != fs::file_type::directory &&
      what != fs::file_type::none)
    return unfit(target, "is no directory");
  const auto inside = is_inside(target, from.root);
  if (!inside) return tl::unexpected(inside.error());
  if (*inside)
    return unfit(target, fmt::format("lies inside the data directory {}", from.root.string()));
  if (auto room = need_room_at(target); !room) return room;
  const auto around = (target.has_filename() ? target : target.parent_path()).parent_path();
  if (fs::status(around, unknown).type() == fs::file_type::not_found)
    return unfit(target,
                 fmt::format("can't be made: {} is not there. Correct the path, or make that "
                             "directory first: of a path only the last part is made",
                             around.string()));
  return need_writable(target);
}

/// All regular files below `root`, relative to it, sorted; and the directories that hold them.
struct tree {
  std::vector<fs::path> files;
  std::vector<fs::path> directories;
};

result<tree> walk_tree(
    const fs::path& root,
    bool (*is_passed_over)(const fs::path&) = [](const fs::path&) { return false; }) {
  tree found;
  std::error_code code;
  if (!fs::exists(root, code)) return found;
  found.directories.push_back(root);
  fs::recursive_directory_iterator at(root, code);
  for (const fs::recursive_directory_iterator end; !code && at != end; at.increment(code)) {
    if (is_passed_over(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    if (at->is_directory(code)) found.directories.push_back(at->path());
    if (at->is_regular_file(code)) found.files.push_back(fs::relative(at->path(), root, code));
  }
  if (code) return failed(fault::io, fmt::format("{}: {}", root.string(), code.message()));
  std::sort(found.files.begin(), found.files.end());
  return found;
}

/// Reads a file in steps; `use` is given each of them.
template <class Use>
result<void> read_in_steps(file_system& files, const fs::path& path, std::uint64_t bytes,
                           const std::stop_token& until, Use use) {
  for (std::uint64_t offset = 0; offset < bytes; offset += step_bytes) {
    if (auto going = unless_told_to_stop(until); !going) return going;
    const auto wanted = std::min(step_bytes, bytes - offset);
    const auto step = files.read(path, offset, wanted);
    if (!step) return tl::unexpected(step.error());
    if (step->size() != wanted) {
      return failed(fault::corrupt, fmt::format("{}:{}: cut off", path.string(), offset));
    }
    if (auto used = use(offset, *step); !used) return used;
  }
  return {};
}

result<listed_file> describe(file_system& files, const fs::path& root, const fs::path& path,
                             const std::stop_token& until = {}) {
  const auto bytes = files.size(root / path);
  if (!bytes) return tl::unexpected(bytes.error());
  sha256_stream sum;
  auto read =
      read_in_steps(files, root / path, *bytes, until, [&](std::uint64_t, std::string_view step) {
        sum.add(step);
        return result<void>{};
      });
  if (!read) return tl::unexpected(read.error());
  return listed_file{path, *bytes, to_hex(sum.finish())};
}

/// Copies a file durably but for its name. @returns the SHA-256 of what was copied.
result<std::string> copy_file(file_system& files, const fs::path& from, const fs::path& to,
                              std::uint64_t bytes, const std::stop_token& until = {}) {
  if (auto made = files.make_directories(to.parent_path()); !made) {
    return tl::unexpected(made.error());
  }
  auto file = files.create(to);
  if (!file) return tl::unexpected(file.error());
  sha256_stream sum;
  auto done =
      read_in_steps(files, from, bytes, until, [&](std::uint64_t offset, std::string_view step) {
        sum.add(step);
        return (*file)->write_at(offset, step);
      });
  if (!done) return tl::unexpected(done.error());
  if (auto synced = (*file)->sync(); !synced) return tl::unexpected(synced.error());
  return to_hex(sum.finish());
}

/// Beside a draw's files: what may have another name, or be gone, a moment later.
bool is_draft(const fs::path& path) {
  return path.extension() == ".new" || path.extension() == ".again";
}

result<void> copy_draws(file_system& files, const fs::path& from, const fs::path& to,
                        const std::stop_token& until) {
  const auto found = walk_tree(from, is_draft);
  if (!found) return tl::unexpected(found.error());
  for (const auto& path : found->files) {
    const auto bytes = files.size(from / path);
    if (!bytes) return tl::unexpected(bytes.error());
    if (auto done = copy_file(files, from / path, to / path, *bytes, until); !done) {
      return tl::unexpected(done.error());
    }
  }
  return {};
}

result<void> copy_if_there(file_system& files, const fs::path& from, const fs::path& to) {
  std::error_code code;
  if (!fs::exists(from, code)) return {};
  const auto bytes = files.size(from);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto sum = copy_file(files, from, to, *bytes);
  if (!sum) return tl::unexpected(sum.error());
  return {};
}

/// Without that of the key what is restored would open with any. A directory that no node has
/// served yet has none.
result<void> copy_marks(file_system& files, const layout& from, const layout& to) {
  if (auto done = copy_if_there(files, from.format_mark(), to.format_mark()); !done) return done;
  return copy_if_there(files, from.key_mark(), to.key_mark());
}

result<void> sync_tree(file_system& files, const fs::path& root) {
  const auto found = walk_tree(root);
  if (!found) return tl::unexpected(found.error());
  for (const auto& directory : found->directories) {
    if (auto done = files.sync_directory(directory); !done) return done;
  }
  return {};
}

std::string encode_mark(const std::vector<listed_file>& listed) {
  std::string text(mark_title);
  for (const auto& file : listed) {
    text += fmt::format("{} {} {}\n", file.sha256, file.bytes, file.path.generic_string());
  }
  return text + fmt::format("{}{}\n", mark_end, to_hex(sha256(text)));
}

std::optional<listed_file> decode_line(std::string_view line) {
  const auto space = line.find(' ', digest_digits + 1);
  if (line.size() < digest_digits + 4 || line[digest_digits] != ' ' ||
      space == std::string_view::npos) {
    return std::nullopt;
  }
  listed_file file;
  file.sha256 = line.substr(0, digest_digits);
  const auto number = line.substr(digest_digits + 1, space - digest_digits - 1);
  const auto [end, code] =
      std::from_chars(number.data(), number.data() + number.size(), file.bytes);
  if (code != std::errc() || end != number.data() + number.size()) return std::nullopt;
  file.path = fs::path(line.substr(space + 1));
  // A list that names places outside of the backup was not written by us.
  const auto outside = std::any_of(file.path.begin(), file.path.end(),
                                   [](const fs::path& part) { return part == ".."; });
  if (file.path.empty() || file.path.is_absolute() || outside) return std::nullopt;
  return file;
}

result<std::vector<listed_file>> read_mark(file_system& files, const layout& backup) {
  const auto path = backup.backup_mark();
  if (auto plain = check_plain(backup.root, path.filename()); !plain)
    return tl::unexpected(plain.error());
  const auto text = files.read(path, 0, mark_bytes_max);
  // There, and not to be read: nothing is known of the backup.
  if (!text && text.error().kind != fault::missing) return tl::unexpected(text.error());
  if (!text) {
    return failed(fault::missing, fmt::format("{} is no complete backup: {}", backup.root.string(),
                                              text.error().detail));
  }
  const auto flawed = [&] {
    return failed(fault::corrupt, fmt::format("{} is damaged", path.string()));
  };
  const auto last = text->rfind(mark_end);
  if (!text->starts_with(mark_title) || last == std::string::npos) return flawed();
  const auto covered = std::string_view(*text).substr(0, last);
  if (std::string_view(*text).substr(last) !=
      fmt::format("{}{}\n", mark_end, to_hex(sha256(covered)))) {
    return flawed();
  }
  std::vector<listed_file> listed;
  for (auto rest = covered.substr(mark_title.size()); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    auto file = decode_line(line);
    if (!file) return flawed();
    listed.push_back(std::move(*file));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return listed;
}

/// The mark comes last: its name appears when everything that it lists is on the disk.
result<void> write_mark(file_system& files, const layout& backup, const std::stop_token& until) {
  const auto& root = backup.root;
  const auto found = walk_tree(root);
  if (!found) return tl::unexpected(found.error());
  std::vector<listed_file> listed;
  for (const auto& path : found->files) {
    auto file = describe(files, root, path, until);
    if (!file) return tl::unexpected(file.error());
    listed.push_back(std::move(*file));
  }
  auto temporary = backup.backup_mark();
  temporary += ".tmp";
  auto mark = files.create(temporary);
  if (!mark) return tl::unexpected(mark.error());
  if (auto done = (*mark)->write_at(0, encode_mark(listed)); !done) return done;
  if (auto done = (*mark)->sync(); !done) return done;
  if (auto done = files.rename(temporary, backup.backup_mark()); !done) return done;
  return files.sync_directory(root);
}

/// Has every listed file read, and compares what was read with the list.
/// @param read  is given each file; @returns (a result of) the SHA-256 of what it read
template <class Read>
result<void> read_listed(file_system& files, const std::vector<listed_file>& listed,
                         const fs::path& from, Read read) {
  for (const auto& file : listed) {
    const auto source = from / file.path;
    if (auto plain = check_plain(from, file.path); !plain) return plain;
    const auto bytes = files.size(source);
    if (!bytes) return tl::unexpected(bytes.error());
    if (*bytes != file.bytes) {
      return failed(fault::corrupt,
                    fmt::format("{}: {} bytes instead of {}", source.string(), *bytes, file.bytes));
    }
    const result<std::string> sum = read(file);
    if (!sum) return tl::unexpected(sum.error());
    if (*sum != file.sha256) {
      return failed(fault::corrupt,
                    fmt::format("{}: not what was backed up (SHA-256)", source.string()));
    }
  }
  return {};
}

/// What stands beside the listed files, by its path; nothing when all is listed.
result<std::optional<fs::path>> find_unlisted(const std::vector<listed_file>& listed,
                                              const layout& backup) {
  const auto found = walk_tree(backup.root);
  if (!found) return tl::unexpected(found.error());
  std::set<fs::path> known{backup.backup_mark().filename()};
  for (const auto& file : listed) known.insert(file.path);
  const auto other = std::find_if(found->files.begin(), found->files.end(),
                                  [&](const fs::path& path) { return !known.contains(path); });
  if (other == found->files.end()) return std::nullopt;
  return backup.root / *other;
}

}  // namespace

result<bool> is_inside(const fs::path& path, const fs::path& directory) {
  const auto outer = followed(directory);
  if (!outer) return tl::unexpected(outer.error());
  const auto inner = followed(path);
  if (!inner) return tl::unexpected(inner.error());
  const auto differs = std::mismatch(outer->begin(), outer->end(), inner->begin(), inner->end());
  return differs.first == outer->end() || differs.first->empty();
}

directory_lock::directory_lock(int descriptor) : descriptor_(descriptor) {}

directory_lock::directory_lock(directory_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

directory_lock& directory_lock::operator=(directory_lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

directory_lock::~directory_lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

result<directory_lock> directory_lock::take(const layout& where) {
  if (auto made = posix_file_system().make_directories(where.root); !made) {
    return tl::unexpected(made.error());
  }
  const auto refused = [&](fault kind, int code) {
    return failed(kind, fmt::format("lock {}: {}", where.lock().string(),
                                    std::generic_category().message(code)));
  };
  directory_lock lock(::open(where.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (lock.descriptor_ < 0) return refused(errno == ENOSPC ? fault::no_space : fault::io, errno);
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return refused(fault::io, errno);
    return failed(
        fault::in_use,
        fmt::format("{} is in use by another process: a node that runs, or a command that "
                    "reads or fills it",
                    where.root.string()));
  }
  return lock;
}

result<void> backup(const state_store& state, const journal& log, const layout& from,
                    const layout& target, const std::stop_token& until) {
  auto& files = posix_file_system();
  if (auto fit = need_fit_target(from, target.root); !fit) return fit;
  if (auto made = files.make_directories(target.journal()); !made) return made;
  if (auto done = copy_marks(files, from, target); !done) return done;
  // The state first: whatever it has seen is in the journal that is copied after it, be it in a
  // segment or, when `release` has been at work between the two, in an archive.
  if (auto done = state.copy_to(target.state(), until); !done) return done;
  if (auto done = log.copy_to(target.journal(), until); !done) return done;
  if (auto done = copy_draws(files, from.draws(), target.draws(), until); !done) return done;
  if (auto done = sync_tree(files, target.root); !done) return done;
  return write_mark(files, target, until);
}

bool has_backup_mark(const layout& where) {
  std::error_code unknown;
  return fs::exists(fs::symlink_status(where.backup_mark(), unknown));
}

result<backup_report> verify_backup(file_system& files, const layout& backup) {
  if (auto plain = check_all_plain(backup.root); !plain) return tl::unexpected(plain.error());
  const auto listed = read_mark(files, backup);
  if (!listed) return tl::unexpected(listed.error());
  backup_report report;
  auto read =
      read_listed(files, *listed, backup.root, [&](const listed_file& file) -> result<std::string> {
        auto found = describe(files, backup.root, file.path);
        if (!found) return tl::unexpected(found.error());
        ++report.files;
        report.bytes += found->bytes;
        return std::move(found->sha256);
      });
  if (!read) return tl::unexpected(read.error());
  const auto unlisted = find_unlisted(*listed, backup);
  if (!unlisted) return tl::unexpected(unlisted.error());
  if (*unlisted)
    return failed(fault::corrupt,
                  fmt::format("{} does not belong to the backup: {} does not list it",
                              (*unlisted)->string(), backup.backup_mark().filename().string()));
  return report;
}

result<void> restore(file_system& files, const layout& backup, const layout& target) {
  if (auto room = need_room_at(target.root); !room) return room;
  const auto listed = read_mark(files, backup);
  if (!listed) return tl::unexpected(listed.error());
  // Into a directory beside it, which takes its name when it is whole: a node can't be started on
  // half of its data.
  const auto root = target.root.has_filename() ? target.root : target.root.parent_path();
  auto beside = root;
  beside += ".restoring";
  std::error_code code;
  fs::remove_all(beside, code);
  if (auto made = files.make_directories(beside); !made) return made;
  // A data directory has its LOCK, which tells it from a backup that has lost its mark.
  const auto lock = directory_lock::take({beside});
  if (!lock) return tl::unexpected(lock.error());
  auto copied = read_listed(files, *listed, backup.root, [&](const listed_file& file) {
    return copy_file(files, backup.root / file.path, beside / file.path, file.bytes);
  });
  if (!copied) {
    fs::remove_all(beside, code);
    return copied;
  }
  if (auto done = sync_tree(files, beside); !done) return done;
  if (auto done = files.rename(beside, root); !done) return done;
  const auto parent = root.parent_path();
  return files.sync_directory(parent.empty() ? fs::path(".") : parent);
}

}  // namespace gelombang::storage
