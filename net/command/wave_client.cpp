#include "net/command/wave_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <memory>

#include "net/command/operator_client.hpp"

namespace gelombang::command {
namespace {

namespace json = boost::json;

enum exit_code : int { done = 0, refused = 1, wrong_usage = 2, unreachable = 3 };

constexpr std::array<std::pair<std::string_view, wave_order>, 8> names = {{
    {"create", wave_order::create},
    {"open", wave_order::open},
    {"close", wave_order::close},
    {"commit", wave_order::commit},
    {"draw", wave_order::draw},
    {"announce", wave_order::announce},
    {"cancel", wave_order::cancel},
    {"show", wave_order::show},
}};

std::string_view name_of(wave_order order) {
  return names[static_cast<std::size_t>(order)].first;
}

std::string path_of(const wave_request& request) {
  if (request.order == wave_order::create) return "/v1/operator/waves";
  if (request.order != wave_order::show)
    return fmt::format("/v1/operator/waves/{}/{}", request.wave, name_of(request.order));
  if (request.wave == 0) return "/v1/waves/current";
  return fmt::format("/v1/waves/{}", request.wave);
}

json::object plan_of(const wave_request& request) {
  const auto& plan = request.create;
  json::object body{{"scheme", plan.scheme},
                    {"opens_at", plan.opens_at},
                    {"closes_at", plan.closes_at},
                    {"quota", plan.quota}};
  if (plan.minimum_per_region) body["minimum_per_region"] = *plan.minimum_per_region;
  if (!plan.groups.empty()) {
    auto& groups = body["groups"].emplace_array();
    for (const auto& [name, share] : plan.groups)
      groups.push_back(json::object{{"name", name}, {"share_permille", share}});
  }
  if (!plan.weights.empty()) {
    auto& weights = body["weights"].emplace_object();
    for (const auto& [region, weight] : plan.weights) weights[region] = weight;
  }
  return body;
}

json::object body_of(const wave_request& request) {
  switch (request.order) {
    case wave_order::create:
      return plan_of(request);
    case wave_order::commit:
      return {{"beacon_source", request.commit.beacon_source},
              {"beacon_round", request.commit.beacon_round},
              {"operator_secret_hash", request.commit.operator_secret_hash}};
    case wave_order::draw:
      return {{"beacon_value", request.draw.beacon_value},
              {"operator_secret", request.draw.operator_secret}};
    case wave_order::cancel:
      if (!request.cancel_reason.empty()) return {{"reason", request.cancel_reason}};
      break;
    case wave_order::open:
    case wave_order::close:
    case wave_order::announce:
    case wave_order::show:
      break;
  }
  return {};
}

/// @returns what is wrong with the options, or nothing.
std::string fault_of(const wave_request& request) {
  const bool needs_number =
      request.order != wave_order::create && request.order != wave_order::show;
  if (needs_number && request.wave == 0)
    return fmt::format("wave {}: which wave?", name_of(request.order));
  if (request.order != wave_order::show && request.token.empty())
    return token_is_needed_for(fmt::format("wave {}", name_of(request.order)));
  return {};
}

}  // namespace

std::optional<wave_order> wave_order_named(std::string_view name) {
  for (const auto& [known, order] : names)
    if (known == name) return order;
  return std::nullopt;
}

int wave_command(const wave_request& request, std::FILE* out, std::FILE* complaints) {
  if (const auto fault = fault_of(request); !fault.empty()) {
    fmt::print(complaints, "gelombang: {}\n", fault);
    return wrong_usage;
  }
  http_call call{.url = request.url,
                 .token = request.token,
                 .path = path_of(request),
                 .body = std::nullopt,
                 .timeout = request.timeout};
  if (request.order != wave_order::show) call.body = json::serialize(body_of(request));
  return call_node(call, out, complaints);
}

}  // namespace gelombang::command
