#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace gelombang::draw {

/// How many files may be mapped at a time.
inline constexpr std::size_t mapped_regions_max = 4096;

/// A mapping of a file, read-only, that survives the file's being cut. Reading behind the end of a
/// mapped file is answered with SIGBUS, which would end the process; in a region that is known here
/// the rest of it becomes zeros instead, and it is told that they are. Any other SIGBUS has the
/// effect that it would have had. Thread-safe.
class mapped_region {
public:
  mapped_region() = default;
  mapped_region(mapped_region&& other) noexcept;
  mapped_region& operator=(mapped_region&& other) noexcept;
  ~mapped_region();

  /// @param size  not 0
  /// @returns a region without bytes, and errno says why; ENFILE for one more than
  ///   `mapped_regions_max`.
  static mapped_region map(int file, std::size_t size);

  const char* data() const { return static_cast<const char*>(start_); }
  std::size_t size() const { return size_; }

  /// Whether nothing of what has been read so far was zeros instead of what the file holds.
  bool is_whole() const;

private:
  static constexpr std::size_t no_slot = mapped_regions_max;

  void* start_ = nullptr;
  std::size_t size_ = 0;
  std::size_t slot_ = no_slot;
};

}  // namespace gelombang::draw
