#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "actors/programme/result.hpp"
#include "net/problem.hpp"

namespace gelombang::net {

/// A request target taken apart; both are views into the target, still percent-encoded.
struct target_parts {
  std::string_view path;   ///< starts with '/', or is "*" for `OPTIONS *`
  std::string_view query;  ///< behind the '?', may be empty
};

/// Takes an origin form (`/path?query`), an absolute form (`http://host/path?query`) or an asterisk
/// apart. Refused: other bytes than visible ASCII, a fragment, an authority form, a userinfo.
std::optional<target_parts> parse_target(std::string_view target);

/// Decodes `%XX`, strictly: two hex digits, and the result neither a control character nor, with
/// the rest, ill-formed UTF-8. '+' stays what it is.
std::optional<std::string> percent_decoded(std::string_view text);

/// Whether `text` is well-formed UTF-8 (Unicode 15, table 3-7).
bool is_utf8(std::string_view text);

/// The parameters of a query, decoded, in their order.
class query_parameters {
public:
  /// @returns nothing when a name comes twice or is empty, an encoding is wrong, or there are more
  /// than `parameters_max`.
  static std::optional<query_parameters> parse(std::string_view query, std::size_t parameters_max);

  /// The value, or nothing when there is no such parameter.
  std::optional<std::string_view> find(std::string_view name) const;

  /// A whole number from `from` to `to`; `fallback` when the parameter is missing.
  /// @returns what is wrong with it, as "?name".
  tl::expected<std::int64_t, field_error> number(std::string_view name, std::int64_t from,
                                                 std::int64_t to, std::int64_t fallback) const;

private:
  std::vector<std::pair<std::string, std::string>> all_;
};

}  // namespace gelombang::net
