#pragma once

#include <cstdint>

namespace gelombang {

/// Names a request that came with an Idempotency-Key. Among the few requests that one account, wave
/// or calendar remembers, 64 bits are plenty; whoever makes two of his own keys collide harms only
/// himself.
struct request_key {
  std::uint64_t key = 0;          ///< hash of the Idempotency-Key
  std::uint64_t fingerprint = 0;  ///< hash of method, path and body: another one under the same key
                                  ///< is a conflict
  friend bool operator==(const request_key&, const request_key&) = default;
};

}  // namespace gelombang
