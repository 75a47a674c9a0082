#include "load-tests/engine/wire.hpp"

#include <charconv>
#include <cstring>

namespace gelombang::load {
namespace {

bool same_name(std::string_view field, std::string_view lower) {
  if (field.size() != lower.size()) return false;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const char c = field[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c) != lower[i]) return false;
  }
  return true;
}

template <class Number>
bool read_whole(std::string_view text, Number& into) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into);
  return fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

answer_parser::progress answer_parser::took(std::size_t bytes) {
  filled_ += bytes;
  if (head_bytes_ == 0) {
    const void* end = ::memmem(buffer_.data(), filled_, "\r\n\r\n", 4);
    if (end != nullptr) {
      head_bytes_ = static_cast<std::size_t>(static_cast<const char*>(end) - buffer_.data()) + 4;
      if (!read_head()) return progress::malformed;
    }
  }
  if (head_bytes_ != 0 && filled_ >= head_bytes_ + body_bytes_) {
    answer_.body = std::string_view{buffer_}.substr(head_bytes_, body_bytes_);
    return progress::complete;
  }
  if (filled_ < buffer_.size()) return progress::more;
  if (buffer_.size() >= answer_bytes_max) return progress::malformed;
  // The views of the head would point to where it was.
  buffer_.resize(buffer_.size() * 4);
  if (head_bytes_ != 0 && !read_head()) return progress::malformed;
  return progress::more;
}

void answer_parser::reset() {
  filled_ = head_bytes_ = body_bytes_ = 0;
  answer_ = {};
}

bool answer_parser::read_head() {
  answer_ = {};
  body_bytes_ = 0;
  auto head = std::string_view{buffer_}.substr(0, head_bytes_ - 2);
  constexpr std::size_t status_end = 12;  // of "HTTP/1.1 200"
  if (head.size() < status_end || !head.starts_with("HTTP/1.")) return false;
  if (!read_whole(head.substr(9, 3), answer_.status)) return false;
  if (head[7] == '0') answer_.closes = true;
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const auto end = head.find("\r\n");
    if (!take_field(head.substr(0, end))) return false;
    head.remove_prefix(end + 2);
  }
  if (answer_.status == 204 || answer_.status == 304) body_bytes_ = 0;
  return body_bytes_ <= answer_bytes_max;
}

bool answer_parser::take_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const auto name = line.substr(0, colon);
  auto value = line.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (same_name(name, "content-length")) return read_whole(value, body_bytes_);
  if (same_name(name, "etag")) answer_.etag = value;
  if (same_name(name, "retry-after") && !read_whole(value, answer_.retry_after_seconds))
    answer_.retry_after_seconds = -1;
  if (same_name(name, "connection")) answer_.closes = same_name(value, "close");
  return !same_name(name, "transfer-encoding");
}

void write_request(std::string& out, std::string_view host, const request_parts& parts) {
  out.clear();
  const auto add = [&out](auto... texts) { (out.append(texts), ...); };
  add(parts.method, std::string_view{" "}, parts.path, std::string_view{" HTTP/1.1\r\nHost: "},
      host);
  if (!parts.token.empty()) add(std::string_view{"\r\nAuthorization: Bearer "}, parts.token);
  if (!parts.idempotency_key.empty())
    add(std::string_view{"\r\nIdempotency-Key: "}, parts.idempotency_key);
  if (!parts.if_none_match.empty())
    add(std::string_view{"\r\nIf-None-Match: "}, parts.if_none_match);
  if (!parts.body.empty()) add(std::string_view{"\r\nContent-Type: application/json"});
  if (parts.method != "GET")
    add(std::string_view{"\r\nContent-Length: "}, std::to_string(parts.body.size()));
  add(std::string_view{"\r\n\r\n"}, parts.body);
}

}  // namespace gelombang::load
