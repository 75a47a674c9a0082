#include "net/exchange.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/status.hpp>
#include <charconv>

#include "net/io_thread.hpp"
#include "net/session.hpp"

namespace gelombang::net {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view problem_type = "application/problem+json";

void append_number(std::string& to, std::size_t number) {
  char digits[24];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  to.append(digits, end);
}

void append_status_line(std::string& to, unsigned status) {
  // The two that a wave's opening consists of, ready-made.
  if (status == 200) {
    to += "HTTP/1.1 200 OK\r\n";
    return;
  }
  if (status == 201) {
    to += "HTTP/1.1 201 Created\r\n";
    return;
  }
  to += "HTTP/1.1 ";
  append_number(to, status);
  to += ' ';
  auto phrase = http::obsolete_reason(static_cast<http::status>(status));
  to.append(phrase.data(), phrase.size());
  to += "\r\n";
}

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return boost::beast::iequals(boost::beast::string_view{type.data(), type.size()},
                               boost::beast::string_view{json_type.data(), json_type.size()});
}

/// Whether an If-None-Match list names the tag; a weak tag matches likewise (RFC 9110, 13.1.2).
bool names_tag(std::string_view list, std::string_view etag) {
  if (list == "*") return true;
  while (!list.empty()) {
    auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
    if (item.substr(0, 2) == "W/") item.remove_prefix(2);
    if (item == etag) return true;
  }
  return false;
}

}  // namespace

// ---- the request

result<query_parameters> exchange::query() const {
  auto parsed = query_parameters::parse(target_.query, thread_->bounds().query_parameters_max);
  if (!parsed) return gelombang::refuse(errc::query_invalid);
  return *std::move(parsed);
}

std::string_view exchange::header(http::field name) const {
  for (auto& field : fields_) {
    if (field.name == name) return {begin_ + field.value_at, field.value_bytes};
  }
  return {};
}

bool exchange::is_named(const field_view& field, std::string_view name) const {
  if (field.name_bytes != name.size()) return false;
  boost::beast::string_view theirs{begin_ + field.name_at, field.name_bytes};
  return boost::beast::iequals(theirs, {name.data(), name.size()});
}

std::string_view exchange::header(std::string_view name) const {
  for (auto& field : fields_) {
    if (is_named(field, name)) return {begin_ + field.value_at, field.value_bytes};
  }
  return {};
}

std::size_t exchange::headers_named(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](auto& field) { return is_named(field, name); }));
}

bool exchange::declares_json() const {
  return is_json(header(http::field::content_type));
}

json_body* exchange::read_body() {
  auto type = header(http::field::content_type);
  if (!type.empty() && !is_json(type)) {
    refuse(errc::media_type_unsupported);
    return nullptr;
  }
  auto* read = thread_->json().read(body_);
  if (read == nullptr) refuse(errc::body_malformed);
  return read;
}

language exchange::speech() const {
  return preferred_language(header(http::field::accept_language));
}

instant exchange::deadline() const {
  return now_ + thread_->bounds().request_timeout;
}

// ---- the answer

json_writer exchange::json() {
  json_text_.clear();
  return json_writer{json_text_};
}

void exchange::append_head(const head_facts& facts) {
  auto& out = *out_;
  if (thread_->is_draining()) keep_alive_ = false;
  append_status_line(out, facts.status);
  out += thread_->date_header();
  if (!facts.content_type.empty()) {
    out += "Content-Type: ";
    out += facts.content_type;
    out += "\r\n";
  }
  if (facts.length) {
    out += "Content-Length: ";
    append_number(out, *facts.length);
    out += "\r\n";
  }
  out += "Cache-Control: ";
  out += cache_control_;
  out += "\r\n";
  out += extra_headers_;
  if (!keep_alive_) {
    out += "Connection: close\r\n";
  } else if (is_http_1_0_) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  status_ = facts.status;
}

void exchange::append_answer(unsigned status, std::string_view content_type,
                             std::string_view body) {
  if (status_ != 0) return;
  append_head({.status = status, .content_type = content_type, .length = body.size()});
  if (method_ != http::verb::head) *out_ += body;
}

void exchange::reply(unsigned status) {
  append_answer(status, json_type, json_text_);
}

void exchange::reply(unsigned status, std::string_view json) {
  append_answer(status, json_type, json);
}

void exchange::reply(unsigned status, std::string_view content_type, std::string_view body) {
  append_answer(status, content_type, body);
}

void exchange::no_content() {
  if (status_ == 0) append_head({.status = 204, .content_type = {}, .length = {}});
}

bool exchange::not_modified(std::string_view etag) {
  add_header("ETag", etag);
  if (!names_tag(header(http::field::if_none_match), etag)) return false;
  if (status_ == 0) append_head({.status = 304, .content_type = {}, .length = {}});
  return true;
}

void exchange::refuse(const problem& what) {
  auto code = what.reason.code;
  auto speech_wanted = speech();
  auto status = form_of(code).status;
  extra_headers_.clear();
  cache_control_ = "no-store";
  add_header("Content-Language", tag_of(speech_wanted));
  const auto seconds =
      what.retry_after > 0 ? what.retry_after : retry_after_seconds(code, thread_->dice());
  if (seconds > 0) add_header("Retry-After", std::to_string(seconds));
  if (status == 405) add_header("Allow", match_.allowed);
  if (status == 416) add_header("Content-Range", "bytes */" + what.reason.detail);
  if (code == errc::token_missing) add_header("WWW-Authenticate", "Bearer realm=\"gelombang\"");
  if (code == errc::token_invalid || code == errc::token_expired) {
    add_header("WWW-Authenticate", "Bearer realm=\"gelombang\", error=\"invalid_token\"");
  } else if (status == 401 && code != errc::token_missing) {
    add_header("WWW-Authenticate", "Bearer realm=\"gelombang\"");
  }
  json_text_.clear();
  append_problem(json_text_, what, speech_wanted);
  append_answer(status, problem_type, json_text_);
}

void exchange::add_header(std::string_view name, std::string_view value) {
  extra_headers_ += name;
  extra_headers_ += ": ";
  extra_headers_ += value;
  extra_headers_ += "\r\n";
}

// ---- streams

void exchange::stream(unsigned status, std::string_view content_type) {
  if (status_ != 0) return;
  // HTTP/1.0 has no chunks: there, the end of the connection is the end of the answer.
  if (is_http_1_0_) {
    keep_alive_ = false;
  } else {
    add_header("Transfer-Encoding", "chunked");
  }
  chunked_ = !is_http_1_0_;
  append_head({.status = status, .content_type = content_type, .length = {}});
  streaming_ = true;
}

task<bool> exchange::write(std::string_view chunk) {
  if (!streaming_) co_return false;
  if (chunk.empty() || method_ == http::verb::head) co_return true;
  if (!chunked_) {
    *out_ += chunk;
  } else {
    char size[24];
    auto end = std::to_chars(size, size + sizeof size, chunk.size(), 16).ptr;
    out_->append(size, end);
    *out_ += "\r\n";
    *out_ += chunk;
    *out_ += "\r\n";
  }
  if (out_->size() < thread_->bounds().coalesced_bytes_max) co_return true;
  co_return co_await session_->flush();
}

void exchange::finish() {
  if (!streaming_) return;
  if (chunked_ && method_ != http::verb::head) *out_ += "0\r\n\r\n";
  streaming_ = false;
}

// ---- parts

tl::expected<byte_range, no_part> exchange::part_wanted(std::string_view etag,
                                                        std::uint64_t length) const {
  const auto whole = tl::unexpected(no_part::whole);
  if (method_ != http::verb::get || headers_named("Range") != 1) return whole;
  // A date, and a tag that is weak, never are `etag`: no time of a change is told.
  const auto conditions = headers_named("If-Range");
  if (conditions > 1 || (conditions == 1 && header(http::field::if_range) != etag)) return whole;
  return part_in(header(http::field::range), length);
}

bool exchange::wants_part(std::string_view etag) const {
  const auto part = part_wanted(etag, UINT64_MAX);
  return part || part.error() != no_part::whole;
}

void exchange::stream_part(std::string_view content_type, const byte_range& part,
                           std::uint64_t length) {
  if (status_ != 0) return;
  add_header("Content-Range", fmt::format("bytes {}-{}/{}", part.first, part.end - 1, length));
  chunked_ = false;
  append_head({.status = 206, .content_type = content_type, .length = part.size()});
  streaming_ = true;
}

void exchange::refuse_part(std::uint64_t length) {
  refuse(refusal{errc::range_not_satisfiable, {}, fmt::format("{}", length)});
}

void exchange::reply_in_parts(std::string_view etag, std::string_view content_type,
                              std::string_view body) {
  const auto part = part_wanted(etag, body.size());
  if (!part && part.error() == no_part::not_satisfiable) return refuse_part(body.size());
  offer_parts();
  if (!part) return reply(200, content_type, body);
  if (status_ != 0) return;
  stream_part(content_type, *part, body.size());
  *out_ += body.substr(part->first, part->size());
  streaming_ = false;
}

}  // namespace gelombang::net
