#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/wave/draw/draw.hpp"
#include "actors/wave/wave.pb.h"

namespace gelombang::wave {

/// Applicants in the order of the published roster, 8 bytes each: whose entry is whose. Never
/// published.
inline constexpr std::string_view owners_name = "owners.bin";

/// What a draw's summary says otherwise than the wave's events do. A draw is compared with the
/// wave's result, if it has one; what was committed, with its commitment.
std::optional<std::string> contradiction(const wire::State& wave, const draw::summary& published);

/// Where the files of all draws stand, one folder a wave, and whether they are those that the
/// journal speaks of. The files are what is published, the journal is the truth: where they say
/// something else, nothing is shown or done with them. What it says of a fault names the file below
/// the shelf, and nothing of the machine. Reads only; thread-safe.
class shelf {
public:
  explicit shelf(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path folder_of(wave_number wave) const;

  /// The summary that a stage has left, whether or not the journal knows of it; nothing when it has
  /// left none. @returns the faults of `open`
  result<std::optional<draw::summary>> summary_of(wave_number wave, draw::stage of) const;

  /// A wave's files as of a stage that it has come to. Reads the summary and the other files'
  /// headers; what they hold is for `recompute`.
  /// @returns `draw_damaged` for a file that is not there or contradicts the journal,
  ///   `storage_unavailable` for one that can't be read.
  result<draw::draw_files> open(const wire::State& wave, draw::stage upto,
                                draw::depth read = draw::depth::outcomes) const;

  /// Whether everything that a wave's files hold follows from its roster: seconds for millions.
  /// @returns `draw_damaged`
  result<void> recompute(wave_number wave, const draw::draw_files& files, unsigned threads) const;

  /// Whose entry is whose, by place in the roster. Whether each is its owner's is to be checked.
  /// @returns the same faults
  result<draw::mapped_file> owners_of(const wire::State& wave) const;

  /// Whether all files that the wave has come to are there and say what the journal says. Of a wave
  /// that is over no more than summaries and headers are read: there may be a hundred of them.
  result<void> check(const wire::State& wave) const;

  /// Names of the files of a stage that are not there; with the first stage's, the owners.
  std::vector<std::string> missing(wave_number wave, draw::stage of) const;

  /// Whether what is not there is missed by nobody: the files of a cancelled wave.
  bool is_dispensable(const wire::State& wave) const;

  /// What is there of a stage that the journal does not know: a kill between the files and the
  /// event leaves it, and so does a journal whose end is gone.
  std::optional<std::string> ahead(const wire::State& wave) const;

private:
  tl::unexpected<refusal> fault(wave_number wave, const refusal& why) const;

  std::filesystem::path directory_;
};

}  // namespace gelombang::wave
