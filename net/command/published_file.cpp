#include "net/command/published_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace gelombang::command {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

std::string named(const published_file& file, std::string_view what) {
  return fmt::format("{} {}: {}", file.option, file.path, what);
}

std::string_view source_of(const published_file& file) {
  return file.kind == published_file::form::json ? "GET /v1/waves/N/draw"
                                                 : "GET /v1/waves/N/draw/entries.csv";
}

std::string download_again(const published_file& file) {
  return fmt::format("download it again ({})", source_of(file));
}

/// What stands in a file's place, if it is none.
std::string fault_of(const published_file& file, mode_t mode) {
  if (S_ISDIR(mode))
    return fmt::format("is a directory: name the file in it that was saved from {}",
                       source_of(file));
  if (S_ISFIFO(mode))
    return "is a pipe, and is read more than once: save it to a file first, and name that";
  return "is no regular file: save what it gives to one first, and name that";
}

}  // namespace

tl::expected<void, published_file_fault> look_at(const published_file& file) {
  const auto unread = [&](std::string_view why) {
    return tl::unexpected(published_file_fault{.is_content = false, .why = named(file, why)});
  };
  const auto altered = [&](std::string_view how) {
    return tl::unexpected(published_file_fault{.is_content = true, .why = named(file, how)});
  };
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0)
    return unread(fmt::format("{}: look at the name, or download it ({})", std::strerror(errno),
                              source_of(file)));
  if (!S_ISREG(status.st_mode)) return unread(fault_of(file, status.st_mode));
  std::ifstream in{file.path, std::ios::binary};
  if (!in)
    return unread(
        fmt::format("{}: whoever verifies must be allowed to read it", std::strerror(errno)));
  if (status.st_size == 0) return altered("is empty: " + download_again(file));
  std::string front(byte_order_mark.size(), '\0');
  in.read(front.data(), static_cast<std::streamsize>(front.size()));
  if (front == byte_order_mark)
    return altered(
        "begins with a UTF-8 byte order mark (EF BB BF), which the published file does "
        "not have: an editor may have added it. Take it away, or " +
        download_again(file));
  return {};
}

std::string advice_if_cut(const published_file& file) {
  std::ifstream in{file.path, std::ios::binary};
  bool is_cut = false;
  if (file.kind == published_file::form::csv) {
    char last = '\0';
    in.seekg(-1, std::ios::end);
    is_cut = in.get(last) && last != '\n';
  } else {
    std::stringstream text;
    text << in.rdbuf();
    boost::json::error_code fault;
    (void)boost::json::parse(text.str(), fault);
    is_cut = fault == boost::json::error::incomplete;
  }
  if (!is_cut) return {};
  return named(file, fmt::format("ends in the middle of a {}, as a file does that was cut off: {}",
                                 file.kind == published_file::form::csv ? "line" : "text",
                                 download_again(file)));
}

}  // namespace gelombang::command
