#include "net/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
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

/// One of the two files, by the configuration's key.
struct named_file {
  std::string_view key;
  const std::string& path;
};

std::string name_of(const named_file& file) {
  return std::string{file.key} + " = " + file.path;
}

tl::unexpected<std::string> failure(const named_file& file, std::string_view what) {
  return tl::unexpected(name_of(file) + ": " + std::string{what});
}

/// OpenSSL tells nobody in words why it can't open a file.
std::string fault_of(const std::string& path) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) return "is a directory, and a file is wanted";
  errno = 0;
  return std::ifstream{path} ? "" : std::generic_category().message(errno);
}

/// Without it, OpenSSL asks for a passphrase at the terminal, and a start waits.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

bool is_private_key(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file{BIO_new_file(path.c_str(), "r"), &BIO_free};
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      file ? PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr) : nullptr,
      &EVP_PKEY_free};
  return key != nullptr;
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
  if (!made) return tl::unexpected("TLS: " + reason());
  SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                      SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(made.get(), choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(made.get(), no_passphrase);
  const named_file chain{"listen.tls_certificate", files.certificate_chain};
  const named_file key{"listen.tls_key", files.private_key};
  for (const auto& one : {chain, key})
    if (const auto fault = fault_of(one.path); !fault.empty()) return failure(one, fault);
  if (SSL_CTX_use_certificate_chain_file(made.get(), chain.path.c_str()) != 1)
    return failure(chain,
                   "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----): " + reason());
  // Which of both faults it is, OpenSSL does not tell: whether it is a key at all is tried first.
  if (!is_private_key(key.path))
    return failure(key,
                   "holds no private key in PEM form (-----BEGIN PRIVATE KEY-----), or one "
                   "with a passphrase, which the node can't ask for: " +
                       reason());
  if (SSL_CTX_use_PrivateKey_file(made.get(), key.path.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(made.get()) != 1)
    return failure(
        key, "does not belong to the first certificate in " + name_of(chain) + ": " + reason());
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
