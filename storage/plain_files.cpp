#include "storage/plain_files.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>
#include <system_error>

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

/// As a sentence goes on after "is".
std::optional<std::string_view> foreign_kind(const fs::path& path) {
  std::error_code unknown;
  switch (fs::symlink_status(path, unknown).type()) {
    case fs::file_type::symlink:
      return "a symbolic link";
    case fs::file_type::fifo:
      return "a FIFO";
    case fs::file_type::socket:
      return "a socket";
    case fs::file_type::block:
    case fs::file_type::character:
      return "a device";
    default:
      return std::nullopt;
  }
}

}  // namespace

result<void> check_plain(const fs::path& root, const fs::path& below) {
  auto at = root;
  for (const auto& part : below) {
    at /= part;
    if (const auto what = foreign_kind(at))
      return failed(fault::corrupt, fmt::format("{} is {}: only files and directories belong here, "
                                                "and nothing else is followed or opened",
                                                at.string(), *what));
  }
  return {};
}

result<void> check_all_plain(const fs::path& root) {
  std::error_code code;
  fs::recursive_directory_iterator at(root, code);
  for (const fs::recursive_directory_iterator end; !code && at != end; at.increment(code)) {
    const auto below = at->path().lexically_relative(root);
    if (auto plain = check_plain(root, below); !plain) return plain;
  }
  if (code) return failed(fault::io, fmt::format("{}: {}", root.string(), code.message()));
  return {};
}

}  // namespace gelombang::storage
