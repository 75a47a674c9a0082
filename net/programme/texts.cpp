#include "net/programme/texts.hpp"

namespace gelombang::net {

std::string_view name_of(wave_state state) {
  constexpr std::array<std::string_view, all_wave_states.size()> names = {
      "scheduled", "open", "closed", "committed", "drawn", "announced", "cancelled"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(own_state state) {
  constexpr std::array<std::string_view, all_own_states.size()> names = {
      "not_open",     "can_join", "cannot_join",  "joined",     "closed",
      "in_selection", "accepted", "not_selected", "not_joined", "cancelled"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view name_of(not_selected_for reason) {
  constexpr std::array<std::string_view, all_reasons.size()> names = {"reserve", "family_full",
                                                                      "already_member"};
  return names[static_cast<std::size_t>(reason)];
}

bilingual explanation_of(wave_state state) {
  switch (state) {
    case wave_state::scheduled:
      return {"Gelombang ini belum dibuka.", "This wave has not opened yet."};
    case wave_state::open:
      return {"Gelombang ini sedang dibuka. Urutan mendaftar tidak memengaruhi hasil.",
              "This wave is open. Joining sooner or later makes no difference to the outcome."};
    case wave_state::closed:
      return {"Pendaftaran sudah ditutup. Daftar peserta sedang disiapkan untuk undian.",
              "Joining has ended. The list of entries is being prepared for the draw."};
    case wave_state::committed:
      return {"Daftar peserta sudah dikunci dan diumumkan. Undian menunggu angka acak publik.",
              "The list of entries is fixed and published. The draw awaits public randomness."};
    case wave_state::drawn:
      return {"Undian sudah dilakukan dan dapat diperiksa siapa saja. Hasil segera diumumkan.",
              "The draw has been held and anybody can check it. Results will be announced soon."};
    case wave_state::announced:
      return {"Hasil gelombang ini sudah diumumkan.",
              "The results of this wave have been announced."};
    case wave_state::cancelled:
      return {"Gelombang ini dibatalkan.", "This wave has been cancelled."};
  }
  return {};
}

bilingual explanation_of(own_state state) {
  switch (state) {
    case own_state::not_open:
      return {"Gelombang ini belum dibuka. Anda dapat bergabung setelah dibuka.",
              "This wave has not opened yet. You can join once it has."};
    case own_state::can_join:
      return {"Anda dapat bergabung dengan gelombang ini.", "You can join this wave."};
    case own_state::cannot_join:
      return {"Anda belum dapat bergabung dengan gelombang ini.", "You can't join this wave."};
    case own_state::joined:
      return {"Anda sudah bergabung. Tunggu pengumuman setelah gelombang ditutup.",
              "You have joined. Wait for the announcement after the wave has closed."};
    case own_state::closed:
      return {"Gelombang ini sudah ditutup dan Anda tidak bergabung.",
              "This wave has closed, and you had not joined."};
    case own_state::in_selection:
      return {"Anda ikut dalam seleksi. Hasilnya akan diumumkan di sini.",
              "You are in the selection. The result will be announced here."};
    case own_state::accepted:
      return {"Selamat, Anda diterima dalam gelombang ini.",
              "Congratulations, you have been accepted in this wave."};
    case own_state::not_selected:
      return {"Anda tidak terpilih dalam gelombang ini. Anda dapat mengikuti gelombang berikutnya.",
              "You were not selected in this wave. You can join the next one."};
    case own_state::not_joined:
      return {"Gelombang ini sudah selesai dan Anda tidak bergabung.",
              "This wave is over, and you had not joined."};
    case own_state::cancelled:
      return {"Gelombang ini dibatalkan. Anda dapat mengikuti gelombang berikutnya.",
              "This wave has been cancelled. You can join the next one."};
  }
  return {};
}

bilingual explanation_of(not_selected_for reason) {
  switch (reason) {
    case not_selected_for::reserve:
      return {
          "Anda tidak terpilih dalam gelombang ini: nomor undian Anda di atas batas wilayah "
          "Anda. Anda masuk daftar cadangan dan dapat mengikuti gelombang berikutnya.",
          "You were not selected in this wave: your ticket is above your region's cut-off. You "
          "are in the reserve and can join the next one."};
    case not_selected_for::family_full:
      return {
          "Anda tidak terpilih dalam gelombang ini: semua tempat untuk kartu keluarga Anda "
          "sudah terisi.",
          "You were not selected in this wave: all places of your family card are taken."};
    case not_selected_for::already_member:
      return {"Anda tidak ikut diundi dalam gelombang ini karena sudah diterima di gelombang lain.",
              "You took no part in this wave's draw, for you had been accepted in another wave."};
  }
  return {};
}

bilingual explanation_of(applicant::next_step step) {
  using applicant::next_step;
  switch (step) {
    case next_step::enter_email:
      return {"Masukkan alamat surel Anda.", "Enter your e-mail address."};
    case next_step::verify_email:
      return {"Masukkan kode enam angka dari surel Anda.",
              "Enter the six-digit code from your e-mail."};
    case next_step::submit_identity:
      return {"Isi NIK, nomor KK, nama, tanggal lahir dan domisili Anda.",
              "Fill in your NIK, family card number, name, birth date and domicile."};
    case next_step::wait_for_identity:
      return {"Identitas Anda sedang diperiksa. Tidak ada yang perlu dilakukan.",
              "Your identity is being checked. There is nothing to do."};
    case next_step::set_profile:
      return {"Isi nomor telepon, pendidikan dan pekerjaan Anda.",
              "Fill in your phone number, education and employment."};
    case next_step::wait_for_phone:
      return {"Nomor telepon Anda sedang diperiksa. Tidak ada yang perlu dilakukan.",
              "Your phone number is being checked. There is nothing to do."};
    case next_step::take_assessment:
      return {"Jawab pertanyaan tentang motivasi dan kemampuan dasar.",
              "Answer the questions on motivation and basic skills."};
    case next_step::join_a_wave:
      return {"Data Anda lengkap. Bergabunglah dengan gelombang yang sedang dibuka.",
              "Everything is complete. Join a wave that is open."};
    case next_step::wait_for_a_wave:
      return {"Data Anda lengkap. Saat ini tidak ada gelombang yang dapat Anda ikuti.",
              "Everything is complete. There is no wave that you can join at the moment."};
    case next_step::wait_for_result:
      return {"Anda sudah bergabung. Tunggu hasil undian.",
              "You have joined. Wait for the result of the draw."};
    case next_step::nothing:
      return {"Anda sudah diterima. Tidak ada yang perlu dilakukan sekarang.",
              "You have been accepted. There is nothing to do at the moment."};
    case next_step::contact_help:
      return {"Akun Anda dihentikan. Hubungi layanan bantuan.",
              "Your account has been stopped. Contact the help desk."};
  }
  return {};
}

bilingual code_is_on_its_way() {
  return {"Jika alamat itu dapat dipakai, kode enam angka sudah dikirim ke sana.",
          "If that address can be used, a six-digit code has been sent to it."};
}

}  // namespace gelombang::net
