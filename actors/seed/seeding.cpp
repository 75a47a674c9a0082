#include "actors/seed/seeding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>
#include <span>
#include <vector>

#include "actors/applicant/profile.hpp"
#include "actors/applicant/rules.hpp"
#include "actors/applicant/secrets.hpp"
#include "actors/applicant/stages.hpp"
#include "actors/registry/rules.hpp"
#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/wave/draw/parallel.hpp"
#include "storage/backup.hpp"
#include "storage/data_mark.hpp"

namespace gelombang::seed {
namespace {

using runtime::kind;
using runtime::shard_index;

/// In the order of their rows.
constexpr std::array seeded_kinds = {kind::applicant, kind::person, kind::family, kind::phone};
constexpr std::size_t kinds_count = seeded_kinds.size();

/// Matches no password: what Argon2id gives starts with a dollar sign.
constexpr char unusable_password[] = "!";

std::string text_of(const std::array<std::uint8_t, 16>& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::uint32_t score_of(std::uint64_t number) {
  return static_cast<std::uint32_t>(number * 37 % 101);
}

/// What a person's rows are made of, computed once.
struct traces {
  applicant_id id;
  applicant::identity_secrets identity;
  applicant::phone_secrets phone;
};

traces traces_of(const keyring& keys, const person& who) {
  const auto id = keys.account_of(who.email);
  return {id,
          {keys.seal(id, applicant::pack_identity(who.nik, who.kk, who.full_name)),
           keys.nik_hash(who.nik.digits()), keys.family_of(who.kk.digits())},
          {keys.seal(id, applicant::pack_phone(who.phone)), keys.phone_hash(who.phone)}};
}

void fill_account(applicant::wire::State& state, const keyring& keys, const person& who,
                  applicant_id id, std::int64_t now) {
  state.set_sealed_email(keys.seal(id, who.email));
  state.set_password(unusable_password);
  state.mutable_code()->set_generation(1);
  auto& session = *state.add_sessions();
  session.set_id(1);
  session.set_generation(1);
  session.set_opened_at(now);
  session.set_refreshed_at(now);
  state.set_sessions_opened(1);
  state.set_claims(2);  // the identity's and the phone's
}

void fill_identity(applicant::wire::State& state, const person& who,
                   const applicant::identity_secrets& secrets) {
  const applicant::submit_identity papers{who.nik,        who.kk,     who.full_name,
                                          who.birth_date, who.region, {}};
  auto& identity = *state.mutable_identity();
  identity.set_status(applicant::wire::Identity::VERIFIED);
  identity.set_sealed(secrets.sealed);
  identity.set_family(secrets.family);
  identity.set_region(who.region.value);
  const auto birth = std::chrono::sys_days{who.birth_date}.time_since_epoch().count();
  identity.set_birth_day(static_cast<std::int32_t>(birth));
  identity.set_sex(static_cast<std::uint32_t>(who.nik.sex()));
  identity.set_tag(applicant::tag_of(papers, secrets, who.full_name));
}

void fill_profile(applicant::wire::State& state, const person& who,
                  const applicant::phone_secrets& secrets) {
  using applicant::trait;
  auto& profile = *state.mutable_profile();
  profile.set_education(
      static_cast<std::uint32_t>(applicant::education_named(who.education).value()));
  profile.set_employment(
      static_cast<std::uint32_t>(applicant::employment_named(who.employment).value()));
  std::uint32_t traits = 0;
  if (who.disability) traits |= static_cast<std::uint32_t>(trait::disability);
  if (who.returned_migrant) traits |= static_cast<std::uint32_t>(trait::returned_migrant);
  profile.set_traits(traits);
  state.mutable_phone()->set_sealed(secrets.sealed);
  state.mutable_phone()->set_hash(text_of(secrets.hash));
}

/// Reuses the memory that `state` has.
void fill_state(applicant::wire::State& state, const keyring& keys, const person& who,
                const traces& made, std::uint64_t number, const seed_options& options) {
  state.Clear();
  fill_account(state, keys, who, made.id, options.now.time_since_epoch().count());
  fill_identity(state, who, made.identity);
  fill_profile(state, who, made.phone);
  state.mutable_assessment()->set_version(options.assessment_version);
  state.mutable_assessment()->set_score(score_of(number));
}

/// A row whose value lies in a slice's text.
struct entry {
  std::uint64_t id;
  std::uint64_t offset;
  std::uint32_t bytes;
  std::uint32_t slice;
};

/// Rows of neighbouring people, made on one thread, by shard and kind. Its memory is used again for
/// the next chunk.
class slice {
public:
  slice(const seed_options& options, const keyring& keys, const people& everybody,
        std::uint32_t shards, std::uint32_t index)
      : options_(options), keys_(keys), everybody_(everybody), shards_(shards), index_(index) {
    buckets_.resize(shards * kinds_count);
  }

  /// The people `first <= number < end`, and the families that begin among them.
  void make(std::uint64_t first, std::uint64_t end) {
    text_.clear();
    for (auto& bucket : buckets_) bucket.clear();
    if (first == end) return;
    begin_family(first);
    for (auto number = first; number < end; ++number) {
      const auto who = everybody_(number);
      const auto made = traces_of(keys_, who);
      fill_state(state_, keys_, who, made, number, options_);
      put(0, made.id.value, state_);
      put_person(made);
      put_phone(made);
      put_member(made.identity.family, who.region, made.id);
    }
    finish_family(end);
  }

  const std::vector<entry>& bucket(std::size_t which) const { return buckets_[which]; }
  std::string_view value_of(const entry& row) const {
    return std::string_view{text_}.substr(row.offset, row.bytes);
  }

private:
  enum class part : std::uint8_t { ours, of_the_slice_before };

  template <class Message>
  void put(std::size_t kind_at, std::uint64_t id, const Message& message) {
    const auto offset = text_.size();
    message.AppendToString(&text_);
    const auto shard = runtime::shard_of(id, shards_);
    buckets_[shard * kinds_count + kind_at].push_back(
        {id, offset, static_cast<std::uint32_t>(text_.size() - offset), index_});
  }

  void put_person(const traces& made) {
    const auto where = registry::address_of(made.identity.nik_hash);
    person_.Clear();
    auto& held = *person_.add_entries();
    held.set_rest(where.rest);
    held.set_owner(made.id.value);
    put(1, where.id, person_);
  }

  void put_phone(const traces& made) {
    const auto where = registry::address_of(made.phone.hash);
    phone_.Clear();
    auto& held = *phone_.add_owners();
    held.set_rest(where.rest);
    held.set_owner(made.id.value);
    put(3, where.id, phone_);
  }

  /// A family belongs to the slice of its first member: that one looks ahead for the others.
  void begin_family(std::uint64_t first) {
    family_.Clear();
    if (first == 1) return;
    family_id_ = keys_.family_of(everybody_(first - 1).kk.digits());
    family_is_ = part::of_the_slice_before;
  }

  void put_member(std::uint64_t family, region_code region, applicant_id who) {
    if (family != family_id_) start_family(family, region);
    if (family_is_ == part::ours) family_.add_members(who.value);
  }

  void start_family(std::uint64_t family, region_code region) {
    put_family();
    family_.Clear();
    family_id_ = family;
    family_is_ = part::ours;
    family_.set_region(region.value);
  }

  void finish_family(std::uint64_t end) {
    if (family_is_ == part::of_the_slice_before) return;
    for (auto number = end; number <= options_.applicants; ++number) {
      const auto who = everybody_(number);
      if (keys_.family_of(who.kk.digits()) != family_id_) break;
      family_.add_members(keys_.account_of(who.email).value);
    }
    put_family();
    family_.Clear();
  }

  void put_family() {
    if (family_is_ == part::ours && !family_.members().empty()) put(2, family_id_, family_);
  }

  const seed_options& options_;
  const keyring& keys_;
  const people& everybody_;
  const std::uint32_t shards_;
  const std::uint32_t index_;
  std::string text_;
  std::vector<std::vector<entry>> buckets_;  ///< by shard, then by kind, as rows are ordered
  applicant::wire::State state_;
  registry::wire::Person person_;
  registry::wire::Phone phone_;
  registry::wire::Family family_;
  std::uint64_t family_id_ = 0;
  part family_is_ = part::ours;
};

constexpr auto ready_counter = static_cast<std::uint64_t>(runtime::counter::family::funnel_stage)
                                   << 32 |
                               static_cast<std::uint64_t>(applicant::stage::ready);

void add_ready(runtime::wire::Shard& own, std::uint64_t more) {
  for (auto& counter : *own.mutable_counters()) {
    if (counter.key() != ready_counter) continue;
    counter.set_value(counter.value() + static_cast<std::int64_t>(more));
    return;
  }
  auto& counter = *own.add_counters();
  counter.set_key(ready_counter);
  counter.set_value(static_cast<std::int64_t>(more));
}

using row_list = std::vector<storage::row_change>;

/// Makes chunks of rows, in their order.
class chunk_maker {
public:
  chunk_maker(const seed_options& options, const keyring& keys,
              std::vector<runtime::wire::Shard> shards)
      : everybody_(options.seed), shards_(std::move(shards)) {
    const auto count = static_cast<std::uint32_t>(shards_.size());
    slices_.reserve(std::max(1u, options.threads));
    for (std::uint32_t i = 0; i < std::max(1u, options.threads); ++i)
      slices_.emplace_back(options, keys, everybody_, count, i);
  }

  row_list make(std::uint64_t first, std::uint64_t end) {
    const auto threads = static_cast<unsigned>(slices_.size());
    const auto start = [&](std::uint64_t i) { return first + (end - first) * i / threads; };
    draw::parallel_for(threads, threads,
                       [&](std::size_t i) { slices_[i].make(start(i), start(i + 1)); });
    std::vector<std::size_t> places(shards_.size() + 1);
    for (std::size_t shard = 0; shard < shards_.size(); ++shard)
      places[shard + 1] = places[shard] + rows_in(shard);
    row_list rows(places.back());
    draw::parallel_for(threads, shards_.size(), [&](std::size_t shard) {
      fill(static_cast<shard_index>(shard), rows.data() + places[shard]);
    });
    return rows;
  }

private:
  std::size_t count_in(std::size_t bucket) const {
    std::size_t count = 0;
    for (const auto& one : slices_) count += one.bucket(bucket).size();
    return count;
  }

  std::size_t rows_in(std::size_t shard) const {
    std::size_t count = 1;
    for (std::size_t i = 0; i < kinds_count; ++i) count += count_in(shard * kinds_count + i);
    return count;
  }

  void fill(shard_index shard, storage::row_change* row) {
    add_ready(shards_[shard], count_in(shard * kinds_count));
    *row++ = {runtime::shard_key(shard), shards_[shard].SerializeAsString()};
    std::vector<entry> sorted;
    for (std::size_t i = 0; i < kinds_count; ++i) {
      sorted.clear();
      for (const auto& one : slices_) {
        const auto& bucket = one.bucket(shard * kinds_count + i);
        sorted.insert(sorted.end(), bucket.begin(), bucket.end());
      }
      std::sort(sorted.begin(), sorted.end(),
                [](const entry& one, const entry& other) { return one.id < other.id; });
      for (const auto& from : sorted)
        *row++ = {runtime::snapshot_key(shard, {seeded_kinds[i], from.id}),
                  std::string{slices_[from.slice].value_of(from)}};
    }
  }

  const people everybody_;
  std::vector<runtime::wire::Shard> shards_;
  std::vector<slice> slices_;
};

tl::unexpected<storage::error> wrong(std::string detail) {
  return storage::failed(storage::fault::corrupt, std::move(detail));
}

storage::result<bool> has_applicants(const storage::state_store& store, std::uint32_t shards) {
  bool found = false;
  for (shard_index shard = 0; shard < shards && !found; ++shard) {
    const auto first = runtime::snapshot_prefix(shard, kind::applicant);
    auto looked = store.scan(first, runtime::end_of(first), [&](auto, auto) {
      found = true;
      return false;
    });
    if (!looked) return tl::unexpected(looked.error());
  }
  return found;
}

/// Each shard's own row as it is, or as a first start would have it.
storage::result<std::vector<runtime::wire::Shard>> shards_of(const storage::state_store& store,
                                                             std::uint32_t shards) {
  std::vector<std::string> keys;
  for (std::uint32_t i = 0; i < shards; ++i)
    keys.push_back(runtime::shard_key(static_cast<shard_index>(i)));
  auto rows = store.get(keys);
  if (!rows) return tl::unexpected(rows.error());
  std::vector<runtime::wire::Shard> parsed(shards);
  for (std::uint32_t i = 0; i < shards; ++i) {
    if ((*rows)[i] && !parsed[i].ParseFromString(*(*rows)[i]))
      return wrong(fmt::format("the row of shard {} does not parse", i));
    parsed[i].set_shards(shards);
  }
  return parsed;
}

/// While one chunk is taken in, the next is made.
storage::result<std::uint64_t> write_everybody(const seed_options& options, chunk_maker& maker,
                                               storage::state_store& store,
                                               const seed_progress& progress) {
  std::uint64_t rows_written = 0, done = 0, in_work = 0;
  std::future<storage::result<void>> work;
  const auto settle = [&]() -> storage::result<void> {
    if (!work.valid()) return {};
    auto taken = work.get();
    if (!taken) return taken;
    done = in_work;
    if (progress) progress(done, options.applicants);
    return {};
  };
  for (std::uint64_t first = 1; first <= options.applicants; first += options.chunk) {
    const auto end = std::min(first + options.chunk, options.applicants + 1);
    auto rows = maker.make(first, end);
    rows_written += rows.size();
    if (auto taken = settle(); !taken) return tl::unexpected(taken.error());
    in_work = end - 1;
    work = std::async(std::launch::async,
                      [&store, chunk = std::move(rows)] { return store.ingest(chunk); });
  }
  if (auto taken = settle(); !taken) return tl::unexpected(taken.error());
  return rows_written;
}

storage::result<void> check(const seed_options& options) {
  if (options.applicants > people_max)
    return wrong(
        fmt::format("{} applicants: there are {} at the most", options.applicants, people_max));
  if (options.chunk == 0) return wrong("chunks of no applicants");
  return {};
}

}  // namespace

applicant::wire::State ready_state(const keyring& keys, const person& who, std::uint64_t number,
                                   std::uint32_t assessment_version, instant now) {
  applicant::wire::State state;
  fill_state(state, keys, who, traces_of(keys, who), number,
             {.data_directory = {}, .assessment_version = assessment_version, .now = now});
  return state;
}

storage::result<std::uint32_t> shards_in(const storage::state_store& store) {
  auto row = store.get(std::vector<std::string>{runtime::shard_key(0)});
  if (!row) return tl::unexpected(row.error());
  if (!row->front()) return 0;
  runtime::wire::Shard own;
  const bool parsed = own.ParseFromString(*row->front());
  if (!parsed || own.shards() == 0 || own.shards() > runtime::shards_max)
    return wrong("the row of shard 0 does not parse");
  return own.shards();
}

storage::result<std::uint64_t> seeded_up_to(const storage::state_store& store, const keyring& keys,
                                            std::uint64_t wanted) {
  const auto shards = shards_in(store);
  if (!shards) return tl::unexpected(shards.error());
  if (*shards == 0) return 0;
  const auto is_there = [&](std::uint64_t number) -> storage::result<bool> {
    const auto id = keys.account_of(email_of(number)).value;
    const auto home = runtime::shard_of(id, *shards);
    auto row = store.get(std::vector{runtime::snapshot_key(home, {kind::applicant, id})});
    if (!row) return tl::unexpected(row.error());
    return row->front().has_value();
  };
  auto there = std::uint64_t{0};
  auto last = std::min(wanted, people_max);
  for (auto asked = last; there < last; asked = there + (last - there + 1) / 2) {
    const auto answer = is_there(asked);
    if (!answer) return tl::unexpected(answer.error());
    if (*answer)
      there = asked;
    else
      last = asked - 1;
  }
  return there;
}

storage::result<seed_report> seed_data(const seed_options& options, const keyring& keys,
                                       const seed_progress& progress,
                                       std::optional<storage::directory_lock> held) {
  if (auto sound = check(options); !sound) return tl::unexpected(sound.error());
  const storage::layout where{options.data_directory};
  if (!held) {
    auto lock = storage::directory_lock::take(where);
    if (!lock) return tl::unexpected(lock.error());
    held.emplace(std::move(*lock));
  }
  auto& disk = storage::posix_file_system();
  if (auto there = storage::check_state_is_there(disk, where); !there) {
    return tl::unexpected(there.error());
  }
  auto store = storage::state_store::open({.directory = where.state(), .prewarm_bytes = 0});
  if (!store) return tl::unexpected(store.error());
  if (auto marked = storage::mark_begun(disk, where); !marked) {
    return tl::unexpected(marked.error());
  }

  auto shards = shards_in(**store);
  if (!shards) return tl::unexpected(shards.error());
  if (*shards == 0) *shards = options.shards;
  if (*shards == 0 || *shards > runtime::shards_max)
    return wrong(fmt::format("{} shards: 1 to {}", *shards, runtime::shards_max));
  auto occupied = has_applicants(**store, *shards);
  if (!occupied) return tl::unexpected(occupied.error());
  if (*occupied)
    return storage::failed(storage::fault::in_use,
                           fmt::format("{} holds applicants already: seed an empty one",
                                       options.data_directory.string()));
  auto own_rows = shards_of(**store, *shards);
  if (!own_rows) return tl::unexpected(own_rows.error());

  chunk_maker maker{options, keys, std::move(*own_rows)};
  auto rows = write_everybody(options, maker, **store, progress);
  if (!rows) return tl::unexpected(rows.error());
  if (options.ending == seed_options::ending::compacted)
    if (auto compacted = (*store)->compact(); !compacted) return tl::unexpected(compacted.error());
  return seed_report{options.applicants, *rows, (*store)->disk_bytes()};
}

}  // namespace gelombang::seed
