#include "net/programme/render.hpp"

#include <algorithm>
#include <array>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/wave/draw/row.hpp"

namespace gelombang::net {
namespace {

instant instant_of(std::int64_t milliseconds) {
  return instant{std::chrono::milliseconds{milliseconds}};
}

/// Four digits, without an allocation: it stands in every receipt.
class region_text {
public:
  explicit region_text(region_code code) {
    auto rest = code.value;
    for (auto at = digits_.rbegin(); at != digits_.rend(); ++at, rest /= 10)
      *at = static_cast<char>('0' + rest % 10);
  }
  operator std::string_view() const { return {digits_.data(), digits_.size()}; }  // NOLINT

private:
  std::array<char, 4> digits_{};
};

template <std::size_t Bytes>
class hex_text {
public:
  explicit hex_text(const std::array<std::uint8_t, Bytes>& bytes) {
    write_hex(digits_.data(), bytes);
  }
  operator std::string_view() const { return {digits_.data(), digits_.size()}; }  // NOLINT

private:
  std::array<char, 2 * Bytes> digits_{};
};

void text(json_writer& json, std::string_view name, std::string_view value) {
  json.key(name).value(value);
}

void write_proof(json_writer& json, const own_entry& entry) {
  const auto roster = entry.files->roster();
  std::array<char, draw::committed_bytes_max> leaf;
  const auto* end = draw::write_committed(leaf.data(), roster[entry.index]);
  json.key("proof").begin_object();
  text(json, "leaf", {leaf.data(), static_cast<std::size_t>(end - leaf.data())});
  json.member("index", entry.index).member("size", roster.size());
  json.key("path").begin_array();
  for (const auto& sibling : entry.proof) json.value(std::string_view{hex_text<32>{sibling}});
  json.end_array().end_object();
}

/// Null also where a region has no entry at all.
void write_cutoff(json_writer& json, const draw::draw_files& files, region_code region) {
  json.key("cutoff");
  const auto& all = files.published().regions;
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.region == region; });
  if (at != all.end() && at->cutoff)
    json.value(std::string_view{hex_text<32>{*at->cutoff}});
  else
    json.null();
  text(json, "region", region_text{region});
}

void write_outcome(json_writer& json, const own_standing& own) {
  const auto reason = reason_of(own);
  text(json, "outcome", own.accepted ? "accepted" : "not_selected");
  if (reason) text(json, "reason", name_of(*reason));
  if (!own.entry) {
    json.key("ticket").null();
    write_cutoff(json, *own.left_out_of, own.joined->region);
    return void(json.key("proof").null());
  }
  const auto& files = *own.entry->files;
  text(json, "ticket", hex_text<32>{files.ticket(own.entry->index)});
  write_cutoff(json, files, files.roster()[own.entry->index].region);
  const auto verdict = files.verdict_of(own.entry->index);
  if (verdict.order() > 0 && !own.is_disputed) json.member("order", verdict.order());
  write_proof(json, *own.entry);
}

void write_identity(json_writer& json, const applicant::me& me) {
  json.key("identity");
  if (me.masked_nik.empty()) return void(json.null());
  json.begin_object().member("nik", me.masked_nik).member("full_name", me.full_name);
  if (me.birth_date) json.member("birth_date", format_date(*me.birth_date));
  if (me.region) text(json, "region", region_text{*me.region});
  json.end_object();
}

void write_profile(json_writer& json, const applicant::me& me) {
  json.key("profile");
  if (!me.education || !me.employment) return void(json.null());
  auto has = [&](applicant::group one) {
    return (me.groups & static_cast<std::uint32_t>(one)) != 0;
  };
  json.begin_object().member("phone", me.phone);
  text(json, "education", applicant::name_of(*me.education));
  text(json, "employment", applicant::name_of(*me.employment));
  json.member("disability", has(applicant::group::disability));
  json.member("returned_migrant", has(applicant::group::returned_migrant)).end_object();
}

/// Either may be unknown: of waves of before they were kept, and where nobody gave a reason.
void write_cancellation(json_writer& json, const wave::wire::Cancellation& known) {
  json.key("cancelled_at");
  if (known.at() > 0)
    json.value(instant_of(known.at()));
  else
    json.null();
  json.key("cancel_reason");
  if (known.reason().empty()) return void(json.null());
  json.value(std::string_view{known.reason()});
}

void write_bilingual(json_writer& json, const applicant::bilingual& both) {
  json.key("text").begin_object().member("id", both.id).member("en", both.en).end_object();
}

}  // namespace

wave_state state_of(const wave::state& wave, instant now) {
  if (wave::is_open(wave, now)) return wave_state::open;
  switch (wave.phase()) {
    case wave::wire::NONE:
    case wave::wire::SCHEDULED:
      break;
    case wave::wire::OPEN:
    case wave::wire::CLOSING:
    case wave::wire::CLOSED:
      return wave_state::closed;
    case wave::wire::COMMITTED:
      return wave_state::committed;
    case wave::wire::DRAWN:
    case wave::wire::ANNOUNCING:
      return wave_state::drawn;
    case wave::wire::ANNOUNCED:
      return wave_state::announced;
    case wave::wire::CANCELLED:
      return wave_state::cancelled;
    default:
      break;
  }
  const bool over = now >= instant_of(wave.plan().closes_at());
  return over ? wave_state::closed : wave_state::scheduled;
}

void write_wave(json_writer& json, const wave_facts& what, language speech) {
  const auto& plan = what.wave.plan();
  const auto state = state_of(what.wave, what.now);
  json.begin_object().member("number", what.wave.number()).member("scheme", plan.scheme());
  text(json, "state", name_of(state));
  json.member("opens_at", instant_of(plan.opens_at()));
  json.member("closes_at", instant_of(plan.closes_at()));
  json.member("quota", plan.quota()).member("joined", what.joined);
  json.member("minimum_per_region", plan.minimum_per_region());
  json.key("groups").begin_array();
  for (const auto& group : plan.groups()) {
    json.begin_object().member("name", group.name());
    json.member("share_permille", group.share_permille()).end_object();
  }
  json.end_array();
  text(json, "explanation", explanation_of(state).in(speech));
  if (state == wave_state::cancelled) write_cancellation(json, what.wave.cancellation());
  json.end_object();
}

void write_receipt(json_writer& json, const applicant::receipt& receipt) {
  json.begin_object().member("wave", receipt.wave.value);
  text(json, "entry_id", hex_text<16>{receipt.entry});
  text(json, "region", region_text{receipt.region});
  json.member("joined_at", receipt.joined_at);
  text(json, "state", "joined");
  json.end_object();
}

own_state state_of(const own_standing& own) {
  const auto wave = state_of(own.wave, own.now);
  if (wave == wave_state::cancelled) return own_state::cancelled;
  if (wave == wave_state::scheduled) return own_state::not_open;
  if (wave == wave_state::open) {
    if (own.joined) return own_state::joined;
    return own.hindrance == errc::ok ? own_state::can_join : own_state::cannot_join;
  }
  if (wave != wave_state::announced)
    return own.joined ? own_state::in_selection : own_state::closed;
  if (!own.joined) return own_state::not_joined;
  return own.accepted ? own_state::accepted : own_state::not_selected;
}

std::optional<not_selected_for> reason_of(const own_standing& own) {
  if (own.left_out_of)
    return own.is_member ? not_selected_for::already_member : not_selected_for::family_full;
  if (!own.entry || own.is_disputed) return std::nullopt;
  switch (own.entry->files->verdict_of(own.entry->index).outcome()) {
    case draw::outcome::accepted:
      return std::nullopt;
    case draw::outcome::reserve:
      return not_selected_for::reserve;
    case draw::outcome::family_full:
      return not_selected_for::family_full;
  }
  return std::nullopt;
}

void write_standing(json_writer& json, const own_standing& own, language speech) {
  const auto state = state_of(own);
  json.begin_object().member("wave", own.wave.number());
  text(json, "state", name_of(state));
  const auto reason = reason_of(own);
  const auto explanation = reason ? explanation_of(*reason) : explanation_of(state);
  text(json, "explanation", explanation.in(speech));
  if (state == own_state::cannot_join) {
    json.key("hindrance").begin_object();
    text(json, "name", name_of(own.hindrance));
    text(json, "detail", own.detail);
    text(json, "explanation", form_of(own.hindrance).detail.in(speech));
    json.end_object();
  }
  json.key("receipt");
  if (own.joined)
    write_receipt(json, *own.joined);
  else
    json.null();
  if (own.entry || own.left_out_of) write_outcome(json, own);
  json.end_object();
}

applicant::next_step next_of(const applicant::me& me, const own_standing* current) {
  using applicant::next_step;
  if (me.next != next_step::join_a_wave) return me.next;
  if (!current) return next_step::wait_for_a_wave;
  switch (state_of(*current)) {
    case own_state::can_join:
      return next_step::join_a_wave;
    case own_state::joined:
    case own_state::in_selection:
      return next_step::wait_for_result;
    case own_state::accepted:
      return next_step::nothing;
    default:
      return current->is_member ? next_step::nothing : next_step::wait_for_a_wave;
  }
}

void write_me(json_writer& json, const applicant::me& me, const own_standing* current,
              language speech) {
  json.begin_object().member("account_id", to_string(me.account)).member("email", me.email);
  text(json, "state", applicant::name_of(me.stage));
  json.key("reasons").begin_array();
  for (const auto& reason : me.reasons) json.value(reason);
  json.end_array();
  const auto next = next_of(me, current);
  text(json, "next", applicant::name_of(next));
  text(json, "explanation", explanation_of(next).in(speech));
  if (!me.block_reason.empty()) json.member("block_reason", me.block_reason);
  write_identity(json, me);
  write_profile(json, me);
  json.key("assessment");
  if (me.assessment)
    write_assessment_result(json, *me.assessment);
  else
    json.null();
  json.key("wave");
  if (current)
    write_standing(json, *current, speech);
  else
    json.null();
  json.end_object();
}

void write_assessment(json_writer& json, const applicant::assessment& questions) {
  json.begin_object().member("version", questions.version).key("questions").begin_array();
  for (const auto& question : questions.questions) {
    json.begin_object().member("id", question.id).member("part", question.part);
    write_bilingual(json, question.text);
    json.key("options").begin_array();
    for (const auto& option : question.options) {
      json.begin_object().member("id", option.id);
      write_bilingual(json, option.text);
      json.end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().end_object();
}

void write_assessment_result(json_writer& json, const applicant::assessment_result& taken) {
  json.begin_object().member("version", taken.version).member("score", taken.score);
  text(json, "state", applicant::name_of(taken.stage));
  json.end_object();
}

void write_provider(json_writer& json, const provider::wire::Card& card) {
  const bool is_suspended = card.has_suspension();
  json.begin_object().member("number", card.number()).member("name", card.name());
  json.key("website");
  if (card.website().empty())
    json.null();
  else
    json.value(card.website());
  text(json, "state", is_suspended ? "suspended" : "active");
  json.key("suspension");
  if (is_suspended) {
    json.begin_object().member("reason", card.suspension().reason());
    json.member("since", instant_of(card.suspension().since())).end_object();
  } else {
    json.null();
  }
  json.member("registered_at", instant_of(card.registered_at()));
  json.member("changed_at", instant_of(card.changed_at())).end_object();
}

void write_tokens(json_writer& json, const token_pair& tokens) {
  json.begin_object().member("account_id", to_string(tokens.account));
  json.member("access_token", tokens.access).member("refresh_token", tokens.refresh);
  json.member("expires_in", tokens.expires_in_seconds);
  text(json, "token_type", "Bearer");
  json.end_object();
}

}  // namespace gelombang::net
