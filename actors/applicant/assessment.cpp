#include "actors/applicant/assessment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace gelombang::applicant {
namespace {

template <class Named>
const Named* named(const std::vector<Named>& all, std::string_view id) {
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

std::uint32_t points_max(const assessment::question& question) {
  std::uint32_t most = 0;
  for (const auto& option : question.options) most = std::max(most, option.points);
  return most;
}

tl::unexpected<refusal> wrong_answer(std::size_t index, const char* reason) {
  return refuse(errc::field_invalid, fmt::format("/answers/{}", index), reason);
}

}  // namespace

result<std::uint32_t> score_of(const assessment& questions, const std::vector<answer>& answers) {
  std::vector<std::optional<std::uint32_t>> points(questions.questions.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto* question = named(questions.questions, answers[i].question);
    if (!question) return wrong_answer(i, "question is not asked");
    const auto* option = named(question->options, answers[i].option);
    if (!option) return wrong_answer(i, "question has no such option");
    auto& answered = points[static_cast<std::size_t>(question - questions.questions.data())];
    if (answered) return wrong_answer(i, "question is answered twice");
    answered = option->points;
  }
  std::vector<std::string_view> open;
  std::uint32_t reached = 0, most = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!points[i]) open.push_back(questions.questions[i].id);
    reached += points[i].value_or(0);
    most += points_max(questions.questions[i]);
  }
  if (!open.empty()) {
    return refuse(errc::answers_incomplete, "/answers", fmt::format("{}", fmt::join(open, ",")));
  }
  return most == 0 ? 0 : reached * 100 / most;
}

}  // namespace gelombang::applicant
