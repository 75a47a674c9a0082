#include "actors/wave/shelf.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "actors/programme/sha256.hpp"

namespace gelombang::wave {
namespace {

namespace fs = std::filesystem;

std::string name_of_folder(std::uint32_t wave) {
  return fmt::format("wave-{}", wave);
}

tl::unexpected<refusal> damaged(std::uint32_t wave, std::string_view what) {
  return refuse(errc::draw_damaged, {}, fmt::format("{}/{}", name_of_folder(wave), what));
}

bool is(std::string_view stored, std::span<const std::uint8_t> bytes) {
  return std::equal(
      stored.begin(), stored.end(), bytes.begin(), bytes.end(),
      [](char one, std::uint8_t other) { return static_cast<std::uint8_t>(one) == other; });
}

/// Waves of before it was kept have none.
bool has_digest(std::string_view stored, const draw::summary& published) {
  return stored.empty() || is(stored, sha256(draw::to_json(published)));
}

std::uint64_t accepted_in(const draw::summary& published) {
  std::uint64_t accepted = 0;
  for (const auto& region : published.regions) accepted += region.accepted;
  return accepted;
}

/// The name of the member that is not as committed to; none.
std::string_view not_committed_to(const wire::State& wave, const draw::summary& published) {
  const auto& promised = wave.commitment();
  if (published.wave.value != wave.number()) return "wave";
  if (published.entries != promised.entries()) return "entries";
  if (!is(promised.roster_root(), published.roster_root)) return "roster_root";
  if (published.quota != wave.plan().quota()) return "quota";
  if (published.minimum_per_region != wave.plan().minimum_per_region()) return "minimum_per_region";
  if (published.beacon_source != promised.beacon_source()) return "beacon_source";
  if (published.beacon_round != promised.beacon_round()) return "beacon_round";
  if (!is(promised.operator_secret_hash(), published.operator_secret_hash))
    return "operator_secret_hash";
  return {};
}

std::string_view not_drawn(const wire::Result& result, const draw::summary& published) {
  if (published.drawn->beacon_value != result.beacon_value()) return "beacon_value";
  if (published.drawn->operator_secret != result.operator_secret()) return "operator_secret";
  if (!is(result.seed(), published.drawn->seed)) return "seed";
  if (accepted_in(published) != result.accepted()) return "the sum of accepted";
  return {};
}

}  // namespace

std::optional<std::string> contradiction(const wire::State& wave, const draw::summary& published) {
  auto member = not_committed_to(wave, published);
  if (member.empty() && published.drawn && wave.has_result())
    member = not_drawn(wave.result(), published);
  if (!member.empty()) return fmt::format("{} is not what the journal has", member);
  if (published.drawn && !wave.has_result()) return std::nullopt;
  const auto& digest =
      published.drawn ? wave.result().summary_sha256() : wave.commitment().summary_sha256();
  if (has_digest(digest, published)) return std::nullopt;
  return "is not the summary whose SHA-256 the journal has";
}

fs::path shelf::folder_of(wave_number wave) const {
  return directory_ / name_of_folder(wave.value);
}

/// As it may be told: places below the shelf only.
tl::unexpected<refusal> shelf::fault(wave_number wave, const refusal& why) const {
  if (why.code == errc::internal) return damaged(wave.value, why.detail);
  auto told = why;
  if (const auto above = directory_.string() + "/"; told.detail.starts_with(above))
    told.detail.erase(0, above.size());
  return tl::unexpected(std::move(told));
}

result<std::optional<draw::summary>> shelf::summary_of(wave_number wave, draw::stage of) const {
  auto read = draw::summary_in(folder_of(wave), of);
  if (!read) return fault(wave, read.error());
  return read;
}

result<draw::draw_files> shelf::open(const wire::State& wave, draw::stage upto,
                                     draw::depth read) const {
  auto files = draw::draw_files::open(folder_of({wave.number()}), upto, read);
  const auto lacks = [&](std::string_view name) {
    return damaged(wave.number(), fmt::format("{}: is not there", name));
  };
  if (!files && files.error().code == errc::draw_not_published)
    return lacks(draw::file_names(upto).back());
  if (!files) return fault({wave.number()}, files.error());
  const auto name = draw::file_names(upto).back();
  if (files->is_drawn() != (upto == draw::stage::drawn)) return lacks(name);
  if (auto other = contradiction(wave, files->published()))
    return damaged(wave.number(), fmt::format("{}: {}", name, *other));
  return files;
}

result<void> shelf::recompute(wave_number wave, const draw::draw_files& files,
                              unsigned threads) const {
  if (auto sound = files.check(threads); !sound) return fault(wave, sound.error());
  return {};
}

result<draw::mapped_file> shelf::owners_of(const wire::State& wave) const {
  auto owners = draw::mapped_file::open(folder_of({wave.number()}) / owners_name);
  if (!owners && owners.error().code == errc::not_found)
    return damaged(wave.number(), fmt::format("{}: is not there", owners_name));
  if (!owners) return fault({wave.number()}, owners.error());
  if (owners->bytes().size() != wave.commitment().entries() * sizeof(std::uint64_t))
    return damaged(wave.number(), fmt::format("{}: has not one owner for each entry", owners_name));
  return owners;
}

result<void> shelf::check(const wire::State& wave) const {
  if (!wave.has_commitment()) return {};
  if (auto files = open(wave, draw::stage::committed); !files) return tl::unexpected(files.error());
  if (auto owners = owners_of(wave); !owners) return tl::unexpected(owners.error());
  if (!wave.has_result()) return {};
  const bool is_over = wave.phase() == wire::ANNOUNCED || wave.phase() == wire::CANCELLED;
  auto files =
      open(wave, draw::stage::drawn, is_over ? draw::depth::headers : draw::depth::outcomes);
  if (!files) return tl::unexpected(files.error());
  return {};
}

std::vector<std::string> shelf::missing(wave_number wave, draw::stage of) const {
  std::vector<std::string> names;
  const auto note = [&](std::string_view name) {
    std::error_code unknown;
    const auto what = fs::status(folder_of(wave) / name, unknown).type();
    if (what == fs::file_type::not_found) names.emplace_back(name);
  };
  for (const auto name : draw::file_names(of)) note(name);
  if (of == draw::stage::committed) note(owners_name);
  return names;
}

bool shelf::is_dispensable(const wire::State& wave) const {
  return wave.phase() == wire::CANCELLED &&
         !missing({wave.number()}, draw::stage::committed).empty();
}

std::optional<std::string> shelf::ahead(const wire::State& wave) const {
  const auto is_there = [&](draw::stage of) {
    std::error_code unknown;
    return fs::exists(folder_of({wave.number()}) / draw::file_names(of).back(), unknown);
  };
  const auto stage = !wave.has_result() && is_there(draw::stage::drawn) ? draw::stage::drawn
                                                                        : draw::stage::committed;
  if (stage == draw::stage::committed && (wave.has_commitment() || !is_there(stage)))
    return std::nullopt;
  return fmt::format(
      "{}/{}: is there, and the journal knows nothing of it. A kill between the two leaves it so, "
      "and a journal whose end was taken away",
      name_of_folder(wave.number()), draw::file_names(stage).back());
}

}  // namespace gelombang::wave
