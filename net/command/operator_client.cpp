#include "net/command/operator_client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

namespace gelombang::command {
namespace {

// Exit codes of the contract.
constexpr int done = 0;
constexpr int refused = 1;  ///< or done, and to be looked at
constexpr int wrong_usage = 2;
constexpr int unreachable = 3;

bool is_url(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed{curl_url(), &curl_url_cleanup};
  return parsed && curl_url_set(parsed.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
}

/// @returns what is wrong with the options, or nothing.
std::string fault_of(const http_call& call) {
  const auto is_control = [](char one) { return static_cast<unsigned char>(one) < 0x20; };
  if (std::any_of(call.token.begin(), call.token.end(), is_control))
    return "--token: a token is one line";
  if (!call.url.starts_with("http://") && !call.url.starts_with("https://"))
    return fmt::format("--url {}: must begin with http:// or https://", call.url);
  if (!is_url(call.url))
    return fmt::format("--url {}: is no URL, such as http://127.0.0.1:8080", call.url);
  return {};
}

/// What a node that has done as it was told adds to be heeded.
std::vector<std::string> warnings_in(const std::string& body) {
  boost::system::error_code unread;
  const auto answer = boost::json::parse(body, unread);
  const auto* object = unread ? nullptr : answer.if_object();
  const auto* given = object ? object->if_contains("warnings") : nullptr;
  std::vector<std::string> warnings;
  if (!given || !given->is_array()) return warnings;
  for (const auto& one : given->get_array())
    if (one.is_string()) warnings.emplace_back(one.get_string());
  return warnings;
}

}  // namespace

tl::expected<std::string, std::string> token_from(const token_source& source) {
  if (!source.given.empty()) return source.given;
  if (source.file.empty()) {
    const auto* known = std::getenv(token_variable);
    return std::string{known ? known : ""};
  }
  const auto failed = [&](std::string_view why) {
    return tl::unexpected(fmt::format("--token-file {}: {}", source.file, why));
  };
  std::ifstream in{source.file, std::ios::binary};
  std::string text(token_bytes_max, '\0');
  if (!in) return failed(std::strerror(errno));
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto token = text.substr(0, text.find_first_of("\r\n"));
  if (in.bad() || (token.empty() && text.empty())) return failed("can't be read, or is empty");
  if (token.empty()) return failed("its first line is empty");
  if (token.size() == token_bytes_max) return failed("is no token: its first line is too long");
  return token;
}

std::string token_is_needed_for(std::string_view command) {
  return fmt::format(
      "{}: an operator's access token is needed: --token-file, or {} in the environment", command,
      token_variable);
}

int call_node(const http_call& call, std::FILE* out, std::FILE* complaints) {
  if (const auto fault = fault_of(call); !fault.empty()) {
    fmt::print(complaints, "gelombang: {}\n", fault);
    return wrong_usage;
  }
  const auto answer = send(call);
  if (answer.status == 0) {
    fmt::print(complaints, "gelombang: {}\n", answer.failure);
    return unreachable;
  }
  if (answer.status >= 200 && answer.status < 300) {
    fmt::print(out, "{}\n", answer.body);
    const auto warnings = warnings_in(answer.body);
    for (const auto& one : warnings) fmt::print(complaints, "gelombang: warning: {}\n", one);
    // A script that keeps the newest backup alone must not overlook them.
    return warnings.empty() ? done : refused;
  }
  fmt::print(complaints, "gelombang: {}\n", text_of_problem(answer));
  return answer.status >= 500 ? unreachable : refused;
}

}  // namespace gelombang::command
