#pragma once

#include <functional>
#include <map>
#include <string>

#include "actors/programme/clock.hpp"
#include "actors/programme/region.hpp"
#include "actors/wave/rules.hpp"
#include "net/json_reader.hpp"

namespace gelombang::net {

/// What a plan is read against.
struct plan_terms {
  /// The name of the eligibility rules by that of the scheme.
  const std::map<std::string, std::string, std::less<>>& eligibility_of_scheme;
  const region_table& regions;
};

/// Reads what an operator plans. Every region has a weight in the plan: its population when the
/// body gives no weights, and 0 when it gives weights and leaves the region out: such a region gets
/// only what no other can use. What is wrong with single members is in the body's faults, and then
/// the plan is not to be used.
/// @returns `region_unknown` for a weight of a region that is not in the table.
result<wave::wire::Plan> plan_in(json_object& body, const plan_terms& terms);

/// What a commitment or a draw is made of, likewise.
wave::commit commitment_in(json_object& body);
wave::hold_draw disclosure_in(json_object& body);

/// A time as an operator gives it; 1970 and a fault of the body where it is none.
instant time_in(json_object& body, std::string_view name);

}  // namespace gelombang::net
