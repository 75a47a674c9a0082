#include "tests/system/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace gelombang::system_testing {
namespace {

/// Longer than the node takes for any answer, so that silence is a fault.
constexpr timeval answer_within{30, 0};

sockaddr_in loopback(std::uint16_t low, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7F000000u | low);
  return address;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

bool http_client::connect() {
  if (socket_ >= 0) return true;
  buffer_.clear();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return false;
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &answer_within, sizeof answer_within);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &answer_within, sizeof answer_within);
  const auto from = loopback(source_, 0);
  const auto to = loopback(1, port_);
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) == 0 &&
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0)
    return true;
  close();
  return false;
}

void http_client::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool http_client::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool http_client::read_more() {
  char bytes[16 * 1024];
  const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> http_client::read_line() {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos)
    if (!read_more()) return std::nullopt;
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

bool http_client::read_body(std::size_t bytes, std::string& body) {
  while (buffer_.size() < bytes)
    if (!read_more()) return false;
  body.append(buffer_, 0, bytes);
  buffer_.erase(0, bytes);
  return true;
}

bool http_client::read_chunks(std::string& body) {
  for (;;) {
    const auto size = read_line();
    if (!size) return false;
    const auto bytes = std::stoul(*size, nullptr, 16);
    if (!read_body(bytes, body)) return false;
    const auto end = read_line();
    if (!end || !end->empty()) return false;
    if (bytes == 0) return true;
  }
}

std::optional<http_response> http_client::read_response() {
  const auto status = read_line();
  if (!status || status->size() < 12) return std::nullopt;
  http_response answer;
  answer.status = std::stoi(status->substr(9, 3));
  for (;;) {
    const auto line = read_line();
    if (!line) return std::nullopt;
    if (line->empty()) break;
    const auto colon = line->find(": ");
    if (colon == std::string::npos) return std::nullopt;
    answer.headers[lower(line->substr(0, colon))] = line->substr(colon + 2);
  }
  const auto length = answer.headers.find("content-length");
  const bool chunked = answer.headers.count("transfer-encoding") > 0;
  if (chunked && !read_chunks(answer.body)) return std::nullopt;
  if (!chunked && length != answer.headers.end() &&
      !read_body(std::stoul(length->second), answer.body))
    return std::nullopt;
  return answer;
}

std::optional<http_response> http_client::send(std::string_view method, std::string_view target,
                                               const std::vector<std::string>& headers,
                                               std::string_view body) {
  if (!connect()) return std::nullopt;
  std::string request;
  request.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: node\r\n");
  for (const auto& one : headers) request.append(one).append("\r\n");
  if (!body.empty() || method == "POST" || method == "PUT")
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  request.append("\r\n").append(body);
  std::optional<http_response> answer;
  if (write(request)) answer = read_response();
  const bool last = !answer || lower(answer->headers["connection"]) == "close";
  if (last) close();
  return answer;
}

}  // namespace gelombang::system_testing
