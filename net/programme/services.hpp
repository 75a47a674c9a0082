#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/applicant/assessment.hpp"
#include "actors/applicant/commands.hpp"
#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "actors/programme/region.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/board.hpp"
#include "actors/wave/desk.hpp"
#include "net/gateway.hpp"
#include "net/guess_limits.hpp"
#include "net/password_pool.hpp"
#include "net/programme/backups.hpp"
#include "net/programme/entries_text.hpp"
#include "net/rate_limit.hpp"
#include "net/tokens.hpp"
#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {

/// How many have joined each wave, as the shards' counters say, summed at most once a second: a sum
/// takes a lock a shard, and everybody looks at the open wave. Thread-safe.
class joined_counts {
public:
  std::uint64_t of(const runtime::node& node, wave_number wave, instant now);

private:
  struct figure {
    instant until{};
    std::uint64_t joined = 0;
  };
  std::mutex mutex_;
  std::map<wave_number, figure> figures_;
};

/// Published summaries as they are sent, made once for each stage of a draw, and once more when it
/// was cancelled. Thread-safe.
class draw_pages {
public:
  struct page {
    std::shared_ptr<const draw::draw_files> of;
    bool is_cancelled = false;
    std::string json;
    std::string etag;          ///< quoted
    std::string entries_etag;  ///< likewise; a cancelled draw's entries are what they were
  };
  std::shared_ptr<const page> page_of(const wave::state& wave,
                                      std::shared_ptr<const draw::draw_files> files);

private:
  std::mutex mutex_;
  std::map<wave_number, std::shared_ptr<const page>> pages_;
};

/// Limits of the front door that count attempts, each with its own memory; an address is an IPv4
/// address or an IPv6 /64.
struct attempt_limits {
  explicit attempt_limits(const guess_rates& most = {})
      : emails_by_address{{most.by_address_max, std::chrono::minutes{10}}, 1u << 16},
        codes{most},
        passwords{most} {}

  rate_limiter emails_by_address;
  /// Beyond this the answer stays the same and no mail leaves.
  rate_limiter emails_by_account{{5, std::chrono::hours{1}}, 1u << 18};
  guess_limits codes;
  guess_limits passwords;
};

/// What the programme's routes need. Made once, by whoever starts the node; everything referred to
/// outlives the serving and is thread-safe, but a gateway, which is its io thread's own.
struct services {
  /// By `io_thread::index()`.
  std::vector<gateway*> gateways;
  runtime::node& node;
  wave::board& waves;
  wave::draw_desk& desk;
  const clock& time;
  const keyring& keys;
  const region_table& regions;
  const applicant::assessment& questions;
  const access_tokens& access;
  const refresh_tokens& refresh;
  password_pool& passwords;
  waiting_room& room;

  /// The name of the eligibility rules by that of the scheme: which waves can be created.
  std::map<std::string, std::string, std::less<>> eligibility_of_scheme;
  /// Addresses, as `normalise_email` gives them, of accounts that are operators by configuration.
  std::set<std::string, std::less<>> operator_emails;
  /// How long an access token is good for; a refresh token's life is the applicant's rule.
  std::chrono::seconds access_token_lifetime{900};

  /// Fingerprints of requests are keyed: a request can hold a password, and what is stored of it
  /// must not be something to try passwords on.
  hmac_sha256 request_mac{keys.refresh_token_key()};
  attempt_limits attempts{};
  joined_counts joined = {};
  draw_pages draws = {};
  entries_texts entries = {};
  /// Puts the node's clock ahead and gives what it shows then; empty where time is the system's.
  std::function<result<instant>(instant)> put_clock_ahead = {};
  net::backups backups{[&of = node, &with = desk](
                           const std::filesystem::path& target,
                           const std::stop_token& until) -> storage::result<net::backups::copied> {
    auto warnings = of.backup(target, until);
    if (!warnings) return tl::unexpected(warnings.error());
    for (auto& one : with.known_faults()) warnings->push_back(std::move(one));
    return net::backups::copied{std::move(*warnings)};
  }};
};

}  // namespace gelombang::net
