#pragma once

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/runtime/node.hpp"

namespace gelombang::runtime {

/// A row of `who` is not what was ever written there. Says so in the log: whoever asked is told
/// only that storage can't be read.
/// @param row  which one it is: "snapshot", "participation"
inline tl::unexpected<refusal> unreadable(entity_ref who, std::string_view row) {
  auto why = fmt::format("entity {}/{:016x}: its {} row does not read", static_cast<int>(who.kind),
                         who.id, row);
  spdlog::error("{}", why);
  return refuse(errc::storage_unavailable, {}, std::move(why));
}

/// The message that a row holds, or a blank one where there is no row.
/// @returns `storage_unavailable`, as `unreadable` does, for a row that is none.
template <class Message>
result<Message> message_in(const row_value& stored, entity_ref who, std::string_view row) {
  Message message;
  if (stored && !message.ParseFromString(*stored)) return unreadable(who, row);
  return message;
}

/// A kind of entity whose memory is one row, its snapshot, a protobuf message. A room says how its
/// actor is made and what an event changes.
template <class State, class Event>
class snapshot_kind : public entity_kind {
public:
  std::vector<std::string> rows_of(const shard& home, entity_ref who) const final {
    return {snapshot_key(home.index(), who)};
  }

  caf::strong_actor_ptr spawn(caf::actor_system& system, activation_ptr who,
                              const std::vector<std::string>&,
                              std::vector<row_value>&& rows) const final {
    auto state = message_in<State>(rows.front(), who->who, "snapshot");
    if (!state) return nullptr;
    return wake(system, std::move(who), std::move(*state));
  }

  result<void> replay(const shard& home, entity_ref who, std::string_view event,
                      row_editor& rows) const final {
    Event what;
    if (!what.ParseFromArray(event.data(), static_cast<int>(event.size())))
      return refuse(errc::internal, {},
                    fmt::format("an event of entity {}/{:016x} does not parse",
                                static_cast<int>(who.kind), who.id));
    const auto key = snapshot_key(home.index(), who);
    auto state = message_in<State>(rows.get(key), who, "snapshot");
    if (!state) return tl::unexpected(state.error());
    if (auto followed = follow(home, who, *state, what, rows); !followed) return followed;
    rows.put(key, state->SerializeAsString());
    return {};
  }

protected:
  /// Makes the actor.
  virtual caf::strong_actor_ptr wake(caf::actor_system& system, activation_ptr who,
                                     State&& stored) const = 0;

  /// What the event changes: in the snapshot, and in other rows if it does.
  virtual result<void> follow(const shard& home, entity_ref who, State& state, const Event& event,
                              row_editor& rows) const = 0;
};

}  // namespace gelombang::runtime
