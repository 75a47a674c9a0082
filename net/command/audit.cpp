#include "net/command/audit.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/seed/recount.hpp"
#include "actors/seed/seeding.hpp"
#include "net/command/damage.hpp"
#include "net/command/draw_audit.hpp"
#include "net/command/key_check.hpp"
#include "net/command/recovery.hpp"
#include "storage/backup.hpp"
#include "storage/data_mark.hpp"
#include "storage/journal.hpp"
#include "storage/plain_files.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;
using storage::fault;

enum exit_code : int { holds = 0, does_not_hold = 1, cannot_tell = 3 };

struct finding {
  /// Where what was found lies, and so what is to be done.
  enum class place { elsewhere, data, draw };
  exit_code code;
  std::string text;
  place where = place::elsewhere;
};
template <class T>
using checked = tl::expected<T, finding>;

tl::unexpected<finding> found(std::string text, finding::place where = finding::place::data) {
  return tl::unexpected(finding{does_not_hold, std::move(text), where});
}

finding finding_of(const storage::error& what) {
  const bool environment =
      what.kind == fault::io || what.kind == fault::no_space || what.kind == fault::in_use;
  return {environment ? cannot_tell : does_not_hold, what.detail,
          environment || what.kind == fault::version ? finding::place::elsewhere
                                                     : finding::place::data};
}

tl::unexpected<finding> failed(const storage::error& what) {
  return tl::unexpected(finding_of(what));
}

class auditor {
public:
  auditor(const audit_order& order, std::FILE* out)
      : where_{order.data_directory}, key_file_(order.key_file), out_(out) {}

  checked<void> run() {
    // Before anything in it is opened.
    if (storage::has_backup_mark(where_))
      if (auto plain = storage::check_all_plain(where_.root); !plain) return failed(plain.error());
    if (auto there = storage::check_state_is_there(storage::posix_file_system(), where_); !there)
      return failed(there.error());
    if (auto locked = lock(); !locked) return locked;
    if (auto whole = check_place(); !whole) return whole;
    if (auto fits = check_key_file(); !fits) return fits;
    auto store =
        storage::state_store::open_to_read({.directory = where_.state(), .prewarm_bytes = 0});
    if (!store && fs::exists(where_.state() / "CURRENT")) return failed(store.error());
    if (store) store_ = std::move(*store);
    if (store_)
      if (auto read = read_positions(); !read) return read;
    if (auto sound = check_journal(); !sound) return sound;
    if (!store_) fmt::print(out_, "state: none yet\n");
    if (store_)
      if (auto sound = check_state(); !sound) return sound;
    return check_draws();
  }

private:
  /// Only where a node has left its lock: a backup gets no new file.
  checked<void> lock() {
    if (!fs::exists(where_.journal()) && !fs::exists(where_.state()))
      return tl::unexpected(
          finding{cannot_tell, fmt::format("{} is no data directory", where_.root.string())});
    if (!fs::exists(where_.lock())) return {};
    auto taken = storage::directory_lock::take(where_);
    if (taken) {
      lock_.emplace(std::move(*taken));
      return {};
    }
    // On a medium that can't be written nobody else writes either.
    if (taken.error().kind == fault::in_use) return failed(taken.error());
    return {};
  }

  /// A backup is what its list says; anything else that holds data is a node's, and has been
  /// locked. Only what a program of before restored has neither, and says so by its format: a
  /// backup that was not finished has the marks already.
  checked<void> check_place() const {
    if (storage::has_backup_mark(where_)) {
      const auto whole = storage::verify_backup(storage::posix_file_system(), where_);
      if (!whole) return failed(whole.error());
      fmt::print(out_, "backup: {} files, {} bytes, as BACKUP lists them\n", whole->files,
                 whole->bytes);
    } else if (!fs::exists(where_.lock())) {
      const auto newest = storage::naming_in(storage::posix_file_system(), where_);
      if (!newest) return failed(newest.error());
      if (*newest == storage::naming::may_be_absent) {
        fmt::print(out_,
                   "note: neither LOCK nor BACKUP is there, as in data that an older program has "
                   "restored: whether this is a backup that was not finished can't be told. The "
                   "next start writes LOCK\n");
        return check_marks();
      }
      return found(
          fmt::format("{} has neither LOCK, as a node's data directory has, nor BACKUP, as a "
                      "complete backup has: a backup that was not finished, or whose list of "
                      "files was taken away. Restore nothing from it; take the newest backup whose "
                      "audit passes",
                      where_.root.string()),
          finding::place::elsewhere);
    }
    return check_marks();
  }

  checked<void> check_marks() const {
    const auto mark = key_mark_in(where_.root);
    if (!mark) return found(mark.error(), finding::place::elsewhere);
    if (!*mark)
      fmt::print(out_,
                 "note: KEY is not there, which tells which master key the data was begun with: "
                 "the next start has to try the key on the data\n");
    // What it says where it is there has been looked at.
    if (!fs::exists(where_.format_mark()))
      fmt::print(out_,
                 "note: FORMAT is not there, as in data of before it was written: that the state "
                 "is not older than it can't be told. The next start writes it\n");
    return {};
  }

  checked<void> check_key_file() {
    if (key_file_.empty()) return {};
    auto read = keyring::load(key_file_);
    if (!read) return tl::unexpected(finding{cannot_tell, read.error()});
    if (auto fits = compare_key(where_.root, *read); !fits)
      return found(fits.error(), finding::place::elsewhere);
    keys_.emplace(*read);
    fmt::print(out_, "key: is the one that the data was begun with\n");
    return {};
  }

  /// Up to where the state says that it knows the journal.
  checked<void> read_positions() {
    auto shards = seed::shards_in(*store_);
    if (!shards) return failed(shards.error());
    shards_ = *shards;
    std::vector<std::string> keys;
    for (std::uint32_t i = 0; i < shards_; ++i)
      keys.push_back(runtime::shard_key(static_cast<runtime::shard_index>(i)));
    auto rows = store_->get(keys);
    if (!rows) return failed(rows.error());
    for (std::uint32_t i = 0; i < shards_; ++i) {
      runtime::wire::Shard own;
      if (!(*rows)[i] || !own.ParseFromString(*(*rows)[i]))
        return found(fmt::format("state: the row of shard {} is missing or does not parse", i));
      expected_.push_back({own.last(), own.chain(), own.last() == 0});
    }
    if (shards_ == 0) return {};
    auto begun = recovery::begin(*store_, shards_);
    if (!begun) return failed(begun.error());
    recovered_ = std::move(*begun);
    return {};
  }

  checked<void> check_journal() {
    if (!fs::exists(where_.journal())) {
      fmt::print(out_, "journal: none yet\n");
      return check_positions();
    }
    const auto newest = storage::naming_in(storage::posix_file_system(), where_);
    if (!newest) return failed(newest.error());
    auto read = storage::verify_journal(
        storage::posix_file_system(), where_.journal(),
        [&](const storage::stored_frame& frame) -> storage::result<void> {
          compare(frame);
          // What follows something else than what the rows were made of would only mislead.
          return recovered_ && !other_chain_ ? recovered_->take(frame) : storage::result<void>{};
        },
        *newest);
    if (!read) return failed(read.error());
    fmt::print(out_, "journal: {} segments, {} archives, {} frames, {} records, {} bytes{}\n",
               read->segments, read->archives, read->frames, read->records, read->bytes,
               read->torn_bytes == 0 ? "" : fmt::format(" ({} torn)", read->torn_bytes));
    if (read->newest_is_absent)
      fmt::print(out_,
                 "note: journal/NEWEST is not there, as in data of before it was written: whether "
                 "segments are missing at the end can't be told. The next start writes it\n");
    if (other_chain_) return found(*other_chain_);
    if (!recovered_ && read->frames > 0)
      fmt::print(out_,
                 "rows: none yet, so the {} frames of the journal are checked and not counted: "
                 "into how many shards they go, only a first checkpoint says\n",
                 read->frames);
    return check_positions();
  }

  /// The frame that the rows of its shard reach must be the one they were made with.
  void compare(const storage::stored_frame& frame) {
    if (frame.shard >= expected_.size()) return;
    auto& state = expected_[frame.shard];
    if (frame.last() != state.last) return;
    const std::string_view chain{reinterpret_cast<const char*>(frame.self.data()),
                                 frame.self.size()};
    if (chain != state.chain && !other_chain_)
      other_chain_ =
          fmt::format("state: shard {} was written after another record {} than the journal has",
                      frame.shard, frame.last());
    state.met = true;
  }

  checked<void> check_positions() const {
    for (std::size_t i = 0; i < expected_.size(); ++i)
      if (!expected_[i].met)
        return found(
            fmt::format("state: shard {} stands at record {}, where the journal has no end of a "
                        "frame",
                        i, expected_[i].last));
    return {};
  }

  checked<void> check_state() {
    if (auto sound = store_->verify(); !sound) return failed(sound.error());
    fmt::print(out_, "state: {} bytes, every block's checksum holds\n", store_->disk_bytes());
    if (!recovered_) return {};
    if (recovered_->frames() > 0)
      fmt::print(out_,
                 "behind the checkpoint: {} frames with {} records, applied in memory for what "
                 "follows\n",
                 recovered_->frames(), recovered_->records());
    rows_ = recovered_->rows();
    auto counted = seed::recount(*rows_, shards_);
    if (!counted) return failed(counted.error());
    if (counted->disagreement) return found(*counted->disagreement);
    fmt::print(out_,
               "rows: {} applicants, {} NIKs, {} phone numbers, {} family members, {} "
               "participations, {} members: counters and claims agree\n",
               counted->applicants, counted->niks, counted->phones, counted->family_members,
               counted->participations, counted->members);
    return {};
  }

  checked<void> check_draws() const {
    const draw_evidence known{
        .rows = rows_.get(), .shards = shards_, .keys = keys_ ? &*keys_ : nullptr};
    const auto sound = draw_audit{where_.draws(), known, out_}.run();
    if (sound) return {};
    const auto& why = sound.error();
    auto text = fmt::format("draw {}", why.detail.empty() ? name_of(why.code) : why.detail);
    if (why.code != errc::storage_unavailable) return found(std::move(text), finding::place::draw);
    return tl::unexpected(finding{cannot_tell, std::move(text)});
  }

  /// What the state says of one shard, and whether the journal has been seen to agree.
  struct expectation {
    storage::lsn last;
    std::string chain;
    bool met;
  };

  const storage::layout where_;
  const std::string key_file_;
  std::FILE* const out_;
  std::optional<keyring> keys_;
  std::optional<storage::directory_lock> lock_;
  std::unique_ptr<storage::state_store> store_;  ///< none: nothing was ever stored
  std::uint32_t shards_ = 0;
  std::vector<expectation> expected_;
  std::optional<std::string> other_chain_;
  std::unique_ptr<recovery> recovered_;         ///< none without a checkpoint
  std::unique_ptr<storage::state_store> rows_;  ///< what it has come to, at the journal's end
};

std::string advice_on(const finding& what, const fs::path& directory) {
  switch (what.where) {
    case finding::place::elsewhere:
      return {};
    case finding::place::data:
      return advice_on_damage(directory);
    case finding::place::draw:
      return advice_on_damaged_draw(directory);
  }
  return {};
}

}  // namespace

int audit(const audit_order& order, std::FILE* out, std::FILE* complaints) {
  auto outcome = auditor{order, out}.run();
  if (outcome) {
    fmt::print(out, "everything holds\n");
    return holds;
  }
  fmt::print(complaints, "gelombang: {}{}\n", outcome.error().text,
             advice_on(outcome.error(), order.data_directory));
  return outcome.error().code;
}

}  // namespace gelombang::command
