#include "net/command/http_call.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <memory>
#include <string_view>

namespace gelombang::command {
namespace {

namespace json = boost::json;

struct free_list {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct close_handle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using header_list = std::unique_ptr<curl_slist, free_list>;

void add_header(header_list& to, const std::string& line) {
  auto* longer = curl_slist_append(to.get(), line.c_str());
  if (!longer) return;
  (void)to.release();
  to.reset(longer);
}

/// libcurl hands over the answer piece by piece; a short count makes it stop.
std::size_t take_answer(char* bytes, std::size_t size, std::size_t count, void* target) {
  auto& answer = *static_cast<std::string*>(target);
  if (answer.size() + size * count > http_answer_bytes_max) return 0;
  answer.append(bytes, size * count);
  return size * count;
}

std::string_view text_in(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (!value || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

}  // namespace

http_answer send(const http_call& call) {
  static const auto started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, close_handle> handle{started == CURLE_OK ? curl_easy_init()
                                                                       : nullptr};
  if (!handle) return {.failure = "libcurl cannot start"};
  http_answer answer;
  std::array<char, CURL_ERROR_SIZE> reason{};
  auto base = call.url;
  while (base.ends_with('/')) base.pop_back();
  const auto url = base + call.path;
  header_list headers;
  add_header(headers, "Accept-Language: en");
  add_header(headers, "Content-Type: application/json");
  if (!call.token.empty()) add_header(headers, "Authorization: Bearer " + call.token);
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
  // After 60 s of silence, then Linux's 9 times every 15 s.
  curl_easy_setopt(handle.get(), CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_TCP_KEEPIDLE, 60L);
  curl_easy_setopt(handle.get(), CURLOPT_TCP_KEEPINTVL, 15L);
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason.data());
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &take_answer);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer.body);
  if (call.body) {
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body->size()));
    curl_easy_setopt(handle.get(), CURLOPT_POSTFIELDS, call.body->c_str());
  }
  const auto outcome = curl_easy_perform(handle.get());
  if (outcome == CURLE_OK) {
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  } else {
    answer.failure =
        fmt::format("{}: {}", url, reason[0] != '\0' ? reason.data() : curl_easy_strerror(outcome));
  }
  return answer;
}

std::string text_of_problem(const http_answer& answer) {
  boost::system::error_code code;
  const auto parsed = json::parse(answer.body, code);
  if (code || !parsed.is_object()) return fmt::format("status {}: {}", answer.status, answer.body);
  const auto& problem = parsed.get_object();
  auto text = fmt::format("{} {}", answer.status, text_in(problem, "title"));
  if (const auto detail = text_in(problem, "detail"); !detail.empty())
    text += fmt::format(": {}", detail);
  const auto* errors = problem.if_contains("errors");
  if (!errors || !errors->is_array()) return text;
  for (const auto& one : errors->get_array())
    if (one.is_object())
      text += fmt::format("\n  {}: {}", text_in(one.get_object(), "pointer"),
                          text_in(one.get_object(), "message"));
  return text;
}

}  // namespace gelombang::command
