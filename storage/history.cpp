#include "storage/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "storage/archive.hpp"
#include "storage/chains.hpp"

namespace gelombang::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t number_digits = 12;

struct names {
  std::map<std::uint64_t, std::string> segments;
  std::map<std::uint64_t, std::string> archives;
  std::vector<std::string> temporary;
};

std::optional<std::uint64_t> number_in(std::string_view name) {
  std::uint64_t number = 0;
  const auto digits = name.substr(0, number_digits);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code != std::errc() || end != digits.data() + number_digits || number == 0) {
    return std::nullopt;
  }
  return number;
}

names sort_out(const std::vector<std::string>& listed) {
  names found;
  for (const auto& name : listed) {
    const auto number = name.size() == number_digits + 4 ? number_in(name) : std::nullopt;
    if (number && name.ends_with(".gwj")) found.segments.emplace(*number, name);
    if (number && name.ends_with(".gwa")) found.archives.emplace(*number, name);
    if (name.ends_with(".tmp")) found.temporary.push_back(name);
  }
  return found;
}

class walk {
public:
  walk(file_system& files, const walk_options& options, const positions& checkpoint,
       const journal::visitor& visit)
      : files_(files), options_(options), checkpoint_(checkpoint), visit_(visit) {}

  result<history> run() {
    // Before the listing: what it names is there by then, also while a node is writing.
    const auto newest = read_newest(files_, options_.directory);
    if (!newest) return tl::unexpected(newest.error());
    const auto listed = files_.list(options_.directory);
    if (!listed) return tl::unexpected(listed.error());
    found_ = sort_out(*listed);
    for (const auto& name : found_.temporary) {
      out_.leftovers.push_back(options_.directory / name);
    }
    if (auto loaded = load_all(); !loaded) return tl::unexpected(loaded.error());
    if (*newest) {
      if (auto there = reaches(**newest); !there) return tl::unexpected(there.error());
    }
    const auto complete = out_.segments.empty() || out_.segments.front().header.number == 1;
    chains shards(checkpoint_, complete);
    for (std::size_t i = 0; i < out_.segments.size(); ++i) {
      const auto last = i + 1 == out_.segments.size();
      if (auto done = take(shards, out_.segments[i], last); !done) {
        return tl::unexpected(done.error());
      }
    }
    if (*newest) {
      if (auto kept = holds_something(**newest); !kept) return tl::unexpected(kept.error());
    } else if (holds_acknowledged_cycles()) {
      if (options_.newest == naming::must_be_there) return is_not_named();
      out_.report.newest_was_absent = true;
    }
    out_.newest = *newest;
    auto ends = shards.finish(options_.directory);
    if (!ends) return tl::unexpected(ends.error());
    out_.ends = std::move(*ends);
    return std::move(out_);
  }

private:
  result<void> load_all() {
    const auto numbers = all_numbers();
    auto expected = numbers.empty() ? 0 : *numbers.begin();
    for (const auto number : numbers) {
      if (number != expected) {
        return failed(fault::missing,
                      fmt::format("{} is missing between its neighbours",
                                  segment_path(options_.directory, expected).string()));
      }
      ++expected;
      auto loaded = load_one(number);
      if (!loaded) return tl::unexpected(loaded.error());
      if (loaded->header.number != number) {
        return corrupt_at(loaded->path, 0, fmt::format("is segment {}", loaded->header.number));
      }
      out_.segments.push_back(std::move(*loaded));
      out_.next_number = number + 1;
    }
    return {};
  }

  auto segment_of(const newest_segment& newest) const {
    return std::find_if(
        out_.segments.begin(), out_.segments.end(),
        [&](const stored_segment& each) { return each.header.number == newest.number; });
  }

  /// Checks that nothing is missing at the journal's end.
  result<void> reaches(const newest_segment& newest) const {
    const auto path = segment_path(options_.directory, newest.number);
    const auto at = segment_of(newest);
    if (at == out_.segments.end()) {
      return failed(fault::missing,
                    fmt::format("{} is missing: NEWEST beside it names it", path.string()));
    }
    if (at->header.salt != newest.salt) {
      return corrupt_at(at->path, 0, "is another segment than the one that NEWEST names");
    }
    return {};
  }

  /// It was named when its first cycle was on the disk: an end before that is not a torn write.
  /// Only after the walk, which makes the index of an open segment.
  result<void> holds_something(const newest_segment& newest) const {
    const auto at = segment_of(newest);
    if (!at->index.ranges().empty()) return {};
    return corrupt_at(at->path, sector_bytes, "holds no cycle, though NEWEST names it");
  }

  /// Where nothing is named yet, a crash explains the first cycle of all and no other: it is named
  /// before it is acknowledged, and a start names what it finds.
  bool holds_acknowledged_cycles() const {
    std::uint64_t cycles = 0;
    for (const auto& each : out_.segments) {
      const auto is_open = each.form == segment_form::open;
      cycles += (is_open ? out_.next_sequence : each.end_sequence) - each.header.first_sequence;
    }
    return cycles > 1 || (cycles == 1 && out_.segments.front().header.number != 1);
  }

  tl::unexpected<error> is_not_named() const {
    return failed(fault::missing,
                  fmt::format("{} is missing, which names the newest of the segments beside it: "
                              "without it nobody can tell whether segments are missing at the end. "
                              "Put it back, or restore a backup",
                              (options_.directory / "NEWEST").string()));
  }

  /// The numbers of all segments, oldest first. A running node may have put an archive in a
  /// segment's place while the directory was listed, so that the listing has neither.
  std::set<std::uint64_t> all_numbers() {
    std::set<std::uint64_t> numbers;
    for (const auto& [number, name] : found_.segments) numbers.insert(number);
    for (const auto& [number, name] : found_.archives) numbers.insert(number);
    for (const auto number : numbers) {
      for (auto below = number - 1; below != 0 && !numbers.contains(below); --below) {
        const auto archived = archive_path(options_.directory, below);
        if (!files_.size(archived)) break;
        found_.archives.emplace(below, archived.filename().string());
        numbers.insert(below);
      }
    }
    return numbers;
  }

  result<stored_segment> load_one(std::uint64_t number) {
    const auto plain = segment_path(options_.directory, number);
    const auto archived = archive_path(options_.directory, number);
    const auto has_plain = found_.segments.contains(number);
    if (!found_.archives.contains(number)) return load_plain(plain, archived);
    auto archive = load_archive(files_, archived);
    if (!has_plain) return archive;
    // Archiving was interrupted before the segment was removed. The archive was compared with it
    // before it got its name; it is checked once more before the segment goes.
    if (archive && check_archive(files_, *archive)) {
      out_.leftovers.push_back(plain);
      return archive;
    }
    out_.leftovers.push_back(archived);
    return load_segment(files_, plain);
  }

  result<stored_segment> load_plain(const fs::path& plain, const fs::path& archived) {
    auto loaded = load_segment(files_, plain);
    // A running node may have archived it since the directory was listed.
    if (!loaded && loaded.error().kind == fault::missing) return load_archive(files_, archived);
    return loaded;
  }

  result<void> take(chains& shards, stored_segment& segment, bool last) {
    if (!first_ && segment.header.first_sequence != out_.next_sequence) {
      return corrupt_at(segment.path, 0,
                        fmt::format("begins with block {} instead of {}",
                                    segment.header.first_sequence, out_.next_sequence));
    }
    first_ = false;
    out_.next_sequence = segment.header.first_sequence;
    if (segment.form == segment_form::open) {
      if (!last) return corrupt_at(segment.path, segment.bytes, "the segment's index is missing");
      return take_open(shards, segment);
    }
    return take_closed(shards, segment);
  }

  bool needed(const stored_segment& segment) const {
    if (options_.depth == walk_depth::everything) return true;
    return std::any_of(segment.index.ranges().begin(), segment.index.ranges().end(),
                       [&](const shard_range& range) {
                         const auto at = checkpoint_.find(range.shard);
                         return at == checkpoint_.end() || range.end.last > at->second.last;
                       });
  }

  result<void> take_closed(chains& shards, stored_segment& segment) {
    const auto judged = [&](const tl::expected<void, chain_flaw>& step) -> result<void> {
      if (step) return {};
      return failed(step.error().kind,
                    fmt::format("{}: {}", segment.path.string(), step.error().reason));
    };
    const auto read = needed(segment);
    for (const auto& range : segment.index.ranges()) {
      if (auto done = judged(shards.enter(range)); !done) return done;
      if (read) continue;
      if (auto done = judged(shards.skip(range)); !done) return done;
    }
    if (read) {
      if (auto done = read_closed(shards, segment); !done) return done;
      for (const auto& range : segment.index.ranges()) {
        if (auto done = judged(shards.leave(range)); !done) return done;
      }
    }
    out_.next_sequence = segment.end_sequence + 1;
    out_.bytes += segment.bytes;
    return {};
  }

  result<void> read_closed(chains& shards, stored_segment& segment) {
    segment_index seen;
    block_cursor cursor(files_, segment, sector_bytes);
    auto expected = segment.header.first_sequence;
    for (;;) {
      const auto block = cursor.next();
      if (!block) return tl::unexpected(block.error());
      if (!*block) return corrupt_at(segment.path, cursor.offset(), "ends without its index");
      if ((*block)->header.sequence != expected) {
        return corrupt_at(segment.path, (*block)->offset, "a block left out");
      }
      if ((*block)->header.kind == block_kind::index) break;
      if (auto done = read_cycle(shards, segment, **block, seen); !done) return done;
      ++expected;
    }
    if (cursor.offset() != segment.bytes) {
      return corrupt_at(segment.path, cursor.offset(), "goes on behind its index");
    }
    if (expected != segment.end_sequence || !same_shape(seen, segment.index)) {
      return corrupt_at(segment.path, cursor.offset(), "the index is not that of the segment");
    }
    return {};
  }

  /// Chains are compared by `leave`; they are not all known to a walk that skips digests.
  static bool same_shape(const segment_index& one, const segment_index& other) {
    const auto same_range = [](const shard_range& a, const shard_range& b) {
      return a.shard == b.shard && a.start.last == b.start.last && a.end.last == b.end.last;
    };
    const auto same_mark = [](const segment_mark& a, const segment_mark& b) {
      return a.offset == b.offset && a.reached == b.reached;
    };
    return std::equal(one.ranges().begin(), one.ranges().end(), other.ranges().begin(),
                      other.ranges().end(), same_range) &&
           std::equal(one.marks().begin(), one.marks().end(), other.marks().begin(),
                      other.marks().end(), same_mark);
  }

  result<void> read_cycle(chains& shards, const stored_segment& segment,
                          const block_cursor::block& block, segment_index& index) {
    const auto flawed = [&](fault kind, std::string_view reason) -> result<void> {
      return failed(kind, fmt::format("{}:{}: {}", segment.path.string(), block.offset, reason));
    };
    if (block.header.kind != block_kind::cycle) return flawed(fault::corrupt, "a misplaced block");
    // The digests of an open segment's frames are all needed: its index is still to be written.
    const auto depth = segment.form == segment_form::open ? walk_depth::everything : options_.depth;
    index.begin_cycle(block.offset);
    auto rest = block.body;
    for (std::uint32_t i = 0; i < block.header.frames; ++i) {
      auto frame = decode_frame(rest, options_.frame_bytes_max);
      if (!frame) return flawed(fault::corrupt, frame.error());
      rest.remove_prefix(frame->bytes.size());
      if (depth == walk_depth::everything && !frame->checksum_holds()) {
        return flawed(fault::corrupt, "checksum of a frame does not hold");
      }
      const auto step = shards.follow(*frame, depth);
      if (!step) return flawed(step.error().kind, step.error().reason);
      index.add(frame->shard, step->before, step->after);
      if (!step->behind_checkpoint) continue;
      ++out_.report.frames;
      out_.report.bytes += frame->bytes.size();
      if (!visit_) continue;
      if (auto done = visit_(*frame); !done) return done;
    }
    if (!rest.empty()) return flawed(fault::corrupt, "bytes behind the last frame of a cycle");
    return {};
  }

  /// Reads up to where no whole block stands, and judges what does.
  result<void> take_open(chains& shards, stored_segment& segment) {
    auto offset = sector_bytes;
    for (;;) {
      block_cursor cursor(files_, segment, offset);
      const auto whole = read_cycles(shards, segment, cursor);
      if (!whole) return tl::unexpected(whole.error());
      offset = *whole ? open_end_ : cursor.offset();
      if (*whole) break;
      const auto size = size_of(segment.path);
      if (!size) return tl::unexpected(size.error());
      segment.bytes = *size;
      const auto end = judge_end(segment, offset, out_.next_sequence);
      // Judged first, looked at again after: only an end that is still one has been judged.
      if (is_next_block(segment, offset)) continue;
      if (!end) return tl::unexpected(end.error());
      if (end->moving) continue;
      note(segment, offset, end->torn_bytes);
      break;
    }
    segment.bytes = offset;
    out_.bytes += offset;
    return {};
  }

  /// @returns whether the segment's end was reached, false where no whole block stands.
  result<bool> read_cycles(chains& shards, stored_segment& segment, block_cursor& cursor) {
    for (;;) {
      const auto block = cursor.next();
      if (!block && block.error().kind == fault::corrupt) return false;
      if (!block) return tl::unexpected(block.error());
      open_end_ = *block ? (*block)->offset : cursor.offset();
      if (!*block) return true;
      if ((*block)->header.sequence != out_.next_sequence) return false;
      if ((*block)->header.kind == block_kind::index) {
        // Closing was interrupted: the file still has its reserve. The index is written again.
        const auto clean = judge_end(segment, cursor.offset(), out_.next_sequence + 1);
        if (!clean) return tl::unexpected(clean.error());
        note(segment, cursor.offset(), clean->torn_bytes);
        return true;
      }
      if (auto done = read_cycle(shards, segment, **block, segment.index); !done) {
        return tl::unexpected(done.error());
      }
      ++out_.next_sequence;
    }
  }

  result<std::uint64_t> size_of(const fs::path& path) {
    auto size = files_.size(path);
    if (size || size.error().kind != fault::missing) return size;
    const auto archive = load_archive(files_, archive_beside(path));
    if (!archive) return tl::unexpected(archive.error());
    return archive->bytes;
  }

  bool is_next_block(const stored_segment& segment, std::uint64_t offset) {
    if (offset >= segment.bytes) return false;
    const auto block = block_cursor(files_, segment, offset).next();
    return block && *block && (*block)->header.sequence == out_.next_sequence;
  }

  /// What stands behind the last whole block of an open segment.
  struct end_of_open {
    std::uint64_t torn_bytes = 0;
    bool moving = false;  ///< it changes while it is looked at: a node is writing
  };

  /// Nothing is damaged for having been read in the middle of its being written. A write only ever
  /// turns zeros into what is written, so two equal reads have seen what really stood there.
  result<end_of_open> judge_end(const stored_segment& segment, std::uint64_t offset,
                                std::uint64_t sequence) {
    const auto seen = rest_of(segment, offset);
    if (!seen) return tl::unexpected(seen.error());
    const auto torn = torn_bytes(*seen, segment, offset, sequence);
    if (torn) return end_of_open{.torn_bytes = *torn};
    const auto again = rest_of(segment, offset);
    if (!again) return tl::unexpected(again.error());
    if (*again != *seen) return end_of_open{.moving = true};
    return tl::unexpected(torn.error());
  }

  result<std::string> rest_of(const stored_segment& segment, std::uint64_t offset) {
    auto rest = files_.read(segment.path, offset, segment.bytes - std::min(offset, segment.bytes));
    // Closed and archived by a running node since: nothing is torn, and the walk ends here.
    if (!rest && rest.error().kind == fault::missing) return std::string();
    return rest;
  }

  void note(const stored_segment& segment, std::uint64_t offset, std::uint64_t torn) {
    if (torn == 0) return;
    out_.report.torn_bytes = torn;
    out_.report.torn_at = fmt::format("{}:{}", segment.path.string(), offset);
  }

  file_system& files_;
  const walk_options& options_;
  const positions& checkpoint_;
  const journal::visitor& visit_;
  names found_;
  history out_;
  bool first_ = true;
  std::uint64_t open_end_ = 0;  ///< where the open segment's last whole cycle ends
};

}  // namespace

std::filesystem::path segment_path(const std::filesystem::path& directory, std::uint64_t number) {
  return directory / fmt::format("{:0{}}.gwj", number, number_digits);
}

std::filesystem::path archive_path(const std::filesystem::path& directory, std::uint64_t number) {
  return directory / fmt::format("{:0{}}.gwa", number, number_digits);
}

result<history> walk_history(file_system& files, const walk_options& options,
                             const positions& checkpoint, const journal::visitor& visit) {
  return walk(files, options, checkpoint, visit).run();
}

result<journal_audit> verify_journal(file_system& files, const std::filesystem::path& directory,
                                     const journal::visitor& visit, naming newest) {
  journal_audit audit;
  const auto count = [&](const stored_frame& frame) -> result<void> {
    ++audit.frames;
    audit.records += frame.count;
    return visit ? visit(frame) : result<void>{};
  };
  const walk_options options{.directory = directory,
                             .frame_bytes_max = journal_options{}.frame_bytes_max,
                             .depth = walk_depth::everything,
                             .newest = newest};
  const auto walked = walk_history(files, options, {}, count);
  if (!walked) return tl::unexpected(walked.error());
  for (const auto& segment : walked->segments) {
    ++(segment.form == segment_form::archived ? audit.archives : audit.segments);
  }
  audit.bytes = walked->bytes;
  audit.torn_bytes = walked->report.torn_bytes;
  audit.newest_is_absent = walked->report.newest_was_absent;
  for (std::size_t shard = 0; shard < walked->ends.size(); ++shard) {
    if (walked->ends[shard].last == 0) continue;
    audit.ends.emplace(static_cast<shard_index>(shard), walked->ends[shard]);
  }
  return audit;
}

}  // namespace gelombang::storage
