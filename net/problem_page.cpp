#include "net/json_writer.hpp"
#include "net/problem.hpp"

namespace gelombang::net {

std::optional<errc> errc_named(std::string_view name) {
  for (std::uint16_t number = 1; number <= static_cast<std::uint16_t>(errc::internal); ++number) {
    auto code = static_cast<errc>(number);
    auto is_gap = code != errc::internal && name_of(code) == name_of(errc::internal);
    if (!is_gap && name_of(code) == name) return code;
  }
  return std::nullopt;
}

void append_problem_page(std::string& to, errc code) {
  auto form = form_of(code);
  json_writer json{to};
  json.begin_object();
  json.member("type", "/problems/" + std::string(name_of(code)));
  json.member("status", form.status);
  for (auto speech : {language::indonesian, language::english}) {
    json.key(tag_of(speech)).begin_object();
    json.member("title", form.title.in(speech)).member("detail", form.detail.in(speech));
    json.end_object();
  }
  json.end_object();
}

}  // namespace gelombang::net
