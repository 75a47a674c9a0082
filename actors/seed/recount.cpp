#include "actors/seed/recount.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "actors/registry/registry.pb.h"
#include "actors/roster/roster.pb.h"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/wave/draw/roster.hpp"

namespace gelombang::seed {
namespace {

using namespace runtime;

/// What is known of an account beside its id.
enum mark : std::uint8_t {
  needs_nik = 1,
  needs_phone = 2,
  needs_family = 4,
  has_nik = 8,
  has_phone = 16,
  has_family = 32,
};

/// What one kind of the registry's entities must agree with.
struct claim {
  kind what;
  mark needed, seen;
  std::string_view name;
};
constexpr std::array claims = {claim{kind::person, needs_nik, has_nik, "NIK"},
                               claim{kind::family, needs_family, has_family, "family card"},
                               claim{kind::phone, needs_phone, has_phone, "phone number"}};

class counting {
public:
  counting(const storage::state_store& store, std::uint32_t shards)
      : store_(store), shards_(shards) {}

  storage::result<recount_report> run() {
    for (std::uint32_t i = 0; i < shards_ && sound(); ++i)
      if (auto read = read_accounts(static_cast<shard_index>(i)); !read)
        return tl::unexpected(read.error());
    for (std::uint32_t i = 0; i < shards_ && sound(); ++i)
      if (auto read = read_registry(static_cast<shard_index>(i)); !read)
        return tl::unexpected(read.error());
    if (sound()) check_everybody_has_what_he_needs();
    if (sound() && places_ > report_.members)
      disagree("{} places of families are taken by {} members", places_, report_.members);
    return report_;
  }

private:
  using counts = std::map<std::uint64_t, std::int64_t>;

  bool sound() const { return !report_.disagreement; }

  /// Keeps the first. @returns false, which ends a scan.
  template <class... Values>
  bool disagree(fmt::format_string<Values...> form, Values&&... values) {
    if (sound()) report_.disagreement = fmt::format(form, std::forward<Values>(values)...);
    return false;
  }

  // --- a shard's own rows ---

  storage::result<void> read_accounts(shard_index shard) {
    counted_.clear();
    told_.clear();
    who_.clear();
    const auto begin = accounts_.size();
    const auto end = end_of(snapshot_prefix(shard, kind::applicant));
    auto read = store_.scan(shard_key(shard), end, [&](std::string_view key, std::string_view row) {
      return read_row(shard, key, row);
    });
    if (!read) return read;
    if (sound()) check_who(shard, begin);
    if (sound()) check_counters(shard);
    return {};
  }

  bool read_row(shard_index shard, std::string_view key, std::string_view row) {
    switch (static_cast<std::uint8_t>(key[2])) {
      case static_cast<std::uint8_t>(table::shard):
        return read_own(shard, row);
      case static_cast<std::uint8_t>(table::participation):
        return read_participation(shard, key.substr(3));
      case static_cast<std::uint8_t>(table::member):
        return read_member(shard, key.substr(3), row);
      case static_cast<std::uint8_t>(table::family_places):
        return read_places(shard, row);
      case static_cast<std::uint8_t>(table::snapshot) + static_cast<std::uint8_t>(kind::applicant):
        return read_applicant(shard, key.substr(3), row);
      default:
        return true;  // deadlines, waves, rosters: nothing counts them
    }
  }

  bool read_own(shard_index shard, std::string_view row) {
    wire::Shard own;
    if (!own.ParseFromArray(row.data(), static_cast<int>(row.size())))
      return disagree("shard {}: its own row does not parse", shard);
    if (own.shards() != shards_)
      return disagree("shard {}: of {} shards, not {}", shard, own.shards(), shards_);
    for (const auto& one : own.counters())
      if (one.value() != 0) told_[one.key()] = one.value();
    for (const auto& box : own.outboxes())
      for (const auto& letter : box.waiting()) note_mail(letter);
    return true;
  }

  /// Whoever takes another number may have both: until he hears that the new one is his, and then
  /// until the old one has been given back.
  void note_mail(const wire::Mail& letter) {
    const auto to = static_cast<kind>(letter.kind());
    registry::wire::Ask ask;
    applicant::wire::Notice notice;
    if (to == kind::person || to == kind::phone) {
      if (ask.ParseFromString(letter.body()) && ask.has_release())
        in_the_mail_.insert(ask.release().owner());
    } else if (to == kind::applicant) {
      if (notice.ParseFromString(letter.body()) && notice.registry().has_taken())
        in_the_mail_.insert(letter.id());
    }
  }

  bool read_participation(shard_index shard, std::string_view rest) {
    if (rest.size() != 12) return disagree("shard {}: a participation's key is damaged", shard);
    ++counted_[counter{counter::family::joined, read_big_endian<std::uint32_t>(rest)}.packed()];
    who_.push_back(read_big_endian<std::uint64_t>(rest.substr(4)));
    ++report_.participations;
    return true;
  }

  bool read_member(shard_index shard, std::string_view rest, std::string_view row) {
    roster::wire::Member member;
    if (rest.size() != 8 || !member.ParseFromArray(row.data(), static_cast<int>(row.size())))
      return disagree("shard {}: a member's row does not parse", shard);
    ++counted_[counter{counter::family::accepted, member.wave()}.packed()];
    who_.push_back(read_big_endian<std::uint64_t>(rest));
    ++report_.members;
    return true;
  }

  bool read_places(shard_index shard, std::string_view row) {
    const auto taken = row.size() == 1 ? static_cast<std::uint8_t>(row[0]) : 0u;
    if (taken == 0 || taken > draw::family_room_max)
      return disagree("shard {}: a family has {} places taken", shard, taken);
    places_ += taken;
    return true;
  }

  bool read_applicant(shard_index shard, std::string_view rest, std::string_view row) {
    const auto id = rest.size() == 8 ? read_big_endian<std::uint64_t>(rest) : 0;
    applicant_.Clear();
    if (rest.size() != 8 || !applicant_.ParseFromArray(row.data(), static_cast<int>(row.size())))
      return disagree("shard {}: applicant {:016x} does not parse", shard, id);
    if (shard_of(id, shards_) != shard)
      return disagree("shard {}: applicant {:016x} belongs elsewhere", shard, id);
    const auto stage = static_cast<std::uint32_t>(applicant::stage_of(applicant_));
    if (stage != 0) ++counted_[counter{counter::family::funnel_stage, stage}.packed()];
    ++report_.by_stage[stage];
    ++report_.applicants;
    const auto& identity = applicant_.identity();
    std::uint8_t marks = 0;
    if (identity.status() == applicant::wire::Identity::VERIFIED) marks |= needs_nik | needs_family;
    if (identity.claim().nik_held()) marks |= needs_nik;
    if (applicant_.has_phone()) marks |= needs_phone;
    accounts_.push_back(id);
    marks_.push_back(marks);
    return true;
  }

  /// Whoever has joined or is a member has an account, from number `begin` on.
  void check_who(shard_index shard, std::size_t begin) {
    const auto first = accounts_.begin() + static_cast<std::ptrdiff_t>(begin);
    for (auto id : who_)
      if (!std::binary_search(first, accounts_.end(), id)) {
        disagree("shard {}: {:016x} takes part in a wave and has no account", shard, id);
        return;
      }
  }

  void check_counters(shard_index shard) {
    std::set<std::uint64_t> keys;
    for (const auto& [key, value] : counted_) keys.insert(key);
    for (const auto& [key, value] : told_) keys.insert(key);
    for (auto key : keys) {
      if (name_of(key).empty() || told_[key] == counted_[key]) continue;
      disagree("shard {}: the counter \"{}\" says {}, the rows {}", shard, name_of(key), told_[key],
               counted_[key]);
      return;
    }
  }

  static std::string name_of(std::uint64_t key) {
    const auto index = static_cast<std::uint32_t>(key);
    switch (static_cast<counter::family>(key >> 32)) {
      case counter::family::funnel_stage:
        return std::string{applicant::name_of(static_cast<applicant::stage>(index))};
      case counter::family::joined:
        return fmt::format("joined wave {}", index);
      case counter::family::accepted:
        return fmt::format("accepted in wave {}", index);
      case counter::family::email:
        break;
    }
    return {};
  }

  // --- the registry's rows ---

  storage::result<void> read_registry(shard_index shard) {
    for (const auto& one : claims) {
      const auto first = snapshot_prefix(shard, one.what);
      auto read =
          store_.scan(first, end_of(first), [&](std::string_view key, std::string_view row) {
            const auto id = key.size() == 11 ? read_big_endian<std::uint64_t>(key.substr(3)) : 0;
            if (key.size() != 11 || shard_of(id, shards_) != shard)
              return disagree("shard {}: {} {:016x} belongs elsewhere", shard, one.name, id);
            return read_holders(one, id, row);
          });
      if (!read || !sound()) return read;
    }
    return {};
  }

  bool read_holders(const claim& of, std::uint64_t id, std::string_view row) {
    const auto size = static_cast<int>(row.size());
    const auto damaged = [&] { return disagree("{} {:016x} does not parse", of.name, id); };
    if (of.what == kind::person) {
      if (!person_.ParseFromArray(row.data(), size)) return damaged();
      for (const auto& one : person_.entries())
        if (one.has_owner() && !note_holder(of, id, one.owner(), report_.niks)) return false;
      return true;
    }
    if (of.what == kind::phone) {
      if (!phone_.ParseFromArray(row.data(), size)) return damaged();
      for (const auto& one : phone_.owners())
        if (!note_holder(of, id, one.owner(), report_.phones)) return false;
      return true;
    }
    if (!family_.ParseFromArray(row.data(), size)) return damaged();
    for (auto member : family_.members())
      if (!note_holder(of, id, member, report_.family_members)) return false;
    return true;
  }

  bool note_holder(const claim& of, std::uint64_t id, std::uint64_t who, std::uint64_t& total) {
    ++total;
    const auto found = std::lower_bound(accounts_.begin(), accounts_.end(), who);
    if (found == accounts_.end() || *found != who)
      return disagree("{} {:016x} belongs to {:016x}, who has no account", of.name, id, who);
    auto& marks = marks_[static_cast<std::size_t>(found - accounts_.begin())];
    if ((marks & of.seen) != 0 && !in_the_mail_.contains(who))
      return disagree("{} {:016x} belongs to {:016x}, who has another one", of.name, id, who);
    marks = static_cast<std::uint8_t>(marks | of.seen);
    return true;
  }

  void check_everybody_has_what_he_needs() {
    for (std::size_t i = 0; i < accounts_.size(); ++i)
      for (const auto& one : claims)
        if ((marks_[i] & one.needed) != 0 && (marks_[i] & one.seen) == 0) {
          disagree("applicant {:016x} has a {} that is nobody's", accounts_[i], one.name);
          return;
        }
  }

  const storage::state_store& store_;
  const std::uint32_t shards_;
  recount_report report_;
  std::uint64_t places_ = 0;

  std::vector<std::uint64_t> accounts_;  ///< ascending, since shards are ranges of ids
  std::vector<std::uint8_t> marks_;      ///< `mark` bits, by the same index
  std::set<std::uint64_t> in_the_mail_;  ///< whoever is about to hold one thing less

  // Of the shard that is being read.
  counts counted_, told_;
  std::vector<std::uint64_t> who_;

  applicant::wire::State applicant_;
  registry::wire::Person person_;
  registry::wire::Phone phone_;
  registry::wire::Family family_;
};

}  // namespace

storage::result<recount_report> recount(const storage::state_store& store, std::uint32_t shards) {
  return counting{store, shards}.run();
}

}  // namespace gelombang::seed
