#include "actors/applicant/requests.hpp"
#include "actors/applicant/rules.hpp"

namespace gelombang::applicant {
namespace {

receipt receipt_of(const participation& row, const wave_view& wave, freshness fresh) {
  return {.wave = wave.number,
          .entry = wave.entry,
          .region = row.region,
          .joined_at = row.joined_at,
          .fresh = fresh};
}

/// A repeat of a join whose row is gone: the receipt is all that is left of it.
result<receipt> receipt_from(const wire::Answer& answer, const wave_view& wave) {
  if (!answer.has_receipt()) return refuse(errc::idempotency_conflict);
  const auto& kept = answer.receipt();
  return receipt{.wave = wave.number,
                 .entry = wave.entry,
                 .region = region_code{static_cast<std::uint16_t>(kept.region())},
                 .joined_at = instant_of(kept.joined_at()),
                 .fresh = kept.repeated() ? freshness::repeated : freshness::created};
}

join_decision only(result<receipt> reply) {
  return {.reply = std::move(reply)};
}

bool has_key_of(const participation& row, const std::optional<request_key>& request) {
  return request && row.request && request->key == row.request->key;
}

/// The answer of a wave that has a row already: the same receipt, by whichever request.
join_decision joined_before(const join& command, const wave_view& wave) {
  const auto& row = *wave.row;
  auto same_key = has_key_of(row, command.request);
  if (same_key && command.request->fingerprint != row.request->fingerprint) {
    return only(refuse(errc::idempotency_conflict));
  }
  auto made = only(receipt_of(row, wave, same_key ? freshness::created : freshness::repeated));
  // A withdrawal erases the row: a late repeat of this request must not join again then.
  if (!command.request || same_key || !wave.open) return made;
  made.event = event_at(command.now, command.request);
  auto& before = *made.event->mutable_joined_before();
  before.set_wave(wave.number.value);
  before.set_region(row.region.value);
  before.set_joined_at(milliseconds(row.joined_at));
  return made;
}

result<void> may_join(const wire::State& state, const wave_view& wave) {
  if (state.sealed_email().empty()) return refuse(errc::not_found);
  if (state.has_block()) return refuse(errc::account_blocked);
  if (!wave.open) return refuse(errc::wave_not_open);
  if (wave.member_since && wave.eligibility->once_in_lifetime) return refuse(errc::already_member);
  if (stage_of(state) != stage::ready) return refuse(errc::not_ready);
  return check_eligibility(state, *wave.eligibility, wave.opens_at);
}

}  // namespace

join_decision decide(const wire::State& state, const join& command, const wave_view& wave) {
  if (auto repeat = find_repeat(state, command.request, command.now)) {
    return only(repeat->and_then([&](const auto& answer) { return receipt_from(answer, wave); }));
  }
  if (wave.row) return joined_before(command, wave);
  if (auto may = may_join(state, wave); !may) return only(tl::unexpected(may.error()));
  const auto& identity = state.identity();
  participation row{.joined_at = command.now,
                    .region = region_code{static_cast<std::uint16_t>(identity.region())},
                    .groups = groups_of(state.profile().traits(), state.lists()),
                    .family = identity.family(),
                    .request = command.request};
  return {.row = row, .reply = receipt_of(row, wave, freshness::created)};
}

decision<void> decide(const wire::State& state, const withdraw& command, const wave_view& wave) {
  if (auto repeat = find_repeat(state, command.request, command.now)) {
    return only(repeat->and_then([](const auto& answer) { return reply_from(answer); }));
  }
  if (auto may = may_act(state); !may) return only(may);
  if (!wave.row) return refused<void>({errc::not_joined});
  // With its own key the join would be answered by the withdrawal's when it is repeated.
  if (has_key_of(*wave.row, command.request)) return refused<void>({errc::idempotency_conflict});
  if (!wave.open) return refused<void>({errc::wave_not_open});
  auto event = event_at(command.now, command.request);
  auto& withdrawn = *event.mutable_withdrawn();
  withdrawn.set_wave(wave.number.value);
  if (const auto& join = wave.row->request) {
    auto& kept = *withdrawn.mutable_join();
    kept.set_key(join->key);
    kept.set_fingerprint(join->fingerprint);
    kept.set_at(milliseconds(wave.row->joined_at));
    auto& receipt = *kept.mutable_answer()->mutable_receipt();
    receipt.set_wave(wave.number.value);
    receipt.set_region(wave.row->region.value);
    receipt.set_joined_at(kept.at());
  }
  return {.events = {std::move(event)}, .reply = {}};
}

wave_standing answer_to(const wire::State& state, const read_wave&, const wave_view& wave) {
  wave_standing standing;
  if (wave.row) standing.joined = receipt_of(*wave.row, wave, freshness::repeated);
  if (auto may = may_join(state, wave); !may) {
    standing.hindrance = may.error().code;
    standing.detail = may.error().detail;
  }
  return standing;
}

}  // namespace gelombang::applicant
