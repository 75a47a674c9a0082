#include <spdlog/spdlog.h>

#include "net/io_thread.hpp"
#include "net/programme/asking.hpp"
#include "net/programme/field_faults.hpp"
#include "net/programme/handlers.hpp"
#include "net/programme/plan.hpp"
#include "net/waiting_room/operators.hpp"

namespace gelombang::net {
namespace {

constexpr std::size_t target_bytes_max = 4096;  ///< PATH_MAX of Linux

/// A directory that is no good is the operator's to change; anything else is the disk's.
bool is_operators(storage::fault why) {
  return why == storage::fault::in_use || why == storage::fault::unfit;
}

}  // namespace

task<> make_backup(services& s, exchange& x) {
  if (auto request = operator_request_of(s, x); !request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  const std::string target{body->string("target", 1, target_bytes_max)};
  if (!body->ok()) co_return x.refuse(body->faults());
  // Nothing: another copy is under way.
  using outcome = std::optional<storage::result<backups::copied>>;
  auto made = co_await callback<outcome>([&](auto done) {
    if (!s.backups.start(target, x.thread().context(), done)) done(std::nullopt);
  });
  if (!made) co_return x.refuse(errc::overloaded);
  if (!*made) {
    const auto& why = made->error();
    if (is_operators(why.kind)) co_return answer_faults(x, "/target", std::span{&why.detail, 1});
    spdlog::error("backup to {} failed: {}", target, why.detail);
    co_return x.refuse(refusal{errc::storage_unavailable, {}, why.detail});
  }
  auto json = x.json();
  json.begin_object().member("target", target).key("warnings").begin_array();
  // The copy is what stands there, and whoever relies on it has to know what that is worth.
  for (const auto& one : (*made)->warnings) {
    json.value(one);
    spdlog::warn("backup to {} is complete, and to be looked at: {}", target, one);
  }
  json.end_array().end_object();
  x.reply(201);
}

task<> read_waiting_room(services& s, exchange& x) {
  show_room(s.room, x);
  co_return;
}

task<> set_waiting_room(services& s, exchange& x) {
  set_room(s.room, x);
  co_return;
}

task<> put_clock_ahead(services& s, exchange& x) {
  // Where time is the system's there is no such thing.
  if (!s.put_clock_ahead) co_return x.refuse(errc::not_found);
  if (auto request = operator_request_of(s, x); !request) co_return x.refuse(request.error());
  auto* body = x.read_body();
  if (!body) co_return;
  const auto when = time_in(*body, "not_before");
  if (!body->ok()) co_return x.refuse(body->faults());
  const auto shown = s.put_clock_ahead(when);
  if (!shown) co_return x.refuse(shown.error());
  auto json = x.json();
  json.begin_object().member("now", *shown).end_object();
  x.reply(200);
}

}  // namespace gelombang::net
