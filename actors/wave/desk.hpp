#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/clock.hpp"
#include "actors/programme/keys.hpp"
#include "actors/runtime/node.hpp"
#include "actors/wave/board.hpp"
#include "actors/wave/draw/draw.hpp"
#include "actors/wave/job_queue.hpp"
#include "actors/wave/rules.hpp"
#include "actors/wave/shelf.hpp"

namespace gelombang::wave {

/// Who has been accepted in a wave, by shard: what the rosters make members of.
struct settlement {
  struct one {
    std::uint64_t applicant;
    std::uint64_t family;
  };
  std::vector<std::vector<one>> by_shard;
};

/// Where draws are made: a thread of its own, and one beside it that yields to everybody else, for
/// what readers ask to be checked. It reads the frozen rosters of all shards, hands
/// them to the draw, and keeps its files on a shelf, one folder a wave. Everything it makes can be
/// made again from the rosters and what the wave's events hold, until the accepted have become
/// members. Nothing is taken from files whose summary says something else than those events, and
/// nobody is made a member by outcomes that do not follow from the roster. Thread-safe.
class draw_desk {
public:
  /// Whether a fault of a wave's files is still there is looked at no more often than this,
  static constexpr std::chrono::seconds looked_at_again_after{1};
  /// and a cause is logged again only then.
  static constexpr std::chrono::minutes told_again_after{10};

  /// @param shown      how far each wave has come
  /// @param directory  of all draws; made when needed
  draw_desk(runtime::node& node, const keyring& keys, const board& shown, const clock& time,
            std::filesystem::path directory, unsigned threads);
  ~draw_desk();

  /// After a start: has every wave's files compared with its events, one after the other beside
  /// everything else. What is missing and can be made again is; what is wrong is logged.
  void look_after_all();

  /// Ends both threads when they have finished what they are at; what waits is dropped, and can be
  /// asked for again after a start.
  void stop();

  /// Returns when nothing is under way that was asked for before.
  void wait_until_idle();

  using files_ptr = std::shared_ptr<const draw::draw_files>;
  using on_read = std::function<void(result<wire::Commitment>)>;
  using on_drawn = std::function<void(result<wire::Result>)>;
  using on_settlement = std::function<void(result<void>)>;

  /// Reads the roster of a closed wave and commits to it; `told` is called on the desk's thread.
  /// Refused as `wave_out_of_order` (`drawn_otherwise`) where a draw with another commitment is.
  void read_roster(wire::State wave, commit command, on_read told);
  /// Draws a committed wave, making its files again if they are gone. Refused as
  /// `wave_out_of_order` (`drawn_otherwise`) where a draw with other randomness is: who published
  /// that may not publish another.
  void make_draw(wire::State wave, hold_draw command, on_drawn told);

  /// Reads who has been accepted in a drawn wave, for `settlement_of`; `told` is called on the
  /// desk's thread. Nobody becomes a member by files that were not computed again from the roster,
  /// seconds for millions, since they were last written to; those that this process has drawn have
  /// just been. What can't be used is looked at each time: whoever mends it need not wait.
  /// Refused as `draw_damaged` with the file at fault, as by `shelf`, or `storage_unavailable`.
  void read_settlement(wire::State wave, on_settlement told);
  /// Whether that is done; kept until another wave's is read.
  bool has_settlement_of(wave_number wave) const;
  /// The accepted, for the many shards that ask at once. Null while they are not read: they will
  /// be, and then `when_read` is called on the desk's thread, unless that fails or has failed a
  /// moment ago.
  std::shared_ptr<const settlement> settlement_of(wave_number wave,
                                                  std::function<void()> when_read = {});

  /// A wave's files, up to the stage that it has come to: the desk writes those of the next stage a
  /// moment before the wave's event is durable. @returns `draw_not_published` before the first, and
  /// faults as `shelf::open`.
  result<files_ptr> files_of(wave_number wave, draw::stage upto);

  /// The same for whom all entries and outcomes are to be told: only files that this process has
  /// made, or computed again from the roster whose root the journal has.
  /// @returns also `draw_unchecked`: that is being done, or will be when it is asked for again
  result<files_ptr> entries_of(wave_number wave);

  /// Whether the outcomes in a wave's files are known not to follow from its roster, or contradict
  /// the journal: what no proof goes with is not to be told of them.
  bool has_known_fault(wave_number wave) const;

  /// What is damaged of the files that the journal speaks of, as far as it is known without
  /// computing draws again: a line each, as in `shelf`. Reads summaries and headers.
  std::vector<std::string> known_faults() const;

  /// Whether what was read out of files that `files_of` gave is what they held then: to be asked
  /// before it is told to anybody. Files that were changed meanwhile are opened anew for those who
  /// come later. @returns `draw_damaged`
  result<void> confirm(wave_number wave, const draw::draw_files& files);

  /// What an announced wave's files say of somebody is not what the journal says of him or of the
  /// roster: they are opened anew, computed again, and known to be at fault meanwhile.
  /// @param what  is wrong, with the file's name. @returns `draw_damaged`
  tl::unexpected<refusal> contradicted(wave_number wave, const draw::draw_files& files,
                                       std::string_view what);

private:
  /// For whoever reads the log.
  static constexpr std::string_view what_to_do =
      "Nothing is taken from the files of this wave. Take what is damaged out of the folder and "
      "start again: what can be made again is. What is still missing then, restore from a backup";

  using kept_files = std::array<files_ptr, 2>;

  /// Why files can't be used, for those who ask within the next moments.
  struct fault {
    refusal why{.code = errc::ok};
    instant looked_at{}, told{};
  };

  /// What came out when a wave's files were computed again.
  struct judgement {
    draw::draw_files::identity of;
    result<void> outcome;
  };
  /// Readers may have so many waves checked at a time.
  static constexpr std::size_t checks_for_readers_max = 4;

  void look_after(const wire::State& wave);
  result<void> make_again(const wire::State& wave);
  result<void> commit_again(const wire::State& wave, const std::vector<std::string>& missing);
  result<void> follow_roster(const wire::State& wave, std::vector<std::string> missing);
  result<draw::summary> commit_by_roster(const wire::State& wave,
                                         const std::filesystem::path& to) const;
  result<void> make_aside(
      const wire::State& wave, const std::vector<std::string>& missing,
      const std::function<result<draw::summary>(const std::filesystem::path&)>& make) const;
  result<void> note_owners_again(const wire::State& wave) const;
  result<void> prepare_draw(const wire::State& wave, const hold_draw& command) const;
  result<draw::summary> draw_from(wave_number wave, const std::string& beacon_value,
                                  const std::string& operator_secret) const;
  result<void> check_no_other_draw(const wire::State& wave, const commit& command) const;
  result<draw::summary> commit_files(const wire::State& wave, const commit& command,
                                     const std::filesystem::path& folder) const;
  result<draw::parameters> parameters_of(const wire::State& wave, const commit& command) const;
  void forget(wave_number wave);
  void drop(wave_number wave, const draw::draw_files& files);
  void have_checked(const wave_ptr& wave);
  void vouch_for(const wire::State& wave);

  result<files_ptr> kept_or_opened(const wire::State& wave, draw::stage upto);
  result<void> check_once(wave_number wave, const draw::draw_files& files, unsigned threads);
  result<files_ptr> check_outcomes(const wire::State& wave, unsigned threads);
  result<files_ptr> checked_files(const wire::State& wave, unsigned threads);
  void keep_checked(const wire::State& wave, const files_ptr& files);
  result<std::shared_ptr<const settlement>> settlement_in_files(const wire::State& wave,
                                                                const draw::draw_files& files);
  result<void> keep_settlement(const wire::State& wave);
  std::optional<refusal> known_fault(const fault& of) const;
  tl::unexpected<refusal> note_fault(fault& of, wave_number wave, const refusal& why) const;

  runtime::node& node_;
  const keyring& keys_;
  const board& board_;
  const clock& time_;
  const shelf shelf_;
  const unsigned threads_;

  mutable std::mutex files_mutex_;
  std::map<wave_number, judgement> judged_;
  std::map<wave_number, kept_files> files_;   ///< by the stage that was asked for
  std::map<wave_number, files_ptr> checked_;  ///< that were computed again
  std::map<wave_number, fault> files_faults_, outcome_faults_, settlement_faults_;
  std::set<wave_number> being_checked_;  ///< by request of a reader
  /// By request of shards, and what to call then.
  std::map<wave_number, std::vector<std::function<void()>>> being_settled_;
  wave_number settled_wave_{};
  std::shared_ptr<const settlement> settlement_;

  // Last: what they do uses the rest.
  job_queue orders_{"draws"};
  job_queue checks_{"draw-checks", job_queue::priority::yielding};
};

}  // namespace gelombang::wave
