#pragma once

#include <cstdint>
#include <optional>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "net/peer_address.hpp"
#include "net/rate_limit.hpp"

namespace gelombang::net {

struct guess_rates {
  /// Of one address at all accounts, within ten minutes, right ones too. High for one person,
  /// because a carrier's translation makes one address of many people.
  std::uint32_t by_address_max = 600;
  /// Wrong ones of one address at one account, within 15 minutes; 0: no such limit, for a node
  /// behind a proxy, where one address is everybody.
  std::uint32_t by_account_and_address_max = 10;
  /// Wrong ones at one account from everywhere, within 15 minutes.
  std::uint32_t by_account_max = 100;
};

/// How often a secret of an account, its password or a mailed code, may be guessed wrong from
/// outside. Tight for one address (an IPv6 /64) at one account, so that a stranger's guesses use up
/// what the stranger has and nothing of the owner's; wide for an account over all addresses, so
/// that guesses from many are bounded too; and an address may try at many accounts only so often.
/// What is right does not count at the account. The figures' reasons are docs/decisions/0015.
///
/// A guess is counted as wrong before it is looked at, or whoever makes a thousand at once has a
/// thousand; `was_right` or `was_not_looked_at` takes it back. Accounts that do not exist are
/// counted alike. In memory of a fixed size, forgotten by a restart. Thread-safe.
class guess_limits {
public:
  explicit guess_limits(const guess_rates& most);

  /// @returns whether the guess may be made. One that may not is counted neither at the account nor
  /// with its address there.
  bool take(applicant_id account, const peer_address& from, instant now);

  /// The guess was right: who has mistyped before starts anew, at this address.
  void was_right(applicant_id account, const peer_address& from, instant now);

  /// Nothing was found out by it: the node was too busy, say. It counts nowhere.
  void was_not_looked_at(applicant_id account, const peer_address& from, instant now);

private:
  rate_limiter by_address_;
  std::optional<rate_limiter> by_account_and_address_;
  rate_limiter by_account_;
};

}  // namespace gelombang::net
