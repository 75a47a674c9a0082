#include "net/tokens.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>

#include "actors/programme/base64url.hpp"
#include "actors/programme/hex.hpp"

namespace gelombang::net {
namespace {

constexpr std::size_t signature_chars = 43;
constexpr std::size_t claims_bytes_max = 512;
constexpr std::size_t json_depth_max = 4;
constexpr std::size_t refresh_message_bytes = 16;
constexpr std::size_t refresh_mac_bytes = 16;
constexpr std::array all_roles = {role::applicant, role::operator_, role::partner, role::office};

/// Empty when `text` is not strict base64url, or more than fits.
std::string_view decode(std::string_view text, std::span<std::uint8_t> into) {
  const auto size = read_base64url(text, into);
  return size ? text_of(into.first(*size)) : std::string_view{};
}

/// Reads what `mint` writes, which after the signature's check is all that can come; takes the text
/// apart from left to right.
class claims_reader {
public:
  explicit claims_reader(std::string_view text) : text_(text) {}

  std::optional<claims> read() {
    claims found;
    std::array<std::uint8_t, 8> subject;
    if (!skip("{\"sub\":\"") || text_.size() < 16 || !read_hex(text_.substr(0, 16), subject)) {
      return std::nullopt;
    }
    for (auto byte : subject) found.subject.value = found.subject.value << 8 | byte;
    text_.remove_prefix(16);
    if (!skip("\",\"sid\":") || !number(found.session)) return std::nullopt;
    if (!skip(",\"roles\":[") || !roles_into(found.held)) return std::nullopt;
    if (!skip(",\"iat\":") || !number(found.issued_at)) return std::nullopt;
    if (!skip(",\"exp\":") || !number(found.expires_at) || text_ != "}") return std::nullopt;
    return found;
  }

private:
  bool skip(std::string_view expected) {
    if (text_.substr(0, expected.size()) != expected) return false;
    text_.remove_prefix(expected.size());
    return true;
  }
  template <class Number>
  bool number(Number& value) {
    auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{}) return false;
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    return true;
  }
  bool roles_into(roles& held) {
    while (!skip("]")) {
      skip(",");
      auto known = std::find_if(all_roles.begin(), all_roles.end(), [this](role one) {
        auto name = name_of(one);
        return text_.size() > name.size() + 1 && text_[0] == '"' &&
               text_.substr(1, name.size()) == name && text_[name.size() + 1] == '"';
      });
      if (known == all_roles.end()) return false;
      held = held | *known;
      text_.remove_prefix(name_of(*known).size() + 2);
    }
    return true;
  }

  std::string_view text_;
};

std::string claims_text(const claims& bearer) {
  std::array<std::uint8_t, 8> subject;
  for (std::size_t byte = 0; byte < subject.size(); ++byte) {
    subject[byte] = static_cast<std::uint8_t>(bearer.subject.value >> (56 - 8 * byte));
  }
  std::string text = "{\"sub\":\"" + to_hex(subject) + "\",\"sid\":";
  text += std::to_string(bearer.session) + ",\"roles\":[";
  for (auto one : all_roles) {
    if (!bearer.held.has(one)) continue;
    if (text.back() != '[') text += ',';
    text += '"';
    text += name_of(one);
    text += '"';
  }
  text += "],\"iat\":" + std::to_string(bearer.issued_at);
  text += ",\"exp\":" + std::to_string(bearer.expires_at) + "}";
  return text;
}

bool is_same(std::span<const std::uint8_t> ours, std::string_view theirs) {
  return ours.size() == theirs.size() &&
         CRYPTO_memcmp(ours.data(), theirs.data(), ours.size()) == 0;
}

void put_big_endian(std::string& to, std::uint64_t value, int bytes) {
  for (auto shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    to += static_cast<char>(value >> shift & 0xff);
  }
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (auto byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string_view name_of(role one) {
  switch (one) {
    case role::applicant:
      return "applicant";
    case role::operator_:
      return "operator";
    case role::partner:
      return "partner";
    case role::office:
      return "office";
  }
  return {};
}

access_tokens::access_tokens(std::vector<token_key> keys) {
  for (auto& key : keys) {
    auto header = R"({"alg":"HS256","typ":"JWT","kid":")" + key.id + "\"}";
    keys_.push_back({key.id, to_base64url(header) + ".", hmac_sha256{key.bytes}});
  }
}

std::string access_tokens::mint(const claims& bearer) const {
  auto& key = keys_.front();
  auto token = key.header + to_base64url(claims_text(bearer));
  auto signature = key.mac(token);
  token += '.';
  token += to_base64url(text_of(signature));
  return token;
}

const access_tokens::prepared_key* access_tokens::key_of(std::string_view token,
                                                         std::string_view header) const {
  for (auto& key : keys_) {
    if (token.substr(0, key.header.size()) == key.header) return &key;
  }
  // Another spelling of the header, as another library would mint with our key: members in another
  // order. The algorithm is not negotiable, whatever the header asks for.
  auto text = from_base64url(header, claims_bytes_max);
  if (!text) return nullptr;
  boost::json::error_code failed;
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  auto parsed = boost::json::parse(*text, failed, {}, options);
  if (failed || !parsed.is_object()) return nullptr;
  auto member = [&](std::string_view name) -> std::string_view {
    auto* value = parsed.get_object().if_contains({name.data(), name.size()});
    if (value == nullptr || !value->is_string()) return {};
    return {value->get_string().data(), value->get_string().size()};
  };
  auto has_critical = parsed.get_object().contains("crit");
  if (member("alg") != "HS256" || has_critical) return nullptr;
  auto at =
      std::find_if(keys_.begin(), keys_.end(), [&](auto& key) { return key.id == member("kid"); });
  return at == keys_.end() ? nullptr : &*at;
}

result<claims> access_tokens::verify(std::string_view token, instant now) const {
  if (token.size() > token_bytes_max || token.size() <= signature_chars) {
    return refuse(errc::token_invalid);
  }
  auto signature_at = token.size() - signature_chars;
  auto header_end = token.find('.');
  if (token[signature_at - 1] != '.' || header_end >= signature_at - 1) {
    return refuse(errc::token_invalid);
  }
  auto signed_part = token.substr(0, signature_at - 1);
  std::array<std::uint8_t, 32> signature_bytes;
  auto signature = decode(token.substr(signature_at), signature_bytes);
  auto* key = key_of(token, token.substr(0, header_end));
  if (key == nullptr || !is_same(key->mac(signed_part), signature)) {
    return refuse(errc::token_invalid);
  }
  std::array<std::uint8_t, claims_bytes_max> claims_bytes;
  auto found = claims_reader{decode(signed_part.substr(header_end + 1), claims_bytes)}.read();
  auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
  if (!found || found->issued_at > (seconds + clock_skew_max).count()) {
    return refuse(errc::token_invalid);
  }
  if (found->expires_at <= seconds.count()) return refuse(errc::token_expired);
  return *found;
}

std::string refresh_tokens::mint(const refresh_claims& session) const {
  std::string bytes;
  put_big_endian(bytes, session.subject.value, 8);
  put_big_endian(bytes, session.session, 4);
  put_big_endian(bytes, session.generation, 4);
  auto mac = mac_(bytes);
  bytes.append(text_of(mac).substr(0, refresh_mac_bytes));
  return to_base64url(bytes);
}

result<refresh_claims> refresh_tokens::verify(std::string_view token) const {
  auto bytes = from_base64url(token, refresh_message_bytes + refresh_mac_bytes);
  if (!bytes || bytes->size() != refresh_message_bytes + refresh_mac_bytes) {
    return refuse(errc::token_invalid);
  }
  std::string_view all = *bytes;
  auto mac = mac_(all.substr(0, refresh_message_bytes));
  if (!is_same(std::span(mac).first(refresh_mac_bytes), all.substr(refresh_message_bytes))) {
    return refuse(errc::token_invalid);
  }
  return refresh_claims{
      .subject = applicant_id{big_endian(all.substr(0, 8))},
      .session = static_cast<std::uint32_t>(big_endian(all.substr(8, 4))),
      .generation = static_cast<std::uint32_t>(big_endian(all.substr(12, 4))),
  };
}

}  // namespace gelombang::net
