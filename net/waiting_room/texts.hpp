#pragma once

#include "net/problem.hpp"

namespace gelombang::net {

/// What who waits is told, beside his ticket.
inline constexpr problem_form waiting_form{
    503,
    {"Anda sedang mengantre", "You are waiting in line"},
    {"Simpan tiketnya dan kirim lagi permintaan ini pada waktunya dengan tiket itu dalam tajuk "
     "Waiting-Ticket: tempat Anda tetap. Datang lebih dulu tidak memberi keuntungan apa pun dalam "
     "undian.",
     "Keep the ticket and send this request again when it is time, with the ticket in the header "
     "Waiting-Ticket: your place is kept. Arriving first brings no advantage in the draw."}};

}  // namespace gelombang::net
