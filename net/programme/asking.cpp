#include "net/programme/asking.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <functional>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/provider/rules.hpp"

namespace gelombang::net {
namespace {

/// Of the accounts that configuration names.
bool is_operator(const services& s, applicant_id account) {
  return std::any_of(s.operator_emails.begin(), s.operator_emails.end(),
                     [&](const auto& email) { return s.keys.account_of(email) == account; });
}

roles roles_of(const services& s, const applicant::session_grant& grant) {
  roles held = role::applicant;
  for (auto one : {role::operator_, role::partner, role::office})
    if ((grant.roles & static_cast<std::uint32_t>(one)) != 0) held = held | one;
  return is_operator(s, grant.account) ? held | role::operator_ : held;
}

std::uint64_t first_word(const digest& hash) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < sizeof word; ++i) word = word << 8 | hash[i];
  return word;
}

using keyed = tl::expected<std::optional<request_key>, problem>;

/// @param scope  before the key in its hash: keys of one scope are not those of another
keyed request_named(const services& s, const exchange& x, std::string scope) {
  constexpr std::string_view name = "Idempotency-Key";
  const auto given = x.headers_named(name);
  if (given == 0) return std::nullopt;
  const auto key = x.header(name);
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 127; });
  if (!visible || key.empty() || key.size() > idempotency_key_bytes_max || given > 1)
    return tl::unexpected(problem{field_error{.pointer = "/Idempotency-Key",
                                              .fault = field_fault::not_visible,
                                              .least = 1,
                                              .most = idempotency_key_bytes_max}});
  const auto method = http::to_string(x.method());
  std::string request{"request\n"};
  request.append(method.data(), method.size()).append("\n").append(x.path()).append("\n");
  request.append(x.body());
  return request_key{.key = first_word(sha256(scope.append(key))),
                     .fingerprint = first_word(s.request_mac(request))};
}

template <class Id>
std::optional<Id> parse_number(std::string_view text) {
  Id number;
  const auto* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data(), end, number.value);
  if (fault != std::errc{} || stopped != end || text.front() == '0') return std::nullopt;
  return number;
}

}  // namespace

keyed request_of(const services& s, const exchange& x) {
  return request_named(s, x, {});
}

keyed operator_request_of(const services& s, const exchange& x) {
  return request_named(s, x, to_string(x.bearer().subject) + "\n");
}

std::optional<wave_number> parse_wave_number(std::string_view text) {
  return parse_number<wave_number>(text);
}

std::optional<provider_id> parse_provider_number(std::string_view text) {
  const auto number = parse_number<provider_id>(text);
  return number && provider::is_number(*number) ? number : std::nullopt;
}

result<wave_number> wave_number_in(const services& s, const exchange& x) {
  const auto text = x.path_parameter(0);
  if (text == "current") {
    if (auto wave = s.waves.current(x.now())) return wave_number{wave->number()};
    return gelombang::refuse(errc::wave_unknown);
  }
  if (auto number = parse_wave_number(text)) return *number;
  return gelombang::refuse(errc::wave_unknown);
}

result<wave::wave_ptr> wave_in(const services& s, const exchange& x) {
  const auto number = wave_number_in(s, x);
  if (!number) return tl::unexpected(number.error());
  if (auto wave = s.waves.find(*number)) return wave;
  return gelombang::refuse(s.waves.is_damaged(*number) ? errc::storage_unavailable
                                                       : errc::wave_unknown);
}

wave_facts facts_of(services& s, const wave::state& wave, instant now) {
  // Once all shards have frozen their part, the figure stands in the wave and is exact.
  const bool is_frozen =
      wave.phase() >= wave::wire::CLOSED && wave.phase() != wave::wire::CANCELLED;
  return {.wave = wave,
          .joined = is_frozen ? wave.joined() : s.joined.of(s.node, {wave.number()}, now),
          .now = now};
}

void reply_tagged(exchange& x, std::string_view json, std::string_view cache_control) {
  x.cache_control(cache_control);
  x.add_header("Vary", "Accept-Language");
  // Guards nothing: a program that hashes differently only sends an answer once more.
  const auto etag = fmt::format("\"{:016x}\"", std::hash<std::string_view>{}(json));
  if (!x.not_modified(etag)) x.reply(200, json);
}

token_pair tokens_of(const services& s, const applicant::session_grant& grant) {
  const auto lifetime = s.access_token_lifetime.count();
  const auto issued =
      std::chrono::floor<std::chrono::seconds>(grant.issued_at).time_since_epoch().count();
  return {.account = grant.account,
          .access = s.access.mint({.subject = grant.account,
                                   .session = grant.session,
                                   .held = roles_of(s, grant),
                                   .issued_at = issued,
                                   .expires_at = issued + lifetime}),
          .refresh = s.refresh.mint(
              {.subject = grant.account, .session = grant.session, .generation = grant.generation}),
          .expires_in_seconds = lifetime};
}

task<> wait_on(boost::asio::io_context& io, std::chrono::milliseconds time) {
  boost::asio::steady_timer timer{io, time};
  co_await callback<bool>([&timer](auto done) {
    timer.async_wait([done](const boost::system::error_code&) { done(true); });
  });
}

}  // namespace gelombang::net
