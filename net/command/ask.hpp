#pragma once

#include <caf/all.hpp>
#include <chrono>

#include "actors/runtime/node.hpp"
#include "net/gateway.hpp"

namespace gelombang::command {

/// Asks an entity and waits. For a process's own thread only: while starting, and for the calendar.
template <class Actor, class Command>
result<net::answer_of<Actor, Command>> ask_and_wait(runtime::node& node, runtime::entity_ref to,
                                                    Command command) {
  using value = net::answer_of<Actor, Command>;
  caf::scoped_actor self{node.system()};
  const auto id = self->new_request_id(caf::message_priority::normal);
  const auto refused =
      node.deliver(to, caf::make_mailbox_element(caf::actor_cast<caf::strong_actor_ptr>(self), id,
                                                 {}, std::move(command)));
  if (refused != errc::ok) return refuse(refused);
  constexpr std::chrono::seconds patience{10};
  if (!self->await_data(std::chrono::high_resolution_clock::now() + patience))
    return refuse(errc::timed_out);
  auto answer = self->next_message();
  if (!answer || !answer->content().match_elements<runtime::outcome<value>>())
    return refuse(errc::storage_unavailable);
  auto& given = answer->content().get_mutable_as<runtime::outcome<value>>(0);
  if (!given.ok()) return tl::unexpected(std::move(given.why));
  return std::move(given.value);
}

}  // namespace gelombang::command
