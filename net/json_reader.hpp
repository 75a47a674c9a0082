#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "net/problem.hpp"

namespace gelombang::net {

/// Bytes that must be readable (whatever they are) behind a text given to `json_reader`.
inline constexpr std::size_t json_padding_bytes = simdjson::SIMDJSON_PADDING;

class json_object;

/// The items of an array that is a member; each is read like an object or taken as a value.
class json_array {
public:
  std::size_t size() const { return items_.size(); }

  /// The items as objects; one that is none is recorded as a fault and left out.
  std::vector<json_object> objects() const;
  /// The items as whole numbers from `least` to `most`, as strings of `least` to `most` characters;
  /// likewise.
  std::vector<std::int64_t> integers(std::int64_t least, std::int64_t most) const;
  std::vector<std::string_view> strings(std::size_t least, std::size_t most) const;

private:
  friend class json_object;
  std::vector<simdjson::dom::element> items_;
  std::string pointer_;
  std::vector<field_error>* faults_ = nullptr;
};

/// One JSON object of a request, read member by member. A member that is missing or wrong gives an
/// empty value and is recorded with its JSON pointer, so that a handler reads everything first and
/// then asks `json_body::faults()` once: the caller is told all that is wrong, not the first of it.
/// Members nobody asks for are ignored. Views live as long as the `json_body`.
class json_object {
public:
  json_object() = default;

  /// A string of `least` to `most` characters (code points).
  std::string_view string(std::string_view name, std::size_t least, std::size_t most);
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most);
  bool boolean(std::string_view name);
  json_object object(std::string_view name);
  json_array array(std::string_view name, std::size_t least, std::size_t most);

  /// As above, but the member may be missing or null.
  std::optional<json_object> optional_object(std::string_view name);
  std::optional<std::string_view> optional_string(std::string_view name, std::size_t least,
                                                  std::size_t most);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t least,
                                               std::int64_t most);
  std::optional<bool> optional_boolean(std::string_view name);
  std::optional<json_array> optional_array(std::string_view name, std::size_t least,
                                           std::size_t most);

  /// One of a few words, as its position in `words`.
  std::size_t one_of(std::string_view name, std::initializer_list<std::string_view> words);

  /// Whether it is an object without members.
  bool empty() const { return members_ && members_->size() == 0; }

  /// Names and values of an object whose names are data (codes of regions, ids of questions), in
  /// their order; values are whole numbers from `least` to `most`.
  std::vector<std::pair<std::string_view, std::int64_t>> integer_members(std::int64_t least,
                                                                         std::int64_t most);

  /// Records a fault that the handler found itself.
  void fault(std::string_view name, field_fault what, std::int64_t least = 0,
             std::int64_t most = 0);
  /// That it is none of these values.
  void fault_none_of(std::string_view name, const std::vector<std::string_view>& known);

private:
  friend class json_array;
  friend class json_reader;

  std::optional<simdjson::dom::element> find(std::string_view name) const;
  std::optional<simdjson::dom::element> need(std::string_view name);
  std::string_view string_of(simdjson::dom::element value, std::string_view name, std::size_t least,
                             std::size_t most);
  std::int64_t integer_of(simdjson::dom::element value, std::string_view name, std::int64_t least,
                          std::int64_t most);
  json_array array_of(simdjson::dom::element value, std::string_view name, std::size_t least,
                      std::size_t most);
  std::string pointer_to(std::string_view name) const;

protected:
  json_object(simdjson::dom::object members, std::vector<field_error>& faults)
      : members_(members), faults_(&faults) {}

private:
  std::optional<simdjson::dom::object> members_;  ///< nothing: stands for an object that was wrong
  std::string pointer_;
  std::vector<field_error>* faults_ = nullptr;
};

/// A request body that is one JSON object.
class json_body : public json_object {
public:
  json_body(json_body&&) = delete;
  json_body& operator=(json_body&&) = delete;

  /// Whether every member that was asked for was there and right.
  bool ok() const { return own_faults_.empty(); }
  /// What to refuse the request with when not `ok`.
  problem faults() const { return problem{own_faults_}; }

private:
  friend class json_reader;
  explicit json_body(simdjson::dom::object members) : json_object(members, own_faults_) {}

  std::vector<field_error> own_faults_;
};

/// Reads bodies strictly: UTF-8, the whole text one JSON value, that value an object, nothing
/// nested deeper than allowed, and no name twice in an object. One per thread; keeps its memory.
class json_reader {
public:
  explicit json_reader(std::size_t depth_max);

  /// `text` is followed by `json_padding_bytes` readable bytes and stays where it is while the body
  /// is used; the body is good until the next `read`: copy what is wanted before the first
  /// `co_await`.
  /// @returns nothing when the text is malformed (`errc::body_malformed`).
  json_body* read(std::string_view text);

private:
  /// Whether no name comes twice and nothing is deeper than allowed; `depth` is that of `value`.
  bool is_sound(simdjson::dom::element value, std::size_t depth);
  bool has_duplicate_names(simdjson::dom::object object);

  std::size_t depth_max_;
  simdjson::dom::parser parser_;
  std::size_t capacity_ = 0;
  std::unique_ptr<json_body> body_;
  std::vector<std::string_view> names_;
};

}  // namespace gelombang::net
