#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "net/command/http_call.hpp"

namespace gelombang::command {

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

/// What to tell whoever gave a command for operators no token.
std::string token_is_needed_for(std::string_view command);

/// Sends the request and prints the JSON answer to `out`, or what the problem says to `complaints`.
/// @returns 0 when it was done (2xx), 1 when it was refused (4xx), 2 for a URL or token that can be
///   none, 3 when the server can't be reached, or fails (5xx).
int call_node(const http_call& call, std::FILE* out = stdout, std::FILE* complaints = stderr);

}  // namespace gelombang::command
