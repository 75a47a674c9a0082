#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gelombang::system_testing {

struct http_response {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// One connection that is kept alive, opened when it is needed. Blocks. For one thread.
class http_client {
public:
  /// @param source  low 16 bits of the loopback address to come from: limits count by address
  explicit http_client(std::uint16_t port, std::uint16_t source = 1)
      : port_(port), source_(source) {}
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;
  ~http_client() { close(); }

  /// @param headers  whole lines, as "Name: value"
  /// @returns nothing when no whole answer came: whether the request had its effect is not known.
  std::optional<http_response> send(std::string_view method, std::string_view target,
                                    const std::vector<std::string>& headers, std::string_view body);

private:
  bool connect();
  void close();
  bool write(std::string_view bytes);
  bool read_more();
  std::optional<std::string> read_line();
  bool read_body(std::size_t bytes, std::string& body);
  bool read_chunks(std::string& body);
  std::optional<http_response> read_response();

  std::uint16_t port_;
  std::uint16_t source_;
  int socket_ = -1;
  std::string buffer_;
};

}  // namespace gelombang::system_testing
