#pragma once

#include <cstddef>

namespace gelombang::net {

/// Memory for Argon2, kept from one hash to the next. Taking 64 MiB from the kernel and giving them
/// back costs a third of a hash, and holds a lock that every other thread needs that maps memory
/// or touches it first: so it is for a thread of usual priority to do, not for the one that
/// hashes. Used by one thread at a time.
class argon2_memory {
public:
  argon2_memory() = default;
  ~argon2_memory() { release(); }
  argon2_memory(const argon2_memory&) = delete;
  argon2_memory& operator=(const argon2_memory&) = delete;

  /// Takes what is missing and touches all of it, in huge pages where the kernel has them.
  /// @returns whether there are so many bytes now.
  bool hold(std::size_t bytes);

  /// Gives everything back.
  void release();

  std::size_t bytes() const { return bytes_; }
  unsigned char* data() const { return data_; }

private:
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  unsigned char* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace gelombang::net
