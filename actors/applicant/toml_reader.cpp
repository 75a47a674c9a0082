#include "actors/applicant/toml_reader.hpp"

#include <fmt/format.h>

namespace gelombang::applicant {

const toml::node* toml_reader::find(std::string_view key) {
  known_.emplace(key);
  const auto* node = table_.get(key);
  if (!node) fail(key, "is missing");
  return node;
}

std::int64_t toml_reader::whole_number(std::string_view key, std::int64_t least,
                                       std::int64_t most) {
  const auto* node = find(key);
  if (!node) return least;
  const auto* number = node->as_integer();
  if (!number || number->get() < least || number->get() > most) {
    fail(key, fmt::format("must be a whole number from {} to {}", least, most));
    return least;
  }
  return number->get();
}

std::string toml_reader::text(std::string_view key) {
  const auto* node = find(key);
  if (!node) return {};
  const auto* string = node->as_string();
  if (!string || string->get().empty()) {
    fail(key, "must be a text");
    return {};
  }
  return string->get();
}

bool toml_reader::flag(std::string_view key) {
  const auto* node = find(key);
  if (!node) return false;
  const auto* boolean = node->as_boolean();
  if (!boolean) fail(key, "must be true or false");
  return boolean && boolean->get();
}

const toml::array& toml_reader::array(std::string_view key) {
  static const toml::array none;
  const auto* node = find(key);
  if (!node) return none;
  const auto* array = node->as_array();
  if (!array) fail(key, "must be an array");
  return array ? *array : none;
}

void toml_reader::fail(std::string_view key, std::string_view reason) {
  if (fault_.empty()) fault_ = fmt::format("{}: {} {}", where_, key, reason);
}

tl::expected<void, std::string> toml_reader::end() {
  for (const auto& [key, node] : table_) {
    if (!known_.contains(key.str())) fail(key.str(), "is no key of this file");
  }
  if (!fault_.empty()) return tl::unexpected(fault_);
  return {};
}

tl::expected<toml::table, std::string> parse_toml(std::string_view text, std::string_view file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return tl::unexpected(
        fmt::format("{}:{}: {}", file, error.source().begin.line, error.description()));
  }
}

}  // namespace gelombang::applicant
