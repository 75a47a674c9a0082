#include "actors/runtime/memory_ahead.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace gelombang::runtime {
namespace {

/// A huge page: small enough for whoever wants to be loaded to wait for.
constexpr std::uint64_t block_bytes = 2u << 20;
constexpr std::size_t page_bytes = 4096;

}  // namespace

std::uint64_t memory_ahead::touch_some() {
  const auto bytes = std::min(left_, block_bytes);
  std::unique_ptr<char[]> block{new (std::nothrow) char[bytes]};
  const auto touched = block ? bytes : 0;
  left_ = block ? left_ - bytes : 0;
  for (std::size_t at = 0; at < touched; at += page_bytes)
    static_cast<volatile char*>(block.get())[at] = 0;
  if (block) held_.push_back(std::move(block));
  // All at once at the end: a block given back earlier would be the next one again.
  if (left_ == 0) std::exchange(held_, {}).clear();
  return touched;
}

}  // namespace gelombang::runtime
