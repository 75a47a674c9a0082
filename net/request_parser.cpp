#include "net/request_parser.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <functional>

namespace gelombang::net {
namespace {

constexpr int http_1_1 = 11;

/// A bit for each header that may stand in a request only once, or 0.
std::uint32_t once_bit(http::field name) {
  switch (name) {
    case http::field::host:
      return 1;
    case http::field::content_length:
      return 2;
    case http::field::transfer_encoding:
      return 4;
    case http::field::authorization:
      return 8;
    case http::field::content_type:
      return 16;
    case http::field::expect:
      return 32;
    default:
      return 0;
  }
}

}  // namespace

request_parser::request_parser(std::vector<field_view>& fields, std::string& chunked_body,
                               const limits& bounds)
    : fields_(fields), chunked_body_(chunked_body), bounds_(bounds) {
  fields_.clear();
  chunked_body_.clear();
  header_limit(static_cast<std::uint32_t>(bounds.header_bytes_max));
  // The route decides: the session compares Content-Length with its limit, and sets it for chunks.
  body_limit(boost::none);
}

bool request_parser::is_inside(const char* position) const {
  return !std::less<>{}(position, begin_) && !std::less<>{}(end_, position);
}

void request_parser::on_request_impl(http::verb method, string_view, string_view target,
                                     int version, error_code&) {
  method_ = method;
  is_http_1_1_ = version == http_1_1;
  target_at_ = static_cast<std::uint32_t>(target.data() - begin_);
  target_bytes_ = static_cast<std::uint32_t>(target.size());
}

bool request_parser::is_acceptable(http::field name, string_view value) {
  if (auto bit = once_bit(name); bit != 0) {
    if ((seen_once_ & bit) != 0) return false;
    seen_once_ |= bit;
  }
  switch (name) {
    case http::field::content_length: {
      auto [end, failed] =
          std::from_chars(value.data(), value.data() + value.size(), announced_bytes_);
      return failed == std::errc{} && end == value.data() + value.size();
    }
    case http::field::transfer_encoding:
      return is_http_1_1_ && boost::beast::iequals(value, "chunked");
    case http::field::host:
      return std::all_of(value.begin(), value.end(), [](char character) {
        return character > 0x20 && character < 0x7f && character != '/' && character != '@';
      });
    case http::field::expect:
      expects_continue_ = is_http_1_1_ && boost::beast::iequals(value, "100-continue");
      return true;
    default:
      return true;
  }
}

void request_parser::on_field_impl(http::field name, string_view name_text, string_view value,
                                   error_code& error) {
  if (++lines_ > bounds_.headers_max) {
    too_many_fields_ = true;
    error = http::error::header_limit;
    return;
  }
  // Trailers are read, bounded and forgotten: nothing here has a use for them.
  if (headers_ended_) return;
  // Beast joins folded lines in a buffer of its own, so a value outside ours was folded.
  if (!is_inside(value.data()) || !is_acceptable(name, value)) {
    error = http::error::bad_value;
    return;
  }
  fields_.push_back({.name = name,
                     .name_at = static_cast<std::uint32_t>(name_text.data() - begin_),
                     .name_bytes = static_cast<std::uint32_t>(name_text.size()),
                     .value_at = static_cast<std::uint32_t>(value.data() - begin_),
                     .value_bytes = static_cast<std::uint32_t>(value.size())});
}

void request_parser::on_header_impl(error_code& error) {
  headers_ended_ = true;
  auto has_host = (seen_once_ & once_bit(http::field::host)) != 0;
  if (is_http_1_1_ && !has_host) error = http::error::bad_field;
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, string_view body, error_code&) {
  chunked_body_.append(body.data(), body.size());
  return body.size();
}

}  // namespace gelombang::net
