#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gelombang::runtime {

/// Memory that a thread touches before it needs it, as `AlwaysPreTouch` does for a Java heap. Pages
/// that nobody has used yet are cleared when they are touched first, and on a virtual machine that
/// gives idle memory back to its host (free page reporting, ballooning) the host has to find them
/// first: measured at 0.42 GB a second, against 8.5 where the host had them still. That was half of
/// the work of waking applicants at an opening.
///
/// The allocator keeps what is given back to it, for the thread that gave it (`malloc_conf` in
/// main.cpp), so this is for one thread, the one that will need the memory.
class memory_ahead {
public:
  explicit memory_ahead(std::uint64_t bytes) : left_(bytes) {}

  /// Whether there is more to touch.
  bool wants_more() const { return left_ != 0; }

  /// Touches one block, a matter of milliseconds at worst; with the last, all go to the allocator.
  /// Ends early, and for good, when the system has no more. @returns the bytes touched.
  std::uint64_t touch_some();

private:
  std::vector<std::unique_ptr<char[]>> held_;
  std::uint64_t left_;
};

}  // namespace gelombang::runtime
