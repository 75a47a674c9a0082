#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>

namespace gelombang::net {

struct tls_files;

struct ssl_deleter {
  void operator()(SSL* connection) const { SSL_free(connection); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ssl_ptr = std::unique_ptr<SSL, ssl_deleter>;

/// Certificate, key and settings for new connections: TLS 1.2 and later, ALPN http/1.1, buffers
/// given back while a connection is idle. Thread-safe.
class tls_context {
public:
  /// Reads both files, for connections from now on. On failure nothing changes.
  tl::expected<void, std::string> load(const tls_files& files);

  /// The server's side of a connection on this descriptor, or null when memory is out.
  ssl_ptr accept_on(int descriptor) const;

private:
  mutable std::mutex guard_;
  std::shared_ptr<SSL_CTX> current_;
};

}  // namespace gelombang::net
