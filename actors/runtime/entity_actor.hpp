#pragma once

#include <spdlog/spdlog.h>

#include <caf/all.hpp>
#include <exception>
#include <type_traits>
#include <utility>

#include "actors/programme/result.hpp"
#include "actors/runtime/node.hpp"
#include "actors/runtime/protocol.hpp"
#include "actors/runtime/shard.hpp"

namespace gelombang::runtime {

/// What comes back on a command: a value, or why there is none.
template <class T>
struct outcome {
  refusal why{.code = errc::ok};
  T value{};

  outcome() = default;
  outcome(T&& good) : value(std::move(good)) {}
  outcome(const T& good) : value(good) {}
  outcome(refusal bad) : why(std::move(bad)) {}
  outcome(tl::unexpected<refusal> bad) : why(std::move(bad.value())) {}
  outcome(result<T> either) {
    if (either)
      value = std::move(*either);
    else
      why = std::move(either.error());
  }

  bool ok() const { return why.code == errc::ok; }
};

/// Nothing but "done": there is no value to tell.
struct acknowledged {};

}  // namespace gelombang::runtime

// Answers stay on their node until the cluster gives them a form on the wire.
namespace caf {
template <class T>
struct allowed_unsafe_message_type<gelombang::runtime::outcome<T>> : std::true_type {};
}  // namespace caf

namespace gelombang::runtime {

/// Who waits for an answer.
struct asker {
  caf::strong_actor_ptr who;
  caf::message_id id;

  explicit operator bool() const { return who != nullptr; }

  template <class T>
  caf::mailbox_element_ptr letter(outcome<T>&& answer) const {
    return caf::make_mailbox_element(nullptr, id, {}, std::move(answer));
  }

  /// Answers at once: with what needs no durability, a refusal.
  template <class T>
  void tell(outcome<T>&& answer) const {
    if (who) who->enqueue(letter(std::move(answer)), nullptr);
  }
};

/// The thin actor around an entity's state. A room derives from this, lists its handlers in
/// `make_behavior` as `on<&room_actor::method>()`, and keeps all knowledge of the programme in its
/// rules. A handler never blocks, and the activation's message count is kept around it, so that
/// the shard knows when nobody needs the actor.
///
/// Handlers hold nothing, not even their actor: they find it as the one that this thread runs. So
/// all actors of a kind share one behavior, which would be a quarter of an actor's memory.
template <class Handle>
class entity_actor;

template <class... Sigs>
class entity_actor<caf::typed_actor<Sigs...>>
    : public caf::typed_event_based_actor<Sigs..., caf::reacts_to<mail_arrived>,
                                          caf::reacts_to<deadline_reached>,
                                          caf::reacts_to<rows_fetched>> {
public:
  using base =
      caf::typed_event_based_actor<Sigs..., caf::reacts_to<mail_arrived>,
                                   caf::reacts_to<deadline_reached>, caf::reacts_to<rows_fetched>>;

  entity_actor(caf::actor_config& config, activation_ptr who)
      : base(config), activation_(std::move(who)), seen_(home().last()) {
    this->set_default_handler([this](caf::scheduled_actor*, caf::message_view& what) {
      turn guard{*activation_};
      spdlog::error("{} got a message it does not know: {}", static_cast<int>(this->who().kind),
                    caf::to_string(what.move_content_to_message()));
      return caf::result<caf::message>{caf::make_error(caf::sec::unexpected_message)};
    });
  }

  caf::resumable::resume_result resume(caf::execution_unit* on, std::size_t messages_max) override {
    running_ = this;
    const auto outcome = base::resume(on, messages_max);
    running_ = nullptr;
    return outcome;
  }

protected:
  shard& home() const { return activation_->home; }
  entity_ref who() const { return activation_->who; }
  const activation_ptr& activated() const { return activation_; }

  /// The one who waits for the message that is being handled.
  asker current_asker() {
    const auto id = this->current_message_id();
    if (!id.is_request()) return {};
    return {this->current_sender(), id.response_id()};
  }

  /// Takes a step and answers when it is durable.
  /// @returns false when the shard did not take it; the asker has been told, nothing has changed.
  template <class T>
  bool take(step&& what, const asker& to, outcome<T>&& answer) {
    auto at = home().append(*activation_, std::move(what), to.who,
                            to ? to.letter(std::move(answer)) : nullptr);
    if (!at) {
      if (to) to.who->enqueue(to.letter(outcome<T>{std::move(at.error())}), nullptr);
      return false;
    }
    seen_ = *at;
    return true;
  }

  /// Takes a step that nobody waits for.
  bool take(step&& what) {
    auto at = home().append(*activation_, std::move(what));
    if (at) seen_ = *at;
    return at.has_value();
  }

  /// A step was taken at `at` without `take`: answers from the state wait for it too.
  void note(lsn at) { seen_ = at; }

  /// Answers from the state: when the last event that it shows is durable.
  template <class T>
  void answer(const asker& to, outcome<T>&& what) {
    if (to) home().reply_after(*activation_, seen_, to.who, to.letter(std::move(what)));
  }

  /// Keeps the actor awake until `settled`: an answer is owed that an event to come will give.
  void owed() { activation_->in_flight.fetch_add(1, std::memory_order_relaxed); }
  void settled() { activation_->in_flight.fetch_sub(1, std::memory_order_release); }

  /// Whether this mail has had its effect; then there is nothing left to do with it.
  bool seen_before(mail_source source) { return home().mail_seen(source); }

  template <auto Method>
  static auto on() {
    return wrap<Method>(Method);
  }

private:
  /// Counts a message as handled when the handler has ended, as the very last thing.
  struct turn {
    activation& of;
    ~turn() { of.in_flight.fetch_sub(1, std::memory_order_release); }
  };

  template <auto Method, class Self, class T, class Command>
  static auto wrap(caf::delegated<outcome<T>> (Self::*)(const Command&)) {
    return [](const Command& command) -> caf::delegated<outcome<T>> {
      auto& self = static_cast<Self&>(*running_);
      turn guard{*running_->activation_};
      const auto to = running_->current_asker();
      try {
        return (self.*Method)(command);
      } catch (const std::exception& what) {
        running_->distrust(what);
        if (to) to.who->enqueue(to.letter(outcome<T>{refusal{errc::internal}}), nullptr);
        return {};
      }
    };
  }

  template <auto Method, class Self, class Command>
  static auto wrap(void (Self::*)(const Command&)) {
    return [](const Command& command) {
      auto& self = static_cast<Self&>(*running_);
      turn guard{*running_->activation_};
      constexpr bool is_mail = std::is_same_v<Command, mail_arrived>;
      if constexpr (is_mail)
        if (running_->home().is_put_off(command.source)) return;
      try {
        (self.*Method)(command);
      } catch (const std::exception& what) {
        running_->distrust(what);
        if constexpr (is_mail) running_->home().mail_failed(command.source);
      }
    };
  }

  /// An exception in a handler: the state may be half changed, so it is read anew.
  void distrust(const std::exception& what) {
    spdlog::critical("entity {}/{:016x} failed: {}", static_cast<int>(who().kind), who().id,
                     what.what());
    home().discard(activation_);
  }

  // clang-tidy 14 has no name for what is static and a thread's own.
  // NOLINTNEXTLINE(readability-identifier-naming)
  static inline thread_local entity_actor* running_ = nullptr;

  const activation_ptr activation_;
  lsn seen_;
};

/// Spawns a room's actor for an activation: unregistered, started by its first message.
template <class Actor, class... Args>
caf::strong_actor_ptr spawn_entity(caf::actor_system& system, Args&&... args) {
  auto handle = system.spawn<Actor, caf::hidden + caf::lazy_init>(std::forward<Args>(args)...);
  return caf::actor_cast<caf::strong_actor_ptr>(std::move(handle));
}

}  // namespace gelombang::runtime
