#include "net/argon2_memory.hpp"

#include <sys/mman.h>

#include <memory>

namespace gelombang::net {
namespace {

constexpr std::size_t huge_page_bytes = std::size_t{2} << 20;

}  // namespace

bool argon2_memory::hold(std::size_t bytes) {
  if (bytes <= bytes_) return true;
  release();
  const auto is_large = bytes >= huge_page_bytes;
  const auto wanted = bytes + (is_large ? huge_page_bytes : 0);
  auto* const got =
      ::mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (got == MAP_FAILED) return false;
  mapped_ = got;
  mapped_bytes_ = wanted;
  auto* at = got;
  auto space = wanted;
  data_ =
      static_cast<unsigned char*>(is_large ? std::align(huge_page_bytes, bytes, at, space) : got);
  bytes_ = bytes;
  // That they are not granted costs time and nothing else.
  if (is_large) ::madvise(data_, bytes, MADV_HUGEPAGE);
  ::madvise(data_, bytes, MADV_POPULATE_WRITE);
  return true;
}

void argon2_memory::release() {
  if (mapped_) ::munmap(mapped_, mapped_bytes_);
  mapped_ = nullptr;
  data_ = nullptr;
  mapped_bytes_ = bytes_ = 0;
}

}  // namespace gelombang::net
