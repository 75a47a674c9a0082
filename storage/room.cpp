#include "storage/room.hpp"

#include <string>

#include "storage/file_system.hpp"

namespace gelombang::storage {

result<void> need_room(const std::filesystem::path& directory) {
  auto& files = posix_file_system();
  const auto trial = directory / "room.tmp";
  auto file = files.create(trial);
  if (!file) return tl::unexpected(file.error());
  auto written = (*file)->write_at(0, std::string(room_bytes_min, '\0'));
  file->reset();
  auto removed = files.remove(trial);
  return written ? removed : written;
}

}  // namespace gelombang::storage
