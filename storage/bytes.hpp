#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "storage/frame.hpp"

namespace gelombang::storage {

static_assert(std::endian::native == std::endian::little,
              "stored numbers are little-endian and copied as they are");

/// Writes numbers and bytes one behind the other into memory that is known to be large enough.
class byte_writer {
public:
  explicit byte_writer(char* at) : at_(at) {}

  template <std::integral Number>
  byte_writer& put(Number value) {
    return put_bytes(&value, sizeof(value));
  }
  byte_writer& put(const digest& value) { return put_bytes(value.data(), value.size()); }
  byte_writer& put(std::string_view bytes) { return put_bytes(bytes.data(), bytes.size()); }

  char* at() const { return at_; }

private:
  byte_writer& put_bytes(const void* bytes, std::size_t count) {
    if (count != 0) std::memcpy(at_, bytes, count);
    at_ += count;
    return *this;
  }

  char* at_;
};

/// Takes numbers and bytes off the front of untrusted bytes. What is not there reads as zero and
/// makes the reader `broken` for good, so that a decoder need ask only once, at its end.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral Number>
  Number take() {
    Number value{};
    take_bytes(&value, sizeof(value));
    return value;
  }
  digest take_digest() {
    digest value{};
    take_bytes(value.data(), value.size());
    return value;
  }

  std::size_t left() const { return rest_.size(); }
  bool broken() const { return broken_; }

private:
  void take_bytes(void* to, std::size_t count) {
    if (rest_.size() < count) {
      broken_ = true;
      rest_ = {};
      return;
    }
    std::memcpy(to, rest_.data(), count);
    rest_.remove_prefix(count);
  }

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace gelombang::storage
