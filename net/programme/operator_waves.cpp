#include <spdlog/spdlog.h>

#include "actors/interfaces.hpp"
#include "actors/programme/format.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/handlers.hpp"
#include "net/programme/plan.hpp"

namespace gelombang::net {
namespace {

using wave::calendar_actor;
using wave::wave_actor;

/// Longer than any reason, so that the rule can say what is wrong with it.
constexpr std::size_t reason_bytes_max = 2000;

void answer_wave(services& s, exchange& x, unsigned status, const wave::state& wave) {
  auto json = x.json();
  write_wave(json, facts_of(s, wave, x.now()), x.speech());
  x.reply(status);
}

/// Waits until a wave that the calendar has numbered is on the board and every shard knows it, so
/// that whoever is told of it may send people there: both happen by mail.
/// @returns (awaited) null when that is not so in time; it will be.
task<wave::wave_ptr> appearance_of(services& s, exchange& x, wave_number number) {
  constexpr std::chrono::milliseconds step{10};
  constexpr int steps_max = 200;
  for (int i = 0; i < steps_max; ++i) {
    auto wave = s.waves.find(number);
    if (wave && wave::is_known_everywhere(*wave, s.node.shards())) co_return wave;
    co_await wait_on(x.thread().context(), step);
  }
  co_return nullptr;
}

task<> answer_created(services& s, exchange& x, wave_number number) {
  const auto wave = co_await appearance_of(s, x, number);
  if (!wave) co_return x.refuse(errc::timed_out);
  x.add_header("Location", "/v1/waves/" + std::to_string(number.value));
  answer_wave(s, x, 201, *wave);
}

/// Tells a wave what to do and answers when it has done it.
/// @returns (awaited) whether it has
template <class Command>
task<bool> order(services& s, exchange& x, Command command) {
  const auto refused = [&x](const refusal& why) {
    x.refuse(why);
    return false;
  };
  const auto wave = wave_in(s, x);
  if (!wave) co_return refused(wave.error());
  auto told =
      co_await gateway_of(s, x).ask<wave_actor>(runtime::ref_of(wave_number{(*wave)->number()}),
                                                std::move(command), gateway::patience::long_work);
  if (!told) co_return refused(told.error());
  answer_wave(s, x, 200, *told->wave);
  co_return true;
}

template <class Command>
task<> order_without_body(services& s, exchange& x) {
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  co_await order(s, x, Command{x.now(), *request});
}

/// The same for an order that says more; `read` takes it from the body.
template <class Command>
task<> order_with_body(services& s, exchange& x, Command (*read)(json_object&)) {
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto command = read(*body);
  if (!body->ok()) co_return x.refuse(body->faults());
  command.now = x.now();
  command.request = *request;
  co_await order(s, x, std::move(command));
}

}  // namespace

task<> create_wave(services& s, exchange& x) {
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  auto plan = plan_in(*body, {s.eligibility_of_scheme, s.regions});
  if (!body->ok()) co_return x.refuse(body->faults());
  if (!plan) co_return x.refuse(plan.error());
  wave::create command{std::move(*plan), x.now(), *request};
  auto number =
      co_await gateway_of(s, x).ask<calendar_actor>(runtime::calendar_ref, std::move(command));
  if (!number) co_return x.refuse(number.error());
  co_await answer_created(s, x, *number);
}

task<> open_wave(services& s, exchange& x) {
  return order_without_body<wave::open>(s, x);
}

task<> close_wave(services& s, exchange& x) {
  return order_without_body<wave::close>(s, x);
}

task<> announce_wave(services& s, exchange& x) {
  return order_without_body<wave::announce>(s, x);
}

task<> cancel_wave(services& s, exchange& x) {
  const auto request = operator_request_of(s, x);
  if (!request) co_return x.refuse(request.error());
  wave::cancel command{.now = x.now(), .request = *request, .by = x.bearer().subject};
  // Who gives no reason need not send a body at all, and clients of before there were reasons send
  // anything: curl, `{}` as a form.
  if (!x.body().empty() && x.declares_json()) {
    auto* body = x.read_body();
    if (!body) co_return;
    command.reason = body->optional_string("reason", 1, reason_bytes_max).value_or("");
    if (!body->ok()) co_return x.refuse(body->faults());
  }
  const auto wave = std::string{x.path_parameter(0)};
  const auto reason = command.reason;
  if (!co_await order(s, x, std::move(command))) co_return;
  spdlog::info("wave {}: cancelled by operator {}, {}", wave, to_string(x.bearer().subject),
               reason.empty() ? "without a reason" : "reason: " + reason);
}

task<> commit_wave(services& s, exchange& x) {
  return order_with_body<wave::commit>(s, x, commitment_in);
}

task<> draw_wave(services& s, exchange& x) {
  return order_with_body<wave::hold_draw>(s, x, disclosure_in);
}

}  // namespace gelombang::net
