#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/limits.hpp"

namespace gelombang::net {

namespace http = boost::beast::http;

/// A header line, as positions relative to the request's first byte: they stay right when the
/// buffer moves.
struct field_view {
  http::field name;
  std::uint32_t name_at;
  std::uint32_t name_bytes;
  std::uint32_t value_at;
  std::uint32_t value_bytes;
};

/// Beast's parser, storing nothing: a header costs 20 bytes in a vector that is used again, and a
/// body that comes in one piece is not touched. Stricter than Beast where two readers of one
/// request could disagree on where it ends (RFC 9112, 11.2): no folded lines, one Content-Length of
/// digits only, "chunked" as the only transfer coding and not in HTTP/1.0, one Host.
class request_parser final : public http::basic_parser<true> {
public:
  /// `fields` and `chunked_body` are emptied and filled.
  request_parser(std::vector<field_view>& fields, std::string& chunked_body, const limits& bounds);

  /// To be called before each `put`: where the request begins now, and where its bytes end.
  void at(const char* begin, const char* end) {
    begin_ = begin;
    end_ = end;
  }

  http::verb method() const { return method_; }
  std::uint32_t target_at() const { return target_at_; }
  std::uint32_t target_bytes() const { return target_bytes_; }
  /// The body's length as announced; 0 without one, and for chunks.
  std::uint64_t announced_bytes() const { return announced_bytes_; }
  bool is_http_1_1() const { return is_http_1_1_; }
  bool expects_continue() const { return expects_continue_; }
  bool too_many_fields() const { return too_many_fields_; }

private:
  using string_view = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(http::verb method, string_view method_text, string_view target, int version,
                       error_code& error) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_field_impl(http::field name, string_view name_text, string_view value,
                     error_code& error) override;
  void on_header_impl(error_code& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override;
  void on_finish_impl(error_code&) override {}

  bool is_inside(const char* position) const;
  bool is_acceptable(http::field name, string_view value);

  std::vector<field_view>& fields_;
  std::string& chunked_body_;
  const limits& bounds_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  std::uint32_t target_at_ = 0;
  std::uint32_t target_bytes_ = 0;
  http::verb method_ = http::verb::unknown;
  std::uint64_t announced_bytes_ = 0;
  std::size_t lines_ = 0;
  std::uint32_t seen_once_ = 0;
  bool is_http_1_1_ = false;
  bool headers_ended_ = false;
  bool expects_continue_ = false;
  bool too_many_fields_ = false;
};

}  // namespace gelombang::net
