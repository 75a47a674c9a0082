#include <fmt/format.h>

#include "tests/system/kill/players.hpp"

namespace gelombang::system_testing {
namespace {

/// Fewer than an account remembers, so that a repeat is always one.
constexpr std::size_t keys_kept = 4;

bool is_over_a_limit(const answer& got) {
  return got.status == 429;
}

}  // namespace

void curtain::fall() {
  {
    std::lock_guard lock{mutex_};
    down_ = true;
  }
  falls_.notify_all();
}

bool curtain::pause(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex_};
  return !falls_.wait_for(lock, time, [this] { return down_.load(); });
}

void client::play(const curtain& until) {
  while (!until.is_down() && !has_lost_node_) act(anybody());
}

person& client::anybody() {
  // Half of the time somebody who is on the way to an account, for seeded people are many more.
  const auto at = dice_() % mine_.size();
  if (dice_() % 2 == 0) return *mine_[at];
  for (std::size_t i = 0; i < mine_.size(); ++i) {
    auto& one = *mine_[(at + i) % mine_.size()];
    if (!one.is_seeded && one.reached != step::ready && !one.lost_nik) return one;
  }
  return *mine_[at];
}

std::string client::some_key() {
  return fmt::format("key-{}-{}", seed_, ++keys_);
}

answer client::ask(const request& what) {
  auto got = programme_.call(what);
  if (!got.is_certain()) ++all_.done.unanswered;
  has_lost_node_ = !got.came();
  return got;
}

void client::wrong(const person& one, const request& what, const answer& got,
                   const std::string& why) {
  all_.wrong.add(fmt::format("{}: {} {} {} -> {}: {}", one.email, what.method, what.target,
                             what.key, got.told(), why));
}

void client::act(person& one) {
  if (one.reached != step::ready) return advance(one);
  const auto wave = all_.current.load();
  if (wave == 0) return void(ask({"GET", "/v1/waves/current"}));
  const auto roll = dice_() % 100;
  if (one.unanswered && roll < 80) {
    ++all_.done.retries;
    const auto again = *one.unanswered;
    return join_with(one, static_cast<unsigned>(std::stoul(again.target.substr(10))), again);
  }
  if (roll < 50) return join(one, wave);
  if (roll < 70) return withdraw(one, wave);
  if (roll < 85) return repeat(one);
  read(one, wave);
}

void client::advance(person& one) {
  if (one.lost_nik) return;
  switch (one.reached) {
    case step::none:
      return enter(one);
    case step::entered:
      return verify(one);
    case step::verified:
      return identify(one);
    case step::identified:
    case step::described:
      return finish(one);
    case step::ready:
      return;
  }
}

void client::enter(person& one) {
  const auto what = enter_email(one.email);
  const auto got = ask(what);
  one.is_unsure = !got.is_certain();
  if (got.status == 202) one.reached = step::entered;
  if (got.is_certain() && got.status != 202 && !is_over_a_limit(got))
    wrong(one, what, got, "an address is refused");
}

void client::verify(person& one) {
  if (one.is_unsure) return;  // The checker signs in to see.
  const auto code = letters_.code_for(one.email);
  if (!code) return;
  const auto what = verify_email(one.email, *code, one.password, some_key());
  const auto got = ask(what);
  one.is_unsure = !got.is_certain();
  if (got.status == 200) {
    one.token = got.text("access_token");
    one.reached = step::verified;
    const auto again = ask(what);
    if (again.is_certain() && again.text("account_id") != got.text("account_id"))
      wrong(one, what, again, "the repeat of a verification");
  } else if (got.is_certain() && got.problem() != "code_expired" && !is_over_a_limit(got)) {
    wrong(one, what, got, "the code from the letter is refused");
  }
}

void client::identify(person& one) {
  const auto what = submit_identity(one.token, one.papers);
  const auto got = ask(what);
  one.is_unsure = !got.is_certain();
  if (got.status == 200) {
    one.reached = step::identified;
  } else if (got.problem() == "nik_taken" && one.is_contested) {
    one.lost_nik = true;
    ++all_.done.collisions;
  } else if (got.is_certain()) {
    wrong(one, what, got, "an identity that nobody else has is refused");
  }
}

void client::finish(person& one) {
  const auto what = one.reached == step::identified ? set_profile(one.token, one.papers)
                                                    : take_assessment(one.token);
  const auto got = ask(what);
  one.is_unsure = !got.is_certain();
  if (got.status == 200) {
    one.reached = one.reached == step::identified ? step::described : step::ready;
    if (one.reached == step::ready) ++all_.done.accounts;
  } else if (got.is_certain()) {
    wrong(one, what, got, "a step of the funnel is refused");
  }
}

void client::join(person& one, unsigned wave) {
  join_with(one, wave, join_wave(one.token, wave, dice_() % 2 == 0 ? some_key() : ""));
}

void client::join_with(person& one, unsigned wave, const request& what) {
  const auto got = ask(what);
  auto& own = one.waves[wave];
  if (!got.is_certain()) {
    own.may_be_in = true;
    if (!what.key.empty()) one.unanswered = what;
    return;
  }
  const bool is_retry = one.unanswered && one.unanswered->key == what.key && !what.key.empty();
  if (got.status == 201 || got.status == 200) {
    if (got.status == 201 && own.is_in() && !is_retry)
      wrong(one, what, got, "a second entry where there is one");
    if (got.status == 200 && own.is_out()) wrong(one, what, got, "a repeat of what never was");
    joined(one, wave, what, got);
  } else {
    if (own.is_in()) wrong(one, what, got, "an acknowledged join is gone");
    static const std::set<std::string> reasons{"wave_not_open", "already_member", "wave_unknown"};
    if (!reasons.contains(got.problem())) wrong(one, what, got, "refused for no reason");
    own.is_now_out();
  }
  if (is_retry) one.unanswered.reset();
}

void client::joined(person& one, unsigned wave, const request& what, const answer& got) {
  auto& own = one.waves[wave];
  const auto given = receipt_in(got);
  if (!given) return wrong(one, what, got, "no receipt");
  if (own.is_in() && own.known && *own.known != *given)
    wrong(one, what, got, "another receipt than " + own.known->joined_at);
  own.is_now_in(given);
  ++all_.done.joins;
  if (got.status != 201 || what.key.empty()) return;
  one.keys.push_back({what, got.status, given});
  if (one.keys.size() > keys_kept) one.keys.pop_front();
}

void client::withdraw(person& one, unsigned wave) {
  // What is to be retried comes first, for a person does one thing after the other.
  if (one.unanswered) return;
  const auto what = withdraw_from_wave(one.token, wave, dice_() % 2 == 0 ? some_key() : "");
  const auto got = ask(what);
  auto& own = one.waves[wave];
  if (!got.is_certain()) {
    own.may_be_out = true;
  } else if (got.status == 204) {
    if (own.is_out()) wrong(one, what, got, "a withdrawal of what never was");
    own.is_now_out();
    ++all_.done.withdrawals;
    if (what.key.empty()) return;
    one.keys.push_back({what, got.status, std::nullopt});
    if (one.keys.size() > keys_kept) one.keys.pop_front();
  } else if (got.problem() == "not_joined" || got.problem() == "wave_unknown") {
    if (own.is_in()) wrong(one, what, got, "an acknowledged join is gone");
    own.is_now_out();
  } else if (got.problem() == "wave_not_open") {
    if (own.is_out()) wrong(one, what, got, "it is in, though it never joined");
    if (!own.is_in()) own.is_now_in(own.known);
  } else {
    wrong(one, what, got, "refused for no reason");
  }
}

void client::repeat(person& one) {
  if (one.keys.empty()) return;
  const auto& before = one.keys[dice_() % one.keys.size()];
  const auto got = ask(before.what);
  if (!got.is_certain()) return;
  ++all_.done.repeats;
  if (got.status != before.status)
    wrong(one, before.what, got, fmt::format("was answered {} before", before.status));
  if (before.given && receipt_in(got) != before.given)
    wrong(one, before.what, got, "another receipt than before: " + before.given->joined_at);
}

void client::read(person& one, unsigned wave) {
  const auto target = fmt::format("/v1/me/waves/{}", wave);
  const auto got = ask({"GET", target, one.token});
  if (!got.is_certain()) return;
  ++all_.done.reads;
  const auto& own = one.waves[wave];
  const auto seen = receipt_in(got, "receipt");
  if (seen && own.is_out()) wrong(one, {"GET", target}, got, "is in, though it never joined");
  if (!seen && own.is_in()) wrong(one, {"GET", target}, got, "an acknowledged join is gone");
  if (seen && own.is_in() && own.known && *own.known != *seen)
    wrong(one, {"GET", target}, got, "another receipt than " + own.known->joined_at);
}

}  // namespace gelombang::system_testing
