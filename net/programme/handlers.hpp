#pragma once

#include "net/exchange.hpp"
#include "net/programme/services.hpp"
#include "net/task.hpp"

/// What answers each line of the table in routes.cpp: parse, ask, map.
namespace gelombang::net {

// accounts.cpp
task<> enter_email(services& s, exchange& x);
task<> verify_email(services& s, exchange& x);
task<> sign_in(services& s, exchange& x);
task<> refresh_session(services& s, exchange& x);
task<> sign_out(services& s, exchange& x);

// me.cpp
task<> read_me(services& s, exchange& x);
task<> submit_identity(services& s, exchange& x);
task<> set_profile(services& s, exchange& x);
task<> read_assessment(services& s, exchange& x);
task<> take_assessment(services& s, exchange& x);
task<> read_own_standing(services& s, exchange& x);

// waves.cpp
task<> list_waves(services& s, exchange& x);
task<> read_wave(services& s, exchange& x);
task<> read_current_wave(services& s, exchange& x);
task<> join_wave(services& s, exchange& x);
task<> withdraw_from_wave(services& s, exchange& x);
task<> read_draw(services& s, exchange& x);
task<> read_draw_entries(services& s, exchange& x);

// operator_waves.cpp
task<> create_wave(services& s, exchange& x);
task<> open_wave(services& s, exchange& x);
task<> close_wave(services& s, exchange& x);
task<> commit_wave(services& s, exchange& x);
task<> draw_wave(services& s, exchange& x);
task<> announce_wave(services& s, exchange& x);
task<> cancel_wave(services& s, exchange& x);

// providers.cpp
task<> read_provider(services& s, exchange& x);
task<> enter_provider(services& s, exchange& x);
task<> suspend_provider(services& s, exchange& x);
task<> reinstate_provider(services& s, exchange& x);

// operator_people.cpp
/// Of one part of a list: some 400,000 lines. A longer list is sent in parts of one version.
inline constexpr std::size_t list_bytes_max = 8u << 20;
task<> import_list(services& s, exchange& x);
task<> read_funnel(services& s, exchange& x);

// operator_node.cpp
task<> make_backup(services& s, exchange& x);
task<> read_waiting_room(services& s, exchange& x);
task<> set_waiting_room(services& s, exchange& x);
task<> put_clock_ahead(services& s, exchange& x);

}  // namespace gelombang::net
