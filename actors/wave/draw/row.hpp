#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/roster.hpp"
#include "actors/wave/draw/walk.hpp"

/// The text of a published draw's entries: what is hashed, streamed and verified.
namespace gelombang::draw {

inline constexpr std::string_view algorithm_name = "gelombang/draw/1";

/// First line of the entries file, with its line end.
inline constexpr std::string_view entries_header =
    "entry_id,region,groups,family,family_room,ticket,outcome,order\n";

/// With three digits for the family's room, as for any byte: a damaged roster is written, to be
/// hashed, before it is known to be one.
inline constexpr std::size_t committed_bytes_max = 32 + 1 + 4 + 1 + 10 + 1 + 16 + 1 + 3;
inline constexpr std::size_t row_bytes_max = committed_bytes_max + 1 + 64 + 1 + 11 + 1 + 10 + 1;

/// Writes `entry_id,region,groups,family,family_room`, at most `committed_bytes_max` bytes.
/// @returns the position behind the last byte, as all writers here.
char* write_committed(char* to, const roster_entry& entry);

/// Writes a whole line as it stands before the draw, or after it; at most `row_bytes_max` bytes.
char* write_row(char* to, const roster_entry& entry);
char* write_row(char* to, const roster_entry& entry, const digest& ticket, verdict own);

/// How many bytes those write, without the ticket's being computed.
std::size_t row_bytes(const roster_entry& entry);
std::size_t row_bytes(const roster_entry& entry, verdict own);

/// The columns behind the committed ones.
struct drawn_columns {
  digest ticket{};
  verdict own;

  friend bool operator==(const drawn_columns&, const drawn_columns&) = default;
};

struct published_row {
  roster_entry entry;
  std::optional<drawn_columns> drawn;  ///< empty columns before the draw
};

/// Reads a line without its line end. Every value has one spelling; the committed columns are
/// therefore the leaf's text, whatever wrote the file.
/// @returns the name of the first column that does not read, or "row" for a wrong number of them.
tl::expected<published_row, std::string_view> read_row(std::string_view line);

}  // namespace gelombang::draw
