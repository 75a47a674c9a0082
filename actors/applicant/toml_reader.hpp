#pragma once

#include <toml++/toml.h>

#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gelombang::applicant {

/// Reads the keys of one table and keeps the first fault, so that a loader is a list of keys. Every
/// key that is asked for must be there; `end` refuses those that nobody has asked for.
class toml_reader {
public:
  toml_reader(const toml::table& table, std::string where)
      : table_(table), where_(std::move(where)) {}

  std::int64_t whole_number(std::string_view key, std::int64_t least, std::int64_t most);
  std::string text(std::string_view key);
  bool flag(std::string_view key);
  /// @returns an empty array when it is not one.
  const toml::array& array(std::string_view key);

  void fail(std::string_view key, std::string_view reason);
  bool failed() const { return !fault_.empty(); }

  /// @returns the first fault, or nothing.
  tl::expected<void, std::string> end();

private:
  const toml::node* find(std::string_view key);

  const toml::table& table_;
  std::string where_;
  std::string fault_;
  std::set<std::string, std::less<>> known_;
};

/// @returns the place and the reason when `text` is no TOML.
tl::expected<toml::table, std::string> parse_toml(std::string_view text, std::string_view file);

}  // namespace gelombang::applicant
