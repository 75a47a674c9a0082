#pragma once

#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "net/exchange.hpp"
#include "net/io_thread.hpp"
#include "net/server.hpp"

namespace gelombang::net::test {

inline const instant noon{std::chrono::milliseconds{1'800'000'000'000}};

inline const access_tokens& tokens() {
  static const access_tokens made{{token_key{"k1", {1, 2, 3}}}};
  return made;
}

inline std::string token_for(roles held) {
  auto now = std::chrono::floor<std::chrono::seconds>(noon).time_since_epoch().count();
  return tokens().mint({.subject = applicant_id{42},
                        .session = 1,
                        .held = held,
                        .issued_at = now,
                        .expires_at = now + 900});
}

struct reply {
  int status = 0;
  std::map<std::string, std::string> headers = {};  ///< names in lower case
  std::string body = {};

  std::string header(const std::string& name) const {
    auto at = headers.find(name);
    return at == headers.end() ? "" : at->second;
  }
};

/// Speaks to a server by bytes. Reads give up after a time that is only reached when something is
/// broken, so that a fault fails a test instead of hanging it.
class client {
public:
  /// `from` is any address of 127.0.0.0/8.
  explicit client(std::uint16_t port, const boost::asio::ip::address_v4& from = {})
      : socket_(context_) {
    socket_.open(boost::asio::ip::tcp::v4());
    if (!from.is_unspecified()) socket_.bind({from, 0});
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  virtual ~client() = default;

  virtual void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the server has closed");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  reply ask(std::string_view request) {
    send(request);
    return read();
  }

  /// Reads one answer; `is_head` when it has no body whatever it says.
  reply read(bool is_head = false) {
    reply answer;
    auto head = take_until("\r\n\r\n");
    auto line_end = std::min(head.find("\r\n"), head.size());
    answer.status = std::stoi(head.substr(9, 3));
    for (auto at = line_end + 2; at < head.size();) {
      auto end = std::min(head.find("\r\n", at), head.size());
      auto line = head.substr(at, end - at);
      auto colon = line.find(": ");
      for (std::size_t i = 0; i < colon; ++i) line[i] = static_cast<char>(std::tolower(line[i]));
      answer.headers[line.substr(0, colon)] = line.substr(colon + 2);
      at = end + 2;
    }
    auto has_body =
        !is_head && answer.status >= 200 && answer.status != 204 && answer.status != 304;
    if (!has_body) return answer;
    if (answer.header("transfer-encoding") == "chunked") {
      while (true) {
        auto size = std::stoul(take_until("\r\n"), nullptr, 16);
        answer.body += take(size);
        take_until("\r\n");
        if (size == 0) return answer;
      }
    }
    auto length = answer.header("content-length");
    answer.body = length.empty() ? read_to_end() : take(std::stoul(length));
    return answer;
  }

  std::string read_to_end() {
    while (more()) {
    }
    return std::exchange(buffered_, {});
  }

  /// Whether the server ends the connection without another byte.
  bool is_ended() { return buffered_.empty() && !more(); }

  boost::asio::ip::tcp::socket& socket() { return socket_; }

protected:
  virtual std::ptrdiff_t receive(char* to, std::size_t bytes) {
    return ::recv(socket_.native_handle(), to, bytes, 0);
  }

private:
  bool more() {
    char bytes[16384];
    auto got = receive(bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("the server does not answer");
    }
    if (got <= 0) return false;
    buffered_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::string take_until(std::string_view end) {
    std::size_t at;
    while ((at = buffered_.find(end)) == std::string::npos) {
      if (!more()) throw std::runtime_error("the server has closed: " + buffered_);
    }
    auto taken = buffered_.substr(0, at);
    buffered_.erase(0, at + end.size());
    return taken;
  }
  std::string take(std::size_t bytes) {
    while (buffered_.size() < bytes) {
      if (!more()) throw std::runtime_error("the server has closed within a body");
    }
    auto taken = buffered_.substr(0, bytes);
    buffered_.erase(0, bytes);
    return taken;
  }

  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
  std::string buffered_;
};

/// A server on a free port, with routes to test by.
class front {
public:
  explicit front(limits bounds = quick(), std::size_t threads = 1,
                 std::optional<tls_files> tls = {})
      : server_({.threads = threads, .bounds = bounds, .tls = std::move(tls), .tokens = &tokens()},
                time_) {
    if (auto listening = server_.listen(); !listening) {
      throw std::runtime_error(listening.error());
    }
  }

  /// Limits as they are, but swept every few milliseconds.
  static limits quick() {
    limits bounds;
    bounds.sweep_interval = std::chrono::milliseconds{5};
    return bounds;
  }

  void add(http::verb method, std::string path, handler answer, access who = access::anyone,
           std::size_t body_bytes_max = 0) {
    auto name = http::to_string(method);
    auto id = std::string(name.data(), name.size()) + " " + path;
    routes_.add({method, std::move(path), who, std::move(id), std::move(answer), body_bytes_max});
  }

  /// Begins to serve: what was added, and POST /echo, GET /who/{name}, the house's own.
  front& start() {
    add(http::verb::post, "/echo", [](exchange& x) { x.reply(200, "text/plain", x.body()); });
    add(http::verb::get, "/who/{name}",
        [](exchange& x) { x.reply(200, "text/plain", x.path_parameter(0)); });
    add_house_routes(routes_, server_);
    add_metrics_route(routes_, page_);
    server_.start(std::move(routes_), &page_);
    return *this;
  }

  std::uint16_t port() const { return server_.port(); }
  client connect() const { return client{port()}; }
  reply get(const std::string& path) const {
    return connect().ask("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  net::server& server() { return server_; }
  metrics_page& page() { return page_; }
  /// The value of a line of /metrics, or -1.
  double metric(const std::string& series) const {
    auto text = "\n" + page_.text();
    auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size() + 2));
  }

private:
  manual_clock time_{noon};
  metrics_page page_;
  router routes_;
  net::server server_;
};

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view headers = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

}  // namespace gelombang::net::test
