#include "load-tests/engine/server_watch.hpp"

#include <charconv>
#include <chrono>

#include "net/command/http_call.hpp"

namespace gelombang::load {

std::map<std::string, double, std::less<>> metrics_in(std::string_view text) {
  std::map<std::string, double, std::less<>> found;
  while (!text.empty() && found.size() < run_metrics_max) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto space = line.rfind(' ');
    if (space == std::string_view::npos || space > run_name_bytes_max) continue;
    const auto name = line.substr(0, space);
    if (name.find("_bucket{") != std::string_view::npos) continue;
    double value = 0;
    const auto number = line.substr(space + 1);
    const auto [stop, fault] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (fault == std::errc{} && stop == number.data() + number.size()) found.emplace(name, value);
  }
  return found;
}

std::map<std::string, double, std::less<>> metrics_of(const std::string& url) {
  const auto told = command::send({.url = url,
                                   .token = {},
                                   .path = "/metrics",
                                   .body = std::nullopt,
                                   .timeout = std::chrono::seconds{1}});
  return told.status == 200 ? metrics_in(told.body) : std::map<std::string, double, std::less<>>{};
}

}  // namespace gelombang::load
