#pragma once

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <tl/expected.hpp>

namespace gelombang::command {

/// One request of an operator to a running node.
struct operator_call {
  std::string url;  ///< of the node, http:// or https://
  std::string token;
  std::string path;
  std::optional<std::string> body;  ///< JSON, posted; without one it is a GET
  std::chrono::milliseconds timeout{std::chrono::minutes{10}};  ///< a draw or a copy takes its time
};

/// Where an operator's access token may come from, but the environment.
struct token_source {
  std::string given;  ///< on the command line, where everybody on the machine can read it
  std::string file;   ///< its first line
};

inline constexpr const char* token_variable = "GELOMBANG_TOKEN";
inline constexpr std::size_t token_bytes_max = 8192;

/// The token that is given, else the file's, else that of the environment's GELOMBANG_TOKEN, else
/// none.
/// @returns why the file has none.
tl::expected<std::string, std::string> token_from(const token_source& source);

inline constexpr std::size_t operator_answer_bytes_max = 16u << 20;

/// Sends the request and prints the JSON answer to `out`, or what the problem says to `complaints`.
/// @returns 0 when it was done (2xx), 1 when it was refused (4xx), 2 for a URL or token that can be
///   none, 3 when the server can't be reached, or fails (5xx).
int call_node(const operator_call& call, std::FILE* out = stdout, std::FILE* complaints = stderr);

}  // namespace gelombang::command
