#include "net/waiting_room/operators.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "actors/programme/format.hpp"
#include "net/exchange.hpp"

namespace gelombang::net {
namespace {

constexpr std::array modes = {room_mode::automatic, room_mode::on, room_mode::off};

}  // namespace

void show_room(waiting_room& room, exchange& x) {
  const auto now = room.state(x.now());
  auto json = x.json();
  json.begin_object();
  json.member("mode", name_of(now.mode)).member("is_open", now.is_open);
  json.key("rate_per_second");
  now.rate_per_second ? json.value(*now.rate_per_second) : json.null();
  json.member("measured_rate", now.measured_rate).member("waiting", now.waiting);
  json.member("now_serving", now.now_serving).member("next_place", now.next_place);
  json.member("admitted", now.admitted).member("show_up_permille", now.show_up_permille);
  json.end_object();
  x.reply(200);
}

void set_room(waiting_room& room, exchange& x) {
  auto* body = x.read_body();
  if (!body) return;
  const auto mode = body->one_of("mode", {name_of(modes[0]), name_of(modes[1]), name_of(modes[2])});
  const auto rate = body->optional_integer("rate_per_second", 1, room_rate_max);
  if (!body->ok()) return x.refuse(body->faults());
  const auto wanted = rate ? std::optional{static_cast<std::uint32_t>(*rate)} : std::nullopt;
  room.set(modes[mode], wanted, x.now());
  spdlog::info("waiting room: {}, {}, by operator {}", name_of(modes[mode]),
               rate ? fmt::format("{} a second", *rate) : "as fast as the node goes",
               to_string(x.bearer().subject));
  show_room(room, x);
}

}  // namespace gelombang::net
