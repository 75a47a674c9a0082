#include "tests/actors/runtime/probe.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace gelombang::runtime::test {
namespace {

struct purse_state {
  std::int64_t coins = 0;
  std::uint64_t reminded = 0;

  std::string encode() const {
    std::string bytes(sizeof *this, '\0');
    std::memcpy(bytes.data(), this, sizeof *this);
    return bytes;
  }
  static purse_state decode(std::string_view bytes) {
    purse_state state;
    std::memcpy(&state, bytes.data(), std::min(bytes.size(), sizeof state));
    return state;
  }
};

/// Event and mail alike: by how much the coins change, and whether a reminder came.
struct change {
  std::int64_t coins = 0;
  std::uint64_t reminded = 0;
};

void apply(purse_state& state, const change& what) {
  state.coins += what.coins;
  state.reminded += what.reminded;
}

std::string encode(change what) {
  std::string bytes(sizeof what, '\0');
  std::memcpy(bytes.data(), &what, sizeof what);
  return bytes;
}
change decode(std::string_view bytes) {
  change what;
  std::memcpy(&what, bytes.data(), std::min(bytes.size(), sizeof what));
  return what;
}

class purse_impl final : public entity_actor<purse_actor> {
public:
  purse_impl(caf::actor_config& config, activation_ptr who, purse_state state, presence* watch)
      : entity_actor<purse_actor>(config, std::move(who)), state_(state), watch_(watch) {
    ++watch_->spawned;
  }

  behavior_type make_behavior() override {
    return {on<&purse_impl::put>(),     on<&purse_impl::pass>(),  on<&purse_impl::show>(),
            on<&purse_impl::remind>(),  on<&purse_impl::blow>(),  on<&purse_impl::write>(),
            on<&purse_impl::receive>(), on<&purse_impl::alarm>(), on<&purse_impl::fetched>()};
  }

  caf::delegated<outcome<std::int64_t>> put(const put_in& command) {
    alone here{*this};
    step what{who()};
    happen(what, {command.coins, 0});
    finish(std::move(what));
    return {};
  }

  caf::delegated<outcome<std::int64_t>> pass(const hand_over& command) {
    alone here{*this};
    if (command.coins > state_.coins) {
      answer(current_asker(), outcome<std::int64_t>{refusal{errc::forbidden}});
      return {};
    }
    step what{who()};
    happen(what, {-command.coins, 0});
    what.send_bytes(purse(command.to), encode(change{command.coins, 0}));
    finish(std::move(what));
    return {};
  }

  caf::delegated<outcome<std::int64_t>> show(const look&) {
    alone here{*this};
    answer(current_asker(), outcome<std::int64_t>{state_.coins});
    return {};
  }

  caf::delegated<outcome<std::int64_t>> remind(const remind_me& command) {
    alone here{*this};
    step what{who()};
    what.set_deadline(command.at, 7);
    finish(std::move(what));
    return {};
  }

  caf::delegated<outcome<std::int64_t>> blow(const explode&) {
    state_.coins += 1'000'000;  // half a change, to be forgotten
    throw std::runtime_error("as asked");
  }

  caf::delegated<outcome<std::int64_t>> write(const write_out& command) {
    alone here{*this};
    step what{who()};
    what.send_outside_bytes(command.letter);
    const auto to = current_asker();
    take(std::move(what), to, outcome<std::int64_t>{state_.coins});
    return {};
  }

  void receive(const mail_arrived& mail) {
    alone here{*this};
    if (seen_before(mail.source)) return;
    const auto coins = decode(mail.body).coins;
    if (coins != 0 && coins == watch_->unwelcome) {
      ++watch_->thrown;
      throw std::runtime_error("an unwelcome mail");
    }
    step what{who()};
    happen(what, decode(mail.body));
    what.received(mail.source);
    if (!take(std::move(what))) return;
    state_ = next_;
    watch_->arrived(mail.source, who());
  }

  void alarm(const deadline_reached& due) {
    alone here{*this};
    step what{who()};
    happen(what, {0, 1});
    what.clear_deadline(due.due, due.tag);
    if (take(std::move(what))) state_ = next_;
  }

  void fetched(const rows_fetched&) {}

private:
  struct alone {
    explicit alone(purse_impl& of) : who(of) {
      if (slot().fetch_add(1) != 0) ++who.watch_->twice;
      ++who.watch_->handled;
    }
    ~alone() { slot().fetch_sub(1); }
    std::atomic<int>& slot() { return who.watch_->inside[who.who().id % purses_max]; }
    purse_impl& who;
  };

  void happen(step& what, change event) {
    next_ = state_;
    apply(next_, event);
    what.event(encode(event));
    what.put(snapshot_key(home().index(), who()), next_.encode());
    what.count({counter::family::accepted, 1}, event.coins);
  }

  void finish(step&& what) {
    const auto to = current_asker();
    auto after = what.empty() ? state_ : next_;
    if (take(std::move(what), to, outcome<std::int64_t>{after.coins})) state_ = after;
    next_ = state_;
  }

  purse_state state_, next_ = state_;
  presence* watch_;
};

}  // namespace

std::vector<std::string> purse_kind::rows_of(const shard& home, entity_ref who) const {
  return {snapshot_key(home.index(), who)};
}

caf::strong_actor_ptr purse_kind::spawn(caf::actor_system& system, activation_ptr who,
                                        const std::vector<std::string>&,
                                        std::vector<row_value>&& rows) const {
  const auto state = rows.front() ? purse_state::decode(*rows.front()) : purse_state{};
  return spawn_entity<purse_impl>(system, std::move(who), state, &watch_);
}

result<void> purse_kind::replay(const shard& home, entity_ref who, std::string_view event,
                                row_editor& rows) const {
  const auto key = snapshot_key(home.index(), who);
  const auto before = rows.get(key);
  auto state = before ? purse_state::decode(*before) : purse_state{};
  const auto what = decode(event);
  apply(state, what);
  rows.put(key, state.encode());
  rows.count({counter::family::accepted, 1}, what.coins);
  return {};
}

}  // namespace gelombang::runtime::test
