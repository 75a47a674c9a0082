#include "actors/applicant/rows_for_actor.hpp"

#include <utility>

#include "actors/runtime/snapshot_kind.hpp"

namespace gelombang::applicant {
namespace {

/// Settled and cancelled waves are read when somebody asks; these are read with the snapshot.
constexpr std::size_t waves_at_hand_max = 4;

}  // namespace

using namespace runtime;

std::vector<wave_number> waves_at_hand(const std::vector<roster::view>& all) {
  std::vector<wave_number> found;
  bool had_settled = false;
  for (auto one = all.rbegin(); one != all.rend() && found.size() < waves_at_hand_max; ++one) {
    const bool over = one->phase == roster::wire::SETTLED || one->phase == roster::wire::CANCELLED;
    if (over && std::exchange(had_settled, true)) continue;
    found.push_back(one->wave);
  }
  return found;
}

result<std::optional<participation>> participation_in(const row_value& stored, entity_ref who) {
  if (!stored) return std::nullopt;
  auto row = decode_participation(*stored);
  if (!row) return unreadable(who, "participation");
  return *row;
}

result<std::optional<wave_number>> membership_in(const row_value& stored, entity_ref who) {
  if (!stored) return std::nullopt;
  return message_in<roster::wire::Member>(stored, who, "member").map([](const auto& member) {
    return wave_number{member.wave()};
  });
}

result<known_participations> participations_in(std::span<const std::string> keys,
                                               std::span<const row_value> rows, entity_ref who) {
  constexpr std::size_t wave_at = 3;  // behind shard and table
  known_participations found;
  found.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto row = participation_in(rows[i], who);
    if (!row) return tl::unexpected(row.error());
    found.push_back(
        {wave_number{read_big_endian<std::uint32_t>(std::string_view{keys[i]}.substr(wave_at))},
         *row});
  }
  return found;
}

}  // namespace gelombang::applicant
