#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "actors/applicant/commands.hpp"
#include "actors/applicant/replies.hpp"
#include "actors/programme/ids.hpp"
#include "net/exchange.hpp"
#include "net/io_thread.hpp"
#include "net/programme/render.hpp"
#include "net/programme/services.hpp"

/// What the handlers share.
namespace gelombang::net {

inline gateway& gateway_of(services& s, exchange& x) {
  return *s.gateways[x.thread().index()];
}

inline constexpr std::size_t idempotency_key_bytes_max = 128;

/// What an Idempotency-Key stands for, or nothing without one.
/// @returns `field_invalid` unless it comes once and is 1 to 128 visible ASCII characters: whoever
///   sends an empty one believes to be safe from a second effect.
tl::expected<std::optional<request_key>, problem> request_of(const services& s, const exchange& x);

/// The same for what operators do to things that are not their own: their keys are told apart by
/// their accounts. Only where somebody has signed in.
tl::expected<std::optional<request_key>, problem> operator_request_of(const services& s,
                                                                      const exchange& x);

/// A number as it stands in paths, without a sign or leading zeros.
std::optional<wave_number> parse_wave_number(std::string_view text);

/// Likewise; nothing for a number that no provider can have.
std::optional<provider_id> parse_provider_number(std::string_view text);

/// The wave that the path's parameter names: a number, or `current`.
/// @returns `wave_unknown` for anything else, and when there is no current one.
result<wave_number> wave_number_in(const services& s, const exchange& x);

/// Likewise, as it stands on the board.
result<wave::wave_ptr> wave_in(const services& s, const exchange& x);

wave_facts facts_of(services& s, const wave::state& wave, instant now);

/// Answers 200 with a body that clients may keep under an entity tag made of it, or 304.
void reply_tagged(exchange& x, std::string_view json, std::string_view cache_control);

/// Both tokens of a grant. The same grant gives the same tokens, so that a repeated request gets
/// the answer that was lost.
token_pair tokens_of(const services& s, const applicant::session_grant& grant);

task<> wait_on(boost::asio::io_context& io, std::chrono::milliseconds time);

}  // namespace gelombang::net
