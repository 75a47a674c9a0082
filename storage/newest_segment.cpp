#include "storage/newest_segment.hpp"

#include <fmt/format.h>

#include <string>

#include "storage/bytes.hpp"
#include "storage/checksum.hpp"
#include "storage/segment_format.hpp"

namespace gelombang::storage {
namespace {

constexpr std::string_view newest_magic = "GWJNEWST";
constexpr std::uint32_t newest_version = 1;
constexpr std::size_t newest_bytes = 8 + 4 + 4 + 8 + 8 + 4;

std::filesystem::path newest_path(const std::filesystem::path& journal) {
  return journal / "NEWEST";
}

std::filesystem::path draft_path(const std::filesystem::path& journal) {
  return journal / "newest.tmp";
}

}  // namespace

result<std::optional<newest_segment>> read_newest(file_system& files,
                                                  const std::filesystem::path& journal) {
  const auto path = newest_path(journal);
  const auto bytes = files.read(path, 0, newest_bytes + 1);
  if (!bytes && bytes.error().kind == fault::missing) return std::nullopt;
  if (!bytes) return tl::unexpected(bytes.error());
  if (bytes->size() != newest_bytes || !bytes->starts_with(newest_magic)) {
    return corrupt_at(path, 0, "does not name a segment");
  }
  const auto checked = std::string_view(*bytes).substr(0, newest_bytes - 4);
  byte_reader stored(std::string_view(*bytes).substr(checked.size()));
  if (stored.take<std::uint32_t>() != crc32c(checked)) {
    return corrupt_at(path, 0, "checksum does not hold");
  }
  byte_reader reader(checked.substr(newest_magic.size()));
  const auto version = reader.take<std::uint32_t>();
  if (version > newest_version) {
    return failed(fault::version,
                  fmt::format("{}: written in format {}, this program reads up to {}",
                              path.string(), version, newest_version));
  }
  if (reader.take<std::uint32_t>() != 0 || version == 0) {
    return corrupt_at(path, newest_magic.size(), "no version that there ever was");
  }
  newest_segment newest;
  newest.number = reader.take<std::uint64_t>();
  newest.salt = reader.take<std::uint64_t>();
  return newest;
}

result<void> draft_newest(file_system& files, const std::filesystem::path& journal,
                          const newest_segment& newest) {
  std::string bytes(newest_bytes, '\0');
  byte_writer writer(bytes.data());
  writer.put(newest_magic).put(newest_version).put(std::uint32_t{0});
  writer.put(newest.number).put(newest.salt);
  writer.put(crc32c(std::string_view(bytes).substr(0, newest_bytes - 4)));
  auto file = files.create(draft_path(journal));
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->write_at(0, bytes); !done) return done;
  return (*file)->sync();
}

result<void> publish_newest(file_system& files, const std::filesystem::path& journal) {
  auto done = files.rename(draft_path(journal), newest_path(journal));
  if (done) done = files.sync_directory(journal);
  // The new name may be there already: no room is no reason to take the segment for unused.
  if (!done) return failed(fault::io, done.error().detail);
  return {};
}

result<void> write_newest(file_system& files, const std::filesystem::path& journal,
                          const newest_segment& newest) {
  if (auto done = draft_newest(files, journal, newest); !done) return done;
  return publish_newest(files, journal);
}

}  // namespace gelombang::storage
