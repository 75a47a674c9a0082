#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace gelombang::load {

/// One answer of a server. The views are into the parser's buffer, until the next answer is asked
/// for.
struct answer {
  int status = 0;
  std::string_view body;
  std::string_view etag;
  std::int64_t retry_after_seconds = -1;  ///< -1 where the header is missing or is a date
  bool closes = false;                    ///< the server keeps the connection no longer
};

/// Bytes of an answer that are kept at most; a longer one is a fault of the server, as far as the
/// scenarios go.
inline constexpr std::size_t answer_bytes_max = 1u << 20;

/// Puts one HTTP/1.1 answer together from what a connection brings. Answers are told by their
/// Content-Length; without one they have no body. A chunked answer is refused: no request of a
/// person's gets one.
class answer_parser {
public:
  enum class progress : std::uint8_t { more, complete, malformed };

  /// What the next read may fill. Never empty.
  char* space() { return buffer_.data() + filled_; }
  std::size_t space_bytes() const { return buffer_.size() - filled_; }

  /// The read has brought `bytes`.
  progress took(std::size_t bytes);

  /// The answer, while the last progress was `complete`.
  const answer& found() const { return answer_; }

  /// Ready for the next answer. What came behind the last one is dropped: nothing was asked.
  void reset();

private:
  bool read_head();
  bool take_field(std::string_view line);

  static constexpr std::size_t usual_bytes = 4096;

  std::string buffer_ = std::string(usual_bytes, '\0');
  std::size_t filled_ = 0;
  std::size_t head_bytes_ = 0;  ///< 0 while the head is not complete
  std::size_t body_bytes_ = 0;
  answer answer_;
};

/// A request with everything but what differs from person to person.
struct request_parts {
  std::string_view method, path, token, idempotency_key, if_none_match, body;
};

/// Writes a request to `out`, which is emptied first.
void write_request(std::string& out, std::string_view host, const request_parts& parts);

}  // namespace gelombang::load
