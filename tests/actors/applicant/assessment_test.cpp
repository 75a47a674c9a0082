#include "actors/applicant/assessment.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/actors/applicant/people.hpp"

namespace gelombang::applicant {
namespace {

using namespace testing;

TEST(Assessment, ScoresWhatWasReachedOfWhatCouldBe) {
  auto questions = two_questions();
  EXPECT_EQ(score_of(questions, {{"why", "b"}, {"sum", "a"}}), 100u);
  EXPECT_EQ(score_of(questions, {{"sum", "a"}, {"why", "a"}}), 50u);
  EXPECT_EQ(score_of(questions, {{"why", "a"}, {"sum", "b"}}), 0u);
}

TEST(Assessment, NamesTheQuestionsLeftOpen) {
  auto questions = two_questions();
  EXPECT_EQ(score_of(questions, {}).error(),
            (refusal{errc::answers_incomplete, "/answers", "why,sum"}));
  EXPECT_EQ(score_of(questions, {{"sum", "a"}}).error().detail, "why");
}

TEST(Assessment, NamesTheAnswerThatIsNone) {
  auto questions = two_questions();
  auto field = [&](const std::vector<answer>& answers) {
    auto scored = score_of(questions, answers);
    EXPECT_EQ(code_of(scored), errc::field_invalid);
    return scored.error().field;
  };
  EXPECT_EQ(field({{"why", "c"}, {"sum", "a"}}), "/answers/0");
  EXPECT_EQ(field({{"why", "a"}, {"whence", "a"}}), "/answers/1");
  EXPECT_EQ(field({{"why", "a"}, {"sum", "a"}, {"why", "b"}}), "/answers/2");
  EXPECT_EQ(field({{"", ""}}), "/answers/0");
}

TEST(AssessmentFile, TheProgrammesOwnCanBeReadAndReachedInFull) {
  std::ifstream file(std::string(GELOMBANG_SOURCE_DIR) + "/config/assessment.toml");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto read = parse_assessment(text, "assessment.toml");
  ASSERT_TRUE(read) << read.error();
  std::vector<answer> best;
  std::size_t motivation = 0;
  for (const auto& question : read->questions) {
    auto top = std::max_element(
        question.options.begin(), question.options.end(),
        [](const auto& left, const auto& right) { return left.points < right.points; });
    EXPECT_GT(top->points, 0u) << question.id;
    best.push_back({question.id, top->id});
    if (question.part == "motivation") ++motivation;
  }
  EXPECT_EQ(score_of(*read, best), 100u);
  EXPECT_GT(motivation, 0u);
  EXPECT_GT(read->questions.size(), motivation);
}

TEST(AssessmentFile, NamesThePlaceThatIsWrong) {
  auto question = [](const std::string& id, const std::string& part, const std::string& options) {
    return "[[questions]]\nid = \"" + id + "\"\npart = \"" + part +
           "\"\ntext_id = \"?\"\ntext_en = \"?\"\noptions = [" + options + "]\n";
  };
  auto option = [](const std::string& id, const std::string& points) {
    return "{id=\"" + id + "\",text_id=\"a\",text_en=\"a\",points=" + points + "},";
  };
  auto fault = [](const std::string& text) {
    auto read = parse_assessment(text, "f");
    return read ? std::string{} : read.error();
  };
  auto two = option("a", "0") + option("b", "1");
  EXPECT_EQ(fault("version = 1\n" + question("q", "motivation", two)), "");
  EXPECT_EQ(fault("version = 0\n" + question("q", "motivation", two)),
            "f: version must be a whole number from 1 to 1000000");
  EXPECT_EQ(fault("version = 1\n"), "f: questions is missing");
  EXPECT_EQ(fault("version = 1\n" + question("q", "luck", two)),
            "f: questions[0]: part must be \"motivation\" or \"basic_skills\"");
  EXPECT_EQ(fault("version = 1\n" + question("q", "motivation", option("a", "0"))),
            "f: questions[0]: options must have 2 to 10 entries");
  EXPECT_EQ(fault("version = 1\n" + question("q", "motivation", two + option("b", "1"))),
            "f: questions[0]: options[2]: id comes twice");
  EXPECT_EQ(fault("version = 1\n" + question("q", "motivation", two + option("c", "101"))),
            "f: questions[0]: options[2]: points must be a whole number from 0 to 100");
  std::string many = "version = 1\n";
  for (std::size_t i = 0; i <= assessment_questions_max; ++i) {
    many += question("q" + std::to_string(i), "motivation", two);
  }
  EXPECT_EQ(fault(many), "f: questions must have 1 to 50 entries");
}

}  // namespace
}  // namespace gelombang::applicant
