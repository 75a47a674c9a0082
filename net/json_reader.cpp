#include "net/json_reader.hpp"

#include <algorithm>
#include <cmath>

namespace gelombang::net {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t capacity_least = 4096;

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

/// RFC 6901: '~' and '/' are escaped.
std::string escaped_name(std::string_view name) {
  std::string out;
  for (auto character : name) {
    if (character == '~') {
      out += "~0";
    } else if (character == '/') {
      out += "~1";
    } else {
      out += character;
    }
  }
  return out;
}

std::optional<std::int64_t> integer_in(dom::element value) {
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

bool is_integer(dom::element value) {
  return value.is_int64() || value.is_uint64();
}

/// A number that no 64 bits hold: read as a double, because it was written so or made so.
bool is_huge(dom::element value) {
  constexpr double integers_end = 9223372036854775808.0;
  double number = 0;
  return value.is_double() && value.get(number) == simdjson::SUCCESS &&
         std::abs(number) >= integers_end;
}

/// What no 64 bits hold.
bool is_long_integer(std::string_view number) {
  constexpr std::size_t digits_least = 19;
  if (number.substr(0, 1) == "-") number.remove_prefix(1);
  auto is_digit = [](char character) { return character >= '0' && character <= '9'; };
  return number.size() >= digits_least && number.front() != '0' &&
         std::all_of(number.begin(), number.end(), is_digit);
}

/// The text with its long integers as doubles: for the parser they are a fault of the whole text,
/// and then nobody could be told which member is out of range.
std::string without_long_integers(std::string_view text) {
  constexpr std::string_view number_characters = "+-.0123456789Ee";
  std::string out;
  out.reserve(text.size() + json_padding_bytes);
  bool is_in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = is_in_string ? at : text.find_first_not_of(number_characters, at);
    const auto number = text.substr(at, end == std::string_view::npos ? end : end - at);
    if (!number.empty() && is_long_integer(number)) {
      out += number.front() == '-' ? "-1e300" : "1e300";
      at += number.size();
      continue;
    }
    const auto taken = std::max<std::size_t>(number.size(), 1);
    const bool is_escape = is_in_string && text[at] == '\\';
    if (number.empty() && text[at] == '"') is_in_string = !is_in_string;
    out += text.substr(at, is_escape ? 2 : taken);
    at += is_escape ? 2 : taken;
  }
  return out;
}

}  // namespace

std::vector<json_object> json_array::objects() const {
  std::vector<json_object> all;
  for (std::size_t at = 0; at < items_.size(); ++at) {
    auto pointer = pointer_ + "/" + std::to_string(at);
    dom::object members;
    if (items_[at].get(members) != simdjson::SUCCESS) {
      faults_->push_back({.pointer = pointer, .fault = field_fault::not_object});
      continue;
    }
    json_object item;
    item.members_ = members;
    item.pointer_ = std::move(pointer);
    item.faults_ = faults_;
    all.push_back(std::move(item));
  }
  return all;
}

std::vector<std::int64_t> json_array::integers(std::int64_t least, std::int64_t most) const {
  json_object context;
  context.pointer_ = pointer_;
  context.faults_ = faults_;
  std::vector<std::int64_t> all;
  for (std::size_t at = 0; at < items_.size(); ++at) {
    auto faults_before = faults_->size();
    auto number = context.integer_of(items_[at], std::to_string(at), least, most);
    if (faults_->size() == faults_before) all.push_back(number);
  }
  return all;
}

std::vector<std::string_view> json_array::strings(std::size_t least, std::size_t most) const {
  json_object context;
  context.pointer_ = pointer_;
  context.faults_ = faults_;
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < items_.size(); ++at) {
    auto faults_before = faults_->size();
    auto text = context.string_of(items_[at], std::to_string(at), least, most);
    if (faults_->size() == faults_before) all.push_back(text);
  }
  return all;
}

std::string json_object::pointer_to(std::string_view name) const {
  return pointer_ + "/" + escaped_name(name);
}

void json_object::fault(std::string_view name, field_fault what, std::int64_t least,
                        std::int64_t most) {
  faults_->push_back({.pointer = pointer_to(name), .fault = what, .least = least, .most = most});
}

void json_object::fault_none_of(std::string_view name, const std::vector<std::string_view>& known) {
  fault(name, field_fault::not_allowed);
  auto& told = faults_->back().known;
  for (auto one : known) told.append(told.empty() ? "" : ", ").append(one);
}

std::optional<dom::element> json_object::find(std::string_view name) const {
  dom::element value;
  if (!members_ || members_->at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<dom::element> json_object::need(std::string_view name) {
  auto value = find(name);
  // The members of something that is no object were never there to be missing.
  if (!value && members_) fault(name, field_fault::missing);
  return value;
}

std::string_view json_object::string_of(dom::element value, std::string_view name,
                                        std::size_t least, std::size_t most) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    fault(name, field_fault::not_string);
    return {};
  }
  auto characters = characters_in(text);
  if (characters >= least && characters <= most) return text;
  auto what = characters < least ? field_fault::too_short : field_fault::too_long;
  fault(name, what, static_cast<std::int64_t>(least), static_cast<std::int64_t>(most));
  return {};
}

std::int64_t json_object::integer_of(dom::element value, std::string_view name, std::int64_t least,
                                     std::int64_t most) {
  if (!is_integer(value) && !is_huge(value)) {
    fault(name, field_fault::not_integer);
    return 0;
  }
  auto number = integer_in(value);
  if (number && *number >= least && *number <= most) return *number;
  fault(name, field_fault::out_of_range, least, most);
  return 0;
}

json_array json_object::array_of(dom::element value, std::string_view name, std::size_t least,
                                 std::size_t most) {
  json_array found;
  found.pointer_ = pointer_to(name);
  found.faults_ = faults_;
  dom::array items;
  if (value.get(items) != simdjson::SUCCESS) {
    fault(name, field_fault::not_array);
    return found;
  }
  std::size_t size = 0;
  for ([[maybe_unused]] auto item : items) ++size;
  if (size >= least && size <= most) {
    for (auto item : items) found.items_.push_back(item);
    return found;
  }
  auto what = size < least ? field_fault::too_short : field_fault::too_long;
  fault(name, what, static_cast<std::int64_t>(least), static_cast<std::int64_t>(most));
  return found;
}

std::string_view json_object::string(std::string_view name, std::size_t least, std::size_t most) {
  auto value = need(name);
  return value ? string_of(*value, name, least, most) : std::string_view{};
}

std::int64_t json_object::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  auto value = need(name);
  return value ? integer_of(*value, name, least, most) : 0;
}

bool json_object::boolean(std::string_view name) {
  auto value = need(name);
  bool truth = false;
  if (value && value->get(truth) != simdjson::SUCCESS) fault(name, field_fault::not_boolean);
  return truth;
}

json_object json_object::object(std::string_view name) {
  json_object found;
  found.pointer_ = pointer_to(name);
  found.faults_ = faults_;
  auto value = need(name);
  if (!value) return found;
  dom::object members;
  if (value->get(members) != simdjson::SUCCESS) {
    fault(name, field_fault::not_object);
    return found;
  }
  found.members_ = members;
  return found;
}

json_array json_object::array(std::string_view name, std::size_t least, std::size_t most) {
  auto value = need(name);
  if (value) return array_of(*value, name, least, most);
  json_array none;
  none.faults_ = faults_;
  return none;
}

std::optional<std::string_view> json_object::optional_string(std::string_view name,
                                                             std::size_t least, std::size_t most) {
  auto value = find(name);
  if (!value || value->is_null()) return std::nullopt;
  return string_of(*value, name, least, most);
}

std::optional<std::int64_t> json_object::optional_integer(std::string_view name, std::int64_t least,
                                                          std::int64_t most) {
  auto value = find(name);
  if (!value || value->is_null()) return std::nullopt;
  return integer_of(*value, name, least, most);
}

std::optional<bool> json_object::optional_boolean(std::string_view name) {
  auto value = find(name);
  if (!value || value->is_null()) return std::nullopt;
  bool truth = false;
  if (value->get(truth) != simdjson::SUCCESS) fault(name, field_fault::not_boolean);
  return truth;
}

std::optional<json_object> json_object::optional_object(std::string_view name) {
  auto value = find(name);
  if (!value || value->is_null()) return std::nullopt;
  return object(name);
}

std::optional<json_array> json_object::optional_array(std::string_view name, std::size_t least,
                                                      std::size_t most) {
  auto value = find(name);
  if (!value || value->is_null()) return std::nullopt;
  return array_of(*value, name, least, most);
}

std::size_t json_object::one_of(std::string_view name,
                                std::initializer_list<std::string_view> words) {
  auto value = need(name);
  if (!value) return 0;
  std::string_view text;
  if (value->get(text) != simdjson::SUCCESS) {
    fault(name, field_fault::not_string);
    return 0;
  }
  auto at = std::find(words.begin(), words.end(), text);
  if (at == words.end()) {
    fault_none_of(name, words);
    return 0;
  }
  return static_cast<std::size_t>(at - words.begin());
}

std::vector<std::pair<std::string_view, std::int64_t>> json_object::integer_members(
    std::int64_t least, std::int64_t most) {
  std::vector<std::pair<std::string_view, std::int64_t>> all;
  if (!members_) return all;
  for (auto member : *members_) {
    auto faults_before = faults_->size();
    auto number = integer_of(member.value, member.key, least, most);
    if (faults_->size() == faults_before) all.emplace_back(member.key, number);
  }
  return all;
}

json_reader::json_reader(std::size_t depth_max) : depth_max_(depth_max) {}

json_body* json_reader::read(std::string_view text) {
  body_.reset();
  if (text.size() > capacity_) {
    auto wanted = std::max(text.size(), capacity_least);
    // simdjson does not count an empty array or object as a level; `is_sound` does.
    if (parser_.allocate(wanted, depth_max_ + 1) != simdjson::SUCCESS) return nullptr;
    capacity_ = wanted;
  }
  dom::element root;
  constexpr auto is_padded = false;  // "reallocate if needed": it is not
  auto failed = parser_.parse(text.data(), text.size(), is_padded).get(root);
  // Whatever it calls that fault: the name differs between its versions.
  auto readable = failed ? without_long_integers(text) : std::string{};
  if (failed && readable != text) {
    const auto bytes = readable.size();
    readable.append(json_padding_bytes, ' ');
    failed = parser_.parse(readable.data(), bytes, is_padded).get(root);
  }
  dom::object members;
  if (failed || root.get(members) != simdjson::SUCCESS || !is_sound(root, 1)) return nullptr;
  body_.reset(new json_body{members});
  return body_.get();
}

bool json_reader::is_sound(dom::element value, std::size_t depth) {
  dom::object object;
  if (value.get(object) == simdjson::SUCCESS) {
    if (depth > depth_max_ || has_duplicate_names(object)) return false;
    return std::all_of(object.begin(), object.end(),
                       [&](auto member) { return is_sound(member.value, depth + 1); });
  }
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return true;
  if (depth > depth_max_) return false;
  return std::all_of(array.begin(), array.end(),
                     [&](dom::element item) { return is_sound(item, depth + 1); });
}

bool json_reader::has_duplicate_names(dom::object object) {
  names_.clear();
  for (auto member : object) names_.push_back(member.key);
  std::sort(names_.begin(), names_.end());
  return std::adjacent_find(names_.begin(), names_.end()) != names_.end();
}

}  // namespace gelombang::net
