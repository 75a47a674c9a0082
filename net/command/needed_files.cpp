#include "net/command/needed_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <vector>

namespace gelombang::command {
namespace {

struct needed {
  enum class form { file, directory };
  std::string_view key;
  std::string path;
  form kind = form::file;
};

/// What keeps it from being read, if anything does.
std::string fault_of(const needed& one) {
  struct stat status {};
  if (::stat(one.path.c_str(), &status) != 0) {
    std::string why = std::strerror(errno);
    if (one.path.starts_with('/')) return why;
    std::error_code unknown;
    return fmt::format("{} (looked for in {})", why,
                       std::filesystem::current_path(unknown).string());
  }
  const bool is_directory = S_ISDIR(status.st_mode);
  if (one.kind == needed::form::directory && !is_directory) return "is no directory";
  if (one.kind == needed::form::file && is_directory) return "is a directory, and a file is wanted";
  if (one.kind == needed::form::file && !S_ISREG(status.st_mode)) return "is no regular file";
  if (::access(one.path.c_str(), R_OK) != 0) return std::strerror(errno);
  return {};
}

std::vector<needed> needed_by(const settings& with) {
  std::vector<needed> all;
  if (!with.listen.tls_certificate.empty()) {
    all.push_back({"listen.tls_certificate", with.listen.tls_certificate});
    all.push_back({"listen.tls_key", with.listen.tls_key});
  }
  if (!with.keys.create) all.push_back({"keys.file", with.keys.file});
  if (with.mail.kind == "smtp" && !with.mail.user.empty())
    all.push_back({"mail.password_file", with.mail.password_file});
  all.push_back({"programme.eligibility", with.programme.eligibility, needed::form::directory});
  all.push_back({"programme.assessment", with.programme.assessment});
  all.push_back({"programme.regions", with.programme.regions});
  return all;
}

}  // namespace

tl::expected<void, std::string> check_needed_files(const settings& with) {
  std::string lines;
  std::size_t count = 0;
  bool is_key_among_them = false;
  for (const auto& one : needed_by(with)) {
    const auto fault = fault_of(one);
    if (fault.empty()) continue;
    ++count;
    is_key_among_them = is_key_among_them || one.key == "keys.file";
    lines += fmt::format("\n  {} = {}: {}", one.key, one.path, fault);
  }
  if (count == 0) return {};
  return tl::unexpected(fmt::format(
      "{} that the configuration names can't be read:{}\n"
      "put them there, readable for the user that the node runs as, or name others in the "
      "configuration{}",
      count == 1 ? "a file" : fmt::format("{} files", count), lines,
      is_key_among_them
          ? "; of data that has a key already, put back the key's copy; for the first start on a "
            "new machine keys.create = true makes one"
          : ""));
}

}  // namespace gelombang::command
