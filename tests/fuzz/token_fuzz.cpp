// Tokens come from anywhere. None that we have not made is taken; each that we make says again what
// it was made of, and none of its bytes can be changed.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "actors/programme/base64url.hpp"
#include "actors/programme/hex.hpp"
#include "net/tokens.hpp"

namespace {

using namespace gelombang;
using namespace gelombang::net;

const token_key key{"k", {1, 2, 3}};
const access_tokens tokens{{key}};
const refresh_tokens refreshes{{4, 5, 6}};
const instant now{std::chrono::seconds{1'800'000'000}};

void as_a_stranger(std::string_view text) {
  if (tokens.verify(text, now).has_value() || refreshes.verify(text).has_value()) std::abort();
}

/// Header and claims of any kind, rightly signed: what is taken must mean what ours would.
void as_signed(std::string_view text) {
  auto cut = text.find('\n');
  if (cut == std::string_view::npos) return;
  auto header = text.substr(0, cut);
  if (header.empty()) header = R"({"alg":"HS256","typ":"JWT","kid":"k"})";
  auto part = to_base64url(header) + "." + to_base64url(text.substr(cut + 1));
  auto token = part + "." + to_base64url(text_of(hmac_sha256{key.bytes}(part)));
  auto taken = tokens.verify(token, now);
  if (!taken) return;
  auto again = tokens.verify(tokens.mint(*taken), now);
  if (!again || *again != *taken) std::abort();
}

void as_ours(std::string_view bytes) {
  std::uint64_t subject = 0;
  std::uint32_t numbers[3] = {};
  if (bytes.size() < sizeof subject + sizeof numbers) return;
  std::memcpy(&subject, bytes.data(), sizeof subject);
  std::memcpy(numbers, bytes.data() + sizeof subject, sizeof numbers);
  refresh_claims given{applicant_id{subject}, numbers[0], numbers[1]};
  auto token = refreshes.mint(given);
  auto back = refreshes.verify(token);
  if (!back || *back != given) std::abort();
  auto changed = token;
  auto& one = changed[numbers[2] % changed.size()];
  one = one == 'A' ? 'B' : 'A';
  if (refreshes.verify(changed).has_value()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
  if (data[0] % 3 == 0) as_a_stranger(rest);
  if (data[0] % 3 == 1) as_signed(rest);
  if (data[0] % 3 == 2) as_ours(rest);
  return 0;
}
