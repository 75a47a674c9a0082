// Bytes sent to a real server on the loopback interface, once in one piece and once in two:
// whatever they are, the answers are whole HTTP, the same for both, and the server lives on.
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "net/exchange.hpp"
#include "net/io_thread.hpp"
#include "net/server.hpp"

namespace {

using namespace gelombang;
using namespace gelombang::net;

net::router test_routes() {
  net::router routes;
  routes.add({http::verb::post, "/e", access::anyone, "echo",
              [](exchange& x) { x.reply(200, "text/plain", x.body()); }});
  routes.add({http::verb::get, "/g/{n}", access::anyone, "get", [](exchange& x) {
                auto query = x.query();
                if (!query) return x.refuse(query.error());
                x.reply(200, "text/plain", x.path_parameter(0));
              }});
  routes.add({http::verb::put, "/j", access::anyone, "json", [](exchange& x) {
                auto* body = x.read_body();
                if (body == nullptr) return;
                body->string("a", 1, 9);
                if (!body->ok()) return x.refuse(body->faults());
                x.no_content();
              }});
  routes.add({http::verb::post, "/w", access::anyone, "wait", [](exchange& x) -> task<> {
                co_await callback<int>([&](auto done) {
                  boost::asio::post(x.thread().context(), [done] { done(1); });
                });
                x.stream(200, "text/plain");
                co_await x.write("streamed");
                x.finish();
              }});
  return routes;
}

net::server& running() {
  static system_clock time;
  static auto* made = [] {
    limits bounds;
    bounds.header_bytes_max = 2048;
    bounds.headers_max = 16;
    bounds.body_bytes_max = 1024;
    bounds.linger_timeout = std::chrono::seconds{5};
    bounds.sweep_interval = std::chrono::milliseconds{10};
    auto* server = new net::server{{.bounds = bounds}, time};
    if (!server->listen()) std::abort();
    server->start(test_routes());
    return server;
  }();
  return *made;
}

/// What comes back to `first` and then `second`, until the server has closed.
std::string answers_to(std::string_view first, std::string_view second) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket{context};
  socket.connect({boost::asio::ip::address_v4::loopback(), running().port()});
  socket.set_option(boost::asio::ip::tcp::no_delay(true));
  // Closing resets, so that thousands of connections a second leave nothing behind.
  socket.set_option(boost::asio::socket_base::linger(true, 0));
  boost::system::error_code closed;
  for (auto piece : {first, second}) {
    boost::asio::write(socket, boost::asio::buffer(piece.data(), piece.size()), closed);
  }
  socket.shutdown(boost::asio::socket_base::shutdown_send, closed);
  std::string all;
  boost::asio::read(socket, boost::asio::dynamic_buffer(all), closed);
  return all;
}

/// The statuses of the answers in `text`; anything that is no answer ends the fuzzing.
std::vector<int> statuses_in(std::string_view text, std::string_view request) {
  std::vector<int> all;
  while (!text.empty()) {
    auto end = text.find("\r\n\r\n");
    auto head = text.substr(0, end);
    int status = 0;
    auto starts = head.substr(0, 9) == "HTTP/1.1 ";
    if (end == std::string_view::npos || !starts) std::abort();
    std::from_chars(head.data() + 9, head.data() + 12, status);
    if (status < 100 || status > 599) std::abort();
    all.push_back(status);
    // Answers to HEAD have a length and no body, so only the first of those can be followed.
    if (request.find("HEAD") != std::string_view::npos) return all;
    text.remove_prefix(end + 4);
    auto chunked = head.find("Transfer-Encoding: chunked") != std::string_view::npos;
    if (chunked) {
      auto last = text.find("0\r\n\r\n");
      if (last == std::string_view::npos) std::abort();
      text.remove_prefix(last + 5);
    }
    std::size_t length = 0;
    auto at = head.find("Content-Length: ");
    if (at != std::string_view::npos) {
      std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
    }
    // Without a length, a body of HTTP/1.0 runs to the end.
    if (at == std::string_view::npos && !chunked && status == 200) return all;
    if (length > text.size()) std::abort();
    text.remove_prefix(length);
  }
  return all;
}

/// Without the refusal of what is no request. A half of one is not refused when the client is done,
/// and where a wrong half shows itself depends on how it came.
std::vector<int> requests_in(std::vector<int> statuses) {
  if (!statuses.empty() && (statuses.back() == 400 || statuses.back() == 431)) statuses.pop_back();
  return statuses;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view request{reinterpret_cast<const char*>(data) + 1, size - 1};
  auto cut = request.empty() ? 0 : data[0] % request.size();
  auto whole = requests_in(statuses_in(answers_to(request, {}), request));
  auto pieces = answers_to(request.substr(0, cut), request.substr(cut));
  auto in_two = requests_in(statuses_in(pieces, request));
  auto continues = request.find("100") != std::string_view::npos;
  if (whole != in_two && !continues) std::abort();
  return 0;
}
