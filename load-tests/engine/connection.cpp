#include "load-tests/engine/connection.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gelombang::load {

std::string_view name_of(loss why) {
  constexpr std::array<std::string_view, losses> names{"none",    "connect",  "reset",
                                                       "timeout", "protocol", "cut"};
  return names[static_cast<std::size_t>(why)];
}

bool connection::open(const sockaddr_in& to, std::uint32_t source) {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return false;
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (source != 0) {
    // The port is chosen when the other end is known, so that one address has 28,000 to each server
    // instead of to all.
    ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = source;
    if (::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
      close();
      return false;
    }
  }
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if ((!connected_ && errno != EINPROGRESS) || !loop_.watch(socket_, *this)) {
    close();
    return false;
  }
  return true;
}

void connection::close() {
  if (socket_ < 0) return;
  ::close(std::exchange(socket_, -1));
  loop_.forget(*this);
  connected_ = false;
}

void connection::give_up(loss why) {
  if (!waiting_) return close();
  end(why);
  std::exchange(waiting_, nullptr).resume();
}

/// @returns whether the operation has ended already.
bool connection::begin(std::string_view request, bool with_answer) {
  ++operations_;
  outcome_ = loss::none;
  unsent_ = request;
  with_answer_ = with_answer;
  parser_.reset();
  if (socket_ < 0) return end(loss::reset);
  if (!connected_) return false;
  if (unsent_.empty()) return advance();
  if (send_rest()) return true;
  // The answer can't be here yet, and the socket will tell when it is.
  return unsent_.empty() && !with_answer_;
}

void connection::ready(std::uint32_t events) {
  if (!waiting_) {
    // Nobody asked anything: the server ends a connection that has been idle.
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) close();
    return;
  }
  bool ended = false;
  if (!connected_) {
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0)
      ended = end(loss::connect);
    else if ((events & EPOLLOUT) == 0)
      return;
    else
      connected_ = true;
  }
  if (!ended) ended = advance();
  if (ended) std::exchange(waiting_, nullptr).resume();
}

/// Sends and reads as far as it goes without waiting. @returns whether the operation has ended.
bool connection::advance() {
  if (!unsent_.empty() && send_rest()) return true;
  if (!unsent_.empty()) return false;
  if (!with_answer_) return true;
  return read_answer();
}

bool connection::send_rest() {
  const auto sent = ::send(socket_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent > 0) {
    unsent_.remove_prefix(static_cast<std::size_t>(sent));
    return false;
  }
  return errno != EAGAIN && end(loss::reset);
}

bool connection::read_answer() {
  for (;;) {
    const auto room = parser_.space_bytes();
    const auto size = ::recv(socket_, parser_.space(), room, 0);
    if (size < 0 && errno == EAGAIN) return false;
    if (size <= 0) return end(loss::reset);
    switch (parser_.took(static_cast<std::size_t>(size))) {
      case answer_parser::progress::complete:
        return true;
      case answer_parser::progress::malformed:
        return end(loss::protocol);
      case answer_parser::progress::more:
        // Less than there was room for: the socket is empty, and will tell when it is not.
        if (static_cast<std::size_t>(size) < room) return false;
    }
  }
}

bool connection::end(loss why) {
  outcome_ = why;
  close();
  return true;
}

}  // namespace gelombang::load
