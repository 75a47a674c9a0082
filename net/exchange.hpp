#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/programme/clock.hpp"
#include "net/byte_range.hpp"
#include "net/json_reader.hpp"
#include "net/json_writer.hpp"
#include "net/language.hpp"
#include "net/peer_address.hpp"
#include "net/problem.hpp"
#include "net/request_parser.hpp"
#include "net/router.hpp"
#include "net/target.hpp"
#include "net/task.hpp"
#include "net/tokens.hpp"

namespace gelombang::net {

class io_thread;
class session;

/// One request and its answer, as a handler sees them. A handler reads, asks whom it must, and
/// answers exactly once, with one of `reply`, `no_content`, `not_modified`, `refuse` or a stream;
/// one that answers nothing is answered for with 500.
///
///     task<> join(exchange& x) {
///       auto wave = wave_in(x.path_parameter(0));
///       if (!wave) co_return x.refuse(wave.error());
///       auto answer = co_await gateway.ask(x, wave::join{*wave, x.bearer().subject});
///       if (!answer) co_return x.refuse(answer.error());
///       write(x.json(), *answer);
///       x.reply(answer->again ? 200 : 201);
///     }
///
/// All views last until the handler returns. Used on its io thread only.
class exchange {
public:
  // ---- the request

  http::verb method() const { return method_; }
  std::string_view path() const { return target_.path; }
  /// The parameter in curly brackets number `index`, decoded.
  std::string_view path_parameter(std::size_t index) const { return match_.parameters[index]; }
  /// @returns `query_invalid` for a query that can't be taken apart or has a name twice.
  result<query_parameters> query() const;
  /// The first header of that name, or an empty text.
  std::string_view header(http::field name) const;
  std::string_view header(std::string_view name) const;
  /// How often a header of that name comes: one that is empty is not one that is missing.
  std::size_t headers_named(std::string_view name) const;
  /// Followed by `json_padding_bytes` readable bytes.
  std::string_view body() const { return body_; }
  /// The body as a JSON object. When it is none, or is declared as something else, the request has
  /// been refused, and the handler is done.
  json_body* read_body();
  /// Whether the body is declared as JSON, for who can do without one. A body that is declared as
  /// nothing is none of these, though `read_body` reads it.
  bool declares_json() const;

  /// What the token says; only on routes with another access than `anyone`.
  const claims& bearer() const { return bearer_; }
  const peer_address& peer() const { return peer_; }
  language speech() const;
  /// When the request was complete, on the programme's clock.
  instant now() const { return now_; }
  /// When the client will be told that there was no answer.
  instant deadline() const;
  const route* matched() const { return match_.found; }
  io_thread& thread() const { return *thread_; }

  // ---- the answer

  /// A writer for the answer's body, emptied; `reply(status)` sends what it wrote.
  json_writer json();
  void reply(unsigned status);
  void reply(unsigned status, std::string_view json);
  void reply(unsigned status, std::string_view content_type, std::string_view body);
  void no_content();
  /// Answers 304 when If-None-Match names `etag` (quoted), which is then all the answer; otherwise
  /// sets the ETag header for the reply to come.
  bool not_modified(std::string_view etag);
  /// Answers 200 with `body`, or 206 with the part of it that is asked for, or 416. `etag` is the
  /// one that `not_modified` was asked with before.
  void reply_in_parts(std::string_view etag, std::string_view content_type, std::string_view body);
  void refuse(const problem& what);
  /// Adds a header to the reply to come. Name and value are the programme's own, never the
  /// client's.
  void add_header(std::string_view name, std::string_view value);
  /// Sets Cache-Control of the reply to come; otherwise it is "no-store".
  void cache_control(std::string_view value) { cache_control_ = value; }

  /// Begins an answer of unknown length. `write` waits until the client has taken enough of it;
  /// false: it is gone, and the handler should end. `finish` ends the answer; without it the
  /// connection is cut, so that the client sees that something is missing.
  void stream(unsigned status, std::string_view content_type);
  task<bool> write(std::string_view chunk);
  void finish();

  // ---- parts of an answer whose length is known (RFC 9110, 14)

  /// Whether a part may be asked for: then the length is worth finding out.
  bool wants_part(std::string_view etag) const;
  /// The part that a GET asks for, unless If-Range names another text than `etag` (strong, quoted).
  tl::expected<byte_range, no_part> part_wanted(std::string_view etag, std::uint64_t length) const;
  /// Says in the reply to come that parts can be asked for.
  void offer_parts() { add_header("Accept-Ranges", "bytes"); }
  /// Begins a 206; `write` must be given just that part, and then `finish`.
  void stream_part(std::string_view content_type, const byte_range& part, std::uint64_t length);
  /// Answers 416 and how long the whole is.
  void refuse_part(std::uint64_t length);

private:
  friend class session;

  struct head_facts {
    unsigned status;
    std::string_view content_type;
    std::optional<std::size_t> length;
  };

  bool is_named(const field_view& field, std::string_view name) const;
  void append_head(const head_facts& facts);
  void append_answer(unsigned status, std::string_view content_type, std::string_view body);

  // What the session fills in.
  io_thread* thread_ = nullptr;
  session* session_ = nullptr;
  const char* begin_ = nullptr;
  http::verb method_ = http::verb::unknown;
  target_parts target_;
  route_match match_;
  std::string decoded_path_;
  std::vector<field_view> fields_;
  std::string_view body_;
  claims bearer_;
  peer_address peer_;
  instant now_;

  // What the handler answers.
  std::string json_text_;
  std::string extra_headers_;
  std::string_view cache_control_ = "no-store";
  std::string* out_ = nullptr;
  unsigned status_ = 0;  ///< 0: not answered yet
  bool keep_alive_ = true;
  bool streaming_ = false;
  bool chunked_ = false;  ///< while streaming: the length is not known
  bool is_http_1_0_ = false;
};

}  // namespace gelombang::net
