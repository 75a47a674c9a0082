#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "actors/applicant/assessment.hpp"
#include "actors/applicant/replies.hpp"
#include "actors/programme/clock.hpp"
#include "actors/provider/provider.pb.h"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/rules.hpp"
#include "net/json_writer.hpp"
#include "net/language.hpp"
#include "net/programme/texts.hpp"

/// JSON of facts, as net/openapi.json describes it. Pure.
namespace gelombang::net {

wave_state state_of(const wave::state& wave, instant now);

/// A wave as everybody may know it.
struct wave_facts {
  const wave::state& wave;
  std::uint64_t joined = 0;
  instant now;
};
void write_wave(json_writer& json, const wave_facts& what, language speech);

void write_receipt(json_writer& json, const applicant::receipt& receipt);

/// What the published draw says of one entry.
struct own_entry {
  std::shared_ptr<const draw::draw_files> files;
  std::uint32_t index = 0;
  std::vector<digest> proof = {};  ///< as `draw_files::proof`
};

/// A person's standing in a wave, and where it comes from.
struct own_standing {
  const wave::state& wave;
  std::optional<applicant::receipt> joined = {};
  errc hindrance = errc::ok;
  std::string detail = {};
  bool accepted = false;
  bool is_member = false;               ///< accepted in this wave or another
  std::optional<own_entry> entry = {};  ///< after the announcement
  /// Instead, the draw in whose roster one is missing though one had joined.
  std::shared_ptr<const draw::draw_files> left_out_of = {};
  /// Outcomes in the draw's files are known to be damaged: `accepted` is the journal's, and what
  /// nothing but they would say is left out.
  bool is_disputed = false;
  instant now{};
};
own_state state_of(const own_standing& own);
/// Why not, once the draw says so. Of somebody left out it follows from what never changes again: a
/// roster takes everybody who joined but members, and those whose family is full. Nothing where it
/// is disputed.
std::optional<not_selected_for> reason_of(const own_standing& own);
void write_standing(json_writer& json, const own_standing& own, language speech);

/// What a person does next; `current` as in `write_me`.
applicant::next_step next_of(const applicant::me& me, const own_standing* current);

/// Everything a person sees of himself; `current`, where there is a wave, is his standing in it.
void write_me(json_writer& json, const applicant::me& me, const own_standing* current,
              language speech);

void write_assessment(json_writer& json, const applicant::assessment& questions);
void write_assessment_result(json_writer& json, const applicant::assessment_result& taken);

/// A training provider as everybody may know it.
void write_provider(json_writer& json, const provider::wire::Card& card);

struct token_pair {
  applicant_id account;
  std::string access;
  std::string refresh;
  std::int64_t expires_in_seconds = 0;
};
void write_tokens(json_writer& json, const token_pair& tokens);

}  // namespace gelombang::net
