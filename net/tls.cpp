#include "net/tls.hpp"

#include <openssl/err.h>

#include <array>
#include <utility>

#include "net/server.hpp"

namespace gelombang::net {
namespace {

std::string reason() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

tl::unexpected<std::string> failure(const std::string& file) {
  return tl::unexpected(file + ": " + reason());
}

/// Chooses http/1.1 when the client offers it, and goes on without ALPN when it does not.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void*) {
  static constexpr unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* picked = nullptr;
  auto agreed =
      SSL_select_next_proto(&picked, chosen_bytes, ours, sizeof ours, offered, offered_bytes);
  *chosen = picked;
  return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

tl::expected<void, std::string> tls_context::load(const tls_files& files) {
  std::shared_ptr<SSL_CTX> made{SSL_CTX_new(TLS_server_method()), ssl_deleter{}};
  if (!made) return failure("TLS");
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                      SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(made.get(), choose_protocol, nullptr);
  auto& chain = files.certificate_chain;
  auto& key = files.private_key;
  if (SSL_CTX_use_certificate_chain_file(made.get(), chain.c_str()) != 1) return failure(chain);
  if (SSL_CTX_use_PrivateKey_file(made.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failure(key);
  }
  if (SSL_CTX_check_private_key(made.get()) != 1) return failure(key);
  std::lock_guard lock{guard_};
  current_ = std::move(made);
  return {};
}

ssl_ptr tls_context::accept_on(int descriptor) const {
  std::shared_ptr<SSL_CTX> context;
  {
    std::lock_guard lock{guard_};
    context = current_;
  }
  ssl_ptr made{SSL_new(context.get())};
  if (!made || SSL_set_fd(made.get(), descriptor) != 1) return nullptr;
  SSL_set_accept_state(made.get());
  return made;
}

}  // namespace gelombang::net
