#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "net/exchange.hpp"
#include "net/problem.hpp"
#include "net/request_parser.hpp"
#include "net/waiting_room/waiting_room.hpp"

namespace gelombang::net {

/// A read is only tried with room for this much.
inline constexpr std::size_t read_bytes_min = 1024;

/// Bytes read from a connection, from the beginning of the request that is being read.
class read_buffer {
public:
  read_buffer();

  char* begin() { return data_.get() + begin_; }
  char* end() { return data_.get() + end_; }
  std::size_t size() const { return end_ - begin_; }
  std::size_t room() const { return capacity_ - end_; }
  std::size_t capacity() const { return capacity_; }

  /// Makes room for more: moves what there is to the front, or doubles.
  void make_room();
  void added(std::size_t bytes) { end_ += bytes; }
  void drop_front(std::size_t bytes);
  /// Takes `bytes` out at `at`, counted from the beginning.
  void cut_out(std::size_t at, std::size_t bytes);
  void clear() { begin_ = end_ = 0; }

private:
  std::unique_ptr<char[]> data_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// What a connection needs only while a request is under way. Idle connections hold none; a thread
/// keeps those that were given back.
struct workspace {
  read_buffer input;
  std::string chunked_body;
  std::optional<request_parser> parser;
  exchange x;
  std::string output;

  std::size_t parsed = 0;        ///< bytes of the request that the parser has taken
  std::size_t header_bytes = 0;  ///< of the request, once its headers are complete; 0 before
  std::size_t request_bytes = 0;
  std::optional<problem> rejection;     ///< why the request is refused without asking the handler
  std::optional<waiting> told_to_wait;  ///< instead of it
  std::optional<verdict> turn;          ///< of somebody who has waited
  bool is_options = false;
};

}  // namespace gelombang::net
