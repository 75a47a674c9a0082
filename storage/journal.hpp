#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "storage/file_system.hpp"
#include "storage/frame.hpp"

namespace gelombang::storage {

/// Positions by shard; a shard that is absent stands at its beginning.
using positions = std::map<shard_index, position>;

/// Whether the file `NEWEST` must be there where anything has been acknowledged. Data that was
/// begun before the file existed may lack it, until the first start that writes it.
enum class naming : std::uint8_t { may_be_absent, must_be_there };

struct journal_options {
  std::filesystem::path directory;
  naming newest = naming::may_be_absent;
  std::uint64_t segment_bytes_max = 64u << 20;  ///< a segment is closed when it has grown to this
  std::uint64_t frame_bytes_max = 64u << 20;    ///< a larger frame is refused, stored or read
  std::uint64_t cycle_bytes_max = 256u << 20;   ///< all frames of one `append`, headers included
  /// A segment is filled with zeros so far before it is used when none has been prepared.
  std::uint64_t reserve_bytes_first = 1u << 20;
  /// Fills the next segment with zeros on a thread of its own, so that no append waits for it.
  bool prepare_next = true;
  int archive_compression_level = 3;  ///< zstd
  /// Written into every block of a segment; drawn at random for each segment when it is 0.
  std::uint64_t salt = 0;
};

/// What opening had to do.
struct recovery_report {
  std::uint64_t frames = 0;  ///< read back, from the checkpoint on
  std::uint64_t bytes = 0;
  std::uint64_t torn_bytes = 0;  ///< cut off behind the last complete cycle; 0 after a clean stop
  std::string torn_at;           ///< "segment:offset" of the cut, empty if there was none
  /// Cycles have been acknowledged and nothing named their segment: whether segments are missing at
  /// the end could not be told. Named since.
  bool newest_was_absent = false;
};

/// The log of everything that has happened: segments of commit cycles, each cycle one frame a shard
/// at the most, all frames of a cycle made durable by one sync. FORMAT.md has the grammar.
///
/// Every frame carries its length, a checksum and the digest of its shard's frame before it, so
/// that neither a flipped bit nor a frame left out goes unseen. What stands behind the last
/// complete cycle is the remains of a write that was never acknowledged, and is cut off; damage
/// anywhere else stops the start, with the place named.
///
/// `append` and `resume` are for one thread at a time (the commit thread); `read`, `durable`,
/// `release` and `copy_to` may be called from any thread at any time. Closing the journal cleanly
/// (its destructor) closes the segment in use, so that nothing looks torn afterwards.
class journal {
public:
  using visitor = std::function<result<void>(const stored_frame&)>;

  /// Opens or creates the journal below `options.directory`, checks it from the positions of the
  /// last checkpoint on, and hands every frame behind them to `visit`, in order within a shard.
  /// @returns `corrupt` (damage that a torn write cannot explain), `missing` (frames between the
  ///   checkpoint and the oldest segment are gone, or the newest segment, or what names it),
  ///   `version`, `in_use`, `io`, `no_space`.
  static result<std::unique_ptr<journal>> open(file_system& files, journal_options options,
                                               const positions& checkpoint, const visitor& visit);

  virtual ~journal() = default;

  /// Appends the frames, at most one a shard, as one cycle and returns when they are on the disk.
  /// Frames that do not follow (position, epoch) or exceed a limit are the caller's mistake:
  /// refused with `corrupt` before anything is written, and the journal stays usable. After any
  /// other failure nothing of the cycle counts as written, every later call fails as well, and the
  /// journal says so until `resume` succeeds. The cycle may still be found on the disk by the next
  /// start, if the failure was that of its sync; after `no_space` it never is. What is durable is
  /// never refused: if only the naming of its segment fails, the next call is.
  virtual result<void> append(std::span<const frame> frames) = 0;

  /// After a failed `append`: cuts off what the failed cycle may have left and takes up writing
  /// again in a new segment. Only for `no_space`: after a failed sync the kernel may have dropped
  /// pages that it reports as clean, so nothing but a restart and a reading of the disk will do.
  /// Succeeds without doing anything when no `append` has failed.
  virtual result<void> resume() = 0;

  /// Reads a shard's frames that end at or behind `from`, in order, archived ones included.
  virtual result<void> read(shard_index shard, lsn from, const visitor& visit) const = 0;

  /// Where each shard stands on the disk.
  virtual positions durable() const = 0;

  /// The checkpoint has moved: closed segments that lie wholly before it are compressed into
  /// archive files and removed, oldest first. May be slow; never in the way of `append`.
  virtual result<void> release(const positions& checkpoint) = 0;

  /// Copies everything up to what is durable at some moment during the call into the existing
  /// `directory`, closed files by hard link where the file system allows. Appending goes on. Told
  /// to stop, it fails between two steps (`io`).
  virtual result<void> copy_to(const std::filesystem::path& directory,
                               const std::stop_token& until) const = 0;

  virtual const recovery_report& recovered() const = 0;
};

/// What `audit verify` found in a journal, archive included.
struct journal_audit {
  std::uint64_t segments = 0, archives = 0, frames = 0, records = 0;
  std::uint64_t bytes = 0;        ///< of all segments, before compression
  std::uint64_t torn_bytes = 0;   ///< left behind by a crash, or being written right now
  bool newest_is_absent = false;  ///< as `recovery_report::newest_was_absent`
  std::map<shard_index, position> ends;
};

/// Reads everything, changes nothing: every checksum, every digest, every step of every chain,
/// no gap in any shard. May run while a node writes. @returns the first place
/// that does not hold.
result<journal_audit> verify_journal(file_system& files, const std::filesystem::path& directory,
                                     const journal::visitor& visit = {},
                                     naming newest = naming::may_be_absent);

}  // namespace gelombang::storage
