#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <utility>

namespace gelombang::net {

namespace asio = boost::asio;

/// An accepted connection that the event loop hears of only when it is first waited for: who comes
/// with his request on a new connection and leaves with the answer is never waited for, and the
/// kernel's lists for it are a sixth of what he costs. Non-blocking. For one thread.
class lazy_socket {
public:
  /// Takes the descriptor.
  lazy_socket(asio::io_context& context, asio::ip::tcp protocol, int descriptor)
      : context_(context), protocol_(protocol), descriptor_(descriptor) {}
  ~lazy_socket() {
    if (!waited_for_) ::close(descriptor_);
  }
  lazy_socket(const lazy_socket&) = delete;
  lazy_socket& operator=(const lazy_socket&) = delete;

  int native_handle() const { return descriptor_; }

  template <class Handler>
  void async_wait(asio::socket_base::wait_type what, Handler&& handler) {
    if (!waited_for_) waited_for_.emplace(context_.get_executor(), protocol_, descriptor_);
    waited_for_->async_wait(what, std::forward<Handler>(handler));
  }
  /// Ends the waiting there is.
  void cancel() {
    boost::system::error_code ignored;
    if (waited_for_) waited_for_->cancel(ignored);
  }
  void shutdown_send() { ::shutdown(descriptor_, SHUT_WR); }

private:
  using socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  asio::io_context& context_;
  asio::ip::tcp protocol_;
  int descriptor_;
  std::optional<socket> waited_for_;  ///< owns the descriptor once it is there
};

}  // namespace gelombang::net
