#include "net/command/places.hpp"

#include <fmt/format.h>

#include "storage/data_mark.hpp"

namespace gelombang::command {

namespace fs = std::filesystem;

bool holds_data(const fs::path& directory) {
  const storage::layout where{directory};
  std::error_code none;
  return fs::exists(where.state() / "CURRENT", none) ||
         storage::has_segments(storage::posix_file_system(), where.journal());
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
