#include "net/command/places.hpp"

#include <fmt/format.h>

#include "storage/backup.hpp"

namespace gelombang::command {

namespace fs = std::filesystem;

bool has_segments(const fs::path& journal) {
  std::error_code none;
  for (fs::directory_iterator at{journal, none}, end; !none && at != end; at.increment(none))
    if (at->path().extension() == ".gwj" || at->path().extension() == ".gwa") return true;
  return false;
}

bool holds_data(const fs::path& directory) {
  const storage::layout where{directory};
  std::error_code none;
  return fs::exists(where.state() / "CURRENT", none) || has_segments(where.journal());
}

tl::expected<void, std::string> check_surroundings(const fs::path& data_directory) {
  std::error_code unknown;
  const auto whole = fs::weakly_canonical(fs::absolute(data_directory), unknown);
  // What can't be looked up can't be opened either, and then says why.
  if (unknown) return {};
  for (auto around = whole.parent_path(); around != around.root_path();
       around = around.parent_path())
    if (holds_data(around))
      return tl::unexpected(fmt::format("{} lies inside the data directory or backup {}",
                                        data_directory.string(), around.string()));
  return {};
}

}  // namespace gelombang::command
