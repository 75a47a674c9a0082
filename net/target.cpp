#include "net/target.hpp"

#include <algorithm>
#include <charconv>

namespace gelombang::net {
namespace {

constexpr int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool is_control(unsigned char character) {
  return character < 0x20 || character == 0x7f;
}

/// Whether the scheme is one of ours; the scheme's case does not matter (RFC 3986, 3.1).
std::optional<std::string_view> without_scheme(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.size() < scheme.size()) continue;
    auto same =
        std::equal(scheme.begin(), scheme.end(), target.begin(), [](char ours, char theirs) {
          return ours == (theirs >= 'A' && theirs <= 'Z' ? static_cast<char>(theirs + 32) : theirs);
        });
    if (same) return target.substr(scheme.size());
  }
  return std::nullopt;
}

/// Length of the well-formed sequence that begins at `at`, or 0.
std::size_t sequence_bytes(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t offset) -> unsigned char {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0;
  };
  auto continues = [&](std::size_t offset, unsigned char from = 0x80, unsigned char to = 0xbf) {
    return byte(offset) >= from && byte(offset) <= to;
  };
  auto first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return continues(1) ? 2 : 0;
  if (first < 0xf0) {
    auto from = first == 0xe0 ? 0xa0 : 0x80;
    auto to = first == 0xed ? 0x9f : 0xbf;
    auto second = continues(1, static_cast<unsigned char>(from), static_cast<unsigned char>(to));
    return second && continues(2) ? 3 : 0;
  }
  if (first > 0xf4) return 0;
  auto from = first == 0xf0 ? 0x90 : 0x80;
  auto to = first == 0xf4 ? 0x8f : 0xbf;
  auto second = continues(1, static_cast<unsigned char>(from), static_cast<unsigned char>(to));
  return second && continues(2) && continues(3) ? 4 : 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    auto bytes = sequence_bytes(text, at);
    if (bytes == 0) return false;
    at += bytes;
  }
  return true;
}

std::optional<target_parts> parse_target(std::string_view target) {
  if (target == "*") return target_parts{.path = target, .query = {}};
  auto visible = [](char character) { return character > 0x20 && character < 0x7f; };
  if (target.empty() || !std::all_of(target.begin(), target.end(), visible)) return std::nullopt;
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  if (target.front() != '/') {
    auto rest = without_scheme(target);
    if (!rest) return std::nullopt;
    auto authority = rest->substr(0, rest->find_first_of("/?"));
    if (authority.empty() || authority.find('@') != std::string_view::npos) return std::nullopt;
    target = rest->substr(authority.size());
    if (target.empty()) target = "/";
    if (target.front() == '?') return target_parts{.path = "/", .query = target.substr(1)};
  }
  auto mark = target.find('?');
  if (mark == std::string_view::npos) return target_parts{.path = target, .query = {}};
  return target_parts{.path = target.substr(0, mark), .query = target.substr(mark + 1)};
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto character = text[at];
    if (character == '%') {
      if (text.size() - at < 3) return std::nullopt;
      auto upper = hex_value(text[at + 1]);
      auto lower = hex_value(text[at + 2]);
      if (upper < 0 || lower < 0) return std::nullopt;
      character = static_cast<char>(upper * 16 + lower);
      at += 2;
    }
    if (is_control(static_cast<unsigned char>(character))) return std::nullopt;
    decoded += character;
  }
  if (!is_utf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<query_parameters> query_parameters::parse(std::string_view query,
                                                        std::size_t parameters_max) {
  query_parameters found;
  while (!query.empty()) {
    auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals));
    auto value = percent_decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!name || name->empty() || !value || found.find(*name)) return std::nullopt;
    if (found.all_.size() == parameters_max) return std::nullopt;
    found.all_.emplace_back(std::move(*name), std::move(*value));
  }
  return found;
}

std::optional<std::string_view> query_parameters::find(std::string_view name) const {
  auto at = std::find_if(all_.begin(), all_.end(), [&](auto& pair) { return pair.first == name; });
  if (at == all_.end()) return std::nullopt;
  return at->second;
}

tl::expected<std::int64_t, field_error> query_parameters::number(std::string_view name,
                                                                 std::int64_t from, std::int64_t to,
                                                                 std::int64_t fallback) const {
  auto text = find(name);
  if (!text) return fallback;
  std::int64_t value = 0;
  auto end = text->data() + text->size();
  auto [at, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc{} && at == end && value >= from && value <= to) return value;
  return tl::unexpected(field_error{.pointer = std::string("?").append(name),
                                    .fault = field_fault::out_of_range,
                                    .least = from,
                                    .most = to});
}

}  // namespace gelombang::net
