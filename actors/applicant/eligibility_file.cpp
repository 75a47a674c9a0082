#include <fmt/format.h>

#include "actors/applicant/eligibility.hpp"
#include "actors/applicant/profile.hpp"
#include "actors/applicant/toml_reader.hpp"
#include "actors/registry/lists.hpp"

namespace gelombang::applicant {
namespace {

/// Names of an array as a mask of their numbers.
template <class Named>
std::uint32_t mask_in(toml_reader& from, std::string_view key, Named named) {
  std::uint32_t mask = 0;
  for (const auto& node : from.array(key)) {
    const auto* name = node.as_string();
    auto value = name ? named(std::string_view{name->get()}) : decltype(named({}))();
    if (!value) {
      from.fail(key, fmt::format("has an unknown name{}", name ? ": " + name->get() : ""));
      return 0;
    }
    mask |= 1u << static_cast<std::uint32_t>(*value);
  }
  return mask;
}

}  // namespace

tl::expected<eligibility_rules, std::string> parse_eligibility(std::string_view toml,
                                                               std::string_view file) {
  auto table = parse_toml(toml, file);
  if (!table) return tl::unexpected(table.error());
  toml_reader from(*table, std::string(file));
  eligibility_rules rules;
  rules.name = from.text("name");
  rules.version = static_cast<std::uint32_t>(from.whole_number("version", 1, 1'000'000));
  rules.age_min = static_cast<int>(from.whole_number("age_min", 0, 150));
  rules.age_max = static_cast<int>(from.whole_number("age_max", rules.age_min, 150));
  rules.excluded_employments = mask_in(from, "excluded_employments", employment_named);
  rules.excluded_educations = mask_in(from, "excluded_educations", education_named);
  rules.excluded_lists = mask_in(from, "excluded_lists", registry::list_named);
  // Published draws know a room of one or two.
  rules.family_places_max =
      static_cast<std::uint32_t>(from.whole_number("family_places_max", 1, 2));
  rules.once_in_lifetime = from.flag("once_in_lifetime");
  if (auto end = from.end(); !end) return tl::unexpected(end.error());
  return rules;
}

}  // namespace gelombang::applicant
