#include "net/command/key_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "actors/applicant/applicant.pb.h"
#include "actors/programme/hex.hpp"
#include "actors/runtime/record.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/wave/draw/files.hpp"
#include "net/command/places.hpp"
#include "storage/data_mark.hpp"
#include "storage/journal.hpp"
#include "storage/state_store.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;

tl::unexpected<std::string> wrong(std::string why) {
  return tl::unexpected(std::move(why));
}

constexpr std::size_t mark_digits = 32;

std::string mark_of(const keyring& keys) {
  return to_hex(keys.nik_hash("which key this is"));
}

struct sealed_address {
  applicant_id owner;
  std::string bytes;
};
using search = storage::result<std::optional<sealed_address>>;

search address_in_rows(const storage::layout& where) {
  std::error_code none;
  std::optional<sealed_address> found;
  if (!fs::exists(where.state() / "CURRENT", none)) return found;
  auto store = storage::state_store::open_to_read({.directory = where.state(), .prewarm_bytes = 0});
  if (!store) return tl::unexpected(store.error());
  applicant::wire::State state;
  for (std::uint32_t shard = 0; shard < runtime::shards_max && !found; ++shard) {
    const auto first = runtime::snapshot_prefix(static_cast<runtime::shard_index>(shard),
                                                runtime::kind::applicant);
    auto read = (*store)->scan(
        first, runtime::end_of(first), [&](std::string_view key, std::string_view row) {
          if (key.size() != first.size() + 8) return true;
          if (!state.ParseFromArray(row.data(), static_cast<int>(row.size()))) return true;
          if (state.sealed_email().empty()) return true;
          found = {{runtime::read_big_endian<std::uint64_t>(key.substr(first.size()))},
                   state.sealed_email()};
          return false;
        });
    if (!read) return tl::unexpected(read.error());
  }
  return found;
}

/// For data that was never checkpointed with an account in it.
search address_in_journal(const storage::layout& where) {
  std::optional<sealed_address> found;
  if (!storage::has_segments(storage::posix_file_system(), where.journal())) return found;
  applicant::wire::Event event;
  auto read = storage::verify_journal(
      storage::posix_file_system(), where.journal(), [&](const storage::stored_frame& frame) {
        for (auto rest = frame.records; !found && !rest.empty();) {
          const auto one = runtime::take_record(rest);
          if (!one) break;  // a start will say so
          const bool is_applicants =
              one->type == runtime::record_type::event && one->who.kind == runtime::kind::applicant;
          const auto size = static_cast<int>(one->body.size());
          if (is_applicants && event.ParseFromArray(one->body.data(), size) &&
              event.has_email_entered())
            found = {{one->who.id}, event.email_entered().sealed_email()};
        }
        return storage::result<void>{};
      });
  if (!read) return tl::unexpected(read.error());
  return found;
}

/// The data has lost its file KEY: what it holds must open instead.
tl::expected<void, std::string> check_against_data(const storage::layout& where,
                                                   const keyring& keys) {
  auto address = address_in_rows(where);
  if (address && !*address) address = address_in_journal(where);
  if (!address)
    return wrong(
        fmt::format("{}: its file KEY is missing, and what it holds can't be read to tell "
                    "whether the key fits: {}",
                    where.root.string(), address.error().detail));
  if (!*address || keys.open((*address)->owner, (*address)->bytes)) return {};
  return wrong(
      fmt::format("keys.file: this is not the master key that {} was begun with (its file "
                  "KEY is missing, and an address that it holds does not open)",
                  where.root.string()));
}

/// What only data has beside its state and journal; nothing where there is none of it.
std::optional<std::string_view> mark_left(const storage::layout& where) {
  std::error_code unknown;
  if (fs::exists(where.key_mark(), unknown)) return "KEY";
  if (fs::exists(where.format_mark(), unknown)) return "FORMAT";
  if (fs::is_directory(where.draws(), unknown) && !fs::is_empty(where.draws(), unknown))
    return "draws/";
  return std::nullopt;
}

}  // namespace

tl::expected<holding, std::string> look_at(const fs::path& data_directory) {
  const storage::layout where{data_directory};
  std::error_code code;
  const auto what = fs::status(data_directory, code);
  if (what.type() == fs::file_type::not_found) return holding::nothing;
  const auto named = "storage.data_dir: " + data_directory.string();
  if (code) return wrong(fmt::format("{}: {}", named, code.message()));
  if (!fs::is_directory(what)) return wrong(named + " is no directory");
  if (fs::exists(where.draws(), code) && !fs::is_directory(where.draws(), code))
    return wrong(fmt::format("{}: {} is no directory", named, where.draws().string()));
  if (holds_data(data_directory)) return holding::data;
  if (const auto left = mark_left(where))
    return wrong(
        fmt::format("{}: state/ and journal/ are gone, and {} is there: there was data. Put them "
                    "back, or restore a backup",
                    named, *left));
  std::vector<std::string> others;
  // The root of a file system of its own has lost+found; the others are ours, and left by a start
  // that failed, as on a full disk.
  const auto is_no_matter = [](const std::string& name) {
    static const std::set<std::string_view> left{"lost+found", "LOCK",  "KEY.new", "FORMAT.tmp",
                                                 "journal",    "state", "CLOCK",   "CLOCK.new"};
    return left.contains(name);
  };
  for (fs::directory_iterator at{data_directory, code}, end; !code && at != end; at.increment(code))
    if (const auto name = at->path().filename().string(); !is_no_matter(name))
      others.push_back(name);
  if (code) return wrong(fmt::format("{}: {}", named, code.message()));
  if (others.empty()) return holding::nothing;
  constexpr std::size_t named_max = 3;
  std::sort(others.begin(), others.end());
  const auto more = others.size() > named_max
                        ? fmt::format(" and {} more", others.size() - named_max)
                        : std::string{};
  others.resize(std::min(others.size(), named_max));
  return wrong(fmt::format("{} is no data directory and not empty: it holds {}{}", named,
                           fmt::join(others, ", "), more));
}

tl::expected<keyring, std::string> key_of(const settings& with, key_use use) {
  const auto& file = with.keys.file;
  const auto& data = with.storage.data_dir;
  const auto found = look_at(data);
  if (!found) return wrong(found.error());
  if (*found == holding::nothing && use == key_use::to_go_on)
    return wrong(fmt::format("storage.data_dir: {} holds no data of a node", data));
  // What can't be followed can't be read either, and then says why.
  if (storage::is_inside(file, data).value_or(false))
    return wrong(
        fmt::format("keys.file: {} lies inside the data directory {}: whoever gets a copy "
                    "of the data must not get the key with it",
                    file, data));
  std::error_code unknown;
  if (fs::exists(file, unknown)) return keyring::load(file);
  if (unknown) return wrong(fmt::format("keys.file: {}: {}", file, unknown.message()));
  if (*found == holding::data)
    return wrong(
        fmt::format("keys.file: {} is missing, and {} holds data that only the key it was "
                    "begun with opens: put its copy back",
                    file, data));
  if (!with.keys.create)
    return wrong(fmt::format("keys.file: {} is missing, and keys.create is false", file));
  return keyring::load_or_create(file);
}

std::optional<std::string> openness_of(const fs::path& key_file) {
  constexpr auto others = fs::perms::group_all | fs::perms::others_all;
  std::error_code unknown;
  const auto rights = fs::status(key_file, unknown).permissions();
  if (unknown || (rights & others) == fs::perms::none) return std::nullopt;
  return fmt::format(
      "{} is open to others than its owner (mode {:04o}): whoever reads it opens "
      "every copy of the data. chmod 600 closes it",
      key_file.string(), static_cast<unsigned>(rights & fs::perms::mask));
}

tl::expected<std::optional<std::string>, std::string> key_mark_in(const fs::path& data_directory) {
  const auto file = storage::layout{data_directory}.key_mark();
  const auto damaged = [&] {
    return wrong(fmt::format(
        "{} is damaged: it must be a file of {} hexadecimal digits. Put its copy back, or take it "
        "away: a start writes it again for a key that opens the data",
        file.string(), mark_digits));
  };
  std::error_code code;
  const auto what = fs::status(file, code);
  if (what.type() == fs::file_type::not_found) return std::nullopt;
  if (what.type() != fs::file_type::none && !fs::is_regular_file(what)) return damaged();
  // One byte more than there may be, to see it.
  const auto text = storage::posix_file_system().read(file, 0, mark_digits + 2);
  if (!text) return wrong(text.error().detail);
  const auto digits = std::string_view{*text}.substr(0, mark_digits);
  const auto rest = std::string_view{*text}.substr(digits.size());
  std::array<std::uint8_t, mark_digits / 2> bytes;
  if (!read_hex(digits, bytes) || (!rest.empty() && rest != "\n")) return damaged();
  return std::string{digits};
}

tl::expected<void, std::string> compare_key(const fs::path& data_directory, const keyring& keys) {
  const auto known = key_mark_in(data_directory);
  if (!known) return wrong(known.error());
  if (!*known) return check_against_data({data_directory}, keys);
  if (**known == mark_of(keys)) return {};
  return wrong("keys.file: this is not the master key that " + data_directory.string() +
               " was begun with");
}

tl::expected<void, std::string> write_key_mark(const fs::path& data_directory,
                                               const keyring& keys) {
  const auto known = key_mark_in(data_directory);
  if (!known) return wrong(known.error());
  if (*known) return {};
  const auto file = storage::layout{data_directory}.key_mark();
  draw::file_replacement out{file};
  out.append(mark_of(keys) + "\n");
  if (auto written = out.finish(); !written)
    return wrong(file.string() + ": " + written.error().detail);
  return {};
}

}  // namespace gelombang::command
