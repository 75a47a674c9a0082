#include "actors/interfaces.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

using provider::provider_actor;

/// So long may somebody not have heard of a suspension.
constexpr std::string_view kept_for_ten_seconds = "public, max-age=10";
/// Of a text as it comes, blanks around it included; what it may be is the room's to say.
constexpr std::size_t text_characters_max = 1000;

result<provider_id> provider_in(const exchange& x) {
  if (auto number = parse_provider_number(x.path_parameter(0))) return *number;
  return gelombang::refuse(errc::provider_unknown);
}

/// Tells a provider what to do and answers with what it is then.
template <class Command>
task<> order(services& s, exchange& x, provider_id number, Command command) {
  auto told =
      co_await gateway_of(s, x).ask<provider_actor>(runtime::ref_of(number), std::move(command));
  if (!told) co_return x.refuse(told.error());
  if (told->is_new) x.add_header("Location", "/v1/providers/" + std::to_string(number.value));
  auto json = x.json();
  write_provider(json, told->card);
  x.reply(told->is_new ? 201 : 200);
}

}  // namespace

task<> read_provider(services& s, exchange& x) {
  const auto number = provider_in(x);
  if (!number) co_return x.refuse(number.error());
  const auto found =
      co_await gateway_of(s, x).ask<provider_actor>(runtime::ref_of(*number), provider::show{});
  if (!found) co_return x.refuse(found.error());
  std::string text;
  json_writer json{text};
  write_provider(json, found->card);
  reply_tagged(x, text, kept_for_ten_seconds);
}

task<> enter_provider(services& s, exchange& x) {
  const auto number = provider_in(x);
  if (!number) co_return x.refuse(number.error());
  auto* body = x.read_body();
  if (!body) co_return;
  const auto name = body->string("name", 0, text_characters_max);
  const auto website = body->optional_string("website", 0, text_characters_max);
  if (!body->ok()) co_return x.refuse(body->faults());
  provider::enter command{*number, std::string{name}, std::string{website.value_or("")}, x.now()};
  co_await order(s, x, *number, std::move(command));
}

task<> suspend_provider(services& s, exchange& x) {
  const auto number = provider_in(x);
  if (!number) co_return x.refuse(number.error());
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  const auto reason = body->string("reason", 0, text_characters_max);
  if (!body->ok()) co_return x.refuse(body->faults());
  provider::suspend command{std::string{reason}, x.now(), *request};
  co_await order(s, x, *number, std::move(command));
}

task<> reinstate_provider(services& s, exchange& x) {
  const auto number = provider_in(x);
  if (!number) co_return x.refuse(number.error());
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  co_await order(s, x, *number, provider::reinstate{.now = x.now(), .request = *request});
}

}  // namespace gelombang::net
