#pragma once

#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <caf/actor_companion.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "actors/runtime/entity_actor.hpp"
#include "actors/runtime/node.hpp"
#include "actors/runtime/run_queue.hpp"
#include "net/task.hpp"

namespace gelombang::net {

namespace detail {

template <class Command, class Sigs>
struct answer_to;

template <class Command, class First, class... Rest>
struct answer_to<Command, caf::detail::type_list<First, Rest...>>
    : answer_to<Command, caf::detail::type_list<Rest...>> {};

template <class Command, class T, class... Rest>
struct answer_to<Command,
                 caf::detail::type_list<caf::typed_mpi<caf::detail::type_list<Command>,
                                                       caf::output_tuple<runtime::outcome<T>>>,
                                        Rest...>> {
  using type = T;
};

}  // namespace detail

/// What `Actor` answers to `Command`; does not compile for a command that it does not understand.
template <class Actor, class Command>
using answer_of = typename detail::answer_to<Command, typename Actor::signatures>::type;

/// The way from one io thread to the actors and back: one CAF companion in whose name all requests
/// of the thread are sent. What is asked within one turn of the event loop is run behind it, by
/// this thread itself where the entity is brief. Answers come in on any thread, are collected, and
/// are dealt with by the io thread in one go. Every request is answered exactly once: by the actor,
/// or with `timed_out`, `overloaded` or `storage_unavailable`. For its io thread only; destroyed
/// when the server has stopped, whose sessions have taken the coroutines that still waited with
/// them.
class gateway {
public:
  struct limits {
    std::size_t pending_requests_max = 16'384;
    std::chrono::milliseconds deadline{8'000};  ///< for an answer; the effect may still come later
    std::chrono::milliseconds long_deadline{600'000};  ///< for what operators wait for: a draw
  };
  enum class patience : std::uint8_t { usual, long_work };

  gateway(caf::actor_system& system, runtime::node& node, boost::asio::io_context& io,
          limits bounds);
  ~gateway();

  /// Asks an entity: `auto answer = co_await gateway.ask<applicant_actor>(ref, join{…});`
  /// @returns (awaited) `result<answer_of<Actor, Command>>`.
  template <class Actor, class Command>
  auto ask(runtime::entity_ref to, Command command, patience how_long = patience::usual) {
    using value = answer_of<Actor, Command>;
    return callback<result<value>>(
        [this, to, how_long, command = std::move(command)](auto done) mutable {
          struct completion {
            static void complete(void* where, caf::mailbox_element* answer, errc why) {
              auto& waiting = *static_cast<decltype(done)*>(where);
              waiting(take<value>(answer, why));
            }
          };
          static_assert(sizeof done <= sizeof(pending::done) &&
                        std::is_trivially_copyable_v<decltype(done)>);
          pending entry;
          new (entry.done) decltype(done)(done);
          entry.complete = &completion::complete;
          send(to, entry, how_long, [&](caf::message_id id) {
            return caf::make_mailbox_element(handle_, id, {}, std::move(command));
          });
        });
  }

  std::size_t waiting() const { return pending_.size(); }

private:
  struct pending {
    alignas(void*) unsigned char done[2 * sizeof(void*)];
    void (*complete)(void*, caf::mailbox_element*, errc) = nullptr;
  };
  using clock_type = std::chrono::steady_clock;
  // In the order in which they come, as long as all in one queue have the same patience.
  using deadline_queue = std::deque<std::pair<clock_type::time_point, std::uint64_t>>;

  template <class T>
  static result<T> take(caf::mailbox_element* answer, errc why) {
    if (!answer) return refuse(why);
    auto& content = answer->content();
    if (!content.match_elements<runtime::outcome<T>>()) return refuse(errc::storage_unavailable);
    auto& given = content.get_mutable_as<runtime::outcome<T>>(0);
    if (!given.ok()) return tl::unexpected(std::move(given.why));
    return std::move(given.value);
  }

  template <class Make>
  void send(runtime::entity_ref to, pending& entry, patience how_long, const Make& make) {
    if (pending_.size() >= bounds_.pending_requests_max)
      return entry.complete(entry.done, nullptr, errc::overloaded);
    const auto id = companion_->new_request_id(caf::message_priority::normal);
    const auto key = id.response_id().integer_value();
    pending_.emplace(key, entry);
    const bool is_long = how_long == patience::long_work;
    (is_long ? long_deadlines_ : deadlines_)
        .emplace_back(clock_type::now() + (is_long ? bounds_.long_deadline : bounds_.deadline),
                      key);
    const auto refused = node_.deliver(to, make(id), &turn_);
    if (!turn_.empty()) turn_soon();
    if (refused == errc::ok) return;
    pending_.erase(key);
    entry.complete(entry.done, nullptr, refused);
  }

  void turn_soon();
  void take_turn();
  void collect(caf::mailbox_element_ptr answer);
  void deal();
  void deal(std::vector<caf::mailbox_element_ptr>& answers);
  void sweep();
  void sweep_later();
  void time_out(deadline_queue& queue, clock_type::time_point now);

  runtime::node& node_;
  boost::asio::io_context& io_;
  const limits bounds_;
  caf::strong_actor_ptr handle_;
  caf::actor_companion* companion_ = nullptr;
  boost::unordered_flat_map<std::uint64_t, pending> pending_;
  runtime::run_queue turn_;
  bool turn_is_coming_ = false;
  deadline_queue deadlines_, long_deadlines_;
  boost::asio::basic_waitable_timer<clock_type> sweep_timer_;

  /// Outlives the gateway in handlers that the io thread has not run yet.
  struct inbox {
    std::mutex mutex;
    std::vector<caf::mailbox_element_ptr> arrived;
    gateway* owner = nullptr;
  };
  std::shared_ptr<inbox> inbox_;
  std::vector<caf::mailbox_element_ptr> dealing_;
  /// The thread that takes a turn: what it answers itself waits in `answered_here_` for its end.
  std::atomic<std::thread::id> in_turn_;
  std::vector<caf::mailbox_element_ptr> answered_here_;
};

}  // namespace gelombang::net
