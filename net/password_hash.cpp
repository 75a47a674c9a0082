#include "net/password_hash.hpp"

#include <argon2.h>
#include <sodium.h>

namespace gelombang::net {
namespace {

static_assert(ARGON2_MIN_MEMORY <= (1u << password_memory_log2_kib_min));
static_assert(password_salt_bytes + sizeof(password_digest) + 2 == password_hash_bytes);

/// What the library's callbacks, which are told nothing else, give out.
thread_local argon2_memory* memory_here = nullptr;

int give_out(unsigned char** memory, std::size_t bytes) {
  if (!memory_here->hold(bytes)) return ARGON2_MEMORY_ALLOCATION_ERROR;
  *memory = memory_here->data();
  return ARGON2_OK;
}

/// The library has wiped it.
void keep(unsigned char* /*memory*/, std::size_t /*bytes*/) {}

/// It reads what it takes as `uint8_t*`; with these flags it changes nothing.
unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
}

}  // namespace

password_cost cost_of(std::string_view hash) {
  return {.passes = static_cast<std::uint8_t>(hash[password_hash_bytes - 2]),
          .memory_log2_kib = static_cast<std::uint8_t>(hash[password_hash_bytes - 1])};
}

bool is_password_hash(std::string_view hash) {
  if (hash.size() != password_hash_bytes) return false;
  auto cost = cost_of(hash);
  return cost.passes >= 1 && cost.passes <= password_passes_max &&
         cost.memory_log2_kib >= password_memory_log2_kib_min &&
         cost.memory_log2_kib <= password_memory_log2_kib_max;
}

std::string_view salt_of(std::string_view hash) {
  return hash.substr(0, password_salt_bytes);
}

std::string random_salt() {
  std::string salt(password_salt_bytes, '\0');
  randombytes_buf(salt.data(), salt.size());
  return salt;
}

std::string random_password_hash(password_cost cost) {
  password_digest digest;
  randombytes_buf(digest.data(), digest.size());
  return password_hash(random_salt(), digest, cost);
}

std::optional<password_digest> argon2id(std::string_view password, std::string_view salt,
                                        password_cost cost, argon2_memory& within) {
  password_digest digest;
  argon2_context asked{};
  asked.out = digest.data();
  asked.outlen = static_cast<std::uint32_t>(digest.size());
  asked.pwd = bytes_of(password);
  asked.pwdlen = static_cast<std::uint32_t>(password.size());
  asked.salt = bytes_of(salt);
  asked.saltlen = static_cast<std::uint32_t>(salt.size());
  asked.t_cost = cost.passes;
  asked.m_cost = 1u << cost.memory_log2_kib;
  asked.lanes = 1;
  asked.threads = 1;
  asked.version = ARGON2_VERSION_13;
  asked.allocate_cbk = &give_out;
  asked.free_cbk = &keep;
  asked.flags = ARGON2_DEFAULT_FLAGS;
  memory_here = &within;
  if (::argon2_ctx(&asked, Argon2_id) != ARGON2_OK) return std::nullopt;
  return digest;
}

std::string password_hash(std::string_view salt, const password_digest& digest,
                          password_cost cost) {
  std::string hash{salt};
  hash.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  hash += static_cast<char>(cost.passes);
  hash += static_cast<char>(cost.memory_log2_kib);
  return hash;
}

bool is_digest_of(std::string_view hash, const password_digest& digest) {
  return sodium_memcmp(digest.data(), hash.data() + password_salt_bytes, digest.size()) == 0;
}

}  // namespace gelombang::net
