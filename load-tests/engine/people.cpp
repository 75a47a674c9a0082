#include "load-tests/engine/people.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace gelombang::load {

tl::expected<token_file, std::string> token_file::open(const std::filesystem::path& file) {
  const auto refused = [&](std::string_view why) {
    return tl::unexpected(fmt::format("{}: {}", file.string(), why));
  };
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return refused(std::strerror(errno));
  struct stat about {};
  ::fstat(descriptor, &about);
  const auto bytes = static_cast<std::size_t>(about.st_size);
  void* mapped =
      bytes == 0 ? MAP_FAILED : ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
  ::close(descriptor);
  if (mapped == MAP_FAILED) return refused("holds nothing that can be read");
  token_file opened;
  opened.text_ = {static_cast<const char*>(mapped), bytes};
  const auto end = opened.text_.find('\n');
  if (end == std::string_view::npos || end == 0) return refused("has no token a line");
  opened.line_bytes_ = end + 1;
  if (bytes % opened.line_bytes_ != 0 || opened.text_.back() != '\n')
    return refused("has lines of several lengths, or an unfinished last one");
  opened.count_ = bytes / opened.line_bytes_;
  return opened;
}

token_file::token_file(token_file&& other) noexcept
    : text_(std::exchange(other.text_, {})),
      line_bytes_(other.line_bytes_),
      count_(std::exchange(other.count_, 0)) {}

token_file::~token_file() {
  if (!text_.empty()) ::munmap(const_cast<char*>(text_.data()), text_.size());
}

std::uint32_t loopback_address(std::uint64_t number, std::uint32_t count) {
  constexpr std::uint32_t first = 0x7f010001;  // 127.1.0.1
  constexpr std::uint32_t usable = 0x7ffffffe - first;
  return htonl(first + static_cast<std::uint32_t>(number % count % usable));
}

}  // namespace gelombang::load
