#include "net/workspace.hpp"

#include <cstring>

namespace gelombang::net {
namespace {

constexpr std::size_t first_buffer_bytes = 4096;

std::unique_ptr<char[]> padded_memory(std::size_t bytes) {
  // The bytes behind the text are read by the JSON parser, whatever they are; zeros keep that
  // defined.
  return std::make_unique<char[]>(bytes + json_padding_bytes);
}

}  // namespace

read_buffer::read_buffer()
    : data_(padded_memory(first_buffer_bytes)), capacity_(first_buffer_bytes) {}

void read_buffer::make_room() {
  if (begin_ > 0) {
    std::memmove(data_.get(), begin(), size());
    end_ -= begin_;
    begin_ = 0;
    if (room() >= read_bytes_min) return;
  }
  auto larger = padded_memory(capacity_ * 2);
  std::memcpy(larger.get(), begin(), size());
  data_ = std::move(larger);
  capacity_ *= 2;
}

void read_buffer::drop_front(std::size_t bytes) {
  begin_ += bytes;
  if (begin_ == end_) clear();
}

void read_buffer::cut_out(std::size_t at, std::size_t bytes) {
  std::memmove(begin() + at, begin() + at + bytes, size() - at - bytes);
  end_ -= bytes;
}

}  // namespace gelombang::net
