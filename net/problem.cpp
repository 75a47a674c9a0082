#include "net/problem.hpp"

#include <algorithm>
#include <utility>

#include "actors/wave/rules.hpp"
#include "net/json_writer.hpp"
#include "net/waiting_room/texts.hpp"

namespace gelombang::net {
namespace {

std::string filled(std::string_view text, std::string_view figure) {
  std::string out{text};
  if (auto at = out.find("{}"); at != std::string::npos) out.replace(at, 2, figure);
  return out;
}

/// "5 to 9", or "5" where there is nothing between.
std::string span_of(const field_error& error, language speech) {
  auto least = std::to_string(error.least);
  if (error.least == error.most) return least;
  return least + (speech == language::english ? " to " : " sampai ") + std::to_string(error.most);
}

std::string describe(const field_error& error, language speech) {
  auto english = speech == language::english;
  const auto span = span_of(error, speech);
  switch (error.fault) {
    case field_fault::missing:
      return english ? "is missing" : "wajib diisi";
    case field_fault::not_string:
      return english ? "must be a string" : "harus berupa teks";
    case field_fault::not_integer:
      return english ? "must be a whole number" : "harus berupa bilangan bulat";
    case field_fault::not_boolean:
      return english ? "must be true or false" : "harus berupa true atau false";
    case field_fault::not_object:
      return english ? "must be an object" : "harus berupa objek";
    case field_fault::not_array:
      return english ? "must be an array" : "harus berupa larik";
    case field_fault::too_short:
    case field_fault::too_long:
      return english ? "must have " + span + " characters or items"
                     : "harus " + span + " karakter atau unsur";
    case field_fault::out_of_range:
      return english ? "must be from " + span : "harus dari " + span;
    case field_fault::not_allowed:
      if (error.known.empty())
        return english ? "is not one of the allowed values" : "bukan nilai yang diperbolehkan";
      return (english ? "must be one of: " : "harus salah satu dari: ") + error.known;
    case field_fault::not_time:
      return english ? "must be a time with its offset, such as 2026-11-20T12:00:00+07:00"
                     : "harus berupa waktu beserta zonanya, misalnya 2026-11-20T12:00:00+07:00";
    case field_fault::not_hex:
      return english ? "must be bytes in lower-case hex, two digits each, such as 03ff"
                     : "harus berupa bita dalam heksadesimal huruf kecil, dua angka tiap bita, "
                       "misalnya 03ff";
    case field_fault::not_cursor:
      return english ? "must be the next_cursor of an earlier answer"
                     : "harus next_cursor dari jawaban sebelumnya";
    case field_fault::not_visible:
      return english ? "must come once and have " + span + " visible ASCII characters, no blanks"
                     : "harus dikirim sekali saja, " + span + " karakter ASCII tanpa spasi";
  }
  return {};
}

/// Why a step is out of order: the detail is the wave's state, or what else stands in the way.
bilingual out_of_order_text(std::string_view detail) {
  if (detail.starts_with(wave::other_wave_first))
    return {
        "Gelombang {} sudah dikunci dan belum diumumkan: undi dan umumkan dahulu, atau batalkan "
        "selama belum diundi.",
        "Wave {} is committed and not yet announced: draw and announce it first, or cancel it "
        "while it is not drawn."};
  if (detail == wave::drawn_otherwise)
    return {
        "Di folder gelombang ini sudah ada berkas undian dengan kunci atau bilangan acak lain, "
        "yang tidak dikenal jurnal. Periksa log server sebelum melanjutkan.",
        "This wave's folder already holds the files of a draw with another commitment or other "
        "randomness, of which the journal knows nothing. See the server's log before going on."};
  if (detail == wave::order_under_way)
    return {"Langkah yang sama dengan isi lain sedang berjalan; tunggu sampai selesai.",
            "The same step with another content is under way; wait until it has ended."};
  return {"Gelombang ini dalam keadaan \"{}\", yang belum atau tidak lagi mengizinkan langkah ini.",
          "This wave is in the state \"{}\", which does not yet, or no longer, allow this step."};
}

/// What is told in words, with the refusal's figure where there is one.
std::string detail_of(const refusal& why, const problem_form& form, language speech) {
  if (why.detail.empty()) return std::string(form.detail.in(speech));
  if (why.code == errc::wave_out_of_order) {
    const auto text = out_of_order_text(why.detail).in(speech);
    const auto is_other = why.detail.starts_with(wave::other_wave_first);
    return filled(text, is_other
                            ? std::string_view{why.detail}.substr(wave::other_wave_first.size())
                            : std::string_view{why.detail});
  }
  if (form.with_figure.english.empty()) return std::string(form.detail.in(speech));
  return filled(form.with_figure.in(speech), why.detail);
}

bool is_figure(std::string_view text) {
  auto digit = [](char character) { return character >= '0' && character <= '9'; };
  return !text.empty() && text.size() < 10 && std::all_of(text.begin(), text.end(), digit);
}

}  // namespace

problem_form form_of(errc code) {
  switch (code) {
    case errc::ok:
      return {500, {"Kesalahan server", "Server error"}, {"", ""}};
    case errc::field_missing:
      return {422,
              {"Isian belum lengkap", "A field is missing"},
              {"Lengkapi isian yang disebut.", "Fill in the fields that are named."}};
    case errc::field_invalid:
      return {422,
              {"Isian tidak sah", "A field is not valid"},
              {"Perbaiki isian yang disebut.", "Correct the fields that are named."}};
    case errc::body_malformed:
      return {400,
              {"Isi permintaan tidak terbaca", "The body can't be read"},
              {"Isi permintaan harus satu objek JSON UTF-8 tanpa nama ganda.",
               "The body must be one JSON object in UTF-8 without duplicate names."}};
    case errc::body_too_large:
      return {413,
              {"Isi permintaan terlalu besar", "The body is too large"},
              {"Kirim permintaan yang lebih kecil.", "Send a smaller request."}};
    case errc::not_found:
      return {404,
              {"Tidak ditemukan", "Not found"},
              {"Tidak ada apa pun di alamat ini.", "There is nothing at this address."}};
    case errc::method_not_allowed:
      return {405,
              {"Metode tidak diizinkan", "Method not allowed"},
              {"Alamat ini tidak melayani metode tersebut.",
               "This address does not serve that method."}};
    case errc::idempotency_conflict:
      return {409,
              {"Idempotency-Key sudah dipakai", "The Idempotency-Key was used before"},
              {"Kunci yang sama pernah dikirim dengan permintaan lain.",
               "The same key came with another request."}};
    case errc::media_type_unsupported:
      return {415,
              {"Jenis isi tidak didukung", "The media type is not supported"},
              {"Kirim isi sebagai application/json.", "Send the body as application/json."},
              {"Kirim isi sebagai salah satu dari: {}.", "Send the body as one of: {}."}};
    case errc::range_not_satisfiable:
      return {416,
              {"Bagian itu tidak ada", "There is no such part"},
              {"Bagian yang diminta mulai di belakang akhir isi.",
               "The part that was asked for begins behind the end."},
              {"Panjang seluruhnya {} bita; bagian yang diminta mulai di belakangnya.",
               "The whole has {} bytes; the part that was asked for begins behind them."}};
    case errc::precondition_failed:
      return {412,
              {"Prasyarat tidak terpenuhi", "Precondition failed"},
              {"Data sudah berubah; muat ulang lalu coba lagi.",
               "The data has changed; reload and try again."}};
    case errc::headers_too_large:
      return {
          431,
          {"Tajuk permintaan terlalu besar", "The headers are too large"},
          {"Kirim tajuk yang lebih sedikit atau lebih pendek.", "Send fewer or shorter headers."}};
    case errc::request_malformed:
      return {400,
              {"Permintaan HTTP cacat", "The HTTP request is malformed"},
              {"Permintaan tidak mengikuti HTTP/1.1.", "The request does not follow HTTP/1.1."}};
    case errc::request_too_slow:
      return {408,
              {"Permintaan terlalu lambat", "The request came too slowly"},
              {"Permintaan belum lengkap saat waktunya habis.",
               "The request was not complete when its time was over."}};
    case errc::query_invalid:
      return {400,
              {"Parameter alamat tidak sah", "The query is not valid"},
              {"Tulis setiap parameter sekali saja sebagai nama=nilai, dalam UTF-8.",
               "Write each parameter once, as name=value, in UTF-8."}};

    case errc::token_missing:
      return {401,
              {"Belum masuk", "Not signed in"},
              {"Masuk dahulu, lalu kirim token akses.", "Sign in and send the access token."}};
    case errc::token_invalid:
      return {401,
              {"Token tidak sah", "The token is not valid"},
              {"Masuk kembali untuk mendapat token baru.", "Sign in again for a new token."}};
    case errc::token_expired:
      return {401,
              {"Token kedaluwarsa", "The token has expired"},
              {"Perbarui token dengan refresh token.", "Renew it with the refresh token."}};
    case errc::forbidden:
      return {
          403,
          {"Tidak berwenang", "Forbidden"},
          {"Akun ini tidak berwenang untuk tindakan tersebut.", "This account may not do that."}};
    case errc::session_unknown:
      return {401,
              {"Sesi sudah berakhir", "The session has ended"},
              {"Masuk kembali dengan surel dan kata sandi.",
               "Sign in again with e-mail and password."}};
    case errc::credentials_wrong:
      return {401,
              {"Surel atau kata sandi salah", "Wrong e-mail or password"},
              {"Periksa surel dan kata sandi Anda.", "Check your e-mail and password."}};

    case errc::code_wrong:
      return {422,
              {"Kode salah", "Wrong code"},
              {"Periksa kode enam angka di surel Anda.", "Check the six digits in your e-mail."},
              {"Periksa kode enam angka di surel Anda. Sisa percobaan: {}.",
               "Check the six digits in your e-mail. Tries left: {}."}};
    case errc::code_expired:
      return {422,
              {"Kode tidak berlaku lagi", "The code is no longer valid"},
              {"Minta kode baru dengan mendaftarkan surel Anda sekali lagi.",
               "Ask for a new code by entering your e-mail once more."}};
    case errc::email_invalid:
      return {422,
              {"Alamat surel tidak sah", "The e-mail address is not valid"},
              {"Tulis alamat surel yang lengkap, misalnya nama@contoh.id.",
               "Write the whole address, such as name@example.id."}};
    case errc::password_weak:
      return {422,
              {"Kata sandi terlalu lemah", "The password is too weak"},
              {"Pilih kata sandi yang lebih panjang dan tidak umum.",
               "Choose a longer and less common password."}};
    case errc::nik_invalid:
      return {422,
              {"NIK tidak sah", "The NIK is not valid"},
              {"NIK harus 16 angka dan cocok dengan tanggal lahir.",
               "The NIK must have 16 digits and agree with the birth date."}};
    case errc::kk_invalid:
      return {422,
              {"Nomor KK tidak sah", "The family card number is not valid"},
              {"Nomor kartu keluarga harus 16 angka.", "The number must have 16 digits."}};
    case errc::nik_taken:
      return {409,
              {"NIK sudah terdaftar", "The NIK is already registered"},
              {"Satu NIK hanya untuk satu akun. Masuk dengan akun yang lama atau hubungi layanan.",
               "One account per NIK. Use your earlier account or ask for help."}};
    case errc::phone_taken:
      return {409,
              {"Nomor telepon sudah terdaftar", "The phone number is already registered"},
              {"Satu nomor telepon hanya untuk satu akun.", "One account per phone number."}};
    case errc::phone_invalid:
      return {422,
              {"Nomor telepon tidak sah", "The phone number is not valid"},
              {"Tulis nomor telepon seluler Indonesia, misalnya 0812 3456 7890.",
               "Write an Indonesian mobile number, such as 0812 3456 7890."}};
    case errc::family_region_mismatch:
      return {409,
              {"Wilayah KK berbeda", "The family card has another region"},
              {"Kartu keluarga ini sudah tercatat di kabupaten atau kota lain.",
               "This family card is recorded in another regency or city."}};
    case errc::region_unknown:
      return {422,
              {"Wilayah tidak dikenal", "Unknown region"},
              {"Pakai kode empat angka kabupaten atau kota.",
               "Use the four-digit code of a regency or city."}};
    case errc::identity_fixed:
      return {409,
              {"Identitas sudah diverifikasi", "The identity is verified already"},
              {"Perubahan hanya melalui petugas.", "Only an officer can change it."}};
    case errc::stage_out_of_order:
      return {409,
              {"Tahap sebelumnya belum selesai", "An earlier step is missing"},
              {"Selesaikan dahulu tahap sebelumnya; lihat \"selanjutnya\" di akun Anda.",
               "Finish the earlier step first; your account says which comes next."}};
    case errc::answers_incomplete:
      return {422,
              {"Jawaban belum lengkap", "Answers are missing"},
              {"Jawab semua pertanyaan.", "Answer every question."}};
    case errc::account_blocked:
      return {403,
              {"Akun diblokir", "The account is blocked"},
              {"Hubungi layanan untuk mengetahui alasannya.", "Ask the help desk for the reason."}};
    case errc::identity_pending:
      return {409,
              {"Identitas sedang diperiksa", "The identity is being checked"},
              {"Tunggu hasil pemeriksaan yang sedang berjalan.",
               "Wait for the check that is under way."}};
    case errc::name_invalid:
      return {422,
              {"Nama tidak sah", "The name is not valid"},
              {"Tulis nama lengkap seperti pada KTP.", "Write the full name as on the ID card."}};
    case errc::birth_date_invalid:
      return {422,
              {"Tanggal lahir tidak sah", "The birth date is not valid"},
              {"Tulis tanggal sebagai TTTT-BB-HH.", "Write the date as YYYY-MM-DD."}};

    case errc::wave_unknown:
      return {404,
              {"Gelombang tidak dikenal", "Unknown wave"},
              {"Tidak ada gelombang dengan nomor ini.", "There is no wave with this number."}};
    case errc::wave_not_open:
      return {409,
              {"Gelombang tidak dibuka", "The wave is not open"},
              {"Gelombang ini belum dibuka atau sudah ditutup.",
               "This wave has not opened yet, or has closed."}};
    case errc::not_ready:
      return {409,
              {"Akun belum siap", "The account is not ready"},
              {"Selesaikan identitas, profil, dan asesmen sebelum bergabung.",
               "Finish identity, profile and assessment before joining."}};
    case errc::already_member:
      return {
          409,
          {"Sudah menjadi penerima", "Already a member"},
          {"Manfaat diterima sekali seumur hidup.", "The benefit is given once in a lifetime."}};
    case errc::not_eligible:
      return {409,
              {"Tidak memenuhi syarat", "Not eligible"},
              {"Syarat program tidak terpenuhi; alasannya ada di akun Anda.",
               "A condition of the programme is not met; your account says which."}};
    case errc::not_joined:
      return {404,
              {"Belum bergabung", "Not joined"},
              {"Anda tidak bergabung di gelombang ini.", "You have not joined this wave."}};
    case errc::wave_out_of_order:
      return {409,
              {"Langkah di luar urutan", "Out of order"},
              {"Keadaan gelombang belum atau tidak lagi mengizinkan langkah ini.",
               "The wave's state does not yet, or no longer, allow this step."}};
    case errc::secret_mismatch:
      return {422,
              {"Rahasia tidak cocok", "The secret does not match"},
              {"Rahasia berbeda dari yang dijanjikan saat komitmen.",
               "The secret is not the one that was committed to."}};
    case errc::schedule_invalid:
      return {422,
              {"Jadwal tidak sah", "The schedule is not valid"},
              {"Waktu tutup harus setelah waktu buka dan belum lewat.",
               "Closing must come after opening, and lie in the future."}};
    case errc::beacon_invalid:
      return {422,
              {"Sumber acak tidak sah", "The beacon is not valid"},
              {"Sumber acak harus satu baris teks, paling panjang 200 bita; nilainya 1 sampai 512 "
               "bita.",
               "The source must be one line of text of at most 200 bytes; the value has 1 to 512 "
               "bytes."}};
    case errc::quota_invalid:
      return {422,
              {"Kuota tidak sah", "The quota is not valid"},
              {"Periksa kuota, bobot, dan batas bawah per wilayah.",
               "Check quota, weights and the minimum per region."}};
    case errc::groups_invalid:
      return {
          422,
          {"Kelompok tidak sah", "The groups are not valid"},
          {"Tiap kelompok sekali saja: disability, returned_migrant atau listed_by_ministry; "
           "jumlah bagiannya paling banyak 1000 per mil.",
           "Each group once: disability, returned_migrant or listed_by_ministry; together their "
           "shares are at most 1000 per mille."}};
    case errc::draw_not_published:
      return {404,
              {"Undian belum diumumkan", "The draw is not published"},
              {"Hasil undian belum ada untuk gelombang ini.",
               "There is nothing of this wave's draw to see yet."}};
    case errc::draw_damaged:
      return {
          503,
          {"Berkas undian rusak", "The draw's files are damaged"},
          {"Berkas undian gelombang ini hilang atau tidak sesuai dengan catatan; pengelola harus "
           "memulihkannya.",
           "The files of this wave's draw are missing or do not agree with the records; the "
           "operators have to put them back."},
          {"Berkas undian gelombang ini hilang atau tidak sesuai dengan catatan; pengelola harus "
           "memulihkannya: {}.",
           "The files of this wave's draw are missing or do not agree with the records; the "
           "operators have to put them back: {}."}};

    case errc::draw_unchecked:
      return {503,
              {"Undian sedang diperiksa", "The draw is being checked"},
              {"Hasil undian dihitung ulang sebelum ditampilkan. Coba lagi sebentar.",
               "Its outcomes are computed again before they are shown. Try again in a moment."}};

    case errc::provider_unknown:
      return {404,
              {"Lembaga pelatihan tidak dikenal", "Unknown training provider"},
              {"Tidak ada lembaga pelatihan dengan nomor ini; nomornya 1 sampai 99999.",
               "There is no provider with this number; numbers go from 1 to 99999."}};
    case errc::provider_name_invalid:
      return {422,
              {"Nama lembaga tidak sah", "The provider's name is not valid"},
              {"Tulis nama lembaga dalam satu baris, 3 sampai 120 karakter yang terlihat.",
               "Write the name in one line of 3 to 120 visible characters."}};
    case errc::website_invalid:
      return {422,
              {"Alamat situs tidak sah", "The web address is not valid"},
              {"Tulis alamat publik seperti https://contoh.id/kursus, paling panjang 200 karakter, "
               "atau kosongkan.",
               "Write a public address such as https://example.id/courses of at most 200 "
               "characters, or leave it out."}};
    case errc::reason_invalid:
      return {422,
              {"Alasan tidak sah", "The reason is not valid"},
              {"Tulis alasan dalam satu baris, 1 sampai 200 karakter yang terlihat.",
               "Write the reason in one line of 1 to 200 visible characters."}};

    case errc::too_many_requests:
      return {429,
              {"Terlalu sering", "Too many requests"},
              {"Tunggu sebentar lalu coba lagi.", "Wait a moment and try again."}};
    case errc::overloaded:
      return {503,
              {"Layanan sedang sibuk", "The service is busy"},
              {"Coba lagi sebentar. Urutan kedatangan tidak berpengaruh.",
               "Try again in a moment. The order of arrival does not matter."}};
    case errc::storage_unavailable:
      return {503,
              {"Penyimpanan sedang terganggu", "Storage is unavailable"},
              {"Data dapat dibaca, tetapi belum dapat diubah.",
               "Data can be read but not changed at the moment."}};
    case errc::shutting_down:
      return {503,
              {"Server sedang dimatikan", "The server is shutting down"},
              {"Coba lagi sebentar.", "Try again in a moment."}};
    case errc::timed_out:
      return {504,
              {"Belum ada jawaban", "No answer in time"},
              {"Ulangi dengan Idempotency-Key yang sama; tindakan tidak akan terjadi dua kali.",
               "Repeat with the same Idempotency-Key; it will not happen twice."}};
    case errc::waiting:
      return waiting_form;
    case errc::internal:
      return {500,
              {"Kesalahan server", "Server error"},
              {"Ada yang salah di pihak kami.", "Something went wrong on our side."}};
  }
  return {500, {"Kesalahan server", "Server error"}, {"", ""}};
}

problem::problem(std::vector<field_error> faults) : fields(std::move(faults)) {
  auto missing = std::all_of(fields.begin(), fields.end(),
                             [](auto& error) { return error.fault == field_fault::missing; });
  reason.code = missing ? errc::field_missing : errc::field_invalid;
}

void append_problem(std::string& to, const problem& what, language speech) {
  auto form = form_of(what.reason.code);
  const auto detail = detail_of(what.reason, form, speech);
  json_writer json{to};
  json.begin_object();
  json.member("type", "/problems/" + std::string(name_of(what.reason.code)));
  json.member("title", form.title.in(speech));
  json.member("status", form.status);
  json.member("detail", detail);
  if (what.reason.code == errc::code_wrong && is_figure(what.reason.detail)) {
    json.key("tries_left").raw(what.reason.detail);
  }
  if (!what.fields.empty() || !what.reason.field.empty()) {
    json.key("errors").begin_array();
    if (!what.reason.field.empty()) {
      json.begin_object().member("pointer", what.reason.field).member("message", detail);
      json.end_object();
    }
    for (auto& error : what.fields) {
      json.begin_object().member("pointer", error.pointer);
      json.member("message", describe(error, speech)).end_object();
    }
    json.end_array();
  }
  json.end_object();
}

unsigned retry_after_seconds(errc code, std::uint64_t dice) {
  // Centres of the spread. An overloaded node empties its queues within seconds; a caller's own
  // limit is counted by the minute; a full disk or a restart takes people.
  unsigned centre = 0;
  if (code == errc::overloaded || code == errc::timed_out || code == errc::draw_unchecked)
    centre = 4;
  if (code == errc::shutting_down) centre = 10;
  if (code == errc::storage_unavailable || code == errc::draw_damaged) centre = 30;
  if (code == errc::too_many_requests) centre = 60;
  if (centre == 0) return 0;
  return centre / 2 + static_cast<unsigned>(dice % (centre + 1));
}

}  // namespace gelombang::net
