#include <algorithm>

#include "actors/applicant/stages.hpp"
#include "actors/interfaces.hpp"
#include "actors/registry/lists.hpp"
#include "actors/registry/rules.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/field_faults.hpp"
#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

using registry::registry_actor;

/// Orders under way at once: enough to fill a commit, few enough to leave room for everybody else.
constexpr std::size_t orders_at_once_max = 256;

struct import_counts {
  std::size_t taken = 0;
  std::size_t failed = 0;
  errc first_failure = errc::ok;
};

std::optional<registry::list_format> format_of(std::string_view content_type) {
  const auto type = content_type.substr(0, content_type.find(';'));
  if (type == "text/csv") return registry::list_format::csv;
  if (type == "application/x-ndjson" || type == "application/jsonl")
    return registry::list_format::ndjson;
  return std::nullopt;
}

task<> tell_person(services& s, exchange& x, const registry::list_file& file, std::size_t index,
                   import_counts& counts) {
  const auto& entry = file.entries[index];
  const auto where = registry::address_of(s.keys.nik_hash(entry.person.digits()));
  registry::order command;
  auto& listing = *command.ask.mutable_list();
  listing.set_rest(where.rest);
  listing.set_list(static_cast<std::uint32_t>(file.list));
  listing.set_version(file.version);
  listing.set_listed(entry.listed);
  const runtime::entity_ref person{runtime::kind::person, where.id};
  auto done = co_await gateway_of(s, x).ask<registry_actor>(person, std::move(command));
  if (done) {
    ++counts.taken;
    co_return;
  }
  ++counts.failed;
  if (counts.first_failure == errc::ok) counts.first_failure = done.error().code;
}

/// Tells every person on the list, so many at a time. Ends with the first lot that has a failure:
/// whoever sends the list again loses nothing, for an order of a known version changes nothing.
task<import_counts> tell_all(services& s, exchange& x, const registry::list_file& file) {
  import_counts counts;
  for (std::size_t first = 0; first < file.entries.size(); first += orders_at_once_max) {
    const auto end = std::min(first + orders_at_once_max, file.entries.size());
    std::vector<task<>> orders;
    orders.reserve(end - first);
    for (auto i = first; i < end; ++i) {
      orders.push_back(tell_person(s, x, file, i, counts));
      orders.back().start();
    }
    for (auto& one : orders) co_await one;
    if (counts.failed > 0) break;
  }
  co_return counts;
}

}  // namespace

task<> import_list(services& s, exchange& x) {
  if (auto request = request_of(s, x); !request) co_return x.refuse(request.error());
  const auto which = registry::list_named(x.path_parameter(0));
  if (!which) co_return x.refuse(errc::not_found);
  const auto format = format_of(x.header(http::field::content_type));
  if (!format)
    co_return x.refuse(refusal{errc::media_type_unsupported, {}, "text/csv, application/x-ndjson"});
  const auto file = registry::read_list(x.body(), *format);
  if (!file) co_return answer_faults(x, "", file.error());
  if (file->list != *which)
    co_return x.refuse(problem{field_error{.pointer = "/list",
                                           .fault = field_fault::not_allowed,
                                           .known = std::string{registry::name_of(*which)}}});
  const auto counts = co_await tell_all(s, x, *file);
  if (counts.failed > 0) co_return x.refuse(counts.first_failure);
  const auto listed = std::count_if(file->entries.begin(), file->entries.end(),
                                    [](const auto& entry) { return entry.listed; });
  auto json = x.json();
  json.begin_object().key("list").value(registry::name_of(file->list));
  json.member("version", file->version).member("entries", counts.taken);
  json.member("listed", listed).end_object();
  x.reply(200);
}

task<> read_funnel(services& s, exchange& x) {
  auto json = x.json();
  json.begin_object().key("stages").begin_object();
  for (const auto stage : applicant::all_stages) {
    if (stage == applicant::stage::none) continue;
    const runtime::counter which{runtime::counter::family::funnel_stage,
                                 static_cast<std::uint32_t>(stage)};
    json.key(applicant::name_of(stage)).value(s.node.count(which));
  }
  json.end_object().end_object();
  x.reply(200);
  co_return;
}

}  // namespace gelombang::net
