#include "load-tests/generator/json_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>

namespace gelombang::load {
namespace {

boost::json::string_view boost_view(std::string_view text) {
  return {text.data(), text.size()};
}

/// RFC 6901, section 3.
std::string escaped(std::string_view name) {
  std::string text;
  for (const char one : name) {
    if (one == '~') {
      text += "~0";
    } else if (one == '/') {
      text += "~1";
    } else {
      text += one;
    }
  }
  return text;
}

}  // namespace

std::optional<std::uint64_t> as_whole_number(const boost::json::value& value) {
  if (const auto* large = value.if_uint64()) return *large;
  const auto* number = value.if_int64();
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

json_place json_place::member(std::string_view name) const {
  const auto* object = value_.if_object();
  if (!object) fail("is not an object");
  const auto* found = object->if_contains(boost_view(name));
  if (!found) fail(fmt::format("has no \"{}\"", name));
  return {*found, pointer_ + '/' + escaped(name)};
}

json_place json_place::at(std::size_t position) const {
  const auto* list = value_.if_array();
  if (!list || position >= list->size()) fail("is not a list as long as expected");
  return {(*list)[position], fmt::format("{}/{}", pointer_, position)};
}

void json_place::has_only(std::initializer_list<std::string_view> names) const {
  const auto* object = value_.if_object();
  if (!object) fail("is not an object");
  for (const auto& [name, ignored] : *object) {
    const std::string_view known{name.data(), name.size()};
    if (std::find(names.begin(), names.end(), known) == names.end()) {
      fail(fmt::format("has a \"{}\", which is not known here", known));
    }
  }
}

const boost::json::object& json_place::object(std::size_t members_max) const {
  const auto* object = value_.if_object();
  if (!object) fail("is not an object");
  if (object->size() > members_max) fail(fmt::format("has more than {} members", members_max));
  return *object;
}

const boost::json::array& json_place::list(std::size_t elements_max) const {
  const auto* list = value_.if_array();
  if (!list) fail("is not a list");
  if (list->size() > elements_max) fail(fmt::format("has more than {} elements", elements_max));
  return *list;
}

std::uint64_t json_place::whole_number(std::uint64_t most) const {
  const auto number = as_whole_number(value_);
  if (!number) fail("is not a whole number");
  if (*number > most) fail(fmt::format("is more than {}", most));
  return *number;
}

double json_place::number() const {
  boost::json::error_code fault;
  const auto number = value_.to_number<double>(fault);
  if (fault || !std::isfinite(number)) fail("is not a number");
  return number;
}

bool json_place::flag() const {
  const auto* flag = value_.if_bool();
  if (!flag) fail("is not true or false");
  return *flag;
}

std::string json_place::text(std::size_t bytes_max) const {
  const auto* text = value_.if_string();
  if (!text) fail("is not a text");
  if (text->size() > bytes_max) fail(fmt::format("is longer than {} bytes", bytes_max));
  return {text->data(), text->size()};
}

void json_place::fail(std::string_view why) const {
  throw json_fault{fmt::format("{} {}", pointer_.empty() ? "the document" : pointer_, why)};
}

}  // namespace gelombang::load
