#include "net/language.hpp"

#include <algorithm>
#include <optional>

namespace gelombang::net {
namespace {

constexpr int weight_max = 1000;

std::string_view trimmed(std::string_view text) {
  auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// `q=0.8` as 800 thousandths; at most three decimals, at most 1.
std::optional<int> weight_of(std::string_view parameter) {
  if (parameter.size() < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return {};
  auto text = parameter.substr(2);
  if (text[0] != '0' && text[0] != '1') return {};
  auto weight = (text[0] - '0') * weight_max;
  if (text.size() == 1) return weight;
  if (text[1] != '.' || text.size() > 5) return {};
  auto scale = weight_max / 10;
  for (auto digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return {};
    weight += (digit - '0') * scale;
    scale /= 10;
  }
  if (weight > weight_max) return {};
  return weight;
}

bool is_range_for(std::string_view range, std::string_view tag) {
  if (range.size() < tag.size() || (range.size() > tag.size() && range[tag.size()] != '-')) {
    return false;
  }
  return std::equal(tag.begin(), tag.end(), range.begin(),
                    [](char ours, char theirs) { return ours == (theirs | 0x20); });
}

}  // namespace

language preferred_language(std::string_view accept_language) {
  std::optional<int> indonesian;
  std::optional<int> english;
  auto others = 0;
  while (!accept_language.empty()) {
    auto item = accept_language.substr(0, accept_language.find(','));
    accept_language.remove_prefix(std::min(accept_language.size(), item.size() + 1));
    auto semicolon = item.find(';');
    auto range = trimmed(item.substr(0, semicolon));
    if (range.empty()) continue;
    std::optional<int> weight = weight_max;
    if (semicolon != std::string_view::npos)
      weight = weight_of(trimmed(item.substr(semicolon + 1)));
    if (!weight) return language::indonesian;
    // "in" is the code that Indonesian had until 1989; old Android phones still send it.
    if (is_range_for(range, "id") || is_range_for(range, "in")) {
      indonesian = std::max(*weight, indonesian.value_or(0));
    } else if (is_range_for(range, "en")) {
      english = std::max(*weight, english.value_or(0));
    } else if (range == "*") {
      others = *weight;
    }
  }
  auto prefers_english = english.value_or(others) > indonesian.value_or(others);
  return prefers_english ? language::english : language::indonesian;
}

std::string_view tag_of(language speech) {
  return speech == language::english ? "en" : "id";
}

}  // namespace gelombang::net
