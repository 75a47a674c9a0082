#include "actors/applicant/eligibility.hpp"

#include <fmt/format.h>

#include "actors/applicant/profile.hpp"
#include "actors/programme/time.hpp"
#include "actors/registry/lists.hpp"

namespace gelombang::applicant {
namespace {

bool has(std::uint32_t mask, std::uint32_t number) {
  return number < 32 && (mask >> number & 1u) != 0;
}

tl::unexpected<refusal> not_eligible(std::string reason) {
  return refuse(errc::not_eligible, {}, std::move(reason));
}

}  // namespace

result<void> check_eligibility(const wire::State& state, const eligibility_rules& rules,
                               instant wave_opens_at) {
  auto birth = date{std::chrono::sys_days{std::chrono::days{state.identity().birth_day()}}};
  auto age = age_on(birth, date_in_wib(wave_opens_at));
  if (age < rules.age_min) return not_eligible("age_below_minimum");
  if (age > rules.age_max) return not_eligible("age_above_maximum");
  const auto& profile = state.profile();
  if (has(rules.excluded_employments, profile.employment())) {
    auto which = static_cast<employment>(profile.employment());
    return not_eligible(fmt::format("employment_{}", name_of(which)));
  }
  if (has(rules.excluded_educations, profile.education())) {
    auto which = static_cast<education>(profile.education());
    return not_eligible(fmt::format("education_{}", name_of(which)));
  }
  auto listed = rules.excluded_lists & state.lists();
  for (std::uint32_t number = 0; listed != 0 && number < registry::lists_count; ++number) {
    if (!has(listed, number)) continue;
    return not_eligible(
        fmt::format("listed_{}", registry::name_of(static_cast<registry::list>(number))));
  }
  return {};
}

}  // namespace gelombang::applicant
