#include "actors/wave/desk.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

#include "actors/applicant/profile.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/wave/draw/files.hpp"
#include "actors/wave/reading_desk.hpp"

namespace gelombang::wave {
namespace {

std::string as_text(const digest& bytes) {
  return {bytes.begin(), bytes.end()};
}

draw::stage stage_of(const wire::State& wave) {
  return wave.has_result() ? draw::stage::drawn : draw::stage::committed;
}

std::string summary_sha256(const draw::summary& published) {
  return as_text(sha256(draw::to_json(published)));
}

}  // namespace

draw_desk::draw_desk(runtime::node& node, const keyring& keys, const board& shown,
                     const clock& time, std::filesystem::path directory, unsigned threads)
    : node_(node),
      keys_(keys),
      board_(shown),
      time_(time),
      shelf_(std::move(directory)),
      threads_(threads) {}

draw_desk::~draw_desk() {
  stop();
}

void draw_desk::stop() {
  orders_.stop();
  checks_.stop();
}

void draw_desk::wait_until_idle() {
  orders_.wait_until_idle();
  checks_.wait_until_idle();
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

result<draw::summary> draw_desk::commit_files(const wire::State& wave, const commit& command,
                                              const std::filesystem::path& folder) const {
  auto given = parameters_of(wave, command);
  if (!given) return tl::unexpected(given.error());
  auto rosters = read_all(node_, wave_number{wave.number()}, keys_, threads_);
  if (!rosters) return tl::unexpected(rosters.error());
  if (auto made = draw::make_directory(folder); !made) return tl::unexpected(made.error());
  draw::file_replacement owners{folder / owners_name};
  owners.append(owners_in_order(std::move(rosters->owners), threads_));
  if (auto written = owners.finish(); !written) return tl::unexpected(written.error());
  return draw::commit(folder, std::move(rosters->entries), *given, threads_);
}

void draw_desk::forget(wave_number wave) {
  std::lock_guard lock{files_mutex_};
  files_.erase(wave);
  checked_.erase(wave);
  files_faults_.erase(wave);
  outcome_faults_.erase(wave);
  settlement_faults_.erase(wave);
  if (settled_wave_ == wave) settlement_ = nullptr;
}

void draw_desk::read_roster(wire::State wave, commit command, on_read told) {
  orders_.submit(
      [this, wave = std::move(wave), command = std::move(command), told = std::move(told)] {
        const wave_number number{wave.number()};
        const auto alone = check_no_other_draw(wave, command);
        auto published = alone ? commit_files(wave, command, shelf_.folder_of(number))
                               : result<draw::summary>{tl::unexpected(alone.error())};
        forget(number);
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
        commitment.set_summary_sha256(summary_sha256(*published));
        auto committed = wave;
        *committed.mutable_commitment() = commitment;
        vouch_for(committed);
        told(std::move(commitment));
      });
}

void draw_desk::make_draw(wire::State wave, hold_draw command, on_drawn told) {
  orders_.submit(
      [this, wave = std::move(wave), command = std::move(command), told = std::move(told)] {
        const wave_number number{wave.number()};
        auto ready = prepare_draw(wave, command);
        const bool is_whole = shelf_.missing(number, draw::stage::committed).empty();
        // The summary says how many places go where: what is drawn by is what was committed to.
        if (ready) ready = is_whole ? shelf_.check(wave) : make_again(wave);
        auto published = ready ? draw_from(number, command.beacon_value, command.operator_secret)
                               : result<draw::summary>{tl::unexpected(ready.error())};
        if (!published) {
          spdlog::error("wave {}: the draw failed: {}", wave.number(), published.error().detail);
          return told(tl::unexpected(published.error()));
        }
        forget(number);
        wire::Result drawn;
        drawn.set_beacon_value(command.beacon_value);
        drawn.set_operator_secret(command.operator_secret);
        drawn.set_seed(as_text(published->drawn->seed));
        std::uint64_t accepted = 0;
        for (const auto& region : published->regions) accepted += region.accepted;
        drawn.set_accepted(accepted);
        drawn.set_summary_sha256(summary_sha256(*published));
        // Made from a roster whose root was just computed again.
        auto with_result = wave;
        *with_result.mutable_result() = drawn;
        vouch_for(with_result);
        told(std::move(drawn));
      });
}

/// From the committed files, whose roster's root is computed again first.
result<draw::summary> draw_desk::draw_from(wave_number wave, const std::string& beacon_value,
                                           const std::string& operator_secret) const {
  auto drawn = draw::run(shelf_.folder_of(wave), beacon_value, operator_secret, threads_);
  if (!drawn && drawn.error().code == errc::draw_damaged)
    drawn.error().detail = fmt::format("wave-{}/{}", wave.value, drawn.error().detail);
  return drawn;
}

result<void> draw_desk::check_no_other_draw(const wire::State& wave, const commit& command) const {
  const auto known = shelf_.summary_of({wave.number()}, draw::stage::drawn);
  if (!known) return tl::unexpected(known.error());
  const bool is_other =
      *known && ((*known)->beacon_source != command.beacon_source ||
                 (*known)->beacon_round != command.beacon_round ||
                 as_text((*known)->operator_secret_hash) != command.operator_secret_hash);
  if (!is_other) return {};
  spdlog::error(
      "wave {}: not committed, its folder holds a draw of another commitment, of which the journal "
      "knows nothing. If its end was taken away, restore a backup; if that draw was never "
      "published, take the folder away",
      wave.number());
  return refuse(errc::wave_out_of_order, {}, std::string{drawn_otherwise});
}

result<void> draw_desk::prepare_draw(const wire::State& wave, const hold_draw& command) const {
  const auto known = shelf_.summary_of({wave.number()}, draw::stage::drawn);
  if (!known) return tl::unexpected(known.error());
  const bool is_other =
      *known &&
      (!(*known)->drawn || (*known)->drawn->beacon_value != command.beacon_value ||
       (*known)->drawn->operator_secret != command.operator_secret || contradiction(wave, **known));
  if (!is_other) return {};
  spdlog::error(
      "wave {}: not drawn, its folder holds a drawn.json with other randomness, of which the "
      "journal knows nothing. If its end was taken away, restore a backup; if that draw was never "
      "published, take drawn.json away",
      wave.number());
  return refuse(errc::wave_out_of_order, {}, std::string{drawn_otherwise});
}

std::optional<refusal> draw_desk::known_fault(const fault& of) const {
  if (of.why.code == errc::ok) return std::nullopt;
  const auto now = time_.now();
  // A clock that was set back must not keep a fault that is mended.
  if (now < of.looked_at || now - of.looked_at >= looked_at_again_after) return std::nullopt;
  return of.why;
}

tl::unexpected<refusal> draw_desk::note_fault(fault& of, wave_number wave,
                                              const refusal& why) const {
  const auto now = time_.now();
  if (of.why != why || now - of.told >= told_again_after) {
    spdlog::error("wave {}: {}. {}", wave.value, why.detail, what_to_do);
    of.told = now;
  }
  of.why = why;
  of.looked_at = now;
  return tl::unexpected(why);
}

result<draw_desk::files_ptr> draw_desk::files_of(wave_number wave, draw::stage upto) {
  const auto shown = board_.find(wave);
  if (!shown || !shown->has_commitment()) return refuse(errc::draw_not_published);
  const auto stage = shown->has_result() ? upto : draw::stage::committed;
  std::lock_guard lock{files_mutex_};
  if (auto kept = files_[wave][static_cast<std::size_t>(stage)]) return kept;
  auto& faulty = files_faults_[wave];
  if (auto known = known_fault(faulty)) return tl::unexpected(*known);
  auto opened = kept_or_opened(*shown, stage);
  if (!opened) return note_fault(faulty, wave, opened.error());
  return opened;
}

result<draw_desk::files_ptr> draw_desk::entries_of(wave_number wave) {
  auto files = files_of(wave, draw::stage::drawn);
  if (!files) return files;
  const auto shown = board_.find(wave);
  std::lock_guard lock{files_mutex_};
  if (checked_[wave] == *files) return files;
  if (auto known = known_fault(outcome_faults_[wave])) return tl::unexpected(*known);
  have_checked(shown);
  return refuse(errc::draw_unchecked);
}

bool draw_desk::has_known_fault(wave_number wave) const {
  std::lock_guard lock{files_mutex_};
  const auto known = outcome_faults_.find(wave);
  return known != outcome_faults_.end() && known->second.why.code != errc::ok;
}

/// Opens what this process has just made, for those who will ask.
void draw_desk::vouch_for(const wire::State& wave) {
  auto files = shelf_.open(wave, stage_of(wave));
  if (!files) return;  // whoever asks is told why
  {
    std::lock_guard lock{files_mutex_};
    judged_.insert_or_assign({wave.number()}, judgement{files->opened(), {}});
  }
  keep_checked(wave, std::make_shared<const draw::draw_files>(std::move(*files)));
}

/// With the lock.
void draw_desk::have_checked(const wave_ptr& wave) {
  const wave_number number{wave->number()};
  // The others come again. Orders have a thread of their own, and this one yields to them.
  if (being_checked_.size() >= checks_for_readers_max) return;
  if (!being_checked_.insert(number).second) return;
  checks_.submit([this, number, wave] {
    (void)check_outcomes(*wave, 1);
    std::lock_guard lock{files_mutex_};
    being_checked_.erase(number);
  });
}

void draw_desk::drop(wave_number wave, const draw::draw_files& files) {
  for (auto& kept : files_[wave])
    if (kept.get() == &files) kept = nullptr;
  if (const auto known = checked_.find(wave); known != checked_.end())
    if (known->second.get() == &files) checked_.erase(known);
}

result<void> draw_desk::confirm(wave_number wave, const draw::draw_files& files) {
  const auto name = files.changed();
  if (name.empty()) return {};
  std::lock_guard lock{files_mutex_};
  drop(wave, files);
  return note_fault(
      files_faults_[wave], wave,
      {.code = errc::draw_damaged,
       .detail = fmt::format("wave-{}/{}: {}", wave.value, name, draw::changed_meanwhile)});
}

tl::unexpected<refusal> draw_desk::contradicted(wave_number wave, const draw::draw_files& files,
                                                std::string_view what) {
  const auto shown = board_.find(wave);
  std::lock_guard lock{files_mutex_};
  drop(wave, files);
  if (shown) have_checked(shown);
  auto& faulty = outcome_faults_[wave];
  const refusal why{.code = errc::draw_damaged,
                    .detail = fmt::format("wave-{}/{}", wave.value, what)};
  // Where something is known already, it is what the check has found.
  if (faulty.why.code != errc::ok) return tl::unexpected(why);
  return note_fault(faulty, wave, why);
}

std::vector<std::string> draw_desk::known_faults() const {
  std::vector<std::string> found;
  for (const auto& [number, wave] : board_.all()) {
    const auto sound = shelf_.check(*wave);
    if (!sound && !shelf_.is_dispensable(*wave)) found.push_back(sound.error().detail);
    if (!sound) continue;
    // What summaries and headers do not tell, who needed the rest has found.
    std::lock_guard lock{files_mutex_};
    const auto note = [&found, wave_is = number](const std::map<wave_number, fault>& faults) {
      const auto known = faults.find(wave_is);
      if (known != faults.end() && known->second.why.code != errc::ok)
        found.push_back(known->second.why.detail);
    };
    note(outcome_faults_);
    if (!settlement_ || settled_wave_ != number) note(settlement_faults_);
  }
  return found;
}

result<draw_desk::files_ptr> draw_desk::kept_or_opened(const wire::State& wave, draw::stage upto) {
  auto& kept = files_[wave_number{wave.number()}][static_cast<std::size_t>(upto)];
  if (kept) return kept;
  auto opened = shelf_.open(wave, upto);
  if (!opened) return tl::unexpected(opened.error());
  return kept = std::make_shared<const draw::draw_files>(std::move(*opened));
}

bool draw_desk::has_settlement_of(wave_number wave) const {
  std::lock_guard lock{files_mutex_};
  return settlement_ && settled_wave_ == wave;
}

std::shared_ptr<const settlement> draw_desk::settlement_of(wave_number wave,
                                                           std::function<void()> when_read) {
  const auto shown = board_.find(wave);
  if (!shown) return nullptr;
  {
    std::lock_guard lock{files_mutex_};
    if (settlement_ && settled_wave_ == wave) return settlement_;
    if (known_fault(settlement_faults_[wave]) || known_fault(outcome_faults_[wave])) return nullptr;
    const bool is_under_way = being_settled_.contains(wave);
    auto& waiting = being_settled_[wave];
    if (when_read) waiting.push_back(std::move(when_read));
    if (is_under_way) return nullptr;
  }
  orders_.submit([this, wave, shown] {
    const auto kept = keep_settlement(*shown);
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock{files_mutex_};
      waiting.swap(being_settled_[wave]);
      being_settled_.erase(wave);
    }
    if (!kept) return;  // they ask again
    for (const auto& one : waiting) one();
  });
  return nullptr;
}

void draw_desk::read_settlement(wire::State wave, on_settlement told) {
  orders_.submit(
      [this, wave = std::move(wave), told = std::move(told)] { told(keep_settlement(wave)); });
}

result<void> draw_desk::keep_settlement(const wire::State& wave) {
  const wave_number number{wave.number()};
  if (!wave.has_result()) return refuse(errc::draw_not_published);
  if (has_settlement_of(number)) return {};
  const auto files = check_outcomes(wave, threads_);
  if (!files) return tl::unexpected(files.error());
  auto made = settlement_in_files(wave, **files);
  std::lock_guard lock{files_mutex_};
  if (!made) return note_fault(settlement_faults_[number], number, made.error());
  settled_wave_ = number;
  settlement_ = std::move(*made);
  return {};
}

/// Keeps them for those who ask, or notes what is wrong with them.
result<draw_desk::files_ptr> draw_desk::check_outcomes(const wire::State& wave, unsigned threads) {
  const wave_number number{wave.number()};
  auto files = checked_files(wave, threads);
  if (files) {
    keep_checked(wave, *files);
    return files;
  }
  std::lock_guard lock{files_mutex_};
  return note_fault(outcome_faults_[number], number, files.error());
}

void draw_desk::keep_checked(const wire::State& wave, const files_ptr& files) {
  const wave_number number{wave.number()};
  std::lock_guard lock{files_mutex_};
  outcome_faults_.erase(number);
  files_[number][static_cast<std::size_t>(stage_of(wave))] = files;
  checked_[number] = files;
}

/// Computes them again from the roster, unless that has been done with the very same files.
result<void> draw_desk::check_once(wave_number wave, const draw::draw_files& files,
                                   unsigned threads) {
  {
    std::lock_guard lock{files_mutex_};
    const auto known = judged_.find(wave);
    if (known != judged_.end() && known->second.of == files.opened()) return known->second.outcome;
  }
  spdlog::info("wave {}: its draw is computed again, to compare", wave.value);
  auto outcome = shelf_.recompute(wave, files, threads);
  std::lock_guard lock{files_mutex_};
  judged_.insert_or_assign(wave, judgement{files.opened(), outcome});
  return outcome;
}

result<draw_desk::files_ptr> draw_desk::checked_files(const wire::State& wave, unsigned threads) {
  const wave_number number{wave.number()};
  auto files = shelf_.open(wave, stage_of(wave));
  if (!files) return tl::unexpected(files.error());
  if (auto sound = check_once(number, *files, threads); !sound)
    return tl::unexpected(sound.error());
  if (!files->changed().empty())
    return refuse(errc::draw_damaged, {},
                  fmt::format("wave-{}: has changed while it was read", number.value));
  return std::make_shared<const draw::draw_files>(std::move(*files));
}

result<std::shared_ptr<const settlement>> draw_desk::settlement_in_files(
    const wire::State& wave, const draw::draw_files& files) {
  const wave_number number{wave.number()};
  auto owners = shelf_.owners_of(wave);
  if (!owners) return tl::unexpected(owners.error());
  const auto damaged = [&](std::string_view name, std::string_view what) {
    return refuse(errc::draw_damaged, {}, fmt::format("wave-{}/{}: {}", number.value, name, what));
  };
  const auto roster = files.roster();
  auto made = std::make_shared<settlement>();
  made->by_shard.resize(node_.shards());
  for (std::uint32_t i = 0; i < roster.size(); ++i) {
    if (files.verdict_of(i).outcome() != draw::outcome::accepted) continue;
    std::uint64_t owner;
    std::memcpy(&owner, owners->bytes().data() + i * sizeof owner, sizeof owner);
    // The file has no checksum, and needs none: an entry's id is made of its owner's.
    if (keys_.entry_of(number, applicant_id{owner}) != roster[i].id)
      return damaged(owners_name, fmt::format("entry {} is not its owner's", i));
    made->by_shard[runtime::shard_of(owner, node_.shards())].push_back({owner, roster[i].family});
  }
  if (const auto name = files.changed(); !name.empty())
    return damaged(name, draw::changed_meanwhile);
  if (!owners->is_whole()) return damaged(owners_name, draw::changed_meanwhile);
  return std::shared_ptr<const settlement>{std::move(made)};
}

}  // namespace gelombang::wave
