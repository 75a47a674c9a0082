#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/programme/clock.hpp"

namespace gelombang::net {

/// Appends `text` with JSON's escapes and without the quotes. The text is taken to be UTF-8.
void append_json_escaped(std::string& to, std::string_view text);

/// Appends a moment as RFC 3339 in UTC with milliseconds only when there are any.
void append_rfc3339(std::string& to, instant when);

/// Writes JSON by appending to a string of one's own: no tree, no allocation beyond the string's.
/// Commas and quotes come by themselves; that members stand in objects and brackets match is the
/// caller's business, and short enough to see.
///
///     json.begin_object().member("wave", 7).member("state", "open").end_object();
class json_writer {
public:
  explicit json_writer(std::string& to) : to_(to) {}

  json_writer& begin_object() { return open('{'); }
  json_writer& end_object() { return close('}'); }
  json_writer& begin_array() { return open('['); }
  json_writer& end_array() { return close(']'); }

  /// The name of the member whose value comes next.
  json_writer& key(std::string_view name) {
    separate();
    quote(name);
    to_ += ':';
    comma_ = false;
    return *this;
  }

  json_writer& value(std::string_view text) {
    separate();
    quote(text);
    return *this;
  }
  json_writer& value(const char* text) { return value(std::string_view{text}); }
  json_writer& value(const std::string& text) { return value(std::string_view{text}); }

  template <std::integral Number>
  json_writer& value(Number number) {
    separate();
    if constexpr (std::same_as<Number, bool>) {
      to_ += number ? "true" : "false";
    } else {
      char digits[24];
      auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
      to_.append(digits, end);
    }
    return *this;
  }
  json_writer& value(instant when) {
    separate();
    to_ += '"';
    append_rfc3339(to_, when);
    to_ += '"';
    return *this;
  }
  json_writer& null() {
    separate();
    to_ += "null";
    return *this;
  }
  /// JSON that is finished already.
  json_writer& raw(std::string_view json) {
    separate();
    to_ += json;
    return *this;
  }

  template <class Value>
  json_writer& member(std::string_view name, const Value& content) {
    return key(name).value(content);
  }

private:
  json_writer& open(char bracket) {
    separate();
    to_ += bracket;
    comma_ = false;
    return *this;
  }
  json_writer& close(char bracket) {
    to_ += bracket;
    comma_ = true;
    return *this;
  }
  void separate() {
    if (comma_) to_ += ',';
    comma_ = true;
  }
  void quote(std::string_view text) {
    to_ += '"';
    append_json_escaped(to_, text);
    to_ += '"';
  }

  std::string& to_;
  bool comma_ = false;
};

}  // namespace gelombang::net
