#include "net/mailer/letter.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "actors/applicant/limits.hpp"
#include "net/mailer/mime.hpp"

namespace gelombang::mailer {
namespace {

constexpr std::size_t address_characters_max = 254;

struct wording {
  std::string_view subject;
  std::string_view before_code;
  std::string_view after_code;
};

/// Indonesian first, English beside. The code stands alone on its line, where a person and a
/// telephone find it.
wording wording_of(letter_kind kind) {
  switch (kind) {
    case letter_kind::code:
      return {
          "Kode verifikasi Anda / Your verification code",
          "Masukkan kode ini untuk memastikan alamat e-mail Anda dan menetapkan kata sandi.\n"
          "Enter this code to confirm your e-mail address and set your password.\n\n",
          "\n\nKode berlaku {0} menit. Jangan berikan kepada siapa pun; petugas kami tidak pernah\n"
          "memintanya. Jika Anda tidak memintanya, abaikan surat ini: akun Anda aman.\n\n"
          "The code is good for {0} minutes. Give it to nobody; our staff never ask for it.\n"
          "If you did not ask for it, ignore this message: your account is safe.\n"};
  }
  return {};
}

std::string digest_of(const job& what) {
  const auto text =
      fmt::format("{}/{}/{}/{}", what.id.origin, what.id.sequence, what.to, what.code);
  std::array<unsigned char, 16> digest{};
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string from_header(const mailbox& from) {
  if (from.name.empty()) return from.address;
  const auto name = header_text(from.name);
  // An encoded word needs no quotes; a plain phrase does, for a dot or a comma in it (RFC
  // 5322, 3.2.4).
  if (name != from.name) return fmt::format("{} <{}>", name, from.address);
  std::string quoted;
  for (const char c : from.name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return fmt::format("\"{}\" <{}>", quoted, from.address);
}

}  // namespace

bool is_safe_address(std::string_view address) {
  if (address.size() > address_characters_max) return false;
  const auto at = address.find('@');
  if (at == 0 || at == std::string_view::npos || at + 1 == address.size()) return false;
  if (address.find('@', at + 1) != std::string_view::npos) return false;
  return std::all_of(address.begin(), address.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view{"<>()[],;:\\\""}.find(static_cast<char>(c)) == std::string_view::npos;
  });
}

tl::expected<mailbox, std::string> parse_mailbox(std::string_view text) {
  mailbox box;
  const auto open = text.find('<');
  if (open == std::string_view::npos) {
    box.address = trimmed(text);
  } else {
    const auto close = text.find('>', open);
    if (close == std::string_view::npos || !trimmed(text.substr(close + 1)).empty())
      return tl::unexpected<std::string>("the address is not closed by '>'");
    box.name = trimmed(text.substr(0, open));
    box.address = trimmed(text.substr(open + 1, close - open - 1));
  }
  if (!is_safe_address(box.address))
    return tl::unexpected(fmt::format("'{}' is not an e-mail address", box.address));
  const bool controls = std::any_of(box.name.begin(), box.name.end(),
                                    [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (controls) return tl::unexpected<std::string>("control characters in the sender's name");
  return box;
}

tl::expected<letter, std::string> write_letter(const job& what, const mailbox& from, instant now) {
  if (!is_safe_address(what.to)) return tl::unexpected<std::string>("not a safe e-mail address");
  const auto words = wording_of(what.kind);
  const auto domain = from.address.substr(from.address.find('@') + 1);
  letter out{.from = from.address,
             .to = what.to,
             .message_id = digest_of(what) + '@' + domain,
             .message = {},
             .date = now};
  const auto text = std::string{words.before_code} + what.code +
                    fmt::format(fmt::runtime(words.after_code), applicant::code_lifetime.count());
  out.message = fmt::format(
      "Date: {}\r\n"
      "From: {}\r\n"
      "To: {}\r\n"
      "Subject: {}\r\n"
      "Message-ID: <{}>\r\n"
      "Auto-Submitted: auto-generated\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=UTF-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n"
      "\r\n"
      "{}",
      header_date(now), from_header(from), what.to, header_text(words.subject), out.message_id,
      quoted_printable(text));
  return out;
}

}  // namespace gelombang::mailer
