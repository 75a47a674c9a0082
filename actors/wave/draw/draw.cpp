#include "actors/wave/draw/draw.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "actors/programme/format.hpp"
#include "actors/wave/draw/parallel.hpp"
#include "actors/wave/draw/row.hpp"
#include "actors/wave/draw/verify.hpp"

namespace gelombang::draw {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are stored as they are in memory");

constexpr auto tree_name = "tree.bin";
constexpr auto committed_name = "committed.json";
constexpr auto verdicts_name = "verdicts.bin";
constexpr auto drawn_name = "drawn.json";

constexpr std::array<std::string_view, 3> committed_files{roster_name, tree_name, committed_name};
constexpr std::array<std::string_view, 2> drawn_files{verdicts_name, drawn_name};

/// Stands before the items of a binary file. The root says to which roster they belong.
struct file_header {
  std::array<char, 8> kind;
  std::uint32_t wave;
  std::uint32_t count;
  digest roster_root;
  std::array<std::uint8_t, 16> unused;
};
static_assert(sizeof(file_header) == 64);

constexpr std::array<char, 8> roster_kind = {'G', 'L', 'R', 'O', 'S', 'T', 'R', '1'};
constexpr std::array<char, 8> tree_kind = {'G', 'L', 'T', 'R', 'E', 'E', '0', '1'};
constexpr std::array<char, 8> verdicts_kind = {'G', 'L', 'V', 'E', 'R', 'D', 'C', '1'};

template <class Item>
result<void> write_items(const std::filesystem::path& path, std::array<char, 8> kind,
                         const summary& of, std::span<const Item> items) {
  file_header header{
      kind, of.wave.value, static_cast<std::uint32_t>(items.size()), of.roster_root, {}};
  file_replacement file{path};
  file.append({reinterpret_cast<const char*>(&header), sizeof header});
  file.append({reinterpret_cast<const char*>(items.data()), items.size_bytes()});
  return file.finish();
}

template <class Item>
result<std::span<const Item>> items_in(const mapped_file& file, std::string_view name,
                                       std::array<char, 8> kind, const summary& of,
                                       std::size_t count) {
  auto damaged = [&](std::string_view why) {
    return refuse(errc::internal, {}, fmt::format("{}: {}", name, why));
  };
  auto bytes = file.bytes();
  if (bytes.size() < sizeof(file_header)) return damaged("too short");
  file_header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.kind != kind) return damaged("not such a file");
  if (header.wave != of.wave.value || header.roster_root != of.roster_root) {
    return damaged("belongs to another roster");
  }
  bytes.remove_prefix(sizeof header);
  if (header.count != count || bytes.size() != count * sizeof(Item)) {
    return damaged("has not the length that the summary says");
  }
  return std::span<const Item>{reinterpret_cast<const Item*>(bytes.data()), count};
}

result<void> write_json(const std::filesystem::path& path, const summary& published) {
  file_replacement file{path};
  file.append(to_json(published));
  return file.finish();
}

/// @returns nothing when there is no such file.
result<std::optional<summary>> read_json(const std::filesystem::path& path) {
  auto file = mapped_file::open(path);
  if (!file && file.error().code == errc::not_found) return std::nullopt;
  if (!file) return tl::unexpected(file.error());
  auto read = read_summary(file->bytes());
  const auto why = !file->is_whole() ? std::string{changed_meanwhile}
                   : !read           ? read.error()
                                     : std::string{};
  if (why.empty()) return std::move(*read);
  return refuse(errc::internal, {}, fmt::format("{}: {}", path.filename().string(), why));
}

result<summary> with_disclosure(summary committed, std::string_view beacon_value,
                                std::string_view operator_secret) {
  if (sha256(operator_secret) != committed.operator_secret_hash) {
    return refuse(errc::secret_mismatch);
  }
  if (beacon_value.empty() || beacon_value.size() > beacon_value_bytes_max) {
    return refuse(errc::beacon_invalid, {}, "1 to 1024 bytes");
  }
  if (operator_secret.size() > operator_secret_bytes_max) return refuse(errc::secret_mismatch);
  committed.drawn = disclosure{std::string(beacon_value), std::string(operator_secret),
                               seed_of(committed.roster_root, beacon_value, operator_secret)};
  return committed;
}

/// What a commitment leaves beside the roster.
result<void> write_commitment(const std::filesystem::path& directory, const summary& made,
                              std::span<const digest> nodes) {
  auto done = write_items<digest>(directory / tree_name, tree_kind, made, nodes);
  if (done) done = write_json(directory / committed_name, made);
  return done;
}

/// Apart from what would be a mistake of ours.
tl::unexpected<refusal> as_damage(refusal why) {
  if (why.code == errc::internal) why.code = errc::draw_damaged;
  return tl::unexpected(std::move(why));
}

/// Enters the walk's figures. @returns `internal` if a region was not filled: its families leave
/// room for `usable`, so that would be a mistake of ours, and nothing may be published.
result<void> enter(summary& published, const std::vector<region_walk>& walks) {
  for (std::size_t i = 0; i < walks.size(); ++i) {
    auto& region = published.regions[i];
    region.accepted = walks[i].accepted;
    region.cutoff = walks[i].cutoff;
    if (region.accepted == region.seats) continue;
    return refuse(errc::internal, {}, fmt::format("region {} is not filled", region.region));
  }
  return {};
}

}  // namespace

result<summary> commit(const std::filesystem::path& directory, std::vector<roster_entry> roster,
                       const parameters& given, unsigned threads) {
  if (auto valid = check(given); !valid) return tl::unexpected(valid.error());
  if (auto sorted = sort_roster(roster, threads); !sorted) return tl::unexpected(sorted.error());
  auto census = take_census(roster, threads);
  if (!census) return tl::unexpected(census.error());
  for (auto [index, room] : census->lowered) roster[index].family_room = room;
  auto nodes = tree::build(roster, threads);
  auto made =
      summarise(given, static_cast<std::uint32_t>(roster.size()), tree::root(nodes), *census);
  if (!made) return made;
  if (auto there = make_directory(directory); !there) return tl::unexpected(there.error());
  auto done = write_items<roster_entry>(directory / roster_name, roster_kind, *made, roster);
  if (done) done = write_commitment(directory, *made, nodes);
  if (!done) return tl::unexpected(done.error());
  return made;
}

result<summary> commit_again(const std::filesystem::path& from, const std::filesystem::path& to,
                             const parameters& given, const committed_roster& known,
                             unsigned threads) {
  if (auto valid = check(given); !valid) return tl::unexpected(valid.error());
  const auto damaged = [](std::string_view why) {
    return refuse(errc::draw_damaged, {}, fmt::format("{}: {}", roster_name, why));
  };
  auto file = mapped_file::open(from / roster_name);
  if (!file && file.error().code == errc::not_found) return damaged("is not there");
  if (!file) return tl::unexpected(file.error());
  summary header;
  header.wave = given.wave;
  header.roster_root = known.root;
  auto roster = items_in<roster_entry>(*file, roster_name, roster_kind, header, known.entries);
  if (!roster) return as_damage(roster.error());
  auto nodes = tree::build(*roster, threads);
  if (tree::root(nodes) != known.root) return damaged("is not what was committed to");
  auto census = take_census(*roster, threads);
  if (!census) return tl::unexpected(census.error());
  auto made = summarise(given, known.entries, known.root, *census);
  if (!made) return made;
  if (!file->is_whole()) return damaged(changed_meanwhile);
  if (auto there = make_directory(to); !there) return tl::unexpected(there.error());
  if (auto done = write_commitment(to, *made, nodes); !done) return tl::unexpected(done.error());
  return made;
}

result<summary> run(const std::filesystem::path& directory, std::string_view beacon_value,
                    std::string_view operator_secret, unsigned threads) {
  auto committed = read_json(directory / committed_name);
  if (!committed) return as_damage(committed.error());
  if (!*committed) return refuse(errc::draw_not_published);
  auto drawn = with_disclosure(std::move(**committed), beacon_value, operator_secret);
  if (!drawn) return drawn;
  auto file = mapped_file::open(directory / roster_name);
  if (!file) return tl::unexpected(file.error());
  auto roster = items_in<roster_entry>(*file, roster_name, roster_kind, *drawn, drawn->entries);
  if (!roster) return as_damage(roster.error());
  if (tree::root(tree::build(*roster, threads)) != drawn->roster_root) {
    return refuse(errc::draw_damaged, {}, "roster.bin: is not what was committed to");
  }
  auto walked =
      walk(*roster, seats_of(*drawn), drawn->groups, ticket_machine{drawn->drawn->seed}, threads);
  if (!file->is_whole()) {
    return refuse(errc::draw_damaged, {}, fmt::format("{}: {}", roster_name, changed_meanwhile));
  }
  auto done = enter(*drawn, walked.regions);
  if (done) {
    done = write_items<verdict>(directory / verdicts_name, verdicts_kind, *drawn, walked.verdicts);
  }
  if (done) done = write_json(directory / drawn_name, *drawn);
  if (!done) return tl::unexpected(done.error());
  return drawn;
}

std::span<const std::string_view> file_names(stage of) {
  if (of == stage::committed) return committed_files;
  return drawn_files;
}

result<std::optional<summary>> summary_in(const std::filesystem::path& directory, stage of) {
  return read_json(directory / file_names(of).back());
}

result<draw_files> draw_files::open(const std::filesystem::path& directory, stage upto,
                                    depth read) {
  result<std::optional<summary>> published;
  if (upto == stage::drawn) published = read_json(directory / drawn_name);
  if (published && !*published) published = read_json(directory / committed_name);
  if (!published) return tl::unexpected(published.error());
  if (!*published) return refuse(errc::draw_not_published);
  draw_files files;
  files.summary_ = std::move(**published);
  auto map = [&](std::string_view name) -> result<mapped_file> {
    auto file = mapped_file::open(directory / name);
    if (file || file.error().code != errc::not_found) return file;
    return refuse(errc::internal, {}, fmt::format("{}: is not there", name));
  };
  auto roster = map(roster_name);
  if (!roster) return tl::unexpected(roster.error());
  files.roster_file_ = std::move(*roster);
  auto nodes = map(tree_name);
  if (!nodes) return tl::unexpected(nodes.error());
  files.tree_file_ = std::move(*nodes);
  auto rows = items_in<roster_entry>(files.roster_file_, roster_name, roster_kind, files.summary_,
                                     files.summary_.entries);
  if (!rows) return tl::unexpected(rows.error());
  files.roster_ = *rows;
  auto kept = items_in<digest>(files.tree_file_, tree_name, tree_kind, files.summary_,
                               tree::nodes_count(rows->size()));
  if (!kept) return tl::unexpected(kept.error());
  files.nodes_ = *kept;
  if (!files.is_drawn()) return unless_changed(std::move(files));
  auto verdicts = map(verdicts_name);
  if (!verdicts) return tl::unexpected(verdicts.error());
  files.verdict_file_ = std::move(*verdicts);
  auto judged = items_in<verdict>(files.verdict_file_, verdicts_name, verdicts_kind, files.summary_,
                                  rows->size());
  if (!judged) return tl::unexpected(judged.error());
  const auto is_known = [](verdict one) { return one.outcome() <= outcome::family_full; };
  if (read == depth::outcomes && !std::all_of(judged->begin(), judged->end(), is_known)) {
    return refuse(errc::internal, {}, fmt::format("{}: has an outcome unknown", verdicts_name));
  }
  files.verdicts_ = *judged;
  files.tickets_.emplace(files.summary_.drawn->seed);
  return unless_changed(std::move(files));
}

result<draw_files> draw_files::unless_changed(draw_files&& files) {
  const auto name = files.changed();
  if (name.empty()) return std::move(files);
  return refuse(errc::internal, {}, fmt::format("{}: {}", name, changed_meanwhile));
}

draw_files::identity draw_files::opened() const {
  return {roster_file_.opened(), tree_file_.opened(), verdict_file_.opened()};
}

std::string_view draw_files::changed() const {
  if (!roster_file_.is_whole()) return roster_name;
  if (!tree_file_.is_whole()) return tree_name;
  return verdict_file_.is_whole() ? std::string_view{} : verdicts_name;
}

std::optional<std::uint32_t> draw_files::find(const entry_id& id) const {
  // Ids are keyed hashes: one stands close to where its value says, so that a cold look-up touches
  // two or three pages instead of one for every halving.
  std::uint64_t upper;
  std::memcpy(&upper, id.data(), sizeof upper);
  __extension__ using wide = unsigned __int128;
  auto size = roster_.size();
  auto guess = static_cast<std::size_t>(wide{__builtin_bswap64(upper)} * size >> 64);
  auto margin = 4 * static_cast<std::size_t>(std::sqrt(static_cast<double>(size))) + 1;
  auto before = [](const roster_entry& entry, const entry_id& wanted) { return entry.id < wanted; };
  auto first = guess > margin && roster_[guess - margin].id < id ? guess - margin : 0;
  auto last = guess + margin < size && id < roster_[guess + margin].id ? guess + margin : size;
  auto part = roster_.subspan(first, last - first);
  auto found = std::lower_bound(part.begin(), part.end(), id, before);
  if (found == part.end() || found->id != id) return std::nullopt;
  return static_cast<std::uint32_t>(first + static_cast<std::size_t>(found - part.begin()));
}

result<std::vector<digest>> draw_files::proof(std::uint32_t index) const {
  auto path = tree::prove(nodes_, roster_, index);
  const auto root = root_by_proof(leaf_of(roster_[index]), index, roster_.size(), path);
  if (root == summary_.roster_root) return path;
  return refuse(errc::internal, {},
                fmt::format("{} or {}: entry {} does not lead to the root that was committed to",
                            roster_name, tree_name, index));
}

result<void> draw_files::prove_absence(const entry_id& id) const {
  // Where damage has led the search astray, what it ends between is not side by side.
  const auto after = std::lower_bound(
      roster_.begin(), roster_.end(), id,
      [](const roster_entry& entry, const entry_id& wanted) { return entry.id < wanted; });
  const auto at = static_cast<std::uint32_t>(after - roster_.begin());
  if (after != roster_.end() && after->id == id)
    return refuse(errc::internal, {}, fmt::format("{}: is not in order", roster_name));
  if (at > 0)
    if (auto before = proof(at - 1); !before) return tl::unexpected(before.error());
  if (at < roster_.size())
    if (auto behind = proof(at); !behind) return tl::unexpected(behind.error());
  return {};
}

const region_summary& draw_files::region(region_code code) const {
  auto found = std::lower_bound(
      summary_.regions.begin(), summary_.regions.end(), code,
      [](const region_summary& line, region_code wanted) { return line.region < wanted; });
  return *found;
}

void draw_files::for_each_accepted(const std::function<void(const roster_entry&)>& visit) const {
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    if (verdicts_[i].outcome() == outcome::accepted) visit(roster_[i]);
  }
}

std::string draw_files::rows(std::uint32_t first, std::uint32_t count) const {
  auto size = static_cast<std::uint32_t>(roster_.size());
  first = std::min(first, size);
  auto end = first + std::min(count, size - first);
  std::string text(std::size_t{end - first} * row_bytes_max, '\0');
  auto* to = text.data();
  for (auto index = first; index < end; ++index) {
    to = is_drawn() ? write_row(to, roster_[index], ticket(index), verdicts_[index])
                    : write_row(to, roster_[index]);
  }
  text.resize(static_cast<std::size_t>(to - text.data()));
  return text;
}

result<void> draw_files::export_entries(const std::filesystem::path& csv, unsigned threads) const {
  constexpr std::uint32_t rows_at_once = 1u << 16;
  const std::size_t slices = std::max(1u, threads);
  file_replacement file{csv};
  file.append(entries_header);
  for (std::size_t first = 0; first < roster_.size(); first += slices * rows_at_once) {
    std::vector<std::string> texts(slices);
    parallel_for(threads, slices, [&](std::size_t slice) {
      texts[slice] = rows(static_cast<std::uint32_t>(first + slice * rows_at_once), rows_at_once);
    });
    for (const auto& text : texts) file.append(text);
  }
  return file.finish();
}

result<void> draw_files::check(unsigned threads) const {
  auto computed = compare(threads);
  // What was read as zeros agrees with nothing, or with other zeros.
  if (const auto name = changed(); !name.empty())
    return refuse(errc::internal, {}, fmt::format("{}: {}", name, changed_meanwhile));
  return computed;
}

result<void> draw_files::compare(unsigned threads) const {
  auto nodes = tree::build(roster_, threads);
  if (!std::equal(nodes.begin(), nodes.end(), nodes_.begin(), nodes_.end())) {
    return refuse(errc::internal, {}, "tree.bin: is not the tree over roster.bin");
  }
  auto found = disagreement_before_draw(summary_, roster_, threads);
  if (!found && is_drawn()) found = disagreement_of_draw(summary_, roster_, verdicts_, threads);
  if (found) return refuse(errc::internal, {}, *found);
  return {};
}

}  // namespace gelombang::draw
