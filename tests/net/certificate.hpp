#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "net/server.hpp"

namespace gelombang::net::test {

/// A self-signed certificate and its key in files that go with this object.
class certificate {
public:
  explicit certificate(const std::string& name) {
    auto pattern = (std::filesystem::temp_directory_path() / "gelombang-tls-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    renew(name);
  }
  ~certificate() { std::filesystem::remove_all(directory_); }

  tls_files files() const { return {path("certificate.pem"), path("key.pem")}; }

  void renew(const std::string& name) {
    using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
    using x509_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
    key_ptr key{EVP_EC_gen("P-256"), &EVP_PKEY_free};
    x509_ptr made{X509_new(), &X509_free};
    constexpr long day_seconds = 86'400;
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), day_seconds);
    X509_set_pubkey(made.get(), key.get());
    auto* subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    X509_sign(made.get(), key.get(), EVP_sha256());
    write("certificate.pem", [&](FILE* file) { PEM_write_X509(file, made.get()); });
    write("key.pem", [&](FILE* file) {
      PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
  }

  void spoil() { std::ofstream{path("certificate.pem")} << "no certificate"; }

private:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  template <class Write>
  void write(const std::string& name, Write write_to) {
    auto* file = std::fopen(path(name).c_str(), "w");
    write_to(file);
    std::fclose(file);
  }

  std::string directory_;
};

}  // namespace gelombang::net::test
