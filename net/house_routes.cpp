#include <optional>
#include <string>

#include "net/exchange.hpp"
#include "net/openapi.hpp"
#include "net/server.hpp"

namespace gelombang::net {
namespace {

constexpr std::string_view text_exposition = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view checked_each_time = "no-cache";
constexpr std::string_view kept_for_an_hour = "public, max-age=3600";

void answer_document(exchange& x) {
  x.cache_control(checked_each_time);
  if (!x.not_modified(openapi_etag())) x.reply(200, openapi_document());
}

void answer_problem(exchange& x) {
  auto code = errc_named(x.path_parameter(0));
  if (!code) return x.refuse(errc::not_found);
  std::string page;
  append_problem_page(page, *code);
  x.cache_control(kept_for_an_hour);
  x.reply(200, page);
}

}  // namespace

void add_house_routes(router& routes, const server& front) {
  routes.add({.method = http::verb::get,
              .path = "/healthz",
              .who = access::anyone,
              .operation_id = "readHealth",
              .answer = [](exchange& x) { x.reply(200, R"({"status":"alive"})"); },
              .when_busy = urgency::house});
  const auto readiness = [&front](exchange& x) {
    if (auto why = front.unready()) return x.refuse(*why);
    x.reply(200, R"({"status":"ready"})");
  };
  routes.add({.method = http::verb::get,
              .path = "/readyz",
              .who = access::anyone,
              .operation_id = "readReadiness",
              .answer = readiness,
              .when_busy = urgency::house});
  routes.add({http::verb::get, "/openapi.json", access::anyone, "readOpenapi", answer_document});
  routes.add({http::verb::get, "/problems/{name}", access::anyone, "readProblem", answer_problem});
}

void add_metrics_route(router& routes, const metrics_page& page) {
  const auto answer = [&page](exchange& x) { x.reply(200, text_exposition, page.text()); };
  routes.add({.method = http::verb::get,
              .path = "/metrics",
              .who = access::anyone,
              .operation_id = "readMetrics",
              .answer = answer,
              .when_busy = urgency::house});
}

}  // namespace gelombang::net
