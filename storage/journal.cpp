#include "storage/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <utility>

#include "storage/archive.hpp"
#include "storage/copy_file.hpp"
#include "storage/history.hpp"
#include "storage/interruption.hpp"
#include "storage/newest_segment.hpp"
#include "storage/segment_preparer.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

std::uint64_t random_salt() {
  std::random_device source;
  return (std::uint64_t{source()} << 32) | source();
}

using segment_pointer = std::shared_ptr<const stored_segment>;

class segmented_journal final : public journal {
public:
  segmented_journal(file_system& files, journal_options options)
      : files_(files), options_(std::move(options)) {
    if (options_.prepare_next) {
      preparer_.emplace(files_, options_.directory / "prepared.tmp", options_.segment_bytes_max);
    }
  }

  ~segmented_journal() override { close(); }

  /// Takes over what the walk has found, and makes the directory ready to be written.
  result<void> start(history found) {
    for (const auto& path : found.leftovers) {
      if (auto done = files_.remove(path); !done) return done;
    }
    recovered_ = std::move(found.report);
    ends_ = std::move(found.ends);
    next_sequence_ = found.next_sequence;
    next_number_ = found.next_number;
    for (auto& segment : found.segments) {
      if (segment.form != segment_form::open) {
        closed_.push_back(std::make_shared<stored_segment>(std::move(segment)));
        continue;
      }
      active_ = std::move(segment);
      auto file = files_.open(active_.path);
      if (!file) return tl::unexpected(file.error());
      file_ = std::move(*file);
      if (auto done = cut_and_close(); !done) return done;
    }
    if (auto done = name_what_was_found(found.newest); !done) return done;
    return open_next();
  }

  result<void> append(std::span<const frame> frames) override {
    if (failure_) return tl::unexpected(*failure_);
    if (frames.empty()) return {};
    if (auto fits = check(frames); !fits) return fits;
    auto done = write_cycle(frames);
    if (!done) failure_ = done.error();
    return done;
  }

  result<void> resume() override {
    if (!failure_) return {};
    if (sync_failed_ || failure_->kind != fault::no_space) {
      return failed(failure_->kind,
                    fmt::format("only a restart can go on after: {}", failure_->detail));
    }
    if (file_) {
      if (auto done = cut_and_close(); !done) return done;
    }
    if (auto done = open_next(); !done) return done;
    failure_.reset();
    return {};
  }

  result<void> read(shard_index shard, lsn from, const visitor& visit) const override {
    std::optional<digest> chain;
    for (const auto& [segment, offset] : look_up(shard, from)) {
      block_cursor cursor(files_, *segment, offset);
      for (;;) {
        const auto block = cursor.next();
        if (!block) return tl::unexpected(block.error());
        if (!*block || (*block)->header.kind != block_kind::cycle) break;
        auto done = visit_block({shard, from, visit}, chain, *segment, **block);
        if (!done) return done;
      }
    }
    return {};
  }

  positions durable() const override {
    const std::lock_guard lock(guard_);
    positions at;
    for (std::size_t shard = 0; shard < ends_.size(); ++shard) {
      if (ends_[shard].last != 0) at.emplace(static_cast<shard_index>(shard), ends_[shard]);
    }
    return at;
  }

  result<void> release(const positions& checkpoint) override {
    const std::lock_guard lock(releasing_);
    for (const auto& segment : closed_segments()) {
      if (segment->form == segment_form::archived) continue;
      if (!wholly_before(*segment, checkpoint)) return {};
      if (auto done = archive(*segment); !done) return done;
    }
    return {};
  }

  result<void> copy_to(const fs::path& directory, const std::stop_token& until) const override {
    const std::lock_guard lock(releasing_);
    std::vector<segment_pointer> closed;
    stored_segment active;
    {
      const std::lock_guard snapshot(guard_);
      closed = closed_;
      active.path = active_.path;
      active.header = active_.header;
      active.bytes = active_has_frames_ ? active_.bytes : 0;
    }
    for (const auto& segment : closed) {
      if (auto going = unless_told_to_stop(until); !going) return going;
      const auto target = directory / segment->path.filename();
      if (files_.link(segment->path, target)) continue;
      const auto size = files_.size(segment->path);
      if (!size) return tl::unexpected(size.error());
      if (auto done = copy_file_in_steps(files_, segment->path, target, *size, until); !done)
        return done;
    }
    if (active.bytes != 0) {
      const auto target = directory / active.path.filename();
      if (auto done = copy_file_in_steps(files_, active.path, target, active.bytes, until); !done)
        return done;
    }
    if (closed.empty() && active.bytes == 0) return files_.sync_directory(directory);
    const auto& newest = active.bytes != 0 ? active.header : closed.back()->header;
    return write_newest(files_, directory, {.number = newest.number, .salt = newest.salt});
  }

  const recovery_report& recovered() const override { return recovered_; }

private:
  position end_of(shard_index shard) const {
    return shard < ends_.size() ? ends_[shard] : position{};
  }

  result<void> check(std::span<const frame> frames) {
    const auto refused = [](const frame& each, std::string_view reason) {
      return failed(fault::corrupt, fmt::format("frame of shard {} at {} refused: {}", each.shard,
                                                each.first, reason));
    };
    for (const auto& each : frames) {
      const auto end = end_of(each.shard);
      if (each.count == 0) return refused(each, "it holds nothing");
      if (each.first != end.last + 1) {
        return refused(each, fmt::format("the shard stands at {}", end.last));
      }
      if (each.epoch < end.epoch) return refused(each, fmt::format("epoch {} is over", each.epoch));
      if (each.records.size() > options_.frame_bytes_max) {
        return refused(each, "more than frame_bytes_max");
      }
    }
    if (cycle_encoder::length_of(frames) > options_.cycle_bytes_max) {
      return refused(frames.front(), "its cycle is more than cycle_bytes_max");
    }
    shards_.clear();
    for (const auto& each : frames) shards_.push_back(each.shard);
    std::sort(shards_.begin(), shards_.end());
    if (std::adjacent_find(shards_.begin(), shards_.end()) != shards_.end()) {
      return refused(frames.front(), "a shard has two frames in one cycle");
    }
    return {};
  }

  result<void> write_cycle(std::span<const frame> frames) {
    if (is_full(cycle_encoder::length_of(frames))) {
      if (auto done = rotate(); !done) return done;
    }
    previous_.clear();
    for (const auto& each : frames) previous_.push_back(end_of(each.shard).chain);
    const auto bytes = encoder_.encode(active_.header, next_sequence_, frames, previous_);
    const auto offset = next_sector(active_.bytes);
    const auto is_first = !active_has_frames_;
    // A full disk refuses here, before anything of the cycle is there that could come back.
    if (is_first) {
      if (auto done = draft_newest(files_, options_.directory, active_name()); !done) return done;
    }
    if (auto done = file_->write_at(offset, bytes); !done) return done;
    if (auto done = sync_active(); !done) return done;
    publish(frames, offset, bytes.size());
    if (is_first) name_newest();
    if (preparer_ && active_.bytes > reserved_ / 2) preparer_->request(active_.header.number);
    return {};
  }

  bool is_full(std::uint64_t more) const {
    if (active_.bytes == sector_bytes) return false;
    const auto end = next_sector(active_.bytes) + more;
    if (end > options_.segment_bytes_max) return true;
    // Rather a short segment than syncs that change metadata.
    return end > reserved_ && preparer_ && preparer_->ready();
  }

  void publish(std::span<const frame> frames, std::uint64_t offset, std::uint64_t bytes) {
    const std::lock_guard lock(guard_);
    active_.index.begin_cycle(offset);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto& each = frames[i];
      if (each.shard >= ends_.size()) ends_.resize(each.shard + std::size_t{1});
      auto& end = ends_[each.shard];
      const position after{
          .epoch = each.epoch, .last = each.first + each.count - 1, .chain = encoder_.digests()[i]};
      active_.index.add(each.shard, end, after);
      end = after;
    }
    active_.bytes = offset + bytes;
    active_has_frames_ = true;
    ++next_sequence_;
  }

  result<void> sync_active() {
    auto done = file_->sync();
    if (!done) sync_failed_ = true;
    return done;
  }

  newest_segment active_name() const {
    return {.number = active_.header.number, .salt = active_.header.salt};
  }

  /// Once for each segment: its first cycle is on the disk and not acknowledged yet. The cycle has
  /// happened whatever becomes of the name; nothing follows it that a start has not named.
  void name_newest() {
    auto named = publish_newest(files_, options_.directory);
    if (!named) failure_ = std::move(named.error());
  }

  /// A crash before the name was there has left a cycle that counts from now on.
  result<void> name_what_was_found(const std::optional<newest_segment>& known) {
    if (closed_.empty()) return {};
    const auto& last = closed_.back()->header;
    const newest_segment newest{.number = last.number, .salt = last.salt};
    if (known == newest) return {};
    return write_newest(files_, options_.directory, newest);
  }

  result<void> rotate() {
    if (auto done = close_active(); !done) return done;
    return open_next();
  }

  /// Writes the index behind the last cycle and gives the rest of the reserve back.
  result<void> close_active() {
    block_header header;
    header.kind = block_kind::index;
    header.salt = active_.header.salt;
    header.sequence = next_sequence_;
    const auto block = encode_block(header, active_.index.encode());
    const auto offset = next_sector(active_.bytes);
    if (auto done = file_->write_at(offset, block); !done) return done;
    if (auto done = file_->truncate(offset + block.size()); !done) return done;
    if (auto done = sync_active(); !done) return done;
    const std::lock_guard lock(guard_);
    active_.form = segment_form::closed;
    active_.bytes = offset + block.size();
    active_.end_sequence = next_sequence_++;
    closed_.push_back(std::make_shared<stored_segment>(std::move(active_)));
    active_ = {};
    active_has_frames_ = false;
    file_.reset();
    return {};
  }

  /// Cuts off what stands behind the last cycle, and closes the segment, or removes an empty one.
  result<void> cut_and_close() {
    if (active_.index.ranges().empty()) {
      if (auto done = files_.remove(active_.path); !done) return done;
      next_number_ = active_.header.number;
      file_.reset();
      return files_.sync_directory(options_.directory);
    }
    if (auto done = file_->truncate(active_.bytes); !done) return done;
    if (auto done = sync_active(); !done) return done;
    return close_active();
  }

  /// A segment gets its name when its header is durable, so one with a name always has a header.
  result<void> open_next() {
    auto fresh = take_fresh();
    if (!fresh) return tl::unexpected(fresh.error());
    segment_header header;
    header.number = next_number_;
    header.salt = options_.salt != 0 ? options_.salt : random_salt();
    header.first_sequence = next_sequence_;
    auto& file = *fresh->file;
    if (auto done = file.write_at(0, encode_segment_header(header)); !done) return done;
    if (auto done = file.sync(); !done) {
      sync_failed_ = true;
      return done;
    }
    const auto path = segment_path(options_.directory, next_number_);
    if (auto done = files_.rename(fresh->path, path); !done) return done;
    if (auto done = files_.sync_directory(options_.directory); !done) {
      sync_failed_ = true;
      return done;
    }
    const std::lock_guard lock(guard_);
    active_ = {};
    active_.path = path;
    active_.header = header;
    active_.bytes = sector_bytes;
    active_has_frames_ = false;
    reserved_ = fresh->reserved;
    file_ = std::move(fresh->file);
    ++next_number_;
    return {};
  }

  result<fresh_segment> take_fresh() {
    if (preparer_) {
      if (auto prepared = preparer_->take()) return std::move(*prepared);
    }
    const auto path = options_.directory / "fresh.tmp";
    auto file = files_.create(path);
    if (!file) return tl::unexpected(file.error());
    const auto reserve = std::min(options_.reserve_bytes_first, options_.segment_bytes_max);
    if (auto done = (*file)->reserve(reserve); !done) {
      (void)files_.remove(path);  // a full disk is not filled further
      return tl::unexpected(done.error());
    }
    return fresh_segment{.path = path, .file = std::move(*file), .reserved = reserve};
  }

  void close() {
    preparer_.reset();
    if (!file_ || failure_) return;
    // Nobody is left to be told of a failure; the next start finds an open segment and closes it.
    (void)cut_and_close();
  }

  std::vector<segment_pointer> closed_segments() const {
    const std::lock_guard lock(guard_);
    return closed_;
  }

  static bool wholly_before(const stored_segment& segment, const positions& checkpoint) {
    return std::all_of(segment.index.ranges().begin(), segment.index.ranges().end(),
                       [&](const shard_range& range) {
                         const auto at = checkpoint.find(range.shard);
                         return at != checkpoint.end() && range.end.last <= at->second.last;
                       });
  }

  result<void> archive(const stored_segment& segment) {
    const auto temporary = options_.directory / "archive.tmp";
    const auto target = archive_path(options_.directory, segment.header.number);
    if (auto done = write_archive(files_, segment, temporary, options_.archive_compression_level);
        !done) {
      return done;
    }
    if (auto done = files_.rename(temporary, target); !done) return done;
    if (auto done = files_.sync_directory(options_.directory); !done) return done;
    auto stored = load_archive(files_, target);
    if (!stored) return tl::unexpected(stored.error());
    {
      const std::lock_guard lock(guard_);
      const auto at = std::find_if(closed_.begin(), closed_.end(), [&](const auto& each) {
        return each->header.number == segment.header.number;
      });
      *at = std::make_shared<stored_segment>(std::move(*stored));
    }
    if (auto done = files_.remove(segment_path(options_.directory, segment.header.number)); !done) {
      return done;
    }
    return files_.sync_directory(options_.directory);
  }

  /// What a reader needs of the segments that hold something for it.
  struct extract {
    segment_pointer segment;
    std::uint64_t offset = 0;
  };

  std::vector<extract> look_up(shard_index shard, lsn from) const {
    const std::lock_guard lock(guard_);
    std::vector<extract> found;
    for (const auto& segment : closed_) {
      const auto range = segment->index.find(shard);
      if (range == nullptr || range->end.last < from) continue;
      found.push_back({segment, segment->index.offset_for(shard, from)});
    }
    const auto range = active_.index.find(shard);
    if (range != nullptr && range->end.last >= from) {
      auto copy = std::make_shared<stored_segment>();
      copy->path = active_.path;
      copy->header = active_.header;
      copy->bytes = active_.bytes;
      found.push_back({std::move(copy), active_.index.offset_for(shard, from)});
    }
    return found;
  }

  struct reading {
    shard_index shard;
    lsn from;
    const visitor& visit;
  };

  /// Hands out the frames of a block that are asked for; `chain` goes with them.
  result<void> visit_block(const reading& wanted, std::optional<digest>& chain,
                           const stored_segment& segment, const block_cursor::block& block) const {
    auto rest = block.body;
    for (std::uint32_t i = 0; i < block.header.frames; ++i) {
      auto frame = decode_frame(rest, options_.frame_bytes_max);
      if (!frame) return corrupt_at(segment.path, block.offset, frame.error());
      rest.remove_prefix(frame->bytes.size());
      if (frame->shard != wanted.shard || frame->last() < wanted.from) continue;
      if (chain && frame->previous != *chain) {
        return corrupt_at(
            segment.path, block.offset,
            fmt::format("the chain of shard {} is broken at {}", frame->shard, frame->first));
      }
      frame->self = frame->compute_digest();
      chain = frame->self;
      if (auto done = wanted.visit(*frame); !done) return done;
    }
    return {};
  }

  file_system& files_;
  const journal_options options_;
  recovery_report recovered_;
  std::optional<segment_preparer> preparer_;

  // The commit thread's own.
  std::unique_ptr<writable_file> file_;
  cycle_encoder encoder_;
  std::vector<digest> previous_;
  std::vector<shard_index> shards_;
  std::optional<error> failure_;
  bool sync_failed_ = false;
  std::uint64_t next_sequence_ = 1;
  std::uint64_t next_number_ = 1;
  std::uint64_t reserved_ = 0;

  // Written by the commit thread under the lock, read by it without and by others with it.
  mutable std::mutex guard_;
  std::vector<position> ends_;
  std::vector<segment_pointer> closed_;
  stored_segment active_;
  bool active_has_frames_ = false;

  mutable std::mutex releasing_;  ///< held before `guard_`
};

}  // namespace

result<std::unique_ptr<journal>> journal::open(file_system& files, journal_options options,
                                               const positions& checkpoint, const visitor& visit) {
  if (auto made = files.make_directories(options.directory); !made) {
    return tl::unexpected(made.error());
  }
  const walk_options walk{.directory = options.directory,
                          .frame_bytes_max = options.frame_bytes_max,
                          .depth = walk_depth::behind_checkpoint,
                          .newest = options.newest};
  auto found = walk_history(files, walk, checkpoint, visit);
  if (!found) return tl::unexpected(found.error());
  auto opened = std::make_unique<segmented_journal>(files, std::move(options));
  if (auto done = opened->start(std::move(*found)); !done) return tl::unexpected(done.error());
  return opened;
}

}  // namespace gelombang::storage
