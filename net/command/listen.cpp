#include "net/command/listen.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace gelombang::command {

std::string listen_at::host() const {
  return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

bool is_ip_address(const std::string& text) {
  boost::system::error_code wrong;
  boost::asio::ip::make_address(text, wrong);
  return !wrong;
}

tl::expected<listen_at, std::string> parse_listen(std::string_view text) {
  const auto unfit = [&] {
    return tl::unexpected(
        fmt::format("must be ADDR:PORT, an IP address such as 127.0.0.1, 0.0.0.0 or [::1] and a "
                    "port from 0 to 65535, not \"{}\"",
                    text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return unfit();
  auto address = text.substr(0, colon);
  const bool is_in_brackets = address.starts_with('[') && address.ends_with(']');
  if (is_in_brackets) address = address.substr(1, address.size() - 2);
  // Without brackets, the last colon of "::1" would be taken for the port's.
  const bool has_colons = address.find(':') != std::string_view::npos;
  listen_at read{.address = std::string{address}};
  const auto port = text.substr(colon + 1);
  const auto* end = port.data() + port.size();
  const auto number = std::from_chars(port.data(), end, read.port);
  if (number.ec != std::errc{} || number.ptr != end) return unfit();
  if (has_colons != is_in_brackets || !is_ip_address(read.address)) return unfit();
  return read;
}

}  // namespace gelombang::command
