#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/programme/result.hpp"
#include "net/language.hpp"

namespace gelombang::net {

/// A text in both languages.
struct bilingual {
  std::string_view indonesian;
  std::string_view english;

  std::string_view in(language speech) const {
    return speech == language::english ? english : indonesian;
  }
};

/// What a refusal looks like from outside. `with_figure`, where it is not empty, is the detail to
/// show when the refusal carries a figure, which stands for "{}".
struct problem_form {
  unsigned status;
  bilingual title;
  bilingual detail;
  bilingual with_figure = {};
};

/// The one place where a reason becomes a status and a text.
problem_form form_of(errc code);

/// The reason with this name, or nothing: for GET /problems/NAME.
std::optional<errc> errc_named(std::string_view name);

/// What is wrong with one member of a body.
enum class field_fault : std::uint8_t {
  missing,
  not_string,
  not_integer,
  not_boolean,
  not_object,
  not_array,
  too_short,     ///< fewer than `least` characters or items
  too_long,      ///< more than `most` characters or items
  out_of_range,  ///< outside `least` to `most`
  not_allowed,   ///< none of the values that the API names, which stand in `known`
  not_time,      ///< not RFC 3339 with an offset
  not_hex,       ///< not whole bytes in lower-case hex
  not_cursor,    ///< no `next_cursor` of an earlier answer
  not_visible,   ///< not `least` to `most` visible ASCII characters, or given twice
};

struct field_error {
  std::string pointer;  ///< RFC 6901
  field_fault fault;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::string known = {};  ///< the allowed values, separated by commas
  friend bool operator==(const field_error&, const field_error&) = default;
};

/// Everything that a refused request is told.
struct problem {
  refusal reason;
  std::vector<field_error> fields = {};
  unsigned retry_after = 0;  ///< seconds; 0: what `retry_after_seconds` says

  problem(refusal why) : reason(std::move(why)) {}  // NOLINT(google-explicit-constructor)
  problem(errc why) : reason{.code = why} {}        // NOLINT(google-explicit-constructor)
  /// Several members at fault: `field_missing` when only that, `field_invalid` otherwise.
  explicit problem(std::vector<field_error> faults);
  /// One thing at fault.
  explicit problem(field_error fault) : problem(std::vector{std::move(fault)}) {}
};

/// Appends the RFC 9457 document.
void append_problem(std::string& to, const problem& what, language speech);

/// Appends what /problems/NAME shows: the document in both languages.
void append_problem_page(std::string& to, errc code);

/// Seconds after which to come back, for statuses that say so, or 0. `dice` are random bits that
/// spread those who were refused together: half of the time to one and a half of it.
unsigned retry_after_seconds(errc code, std::uint64_t dice);

}  // namespace gelombang::net
