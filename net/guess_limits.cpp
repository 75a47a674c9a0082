#include "net/guess_limits.hpp"

namespace gelombang::net {
namespace {

constexpr std::chrono::minutes address_window{10}, account_window{15};
constexpr std::size_t addresses_kept = 1u << 16, accounts_kept = 1u << 18;

/// An account's id is a keyed hash, which nobody can choose to meet another's.
std::uint64_t key_of(applicant_id account, const peer_address& from) {
  return account.value ^ from.hash();
}

}  // namespace

guess_limits::guess_limits(const guess_rates& most)
    : by_address_({most.by_address_max, address_window}, addresses_kept),
      by_account_({most.by_account_max, account_window}, accounts_kept) {
  if (most.by_account_and_address_max > 0)
    by_account_and_address_.emplace(rate{most.by_account_and_address_max, account_window},
                                    accounts_kept);
}

bool guess_limits::take(applicant_id account, const peer_address& from, instant now) {
  if (by_address_.take(from.hash(), now)) return false;
  const auto pair = key_of(account, from);
  if (by_account_and_address_ && by_account_and_address_->take(pair, now)) return false;
  if (!by_account_.take(account.value, now)) return true;
  if (by_account_and_address_) by_account_and_address_->give_back(pair, now);
  return false;
}

void guess_limits::was_right(applicant_id account, const peer_address& from, instant now) {
  if (by_account_and_address_) by_account_and_address_->forget(key_of(account, from));
  by_account_.give_back(account.value, now);
}

void guess_limits::was_not_looked_at(applicant_id account, const peer_address& from, instant now) {
  by_address_.give_back(from.hash(), now);
  if (by_account_and_address_) by_account_and_address_->give_back(key_of(account, from), now);
  by_account_.give_back(account.value, now);
}

}  // namespace gelombang::net
