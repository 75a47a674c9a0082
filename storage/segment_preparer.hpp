#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "storage/file_system.hpp"

namespace gelombang::storage {

/// A file full of zeros that is to become a segment.
struct fresh_segment {
  std::filesystem::path path;
  std::unique_ptr<writable_file> file;
  std::uint64_t reserved = 0;
};

/// Makes the next segment's file on a thread of its own. All members are for the commit thread.
class segment_preparer {
public:
  segment_preparer(file_system& files, std::filesystem::path path, std::uint64_t bytes);
  segment_preparer(const segment_preparer&) = delete;
  segment_preparer& operator=(const segment_preparer&) = delete;
  /// Removes a file that nobody has taken.
  ~segment_preparer();

  /// Asks for a file for the segment behind segment `number`: tried once for each, since a disk
  /// without room for it has none a millisecond later either.
  void request(std::uint64_t number);

  bool ready() const;

  /// The file, if it is ready.
  std::optional<fresh_segment> take();

private:
  void run();
  result<std::unique_ptr<writable_file>> make();
  bool stopping() const;

  file_system& files_;
  const std::filesystem::path path_;
  const std::uint64_t bytes_;

  mutable std::mutex guard_;
  std::condition_variable wake_;
  bool stop_ = false;
  bool busy_ = false;
  std::uint64_t requested_ = 0;
  std::uint64_t tried_ = 0;
  std::unique_ptr<writable_file> made_;
  std::thread thread_;  ///< last: it uses the others
};

}  // namespace gelombang::storage
