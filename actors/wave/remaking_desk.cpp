#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/wave/desk.hpp"
#include "actors/wave/draw/files.hpp"
#include "actors/wave/reading_desk.hpp"

namespace gelombang::wave {
namespace {

/// The order that led to a wave's commitment.
commit commitment_of(const wire::State& wave) {
  return {.beacon_source = wave.commitment().beacon_source(),
          .beacon_round = wave.commitment().beacon_round(),
          .operator_secret_hash = wave.commitment().operator_secret_hash(),
          .now = {}};
}

/// Where a folder's files are made again. A kill leaves it; the next start takes it away.
std::filesystem::path beside(std::filesystem::path folder) {
  folder += ".again";
  return folder;
}

tl::unexpected<refusal> damaged(const wire::State& wave, std::string_view what) {
  return refuse(errc::draw_damaged, {}, fmt::format("wave-{}/{}", wave.number(), what));
}

std::string as_lost(const std::vector<std::string>& names) {
  return fmt::format("{}: is not there", fmt::join(names, ", "));
}

result<draw::committed_roster> roster_of(const wire::State& wave) {
  const auto& root = wave.commitment().roster_root();
  draw::committed_roster known;
  if (root.size() != known.root.size())
    return refuse(errc::internal, {}, "a commitment's root is none");
  std::copy(root.begin(), root.end(), known.root.begin());
  known.entries = static_cast<std::uint32_t>(wave.commitment().entries());
  return known;
}

}  // namespace

void draw_desk::look_after_all() {
  for (const auto& [number, wave] : board_.all())
    orders_.submit([this, kept = wave] { look_after(*kept); });
  // What people look at: it is to be checked when the first of them comes.
  orders_.submit([this] {
    const auto all = board_.all();
    const auto newest = std::find_if(all.rbegin(), all.rend(), [](const auto& one) {
      return one.second->phase() == wire::ANNOUNCED;
    });
    if (newest == all.rend() || !shelf_.check(*newest->second)) return;
    std::lock_guard lock{files_mutex_};
    have_checked(newest->second);
  });
}

void draw_desk::look_after(const wire::State& wave) {
  const wave_number number{wave.number()};
  std::error_code unknown;  // whatever is still there is in nobody's way
  std::filesystem::remove_all(beside(shelf_.folder_of(number)), unknown);
  if (const auto more = shelf_.ahead(wave)) spdlog::warn("wave {}: {}", wave.number(), *more);
  auto sound = shelf_.check(wave);
  if (!sound && sound.error().code == errc::draw_damaged) {
    spdlog::warn("wave {}: {}", wave.number(), sound.error().detail);
    sound = make_again(wave);
    if (sound) spdlog::warn("wave {}: what was missing is made again, the same", wave.number());
  }
  if (!sound && shelf_.is_dispensable(wave))
    return spdlog::info("wave {}: {}. It is cancelled, nobody needs it", wave.number(),
                        sound.error().detail);
  if (!sound)
    return spdlog::error("wave {}: {}. {}", wave.number(), sound.error().detail, what_to_do);
  // Before anybody asks for them, or becomes a member by them.
  const auto phase = wave.phase();
  if (phase == wire::COMMITTED || phase == wire::DRAWN || phase == wire::ANNOUNCING)
    (void)check_outcomes(wave, threads_);
}

/// Makes what is missing of a wave's files, and nothing that is there. What comes out of it is what
/// the journal has, or is not kept.
result<void> draw_desk::make_again(const wire::State& wave) {
  const wave_number number{wave.number()};
  const auto committed = shelf_.missing(number, draw::stage::committed);
  const bool has_roster =
      std::find(committed.begin(), committed.end(), draw::roster_name) == committed.end();
  if (!committed.empty())
    if (auto made = has_roster ? follow_roster(wave, committed) : commit_again(wave, committed);
        !made)
      return made;
  if (wave.has_result() && !shelf_.missing(number, draw::stage::drawn).empty()) {
    // The roster's root is computed again first, and everything else follows from it.
    if (auto first = shelf_.open(wave, draw::stage::committed); !first)
      return tl::unexpected(first.error());
    auto made = draw_from(number, wave.result().beacon_value(), wave.result().operator_secret());
    if (!made) return tl::unexpected(made.error());
  }
  forget(number);
  return shelf_.check(wave);
}

/// With the roster, from those who have joined.
result<void> draw_desk::commit_again(const wire::State& wave,
                                     const std::vector<std::string>& missing) {
  return make_aside(wave, missing, [&](const std::filesystem::path& aside) {
    return commit_files(wave, commitment_of(wave), aside);
  });
}

/// From the roster, whose root the journal has; the owners from those who have joined.
result<void> draw_desk::follow_roster(const wire::State& wave, std::vector<std::string> missing) {
  const auto owners = std::remove(missing.begin(), missing.end(), owners_name);
  const bool has_owners = owners == missing.end();
  missing.erase(owners, missing.end());
  if (!missing.empty()) {
    auto made = make_aside(wave, missing, [&](const std::filesystem::path& aside) {
      return commit_by_roster(wave, aside);
    });
    if (!made) return made;
  }
  return has_owners ? result<void>{} : note_owners_again(wave);
}

result<draw::summary> draw_desk::commit_by_roster(const wire::State& wave,
                                                  const std::filesystem::path& to) const {
  const auto known = roster_of(wave);
  if (!known) return tl::unexpected(known.error());
  const auto given = parameters_of(wave, commitment_of(wave));
  if (!given) return tl::unexpected(given.error());
  auto made = draw::commit_again(shelf_.folder_of({wave.number()}), to, *given, *known, threads_);
  if (!made && made.error().code == errc::draw_damaged) return damaged(wave, made.error().detail);
  return made;
}

/// In a folder of its own, so that no file that is there is touched before they are known to agree.
result<void> draw_desk::make_aside(
    const wire::State& wave, const std::vector<std::string>& missing,
    const std::function<result<draw::summary>(const std::filesystem::path&)>& make) const {
  const auto folder = shelf_.folder_of({wave.number()});
  const auto aside = beside(folder);
  std::error_code code;
  std::filesystem::remove_all(aside, code);
  const auto made = make(aside);
  const auto other = made ? contradiction(wave, *made) : std::nullopt;
  result<void> moved;
  if (!made)
    moved = refuse(made.error().code, {},
                   fmt::format("wave-{}/{}, and can't be made again: {}", wave.number(),
                               as_lost(missing), made.error().detail));
  else if (other)
    moved = damaged(wave, fmt::format("{}, and what the rosters give instead is another: {}",
                                      as_lost(missing), *other));
  else
    moved = draw::make_directory(folder);
  for (const auto& name : missing)
    if (moved) moved = draw::move_file(aside / name, folder / name);
  std::filesystem::remove_all(aside, code);
  return moved;
}

result<void> draw_desk::note_owners_again(const wire::State& wave) const {
  const wave_number number{wave.number()};
  const auto files = shelf_.open(wave, draw::stage::committed);
  if (!files) return tl::unexpected(files.error());
  const auto roster = files->roster();
  auto owners = read_owners(node_, number, keys_, roster, threads_);
  if (!owners) return tl::unexpected(owners.error());
  if (owners->size() != roster.size())
    return damaged(wave, fmt::format("{}: is not there, and can't be made again: of {} entries {} "
                                     "are somebody's",
                                     owners_name, roster.size(), owners->size()));
  draw::file_replacement file{shelf_.folder_of(number) / owners_name};
  file.append(owners_in_order(std::move(*owners), threads_));
  return file.finish();
}

}  // namespace gelombang::wave
