#include "storage/data_mark.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view title = "gelombang data ";
/// From 2 on, a journal whose cycles have been acknowledged has its NEWEST.
constexpr std::uint32_t data_version = 2;
constexpr std::uint32_t version_without_newest = 1;
constexpr std::size_t mark_bytes_max = 64;

/// @returns nothing where there is no mark.
result<std::optional<std::uint32_t>> read_version(file_system& files, const fs::path& path) {
  const auto text = files.read(path, 0, mark_bytes_max);
  if (!text && text.error().kind == fault::missing) return std::nullopt;
  if (!text) return tl::unexpected(text.error());
  const auto flawed = [&] {
    return failed(fault::corrupt, fmt::format("{}: is no mark of Gelombang's data", path.string()));
  };
  if (!text->starts_with(title) || !text->ends_with('\n')) return flawed();
  std::uint32_t version = 0;
  const auto* const last = text->data() + text->size() - 1;
  const auto [end, code] = std::from_chars(text->data() + title.size(), last, version);
  if (code != std::errc() || end != last || version == 0) return flawed();
  return version;
}

/// The version that the directory can be said to have now.
std::uint32_t version_of(file_system& files, const layout& where) {
  const bool is_named = files.size(where.journal() / "NEWEST").has_value();
  return is_named || !has_segments(files, where.journal()) ? data_version : version_without_newest;
}

}  // namespace

bool has_segments(file_system& files, const fs::path& journal) {
  const auto names = files.list(journal);
  return names && std::any_of(names->begin(), names->end(), [](const std::string& name) {
           return name.ends_with(".gwj") || name.ends_with(".gwa");
         });
}

result<void> check_state_is_there(file_system& files, const layout& where) {
  const auto version = read_version(files, where.format_mark());
  if (!version) return tl::unexpected(version.error());
  if (version->value_or(0) > data_version) {
    return failed(fault::version, fmt::format("{}: data of format {}, this program reads up to {}",
                                              where.root.string(), **version, data_version));
  }
  const auto current = files.size(where.state() / "CURRENT");
  if (current) return {};
  if (current.error().kind != fault::missing) return tl::unexpected(current.error());
  if (!*version && !has_segments(files, where.journal())) return {};
  return failed(fault::missing,
                fmt::format("{} is missing, and the data was begun with one: put it back, or "
                            "restore a backup",
                            where.state().string()));
}

result<void> mark_begun(file_system& files, const layout& where) {
  const auto known = read_version(files, where.format_mark());
  if (!known) return tl::unexpected(known.error());
  const auto version = version_of(files, where);
  if (known->value_or(0) >= version) return {};
  auto draft = where.format_mark();
  draft += ".tmp";
  auto file = files.create(draft);
  if (!file) return tl::unexpected(file.error());
  if (auto done = (*file)->write_at(0, fmt::format("{}{}\n", title, version)); !done) {
    return done;
  }
  if (auto done = (*file)->sync(); !done) return done;
  if (auto done = files.rename(draft, where.format_mark()); !done) return done;
  return files.sync_directory(where.root);
}

result<naming> naming_in(file_system& files, const layout& where) {
  const auto version = read_version(files, where.format_mark());
  if (!version) return tl::unexpected(version.error());
  return version->value_or(0) > version_without_newest ? naming::must_be_there
                                                       : naming::may_be_absent;
}

}  // namespace gelombang::storage
