#include "net/command/draw_audit.hpp"
#include "net/command/cpus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "actors/applicant/participation.hpp"
#include "actors/roster/roster.pb.h"
#include "actors/runtime/rows.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view folder_prefix = "wave-";
constexpr std::uint32_t owners_at_once = 1024;

unsigned threads() {
  return usable_cpus();
}

tl::unexpected<refusal> found(wave_number wave, std::string_view what) {
  return refuse(errc::draw_damaged, {}, fmt::format("{}{}/{}", folder_prefix, wave.value, what));
}

tl::unexpected<refusal> unreadable(const storage::error& why) {
  return refuse(errc::storage_unavailable, {}, why.detail);
}

/// Whether what somebody joined with is what stands in his entry.
bool is_entry_of(const draw::roster_entry& entry, const applicant::participation& joined) {
  return entry.family == joined.family && entry.groups == joined.groups &&
         entry.region == joined.region;
}

std::vector<std::uint64_t> numbers_in(std::string_view bytes) {
  std::vector<std::uint64_t> numbers(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(std::uint64_t));
  return numbers;
}

}  // namespace

result<draw_audit::waves> draw_audit::waves_in_rows() const {
  waves all;
  for (std::uint32_t shard = 0; known_.rows && shard < known_.shards; ++shard) {
    const auto first =
        runtime::snapshot_prefix(static_cast<runtime::shard_index>(shard), runtime::kind::wave);
    auto read = known_.rows->scan(
        first, runtime::end_of(first), [&](std::string_view, std::string_view row) {
          wave::wire::State one;
          // Whether every row reads, the recount has said.
          if (one.ParseFromArray(row.data(), static_cast<int>(row.size())))
            all[wave_number{one.number()}] = std::move(one);
          return true;
        });
    if (!read) return unreadable(read.error());
  }
  return all;
}

result<draw_audit::members> draw_audit::members_in_rows() const {
  members all;
  for (std::uint32_t shard = 0; known_.rows && shard < known_.shards; ++shard) {
    const auto first =
        runtime::table_prefix(static_cast<runtime::shard_index>(shard), runtime::table::member);
    auto read = known_.rows->scan(
        first, runtime::end_of(first), [&](std::string_view key, std::string_view row) {
          roster::wire::Member one;
          const auto id = key.substr(first.size());
          if (id.size() == sizeof(std::uint64_t) &&
              one.ParseFromArray(row.data(), static_cast<int>(row.size())))
            all[wave_number{one.wave()}].push_back(runtime::read_big_endian<std::uint64_t>(id));
          return true;
        });
    if (!read) return unreadable(read.error());
  }
  for (auto& [wave, who] : all) std::sort(who.begin(), who.end());
  return all;
}

/// As if the journal knew nothing of them.
result<draw_audit::waves> draw_audit::waves_on_shelf() const {
  waves all;
  std::error_code code;
  for (fs::directory_iterator at{draws_, code}, end; !code && at != end; at.increment(code)) {
    const auto name = at->path().filename().string();
    std::uint32_t number = 0;
    if (!at->is_directory() || !name.starts_with(folder_prefix)) continue;
    const auto* last = name.data() + name.size();
    const auto read = std::from_chars(name.data() + folder_prefix.size(), last, number);
    if (read.ec == std::errc{} && read.ptr == last) all[wave_number{number}].set_number(number);
  }
  if (code == std::errc::not_a_directory)
    return refuse(errc::draw_damaged, {}, fmt::format("{}: is no directory", draws_.string()));
  if (code && code != std::errc::no_such_file_or_directory)
    return refuse(errc::storage_unavailable, {},
                  fmt::format("{}: {}", draws_.string(), code.message()));
  return all;
}

result<void> draw_audit::run() const {
  auto all = waves_in_rows();
  if (!all) return tl::unexpected(all.error());
  auto others = waves_on_shelf();
  if (!others) return tl::unexpected(others.error());
  all->merge(*others);
  auto made_members = members_in_rows();
  if (!made_members) return tl::unexpected(made_members.error());
  for (const auto& [number, wave] : *all) {
    auto sound = wave.has_commitment() ? check(wave) : check_alone(number);
    if (sound && known_.rows) sound = check_members(wave, (*made_members)[number]);
    if (!sound) return sound;
    const auto more = known_.rows ? shelf_.ahead(wave) : std::nullopt;
    if (more) fmt::print(out_, "note: {}\n", *more);
  }
  return {};
}

result<void> draw_audit::check(const wave::wire::State& wave) const {
  if (shelf_.is_dispensable(wave)) {
    fmt::print(out_, "note: wave-{}: is not all there, and the wave was cancelled\n",
               wave.number());
    return {};
  }
  auto files = shelf_.open(wave, draw::stage::committed);
  if (files && wave.has_result()) files = shelf_.open(wave, draw::stage::drawn);
  if (!files) return tl::unexpected(files.error());
  if (auto sound = recompute({wave.number()}, *files); !sound) return sound;
  if (auto sound = check_owners(wave, *files); !sound) return sound;
  fmt::print(out_, "draw wave-{}: {} entries, {}: recomputed, agrees; as the journal has it; {}\n",
             wave.number(), files->roster().size(), files->is_drawn() ? "drawn" : "committed",
             known_.keys
                 ? "each entry is its owner's"
                 : "each owner has joined with such an entry (--key-file: whether with this)");
  return {};
}

/// Of a draw that the journal does not know, or without rows to know it by.
result<void> draw_audit::check_alone(wave_number number) const {
  auto files = draw::draw_files::open(shelf_.folder_of(number));
  if (!files && files.error().code == errc::draw_not_published) {
    std::error_code unknown;
    if (fs::exists(shelf_.folder_of(number), unknown))
      fmt::print(out_, "draw wave-{}: not committed\n", number.value);
    return {};
  }
  if (!files && files.error().code == errc::internal) return found(number, files.error().detail);
  if (!files) return tl::unexpected(files.error());
  if (auto sound = recompute(number, *files); !sound) return sound;
  fmt::print(out_, "draw wave-{}: {} entries, {}: recomputed, agrees\n", number.value,
             files->roster().size(), files->is_drawn() ? "drawn" : "committed");
  return {};
}

/// Both ways: who is accepted is a member, and nobody else is by this wave. While shards are still
/// settling, the first holds for some.
result<void> draw_audit::check_members(const wave::wire::State& wave,
                                       const std::vector<std::uint64_t>& found_in_rows) const {
  const wave_number number{wave.number()};
  const bool is_announced = wave.phase() == wave::wire::ANNOUNCED;
  if (!is_announced && wave.phase() != wave::wire::ANNOUNCING) {
    if (found_in_rows.empty()) return {};
    return refuse(errc::draw_damaged, {},
                  fmt::format("{}{}: {} are members by it, and it was not announced", folder_prefix,
                              number.value, found_in_rows.size()));
  }
  auto files = shelf_.open(wave, draw::stage::drawn);
  if (!files) return tl::unexpected(files.error());
  auto owners = shelf_.owners_of(wave);
  if (!owners) return tl::unexpected(owners.error());
  const auto all = numbers_in(owners->bytes());
  std::size_t accepted = 0;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const bool is_accepted = files->verdict_of(i).outcome() == draw::outcome::accepted;
    const bool is_member = std::binary_search(found_in_rows.begin(), found_in_rows.end(), all[i]);
    accepted += is_accepted && is_member ? 1 : 0;
    if (is_member && !is_accepted)
      return found(number, fmt::format("verdicts.bin: entry {} is not accepted, and its owner "
                                       "{:016x} is a member by this wave",
                                       i, all[i]));
    if (is_accepted && !is_member && is_announced)
      return found(number, fmt::format("verdicts.bin: entry {} is accepted, and its owner {:016x} "
                                       "is no member",
                                       i, all[i]));
  }
  if (accepted != found_in_rows.size())
    return found(number, fmt::format("{}: {} are members by this wave and have no entry",
                                     wave::owners_name, found_in_rows.size() - accepted));
  fmt::print(out_, "draw wave-{}: {} members, the accepted{}\n", number.value, accepted,
             is_announced ? " and nobody else" : " so far");
  return {};
}

result<void> draw_audit::recompute(wave_number number, const draw::draw_files& files) const {
  return shelf_.recompute(number, files, threads());
}

result<void> draw_audit::check_owners(const wave::wire::State& wave,
                                      const draw::draw_files& files) const {
  const wave_number number{wave.number()};
  auto file = shelf_.owners_of(wave);
  if (!file) return tl::unexpected(file.error());
  auto owners = numbers_in(file->bytes());
  const auto wrong = [&](std::size_t entry, std::string_view why) {
    return found(number, fmt::format("{}: entry {} {}", wave::owners_name, entry, why));
  };
  for (std::size_t first = 0; first < owners.size(); first += owners_at_once) {
    const auto end = std::min<std::size_t>(first + owners_at_once, owners.size());
    std::vector<std::string> keys;
    for (auto i = first; i < end; ++i)
      keys.push_back(runtime::participation_key(runtime::shard_of(owners[i], known_.shards), number,
                                                applicant_id{owners[i]}));
    const auto rows = known_.rows->get(keys);
    if (!rows) return unreadable(rows.error());
    for (auto i = first; i < end; ++i) {
      const auto& row = (*rows)[i - first];
      if (!row) return wrong(i, "belongs to nobody who takes part");
      const auto joined = applicant::decode_participation(*row);
      if (!joined || !is_entry_of(files.roster()[i], *joined))
        return wrong(i, "is not its owner's: he has joined with another");
      if (known_.keys &&
          known_.keys->entry_of(number, applicant_id{owners[i]}) != files.roster()[i].id)
        return wrong(i, "is not its owner's: his is another");
    }
  }
  std::sort(owners.begin(), owners.end());
  if (std::adjacent_find(owners.begin(), owners.end()) != owners.end())
    return found(number, fmt::format("{}: somebody has two entries", wave::owners_name));
  return {};
}

}  // namespace gelombang::command
