#include "net/command/audit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "actors/runtime/rows.hpp"
#include "actors/runtime/runtime.pb.h"
#include "actors/seed/recount.hpp"
#include "actors/seed/seeding.hpp"
#include "actors/wave/draw/draw.hpp"
#include "net/command/recovery.hpp"
#include "storage/backup.hpp"
#include "storage/data_mark.hpp"
#include "storage/journal.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;
using storage::fault;

enum exit_code : int { holds = 0, does_not_hold = 1, cannot_tell = 3 };

struct finding {
  exit_code code;
  std::string text;
};
template <class T>
using checked = tl::expected<T, finding>;

tl::unexpected<finding> found(std::string text) {
  return tl::unexpected(finding{does_not_hold, std::move(text)});
}

finding finding_of(const storage::error& what) {
  const bool environment =
      what.kind == fault::io || what.kind == fault::no_space || what.kind == fault::in_use;
  return {environment ? cannot_tell : does_not_hold, what.detail};
}

tl::unexpected<finding> failed(const storage::error& what) {
  return tl::unexpected(finding_of(what));
}

class auditor {
public:
  auditor(fs::path directory, std::FILE* out) : where_{std::move(directory)}, out_(out) {}

  checked<void> run() {
    if (auto there = storage::check_state_is_there(storage::posix_file_system(), where_); !there)
      return failed(there.error());
    if (auto locked = lock(); !locked) return locked;
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
    auto read = storage::verify_journal(
        storage::posix_file_system(), where_.journal(),
        [&](const storage::stored_frame& frame) -> storage::result<void> {
          compare(frame);
          // What follows something else than what the rows were made of would only mislead.
          return recovered_ && !other_chain_ ? recovered_->take(frame) : storage::result<void>{};
        });
    if (!read) return failed(read.error());
    fmt::print(out_, "journal: {} segments, {} archives, {} frames, {} records, {} bytes{}\n",
               read->segments, read->archives, read->frames, read->records, read->bytes,
               read->torn_bytes == 0 ? "" : fmt::format(" ({} torn)", read->torn_bytes));
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
      other_chain_ = fmt::format(
          "state: shard {} was written after another record {} than the "
          "journal has",
          frame.shard, frame.last());
    state.met = true;
  }

  checked<void> check_positions() const {
    for (std::size_t i = 0; i < expected_.size(); ++i)
      if (!expected_[i].met)
        return found(
            fmt::format("state: shard {} stands at record {}, where the journal has no "
                        "end of a frame",
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
    const auto rows = recovered_->rows();
    auto counted = seed::recount(*rows, shards_);
    if (!counted) return failed(counted.error());
    if (counted->disagreement) return found(*counted->disagreement);
    fmt::print(out_,
               "rows: {} applicants, {} NIKs, {} phone numbers, {} family members, {} "
               "participations, {} members: counters and claims agree\n",
               counted->applicants, counted->niks, counted->phones, counted->family_members,
               counted->participations, counted->members);
    return {};
  }

  checked<void> check_draws() {
    std::vector<fs::path> folders;
    std::error_code code;
    for (fs::directory_iterator at{where_.draws(), code}, end; !code && at != end;
         at.increment(code))
      if (at->is_directory() && at->path().filename().string().starts_with("wave-"))
        folders.push_back(at->path());
    if (code && code != std::errc::no_such_file_or_directory)
      return tl::unexpected(
          finding{cannot_tell, fmt::format("{}: {}", where_.draws().string(), code.message())});
    std::sort(folders.begin(), folders.end());
    for (const auto& folder : folders)
      if (auto sound = check_draw(folder); !sound) return sound;
    return {};
  }

  checked<void> check_draw(const fs::path& folder) {
    const auto name = folder.filename().string();
    const auto flawed = [&](const refusal& why) {
      const auto text =
          fmt::format("draw {}: {}", name, why.detail.empty() ? name_of(why.code) : why.detail);
      return tl::unexpected(
          finding{why.code == errc::storage_unavailable ? cannot_tell : does_not_hold, text});
    };
    auto files = draw::draw_files::open(folder);
    if (!files && files.error().code == errc::draw_not_published) {
      fmt::print(out_, "draw {}: not committed\n", name);
      return {};
    }
    if (!files) return flawed(files.error());
    if (auto sound = files->check(std::max(1u, std::thread::hardware_concurrency())); !sound)
      return flawed(sound.error());
    fmt::print(out_, "draw {}: {} entries, {}: recomputed, agrees\n", name, files->roster().size(),
               files->is_drawn() ? "drawn" : "committed");
    return {};
  }

  /// What the state says of one shard, and whether the journal has been seen to agree.
  struct expectation {
    storage::lsn last;
    std::string chain;
    bool met;
  };

  const storage::layout where_;
  std::FILE* const out_;
  std::optional<storage::directory_lock> lock_;
  std::unique_ptr<storage::state_store> store_;  ///< none: nothing was ever stored
  std::uint32_t shards_ = 0;
  std::vector<expectation> expected_;
  std::optional<std::string> other_chain_;
  std::unique_ptr<recovery> recovered_;  ///< none without a checkpoint
};

}  // namespace

int audit(const fs::path& data_directory, std::FILE* out, std::FILE* complaints) {
  auto outcome = auditor{data_directory, out}.run();
  if (outcome) {
    fmt::print(out, "everything holds\n");
    return holds;
  }
  fmt::print(complaints, "gelombang: {}\n", outcome.error().text);
  return outcome.error().code;
}

}  // namespace gelombang::command
