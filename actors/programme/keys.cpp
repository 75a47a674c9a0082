#include "actors/programme/keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "actors/programme/hex.hpp"

namespace gelombang {
namespace {

constexpr std::size_t master_bytes = 32;
static_assert(master_bytes == crypto_kdf_KEYBYTES);

/// The numbers of the derived keys. Durable: a number never gets another purpose.
enum class purpose : std::uint64_t {
  seal = 1,
  email_code = 2,
  access_token = 3,
  refresh_token = 4,
  account = 5,
  entry = 6,
  family = 7,
  nik = 8,
  phone = 9,
  waiting_ticket = 10,
};

constexpr char derivation_context[crypto_kdf_CONTEXTBYTES + 1] = "gelombng";

void start_sodium() {
  static const bool started = sodium_init() >= 0;
  if (!started) throw std::runtime_error("libsodium finds no source of randomness");
}

template <std::size_t Bytes>
std::array<std::uint8_t, Bytes> derive(const std::array<std::uint8_t, master_bytes>& master,
                                       purpose use) {
  std::array<std::uint8_t, Bytes> key;
  crypto_kdf_derive_from_key(key.data(), key.size(), static_cast<std::uint64_t>(use),
                             derivation_context, master.data());
  return key;
}

template <class Number>
std::uint8_t* put_little_endian(std::uint8_t* to, Number number) {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    *to++ = static_cast<std::uint8_t>(number >> (8 * i));
  }
  return to;
}

std::uint64_t little_endian(const std::uint8_t* from) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number |= std::uint64_t{from[i]} << (8 * i);
  return number;
}

std::uint64_t short_hash(std::span<const std::uint8_t> message,
                         const std::array<std::uint8_t, 16>& key) {
  std::array<std::uint8_t, crypto_shorthash_BYTES> hash;
  crypto_shorthash(hash.data(), message.data(), message.size(), key.data());
  return little_endian(hash.data());
}

std::array<std::uint8_t, 16> long_hash(std::span<const std::uint8_t> message,
                                       const std::array<std::uint8_t, 16>& key) {
  std::array<std::uint8_t, crypto_shorthash_siphashx24_BYTES> hash;
  crypto_shorthash_siphashx24(hash.data(), message.data(), message.size(), key.data());
  return hash;
}

// A sealed field is: 8 random bytes, then the ciphertext with its tag of 16 bytes. The nonce of 24
// bytes is the random part and the owner's id, so 64 random bits need to differ only among the few
// times one owner's fields are sealed.
constexpr std::size_t nonce_random_bytes = 8;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
using seal_nonce = std::array<std::uint8_t, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES>;
using owner_bytes = std::array<std::uint8_t, sizeof(applicant_id::value)>;

owner_bytes bytes_of_owner(applicant_id owner) {
  owner_bytes bytes;
  put_little_endian(bytes.data(), owner.value);
  return bytes;
}

/// The random part of a nonce. Drawn from libsodium for many nonces at once: a call for each asks
/// the kernel every time.
void put_random_part(std::uint8_t* to) {
  struct stock {
    std::array<std::uint8_t, 4096> bytes{};
    std::size_t used = sizeof bytes;
  };
  static_assert(sizeof(stock::bytes) % nonce_random_bytes == 0);
  thread_local stock mine;
  if (mine.used == mine.bytes.size()) {
    randombytes_buf(mine.bytes.data(), mine.bytes.size());
    mine.used = 0;
  }
  std::memcpy(to, mine.bytes.data() + mine.used, nonce_random_bytes);
  mine.used += nonce_random_bytes;
}

seal_nonce nonce_from(const std::uint8_t* random_part, const owner_bytes& owner) {
  seal_nonce nonce{};
  std::memcpy(nonce.data(), random_part, nonce_random_bytes);
  std::memcpy(nonce.data() + nonce_random_bytes, owner.data(), owner.size());
  return nonce;
}

tl::unexpected<std::string> file_failed(const std::filesystem::path& file, std::string_view what) {
  return tl::unexpected(fmt::format("{}: {}", file.string(), what));
}

/// A descriptor that is closed with its scope.
struct descriptor {
  int number;
  ~descriptor() {
    if (number >= 0) ::close(number);
  }
};

void sync_directory_of(const std::filesystem::path& file) {
  auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
  descriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (opened.number >= 0) ::fsync(opened.number);
}

/// Makes the key under another name first: a crash leaves either no key file or a whole one, and of
/// two processes that start at once only one gives its key the name.
tl::expected<void, std::string> create_key_file(const std::filesystem::path& file) {
  std::array<std::uint8_t, master_bytes> master;
  randombytes_buf(master.data(), master.size());
  auto text = to_hex(master) + "\n";
  auto draft = file.string() + fmt::format(".{}.new", ::getpid());
  {
    descriptor opened{::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    if (opened.number < 0) return file_failed(draft, std::strerror(errno));
    auto written = ::write(opened.number, text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()) || ::fsync(opened.number) != 0) {
      return file_failed(draft, std::strerror(errno));
    }
  }
  auto linked = ::link(draft.c_str(), file.c_str());
  auto reason = errno;
  ::unlink(draft.c_str());
  sodium_memzero(master.data(), master.size());
  sodium_memzero(text.data(), text.size());
  if (linked != 0 && reason != EEXIST) return file_failed(file, std::strerror(reason));
  sync_directory_of(file);
  return {};
}

}  // namespace

keyring keyring::from_bytes(const std::array<std::uint8_t, 32>& master) {
  start_sodium();
  keyring keys;
  keys.seal_ = derive<32>(master, purpose::seal);
  keys.code_ = derive<32>(master, purpose::email_code);
  keys.access_ = derive<32>(master, purpose::access_token);
  keys.refresh_ = derive<32>(master, purpose::refresh_token);
  keys.waiting_ = derive<32>(master, purpose::waiting_ticket);
  keys.account_ = derive<16>(master, purpose::account);
  keys.entry_ = derive<16>(master, purpose::entry);
  keys.family_ = derive<16>(master, purpose::family);
  keys.nik_ = derive<16>(master, purpose::nik);
  keys.phone_ = derive<16>(master, purpose::phone);
  return keys;
}

tl::expected<keyring, std::string> keyring::load(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return file_failed(file, std::strerror(errno));
  // One character more than a key and its line end, so that a longer file is noticed.
  std::string text(2 * master_bytes + 2, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  auto master = from_hex<master_bytes>(text);
  sodium_memzero(text.data(), text.size());
  if (!master) return file_failed(file, "a master key is one line of 64 lower-case hex digits");
  auto keys = from_bytes(*master);
  sodium_memzero(master->data(), master->size());
  return keys;
}

tl::expected<keyring, std::string> keyring::load_or_create(const std::filesystem::path& file) {
  start_sodium();
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) {
    std::filesystem::create_directories(file.parent_path(), unknown);
    if (auto created = create_key_file(file); !created) return tl::unexpected(created.error());
  }
  return load(file);
}

applicant_id keyring::account_of(std::string_view normalised_email) const {
  return {short_hash(bytes_of(normalised_email), account_)};
}

entry_id keyring::entry_of(wave_number wave, applicant_id applicant) const {
  std::array<std::uint8_t, sizeof wave.value + sizeof applicant.value> message;
  put_little_endian(put_little_endian(message.data(), wave.value), applicant.value);
  return long_hash(message, entry_);
}

std::uint64_t keyring::family_of(std::string_view kk_digits) const {
  return short_hash(bytes_of(kk_digits), family_);
}

std::array<std::uint8_t, 16> keyring::nik_hash(std::string_view nik_digits) const {
  return long_hash(bytes_of(nik_digits), nik_);
}

std::array<std::uint8_t, 16> keyring::phone_hash(std::string_view phone) const {
  return long_hash(bytes_of(phone), phone_);
}

std::string keyring::seal(applicant_id owner, std::string_view plain) const {
  std::string sealed(nonce_random_bytes + plain.size() + tag_bytes, '\0');
  auto* bytes = reinterpret_cast<std::uint8_t*>(sealed.data());
  put_random_part(bytes);
  auto bound = bytes_of_owner(owner);
  auto nonce = nonce_from(bytes, bound);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + nonce_random_bytes, nullptr,
                                             bytes_of(plain).data(), plain.size(), bound.data(),
                                             bound.size(), nullptr, nonce.data(), seal_.data());
  return sealed;
}

result<std::string> keyring::open(applicant_id owner, std::string_view sealed) const {
  if (sealed.size() < nonce_random_bytes + tag_bytes) {
    return refuse(errc::internal, {}, "a sealed field is too short");
  }
  auto bytes = bytes_of(sealed);
  auto bound = bytes_of_owner(owner);
  auto nonce = nonce_from(bytes.data(), bound);
  std::string plain(sealed.size() - nonce_random_bytes - tag_bytes, '\0');
  auto opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<std::uint8_t*>(plain.data()), nullptr, nullptr,
      bytes.data() + nonce_random_bytes, bytes.size() - nonce_random_bytes, bound.data(),
      bound.size(), nonce.data(), seal_.data());
  if (opened != 0) return refuse(errc::internal, {}, "a sealed field does not open");
  return plain;
}

std::string keyring::email_code(applicant_id account, std::uint32_t generation) const {
  std::array<std::uint8_t, sizeof account.value + sizeof generation> message;
  put_little_endian(put_little_endian(message.data(), account.value), generation);
  std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> code;
  crypto_auth_hmacsha256(code.data(), message.data(), message.size(), code_.data());
  return fmt::format("{:06}", little_endian(code.data()) % 1'000'000);
}

}  // namespace gelombang
