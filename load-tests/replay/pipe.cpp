#include "load-tests/replay/pipe.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace gelombang::load::replay {
namespace {

constexpr std::string_view length_field = "content-length:";

bool is_length(std::string_view line) {
  if (line.size() < length_field.size()) return false;
  for (std::size_t i = 0; i < length_field.size(); ++i)
    if ((line[i] | (line[i] == '-' || line[i] == ':' ? 0 : 0x20)) != length_field[i]) return false;
  return true;
}

std::size_t find(std::string_view text, std::string_view what) {
  const void* at = ::memmem(text.data(), text.size(), what.data(), what.size());
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - text.data())
            : std::string_view::npos;
}

template <class Number>
bool read_whole(std::string_view text, Number& into) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into);
  return fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

scanned_answer scan_answer(std::string_view text) {
  using progress = scanned_answer::progress;
  const auto head_end = find(text, "\r\n\r\n");
  if (head_end == std::string_view::npos) return {};
  scanned_answer read{.found = progress::malformed};
  auto head = text.substr(0, head_end + 2);
  if (head.size() < 14 || !head.starts_with("HTTP/1.1 ") ||
      !read_whole(head.substr(9, 3), read.status))
    return read;
  std::size_t body_bytes = 0;
  bool has_length = read.status == 204 || read.status == 304;
  for (auto at = head.find("\r\n") + 2; at < head.size();) {
    const auto end = head.find("\r\n", at);
    auto line = head.substr(at, end - at);
    at = end + 2;
    if (!is_length(line)) continue;
    line.remove_prefix(length_field.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    if (!read_whole(line, body_bytes)) return read;
    has_length = true;
    break;
  }
  if (!has_length) return read;
  read.bytes = head_end + 4 + body_bytes;
  read.found = text.size() < read.bytes ? progress::more : progress::complete;
  if (read.found == progress::complete) read.body = text.substr(head_end + 4, body_bytes);
  return read;
}

bool pipe::open(const sockaddr_in& to) {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return false;
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const bool done = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  if ((done || errno == EINPROGRESS) && loop_.watch(socket_, *this)) return true;
  close();
  return false;
}

void pipe::close() {
  if (socket_ < 0) return;
  ::close(std::exchange(socket_, -1));
  loop_.forget(*this);
  connected_ = false;
  out_.clear();
  sent_ = filled_ = 0;
}

void pipe::give_up() {
  close();
  for (auto& one : std::exchange(waiting_, {})) owner_.lost(one);
}

void pipe::added(const under_way& one) {
  if (waiting_.empty()) heard_ = loop_.now();
  waiting_.push_back(one);
}

void pipe::flush() {
  if (sent_ == out_.size()) return;
  const auto sent =
      ::send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
  // A connection that is gone is heard of by its event.
  if (sent > 0) sent_ += static_cast<std::size_t>(sent);
  if (sent_ < out_.size()) return;
  out_.clear();
  sent_ = 0;
}

void pipe::ready(std::uint32_t events) {
  if (!connected_) {
    int fault = 0;
    socklen_t size = sizeof fault;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &size);
    if (fault != 0) return give_up();
    if ((events & EPOLLOUT) == 0) return;
    connected_ = true;
    return owner_.has_room(*this);
  }
  if ((events & EPOLLIN) != 0 && !receive()) return give_up();
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) return give_up();
  flush();
  owner_.has_room(*this);
}

/// @returns false when the connection is of no more use.
bool pipe::receive() {
  for (;;) {
    if (filled_ == in_.size()) return false;  // no answer of a person's is as long
    const auto room = in_.size() - filled_;
    const auto size = ::recv(socket_, in_.data() + filled_, room, 0);
    if (size < 0 && errno == EAGAIN) return true;
    if (size <= 0) return false;
    filled_ += static_cast<std::size_t>(size);
    heard_ = loop_.now();
    if (!take_answers()) return false;
    if (static_cast<std::size_t>(size) < room) return true;
  }
}

bool pipe::take_answers() {
  std::size_t taken = 0;
  while (taken < filled_) {
    const auto next = scan_answer({in_.data() + taken, filled_ - taken});
    if (next.found == scanned_answer::progress::more) break;
    if (next.found == scanned_answer::progress::malformed || waiting_.empty()) return false;
    auto one = waiting_.front();
    waiting_.pop_front();
    owner_.answered(one, next.status, next.body);
    taken += next.bytes;
  }
  if (taken > 0) std::memmove(in_.data(), in_.data() + taken, filled_ - taken);
  filled_ -= taken;
  return true;
}

}  // namespace gelombang::load::replay
