#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <atomic>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gelombang::testing {

/// A self-signed certificate for 127.0.0.1, made for one test.
struct test_certificate {
  std::string certificate;  ///< PEM
  std::string key;          ///< PEM

  static test_certificate make() {
    auto* key = EVP_EC_gen("P-256");
    auto* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    auto* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    auto* alternative = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, alternative, -1);
    X509_EXTENSION_free(alternative);
    X509_sign(x509, key, EVP_sha256());
    test_certificate made;
    auto* text = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(text, x509);
    made.certificate = drained(text);
    PEM_write_bio_PrivateKey(text, key, nullptr, nullptr, 0, nullptr, nullptr);
    made.key = drained(text);
    BIO_free(text);
    X509_free(x509);
    EVP_PKEY_free(key);
    return made;
  }

private:
  static std::string drained(BIO* from) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(from, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_reset(from);
    return out;
  }
};

/// How the sink behaves. Replies are used up one by one; then everything is accepted.
struct sink_script {
  std::string greeting = "220 sink";
  std::deque<std::string> to_rcpt = {};
  std::deque<std::string> to_message = {};
  std::string to_auth = "235 welcome";
  std::optional<test_certificate> certificate = {};
  bool tls_from_start = false;
  bool drop_after_message = false;  ///< closes the connection after each accepted letter
  int drop_in_data = 0;             ///< of so many letters, closes before the answer to DATA's end
  bool silent = false;              ///< takes connections and says nothing
};

/// An SMTP server for tests on 127.0.0.1, one connection after the other, on its own thread.
class smtp_sink {
public:
  explicit smtp_sink(sink_script script)
      : script_(std::move(script)), acceptor_(io_, {loopback(), 0}) {
    if (script_.certificate) {
      tls_.use_certificate_chain(boost::asio::buffer(script_.certificate->certificate));
      tls_.use_private_key(boost::asio::buffer(script_.certificate->key),
                           boost::asio::ssl::context::pem);
    }
    thread_ = std::thread{[this] { serve(); }};
  }

  ~smtp_sink() {
    stopping_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    if (const auto open = current_.load(); open >= 0) ::shutdown(open, SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  struct mail {
    std::string from, to, message;
  };
  std::vector<mail> received() const {
    const std::lock_guard lock{mutex_};
    return received_;
  }
  std::vector<std::string> commands() const {
    const std::lock_guard lock{mutex_};
    return commands_;
  }
  int connections() const { return connections_; }

private:
  using tcp = boost::asio::ip::tcp;
  static boost::asio::ip::address loopback() { return boost::asio::ip::address_v4::loopback(); }

  void serve() {
    while (!stopping_) {
      boost::system::error_code error;
      tcp::socket socket{io_};
      acceptor_.accept(socket, error);
      if (error) return;
      ++connections_;
      current_ = socket.native_handle();
      if (stopping_) return;
      if (script_.tls_from_start) {
        boost::asio::ssl::stream<tcp::socket&> secured{socket, tls_};
        secured.handshake(boost::asio::ssl::stream_base::server, error);
        if (!error) session(secured, true);
      } else if (session(socket, false)) {
        boost::asio::ssl::stream<tcp::socket&> secured{socket, tls_};
        secured.handshake(boost::asio::ssl::stream_base::server, error);
        if (!error) session(secured, true, false);
      }
      current_ = -1;
    }
  }

  template <class Stream>
  struct wire {
    Stream& stream;
    std::string buffered = {};
    bool alive = true;

    void say(const std::string& line) {
      boost::system::error_code error;
      boost::asio::write(stream, boost::asio::buffer(line + "\r\n"), error);
      if (error) alive = false;
    }
    std::string until(const std::string& end) {
      boost::system::error_code error;
      const auto size =
          boost::asio::read_until(stream, boost::asio::dynamic_buffer(buffered), end, error);
      if (error) {
        alive = false;
        return {};
      }
      auto text = buffered.substr(0, size - end.size());
      buffered.erase(0, size);
      return text;
    }
  };

  /// @returns true when the client asks for TLS and is to get it.
  template <class Stream>
  bool session(Stream& stream, bool secured, bool greet = true) {
    wire<Stream> with{stream};
    mail letter;
    if (script_.silent) {
      while (with.alive) with.until("\r\n");
      return false;
    }
    if (greet) with.say(script_.greeting);
    while (with.alive) {
      const auto line = with.until("\r\n");
      if (!with.alive) break;
      note(line);
      if (line == "STARTTLS") {
        with.say("220 go ahead");
        return true;
      }
      if (line == "DATA") {
        if (!take_message(with, letter)) break;
      } else {
        answer(with, line, letter, secured);
      }
      if (line == "QUIT") break;
    }
    return false;
  }

  template <class Wire>
  void answer(Wire& with, const std::string& line, mail& letter, bool secured) {
    if (line.starts_with("EHLO")) {
      if (script_.certificate && !secured) with.say("250-STARTTLS");
      with.say("250 AUTH PLAIN");
    } else if (line.starts_with("AUTH")) {
      with.say("334 ");
      note(with.until("\r\n"));
      with.say(script_.to_auth);
    } else if (line.starts_with("MAIL FROM:")) {
      letter.from = line.substr(10);
      with.say("250 ok");
    } else if (line.starts_with("RCPT TO:")) {
      letter.to = line.substr(8);
      with.say(next(script_.to_rcpt, "250 ok"));
    } else {
      with.say(line == "QUIT" ? "221 bye" : "250 ok");
    }
  }

  template <class Wire>
  bool take_message(Wire& with, mail& letter) {
    with.say("354 go on");
    letter.message = with.until("\r\n.\r\n") + "\r\n";
    if (!with.alive) return false;
    if (script_.drop_in_data-- > 0) return false;
    const auto reply = next(script_.to_message, "250 taken");
    if (reply.starts_with("250")) {
      const std::lock_guard lock{mutex_};
      received_.push_back(letter);
    }
    with.say(reply);
    return !script_.drop_after_message;
  }

  static std::string next(std::deque<std::string>& replies, std::string otherwise) {
    if (replies.empty()) return otherwise;
    auto reply = std::move(replies.front());
    replies.pop_front();
    return reply;
  }

  void note(const std::string& line) {
    const std::lock_guard lock{mutex_};
    commands_.push_back(line);
  }

  sink_script script_;
  boost::asio::io_context io_;
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
  tcp::acceptor acceptor_;
  mutable std::mutex mutex_;
  std::vector<mail> received_;
  std::vector<std::string> commands_;
  std::atomic<int> connections_ = 0;
  std::atomic<int> current_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace gelombang::testing
