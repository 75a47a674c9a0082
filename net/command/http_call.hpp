#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace gelombang::command {

/// One request to a running node, by whoever can wait for its answer: operators, and the load
/// generator beside its load.
struct http_call {
  std::string url;    ///< of the node, http:// or https://
  std::string token;  ///< empty: none is sent
  std::string path;
  std::optional<std::string> body;  ///< JSON, posted; without one it is a GET
  /// A draw takes its time. 0: as long as it takes; that the node's machine is gone is noticed then
  /// by TCP keep-alive, after some 3 minutes.
  std::chrono::milliseconds timeout{std::chrono::minutes{10}};
};

struct http_answer {
  long status = 0;  ///< 0: there was none
  std::string body = {};
  std::string failure = {};  ///< why there was none
};

/// A larger answer counts as none.
inline constexpr std::size_t http_answer_bytes_max = 16u << 20;

/// Waits for the answer, or the timeout. Thread-safe.
http_answer send(const http_call& call);

/// "title: detail" and a line for each field at fault; the body as it is when it is no problem.
std::string text_of_problem(const http_answer& answer);

}  // namespace gelombang::command
