#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actors/runtime/entity_actor.hpp"

/// The smallest entity that has state, mail and deadlines: a purse of coins. What matters in the
/// tests is that the sum of all purses never changes, whatever happens to the runtime around them.
namespace gelombang::runtime::test {

struct put_in {
  std::int64_t coins = 0;
};
struct hand_over {
  std::uint64_t to = 0;
  std::int64_t coins = 0;
};
struct look {};
struct remind_me {
  instant at;
};
struct explode {};
struct write_out {
  std::string letter;
};

using purse_actor = caf::typed_actor<caf::replies_to<put_in>::with<outcome<std::int64_t>>,
                                     caf::replies_to<hand_over>::with<outcome<std::int64_t>>,
                                     caf::replies_to<look>::with<outcome<std::int64_t>>,
                                     caf::replies_to<remind_me>::with<outcome<std::int64_t>>,
                                     caf::replies_to<explode>::with<outcome<std::int64_t>>,
                                     caf::replies_to<write_out>::with<outcome<std::int64_t>>>;

}  // namespace gelombang::runtime::test

CAF_BEGIN_TYPE_ID_BLOCK(runtime_tests, caf::first_custom_type_id + 500)
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::put_in))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::hand_over))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::look))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::remind_me))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::explode))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::test::write_out))
CAF_ADD_TYPE_ID(runtime_tests, (gelombang::runtime::outcome<std::int64_t>))
CAF_END_TYPE_ID_BLOCK(runtime_tests)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::put_in)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::hand_over)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::look)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::remind_me)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::explode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(gelombang::runtime::test::write_out)

namespace gelombang::runtime::test {

inline constexpr std::uint64_t purses_max = 4096;

/// How many actors of a purse are between their first and last handled message right now, by purse.
/// Two at once would be two activations.
struct presence {
  std::vector<std::atomic<int>> inside = std::vector<std::atomic<int>>(purses_max);
  std::atomic<std::uint64_t> twice{0};
  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::uint64_t> spawned{0};
  std::atomic<std::int64_t> unwelcome{0};  ///< a mail of so many coins makes its receiver throw
  std::atomic<std::uint64_t> thrown{0};
  std::atomic<std::uint64_t> overtaken{0};  ///< mails from one shard to a purse that came too late

  /// A mail has had its effect.
  void arrived(mail_source source, entity_ref at) {
    std::lock_guard lock{mutex_};
    auto& newest = newest_[{source.from, at}];
    if (source.sequence <= newest) ++overtaken;
    newest = source.sequence;
  }
  /// Memory has been forgotten: what was not durable arrives once more.
  void forget_arrivals() {
    std::lock_guard lock{mutex_};
    newest_.clear();
  }

private:
  std::mutex mutex_;
  std::map<std::pair<shard_index, entity_ref>, std::uint64_t> newest_;
};

/// Purses by number, spread over all shards.
inline entity_ref purse(std::uint64_t number) {
  return {kind::probe, (number * 0x9E3779B97F4A7C15ull & 0xFFFF000000000000ull) | number};
}

class purse_kind final : public entity_kind {
public:
  explicit purse_kind(presence& watch) : watch_(watch) {}

  kind what() const override { return kind::probe; }
  bool is_brief() const override { return true; }
  std::vector<std::string> rows_of(const shard& home, entity_ref who) const override;
  caf::strong_actor_ptr spawn(caf::actor_system& system, activation_ptr who,
                              const std::vector<std::string>& keys,
                              std::vector<row_value>&& rows) const override;
  result<void> replay(const shard& home, entity_ref who, std::string_view event,
                      row_editor& rows) const override;

private:
  presence& watch_;
};

}  // namespace gelombang::runtime::test
