#include "net/programme/plan.hpp"

#include <algorithm>

#include "actors/programme/hex.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/programme/time.hpp"

namespace gelombang::net {
namespace {

constexpr std::size_t scheme_characters_max = 64;
constexpr std::size_t time_characters_max = 64;
constexpr std::size_t group_characters_max = 64;
constexpr std::int64_t permille = 1000;

/// At least one byte in lower-case hex.
std::string bytes_in(json_object& body, std::string_view name, std::size_t bytes_max) {
  const auto text = body.string(name, 2, 2 * bytes_max);
  if (text.empty()) return {};
  if (auto bytes = from_hex(text, bytes_max)) return std::move(*bytes);
  body.fault(name, field_fault::not_hex);
  return {};
}

void scheme_into(wave::wire::Plan& plan, json_object& body, const plan_terms& terms) {
  const auto scheme = body.string("scheme", 1, scheme_characters_max);
  if (scheme.empty()) return;
  const auto known = terms.eligibility_of_scheme.find(scheme);
  if (known == terms.eligibility_of_scheme.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, rules] : terms.eligibility_of_scheme) names.push_back(name);
    return body.fault_none_of("scheme", names);
  }
  plan.set_scheme(known->first);
  plan.set_eligibility(known->second);
}

void groups_into(wave::wire::Plan& plan, json_object& body) {
  const auto groups = body.optional_array("groups", 0, wave::groups_max);
  if (!groups) return;
  for (auto one : groups->objects()) {
    auto& group = *plan.add_groups();
    group.set_name(std::string{one.string("name", 1, group_characters_max)});
    group.set_share_permille(
        static_cast<std::uint32_t>(one.integer("share_permille", 0, permille)));
  }
}

std::int64_t regions_max(const region_table& regions) {
  return static_cast<std::int64_t>(regions.all().size());
}

result<void> weights_into(wave::wire::Plan& plan, json_object& body, const region_table& regions) {
  auto given = body.optional_object("weights");
  std::map<region_code, std::uint64_t> weights;
  for (const auto& region : regions.all()) weights[region.code] = given ? 0 : region.population;
  if (given) {
    if (given->empty()) body.fault("weights", field_fault::too_short, 1, regions_max(regions));
    const auto members = given->integer_members(0, wave::weight_max);
    for (const auto& [name, weight] : members) {
      const auto code = parse_region_code(name);
      if (!code || !regions.find(*code))
        return gelombang::refuse(errc::region_unknown, "/weights/" + std::string{name});
      weights[*code] = static_cast<std::uint64_t>(weight);
    }
  }
  for (const auto& [code, weight] : weights) {
    auto& one = *plan.add_weights();
    one.set_region(code.value);
    one.set_weight(weight);
  }
  return {};
}

}  // namespace

instant time_in(json_object& body, std::string_view name) {
  const auto text = body.string(name, 1, time_characters_max);
  if (text.empty()) return {};
  if (const auto time = parse_time(text)) return *time;
  body.fault(name, field_fault::not_time);
  return {};
}

result<wave::wire::Plan> plan_in(json_object& body, const plan_terms& terms) {
  wave::wire::Plan plan;
  scheme_into(plan, body, terms);
  plan.set_opens_at(time_in(body, "opens_at").time_since_epoch().count());
  plan.set_closes_at(time_in(body, "closes_at").time_since_epoch().count());
  const auto quota = body.integer("quota", 1, wave::quota_max);
  plan.set_quota(static_cast<std::uint64_t>(quota));
  // A quota that is wrong says nothing about the minimum.
  const auto minimum_max = quota == 0 ? std::int64_t{wave::minimum_per_region_max}
                                      : std::min<std::int64_t>(quota, wave::minimum_per_region_max);
  plan.set_minimum_per_region(static_cast<std::uint32_t>(
      body.optional_integer("minimum_per_region", 0, minimum_max).value_or(0)));
  groups_into(plan, body);
  if (auto weights = weights_into(plan, body, terms.regions); !weights)
    return tl::unexpected(weights.error());
  return plan;
}

wave::commit commitment_in(json_object& body) {
  wave::commit command;
  command.beacon_source = body.string("beacon_source", 1, wave::beacon_source_bytes_max);
  command.beacon_round = static_cast<std::uint64_t>(body.integer("beacon_round", 0, INT64_MAX));
  constexpr std::size_t hash_bytes = sizeof(digest);
  command.operator_secret_hash = bytes_in(body, "operator_secret_hash", hash_bytes);
  const auto length = command.operator_secret_hash.size();
  if (length != 0 && length != hash_bytes)
    body.fault("operator_secret_hash", field_fault::too_short, 2 * hash_bytes, 2 * hash_bytes);
  return command;
}

wave::hold_draw disclosure_in(json_object& body) {
  wave::hold_draw command;
  command.beacon_value = bytes_in(body, "beacon_value", wave::beacon_value_bytes_max);
  command.operator_secret = bytes_in(body, "operator_secret", wave::operator_secret_bytes_max);
  return command;
}

}  // namespace gelombang::net
