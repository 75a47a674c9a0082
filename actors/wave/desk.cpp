#include "actors/wave/desk.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>

#include "actors/applicant/participation.hpp"
#include "actors/applicant/profile.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/wave/draw/files.hpp"
#include "actors/wave/draw/parallel.hpp"

namespace gelombang::wave {
namespace {

/// Applicants in the order of the published roster: whose entry is whose. Never published.
constexpr const char* owners_file = "owners.bin";

struct owned_entry {
  entry_id entry;
  std::uint64_t applicant;
};

struct read_rosters {
  std::vector<draw::roster_entry> entries;
  std::vector<owned_entry> owners;
};

using family_counts = boost::unordered_flat_map<std::uint64_t, std::uint8_t>;

/// How many members each family has that has any. Families without one are not listed.
result<family_counts> read_family_counts(const runtime::node& node) {
  family_counts counts;
  bool damaged = false;
  for (runtime::shard_index i = 0; i < node.shards(); ++i) {
    const auto first = runtime::table_prefix(i, runtime::table::family_places);
    auto read = node.at(i).scan(first, runtime::end_of(first),
                                [&](std::string_view key, std::string_view value) {
                                  if (value.size() != 1) return damaged = true, false;
                                  key.remove_prefix(first.size());
                                  counts[runtime::read_big_endian<std::uint64_t>(key)] =
                                      static_cast<std::uint8_t>(value[0]);
                                  return true;
                                });
    if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
    if (damaged) return refuse(errc::internal, {}, "a family's row of places does not parse");
  }
  return counts;
}

/// Who in a shard has been accepted before, ascending.
result<std::vector<std::uint64_t>> read_members(const runtime::node& node,
                                                runtime::shard_index at) {
  std::vector<std::uint64_t> members;
  const auto first = runtime::table_prefix(at, runtime::table::member);
  auto read =
      node.at(at).scan(first, runtime::end_of(first), [&](std::string_view key, std::string_view) {
        key.remove_prefix(first.size());
        members.push_back(runtime::read_big_endian<std::uint64_t>(key));
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  return members;
}

/// One shard's part of the roster. Whoever has been accepted since he joined, and a person whose
/// family has no place left, can't be accepted and is no entry.
result<read_rosters> read_shard(const runtime::node& node, runtime::shard_index at,
                                wave_number wave, const keyring& keys,
                                const family_counts& counts) {
  read_rosters out;
  const auto members = read_members(node, at);
  if (!members) return tl::unexpected(members.error());
  auto first = runtime::table_prefix(at, runtime::table::participation);
  runtime::append_big_endian(first, wave.value);
  bool damaged = false;
  auto read = node.at(at).scan(
      first, runtime::end_of(first), [&](std::string_view key, std::string_view value) {
        auto row = applicant::decode_participation(value);
        if (!row) return damaged = true, false;
        const applicant_id who{runtime::read_big_endian<std::uint64_t>(key.substr(first.size()))};
        if (std::binary_search(members->begin(), members->end(), who.value)) return true;
        const auto taken = counts.find(row->family);
        const int room = draw::family_room_max - (taken == counts.end() ? 0 : taken->second);
        if (room <= 0) return true;
        const auto entry = keys.entry_of(wave, who);
        out.entries.push_back({.id = entry,
                               .family = row->family,
                               .groups = row->groups,
                               .region = row->region,
                               .family_room = static_cast<std::uint8_t>(room)});
        out.owners.push_back({entry, who.value});
        return true;
      });
  if (!read) return refuse(errc::storage_unavailable, {}, read.error().detail);
  if (damaged) return refuse(errc::internal, {}, "a participation row does not parse");
  return out;
}

result<read_rosters> read_all(const runtime::node& node, wave_number wave, const keyring& keys,
                              unsigned threads) {
  auto counts = read_family_counts(node);
  if (!counts) return tl::unexpected(counts.error());
  std::vector<result<read_rosters>> parts(node.shards());
  draw::parallel_for(threads, parts.size(), [&](std::size_t i) {
    parts[i] = read_shard(node, static_cast<runtime::shard_index>(i), wave, keys, *counts);
  });
  std::size_t total = 0;
  for (const auto& part : parts) {
    if (!part) return tl::unexpected(part.error());
    total += part->entries.size();
  }
  read_rosters all;
  all.entries.reserve(total);
  all.owners.reserve(total);
  for (auto& part : parts) {
    all.entries.insert(all.entries.end(), part->entries.begin(), part->entries.end());
    all.owners.insert(all.owners.end(), part->owners.begin(), part->owners.end());
    part = read_rosters{};
  }
  return all;
}

/// Entries sort by their bytes; ids are hashes, so the first byte splits them evenly.
std::string owners_in_order(std::vector<owned_entry>&& owners, unsigned threads) {
  auto parts = draw::partition<owned_entry>(
      std::span<const owned_entry>{owners}, 256, threads,
      [](const owned_entry& one) { return one.entry[0]; },
      [](const owned_entry& one, std::size_t) { return one; });
  draw::parallel_for(threads, parts.count(), [&](std::size_t i) {
    auto part = parts[i];
    std::sort(part.begin(), part.end(),
              [](const owned_entry& a, const owned_entry& b) { return a.entry < b.entry; });
  });
  std::string bytes(owners.size() * sizeof(std::uint64_t), '\0');
  for (std::size_t i = 0; i < owners.size(); ++i)
    std::memcpy(bytes.data() + i * sizeof(std::uint64_t), &parts.items[i].applicant,
                sizeof(std::uint64_t));
  return bytes;
}

std::string as_text(const digest& bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

draw_desk::draw_desk(runtime::node& node, const keyring& keys, std::filesystem::path directory,
                     unsigned threads)
    : node_(node),
      keys_(keys),
      directory_(std::move(directory)),
      threads_(threads),
      thread_([this] { run(); }) {}

draw_desk::~draw_desk() {
  stop();
}

void draw_desk::stop() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wanted_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::filesystem::path draw_desk::folder_of(wave_number wave) const {
  return directory_ / ("wave-" + std::to_string(wave.value));
}

void draw_desk::submit(std::function<void()> job) {
  {
    std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  wanted_.notify_one();
}

void draw_desk::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

result<draw::parameters> draw_desk::parameters_of(const wire::State& wave,
                                                  const commit& command) const {
  draw::parameters given;
  given.wave = wave_number{wave.number()};
  given.quota = static_cast<std::uint32_t>(wave.plan().quota());
  given.minimum_per_region = wave.plan().minimum_per_region();
  for (const auto& one : wave.plan().groups()) {
    const auto bit = applicant::group_bit_named(one.name());
    if (!bit) return refuse(errc::groups_invalid);
    given.groups.push_back({one.name(), static_cast<std::uint8_t>(*bit),
                            static_cast<std::uint16_t>(one.share_permille())});
  }
  for (const auto& one : wave.plan().weights())
    given.weights.push_back({region_code{static_cast<std::uint16_t>(one.region())}, one.weight()});
  std::sort(given.weights.begin(), given.weights.end(),
            [](const auto& a, const auto& b) { return a.region < b.region; });
  given.beacon_source = command.beacon_source;
  given.beacon_round = command.beacon_round;
  if (command.operator_secret_hash.size() != given.operator_secret_hash.size())
    return refuse(errc::field_invalid, "/operator_secret_hash");
  std::copy(command.operator_secret_hash.begin(), command.operator_secret_hash.end(),
            given.operator_secret_hash.begin());
  return given;
}

result<draw::summary> draw_desk::commit_files(const wire::State& wave, const commit& command) {
  const wave_number number{wave.number()};
  auto given = parameters_of(wave, command);
  if (!given) return tl::unexpected(given.error());
  auto rosters = read_all(node_, number, keys_, threads_);
  if (!rosters) return tl::unexpected(rosters.error());
  const auto folder = folder_of(number);
  if (auto made = draw::make_directory(folder); !made) return tl::unexpected(made.error());
  draw::file_replacement owners{folder / owners_file};
  owners.append(owners_in_order(std::move(rosters->owners), threads_));
  if (auto written = owners.finish(); !written) return tl::unexpected(written.error());
  auto published = draw::commit(folder, std::move(rosters->entries), *given, threads_);
  std::lock_guard lock{files_mutex_};
  files_.erase(number);
  return published;
}

void draw_desk::read_roster(wire::State wave, commit command, on_read told) {
  submit([this, wave = std::move(wave), command = std::move(command), told = std::move(told)] {
    auto published = commit_files(wave, command);
    if (!published) {
      spdlog::error("wave {}: the roster could not be committed: {}", wave.number(),
                    published.error().detail);
      return told(tl::unexpected(published.error()));
    }
    wire::Commitment commitment;
    commitment.set_beacon_source(command.beacon_source);
    commitment.set_beacon_round(command.beacon_round);
    commitment.set_operator_secret_hash(command.operator_secret_hash);
    commitment.set_roster_root(as_text(published->roster_root));
    commitment.set_entries(published->entries);
    told(std::move(commitment));
  });
}

void draw_desk::make_draw(wire::State wave, hold_draw command, on_drawn told) {
  submit([this, wave = std::move(wave), command = std::move(command), told = std::move(told)] {
    const auto folder = folder_of(wave_number{wave.number()});
    if (!std::filesystem::exists(folder / "committed.json")) {
      // The files are gone (a restored backup without them, another node): the rosters are not.
      commit again{.beacon_source = wave.commitment().beacon_source(),
                   .beacon_round = wave.commitment().beacon_round(),
                   .operator_secret_hash = wave.commitment().operator_secret_hash(),
                   .now = command.now};
      auto made = commit_files(wave, again);
      if (!made) return told(tl::unexpected(made.error()));
      if (as_text(made->roster_root) != wave.commitment().roster_root())
        return told(refuse(errc::internal, {}, "the roster is not the one committed to"));
    }
    auto published = draw::run(folder, command.beacon_value, command.operator_secret, threads_);
    if (!published) {
      spdlog::error("wave {}: the draw failed: {}", wave.number(), published.error().detail);
      return told(tl::unexpected(published.error()));
    }
    {
      std::lock_guard lock{files_mutex_};
      files_.erase(wave_number{wave.number()});
    }
    wire::Result drawn;
    drawn.set_beacon_value(command.beacon_value);
    drawn.set_operator_secret(command.operator_secret);
    drawn.set_seed(as_text(published->drawn->seed));
    std::uint64_t accepted = 0;
    for (const auto& region : published->regions) accepted += region.accepted;
    drawn.set_accepted(accepted);
    told(std::move(drawn));
  });
}

result<std::shared_ptr<const draw::draw_files>> draw_desk::files_of(wave_number wave,
                                                                    draw::stage upto) {
  std::lock_guard lock{files_mutex_};
  auto& kept = files_[wave][static_cast<std::size_t>(upto)];
  if (kept) return kept;
  auto opened = draw::draw_files::open(folder_of(wave), upto);
  if (!opened) return tl::unexpected(opened.error());
  kept = std::make_shared<const draw::draw_files>(std::move(*opened));
  return kept;
}

result<std::shared_ptr<const settlement>> draw_desk::settlement_of(wave_number wave) {
  auto files = files_of(wave, draw::stage::drawn);
  if (!files) return tl::unexpected(files.error());
  std::lock_guard lock{files_mutex_};
  if (settlement_ && settled_wave_ == wave) return settlement_;
  auto owners = draw::mapped_file::open(folder_of(wave) / owners_file);
  if (!owners) return tl::unexpected(owners.error());
  const auto roster = (*files)->roster();
  if (!(*files)->is_drawn() || owners->bytes().size() != roster.size() * sizeof(std::uint64_t))
    return refuse(
        errc::internal, {},
        fmt::format("{}: owners and roster do not fit together", folder_of(wave).string()));
  auto made = std::make_shared<settlement>();
  made->by_shard.resize(node_.shards());
  for (std::uint32_t i = 0; i < roster.size(); ++i) {
    if ((*files)->verdict_of(i).outcome() != draw::outcome::accepted) continue;
    std::uint64_t owner;
    std::memcpy(&owner, owners->bytes().data() + i * sizeof owner, sizeof owner);
    // The file has no checksum, and needs none: an entry's id is made of its owner's.
    if (keys_.entry_of(wave, applicant_id{owner}) != roster[i].id)
      return refuse(errc::internal, {},
                    fmt::format("{}: entry {} is not its owner's",
                                (folder_of(wave) / owners_file).string(), i));
    made->by_shard[runtime::shard_of(owner, node_.shards())].push_back({owner, roster[i].family});
  }
  settled_wave_ = wave;
  settlement_ = made;
  return settlement_;
}

}  // namespace gelombang::wave
