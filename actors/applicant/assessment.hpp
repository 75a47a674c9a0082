#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "actors/applicant/commands.hpp"
#include "actors/programme/result.hpp"

namespace gelombang::applicant {

/// A text in the two languages of the programme.
struct bilingual {
  std::string id;
  std::string en;
};

/// The questions on motivation and basic skills: configuration, with a version. Nobody fails; the
/// score helps to recommend courses.
struct assessment {
  struct option {
    std::string id;
    bilingual text;
    std::uint32_t points = 0;
  };
  struct question {
    std::string id;
    std::string part;  ///< "motivation" or "basic_skills"
    bilingual text;
    std::vector<option> options;
  };
  std::uint32_t version = 0;
  std::vector<question> questions;
};

inline constexpr std::size_t assessment_questions_max = 50;
inline constexpr std::size_t assessment_options_max = 10;

/// Reads config/assessment.toml. @returns `file` with the key and the reason.
tl::expected<assessment, std::string> parse_assessment(std::string_view toml,
                                                       std::string_view file);

/// 0 to 100: points reached of all that could be, rounded down.
/// @returns `answers_incomplete` with the ids of the questions left open; `field_invalid` for a
///   question that is not asked or is answered twice, and for an option that it does not have.
result<std::uint32_t> score_of(const assessment& questions, const std::vector<answer>& answers);

}  // namespace gelombang::applicant
