#include <fmt/format.h>

#include <set>

#include "actors/applicant/assessment.hpp"
#include "actors/applicant/toml_reader.hpp"

namespace gelombang::applicant {
namespace {

template <class T>
using read_result = tl::expected<T, std::string>;

/// Reads an array of tables with `read`, and sees to its limit and to ids that come twice.
template <class T, class Read>
read_result<std::vector<T>> tables_in(toml_reader& from, std::string_view key,
                                      const std::string& where, std::size_t least, std::size_t most,
                                      Read read) {
  const auto& array = from.array(key);
  if (from.failed()) return tl::unexpected(from.end().error());
  if (array.size() < least || array.size() > most) {
    from.fail(key, fmt::format("must have {} to {} entries", least, most));
    return tl::unexpected(from.end().error());
  }
  std::vector<T> all;
  std::set<std::string> ids;
  for (const auto& node : array) {
    auto place = fmt::format("{}: {}[{}]", where, key, all.size());
    const auto* table = node.as_table();
    if (!table) return tl::unexpected(place + " must be a table");
    read_result<T> one = read(*table, place);
    if (!one) return tl::unexpected(one.error());
    if (!ids.insert(one->id).second) return tl::unexpected(place + ": id comes twice");
    all.push_back(std::move(*one));
  }
  return all;
}

read_result<assessment::option> option_in(const toml::table& table, const std::string& where) {
  toml_reader from(table, where);
  assessment::option option;
  option.id = from.text("id");
  option.text.id = from.text("text_id");
  option.text.en = from.text("text_en");
  option.points = static_cast<std::uint32_t>(from.whole_number("points", 0, 100));
  if (auto end = from.end(); !end) return tl::unexpected(end.error());
  return option;
}

read_result<assessment::question> question_in(const toml::table& table, const std::string& where) {
  toml_reader from(table, where);
  assessment::question question;
  question.id = from.text("id");
  question.part = from.text("part");
  if (question.part != "motivation" && question.part != "basic_skills") {
    from.fail("part", "must be \"motivation\" or \"basic_skills\"");
  }
  question.text.id = from.text("text_id");
  question.text.en = from.text("text_en");
  auto options =
      tables_in<assessment::option>(from, "options", where, 2, assessment_options_max, option_in);
  if (!options) return tl::unexpected(options.error());
  question.options = std::move(*options);
  if (auto end = from.end(); !end) return tl::unexpected(end.error());
  return question;
}

}  // namespace

read_result<assessment> parse_assessment(std::string_view toml, std::string_view file) {
  auto table = parse_toml(toml, file);
  if (!table) return tl::unexpected(table.error());
  toml_reader from(*table, std::string(file));
  assessment read;
  read.version = static_cast<std::uint32_t>(from.whole_number("version", 1, 1'000'000));
  auto questions = tables_in<assessment::question>(from, "questions", std::string(file), 1,
                                                   assessment_questions_max, question_in);
  if (!questions) return tl::unexpected(questions.error());
  read.questions = std::move(*questions);
  if (auto end = from.end(); !end) return tl::unexpected(end.error());
  return read;
}

}  // namespace gelombang::applicant
