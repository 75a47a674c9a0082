#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/wave/draw/files.hpp"
#include "actors/wave/draw/merkle.hpp"
#include "actors/wave/draw/summary.hpp"
#include "actors/wave/draw/walk.hpp"

/// A wave's draw in two stages, each leaving durable files in the draw's own directory:
///
///   roster.bin      the frozen roster in its published order
///   tree.bin        the Merkle tree over it
///   committed.json  the summary as committed; with it the first stage is done
///   verdicts.bin    what became of each entry
///   drawn.json      the whole summary; with it the second stage is done
///
/// A stage repeated with the same input, after a crash or on another node, writes the same bytes.
/// The published entries file is made from these when it is asked for: it is four times as long,
/// and every one of its columns follows from them.
namespace gelombang::draw {

/// First stage: freezes `roster`, which comes in any order, under `given`.
/// @returns the summary as it is to be published; or the refusal of `check`, `sort_roster`,
///   `take_census` or `summarise`, or `storage_unavailable`.
result<summary> commit(const std::filesystem::path& directory, std::vector<roster_entry> roster,
                       const parameters& given, unsigned threads);

/// What is known of a roster that has been committed to.
struct committed_roster {
  digest root{};
  std::uint32_t entries = 0;
};

/// What the first stage leaves beside the roster, made again in `to` from the one in `from`.
/// @returns the same summary; `draw_damaged` when roster.bin is not there or not what was committed
///   to, or the refusals of `check`, `take_census` and `summarise`, or `storage_unavailable`.
result<summary> commit_again(const std::filesystem::path& from, const std::filesystem::path& to,
                             const parameters& given, const committed_roster& known,
                             unsigned threads);

/// Second stage: draws, with the randomness and the secret (raw bytes) that were committed to.
/// The roster's root is computed again first, so nothing is drawn from a damaged file.
/// @returns the whole summary; `secret_mismatch`, `beacon_invalid` (empty or too long),
///   `draw_not_published` when nothing was committed in `directory`, `draw_damaged` with the name
///   of a file that does not read or is not what was committed to, or `storage_unavailable`.
result<summary> run(const std::filesystem::path& directory, std::string_view beacon_value,
                    std::string_view operator_secret, unsigned threads);

enum class stage : std::uint8_t { committed, drawn };

/// How much of the binary files is read when they are opened: for looking whether they are there
/// and belong together, or to be answered from.
enum class depth : std::uint8_t { headers, outcomes };

/// Of the first stage: all its other files follow from it.
inline constexpr std::string_view roster_name = "roster.bin";

/// Names of the files that a stage leaves, its summary last.
std::span<const std::string_view> file_names(stage of);

/// What is said of a file that was not left alone while it was read.
inline constexpr std::string_view changed_meanwhile = "was cut or written to while it was read";

/// The summary that a stage has left in `directory`, alone; nothing when it has left none.
/// @returns `internal` with the file's name when it does not read, or `storage_unavailable`.
result<std::optional<summary>> summary_in(const std::filesystem::path& directory, stage of);

/// A draw's files, for answering about single entries and for publication. Movable; const members
/// are thread-safe. Opened once after each stage: it shows the stage at which it was opened.
class draw_files {
public:
  /// @param upto  the newest stage to show; an earlier one is shown where it is all there is
  /// @param read  with no more than headers, `verdict_of` and what uses it may not be called
  /// @returns `draw_not_published` when nothing was committed in `directory`, `internal` when the
  ///   files do not fit together, `storage_unavailable` when they cannot be read.
  static result<draw_files> open(const std::filesystem::path& directory, stage upto = stage::drawn,
                                 depth read = depth::outcomes);

  const summary& published() const { return summary_; }
  bool is_drawn() const { return summary_.drawn.has_value(); }

  std::span<const roster_entry> roster() const { return roster_; }

  /// Where the entry stands in the roster: its leaf's number in the tree.
  std::optional<std::uint32_t> find(const entry_id& id) const;

  /// The leaf's audit path, upwards: it has been followed to the published root, so that nobody is
  /// shown an entry that was not committed to.
  /// @returns `internal` with the files' names where it leads elsewhere
  result<std::vector<digest>> proof(std::uint32_t index) const;

  /// Whether it is sure that no entry has this id: the two between which it would stand are side by
  /// side in what was committed to. @returns `internal` as `proof`
  result<void> prove_absence(const entry_id& id) const;

  /// The summary's line for a region of the roster.
  const region_summary& region(region_code code) const;

  /// Only once drawn.
  digest ticket(std::uint32_t index) const { return (*tickets_)(roster_[index].id); }
  verdict verdict_of(std::uint32_t index) const { return verdicts_[index]; }

  /// Visits the accepted in the order of the roster. Only once drawn.
  void for_each_accepted(const std::function<void(const roster_entry&)>& visit) const;

  /// Lines `first` up to `first + count` of the published entries, less where they end; the header
  /// (`entries_header`) goes before line 0. About 10 million lines a second.
  std::string rows(std::uint32_t first, std::uint32_t count) const;

  /// Writes the published entries file, header included.
  result<void> export_entries(const std::filesystem::path& csv, unsigned threads) const;

  /// Of the binary files, as they were opened: of the first stage there are two.
  using identity = std::array<std::optional<file_identity>, 3>;
  identity opened() const;

  /// The name of a file that has been changed since it was opened; empty when none has. What was
  /// read out of it before must not be used then: zeros are read where it was cut. To be asked
  /// behind every reading of what is in the roster, a proof, outcomes or rows; three system calls.
  std::string_view changed() const;

  /// Computes everything again from the roster: root, tree, seats, tickets, verdicts.
  /// @returns `internal` with the name of what does not agree.
  result<void> check(unsigned threads) const;

private:
  draw_files() = default;
  static result<draw_files> unless_changed(draw_files&& files);
  result<void> compare(unsigned threads) const;

  mapped_file roster_file_, tree_file_, verdict_file_;
  std::span<const roster_entry> roster_;
  std::span<const digest> nodes_;
  std::span<const verdict> verdicts_;
  summary summary_;
  std::optional<ticket_machine> tickets_;
};

}  // namespace gelombang::draw
