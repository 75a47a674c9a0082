#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace gelombang::load {

/// Ends the reading of a document from wherever a part of it turns out to be wrong: a JSON pointer
/// (RFC 6901) and the reason. Whoever begins to read catches it.
struct json_fault {
  std::string what;
};

std::optional<std::uint64_t> as_whole_number(const boost::json::value& value);

/// A part of a JSON document and where it stands. Everything asked of it throws `json_fault` unless
/// it is as asked. Refers to the document, which must live on.
class json_place {
public:
  json_place(const boost::json::value& value, std::string pointer)
      : value_(value), pointer_(std::move(pointer)) {}

  json_place member(std::string_view name) const;
  json_place at(std::size_t position) const;

  /// Refuses members of other names, and anything but an object.
  void has_only(std::initializer_list<std::string_view> names) const;
  const boost::json::object& object(std::size_t members_max) const;
  const boost::json::array& list(std::size_t elements_max) const;

  bool is_null() const { return value_.is_null(); }
  std::uint64_t whole_number(std::uint64_t most) const;
  /// A finite number.
  double number() const;
  bool flag() const;
  std::string text(std::size_t bytes_max) const;

  const boost::json::value& value() const { return value_; }
  const std::string& pointer() const { return pointer_; }
  [[noreturn]] void fail(std::string_view why) const;

private:
  const boost::json::value& value_;
  std::string pointer_;
};

}  // namespace gelombang::load
