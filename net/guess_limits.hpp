#pragma once

#include <cstdint>

#include "actors/programme/clock.hpp"
#include "actors/programme/ids.hpp"
#include "net/peer_address.hpp"
#include "net/rate_limit.hpp"

namespace gelombang::net {

/// How often a secret of an account, its password or a mailed code, may be guessed wrong from
/// outside. Tight for one address (an IPv6 /64) at one account, so that a stranger's guesses use up
/// what the stranger has and nothing of the owner's; wide for an account over all addresses, so
/// that guesses from many are bounded too; and an address may try at many accounts only so often.
/// What is right does not count at the account. The figures are docs/decisions/0015.
///
/// A guess is counted as wrong before it is looked at, or whoever makes a thousand at once has a
/// thousand; `was_right` or `was_not_looked_at` takes it back. Accounts that do not exist are
/// counted alike. In memory of a fixed size, forgotten by a restart. Thread-safe.
class guess_limits {
public:
  /// Within 15 minutes.
  static constexpr std::uint32_t by_account_and_address_max = 10;
  static constexpr std::uint32_t by_account_max = 100;

  /// @param by_address  within ten minutes, right ones too
  explicit guess_limits(std::uint32_t by_address);

  /// @returns whether the guess may be made. One that may not is counted neither at the account nor
  /// with its address there.
  bool take(applicant_id account, const peer_address& from, instant now);

  /// The guess was right: who has mistyped before starts anew, at this address.
  void was_right(applicant_id account, const peer_address& from, instant now);

  /// Nothing was found out by it: the node was too busy, say.
  void was_not_looked_at(applicant_id account, const peer_address& from, instant now);

private:
  rate_limiter by_address_;
  rate_limiter by_account_and_address_;
  rate_limiter by_account_;
};

}  // namespace gelombang::net
