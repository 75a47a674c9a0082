#pragma once

#include "net/problem.hpp"

namespace gelombang::net {

/// What who waits is told, beside his ticket.
inline constexpr problem_form waiting_form{
    503,
    {"Anda sedang mengantre", "You are waiting in line"},
    {"Simpan tiketnya dan kirim lagi permintaan ini bersama tiket itu pada waktunya: tempat Anda "
     "tetap. Datang lebih dulu tidak memberi keuntungan apa pun dalam undian.",
     "Keep the ticket and send this request again with it when it is time: your place is kept. "
     "Arriving first brings no advantage in the draw."}};

}  // namespace gelombang::net
