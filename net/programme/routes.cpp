#include "net/programme/routes.hpp"

#include "net/programme/handlers.hpp"

namespace gelombang::net {
namespace {

struct line {
  http::verb method;
  const char* path;
  access who;
  urgency when_busy;
  const char* operation_id;
  task<> (*answer)(services&, exchange&);
  std::size_t body_bytes_max = 0;
};

using http::verb;

// clang-format off
constexpr line table[] = {
    {verb::post,    "/v1/accounts",                      access::anyone,    urgency::entering, "enterEmail",        enter_email},
    {verb::post,    "/v1/accounts/verify",               access::anyone,    urgency::entering, "verifyEmail",       verify_email},
    {verb::post,    "/v1/sessions",                      access::anyone,    urgency::entering, "signIn",            sign_in},
    {verb::post,    "/v1/sessions/refresh",              access::anyone,    urgency::entering, "refreshSession",    refresh_session},
    {verb::delete_, "/v1/sessions/current",              access::signed_in, urgency::entering, "signOut",           sign_out},

    {verb::get,     "/v1/me",                            access::applicant, urgency::entering, "readMe",            read_me},
    {verb::put,     "/v1/me/identity",                   access::applicant, urgency::entering, "submitIdentity",    submit_identity},
    {verb::put,     "/v1/me/profile",                    access::applicant, urgency::entering, "setProfile",        set_profile},
    {verb::get,     "/v1/assessment",                    access::anyone,    urgency::entering, "readAssessment",    read_assessment},
    {verb::post,    "/v1/me/assessment",                 access::applicant, urgency::entering, "takeAssessment",    take_assessment},
    {verb::get,     "/v1/me/waves/{n}",                  access::applicant, urgency::joining,  "readOwnStanding",   read_own_standing},

    {verb::get,     "/v1/waves",                         access::anyone,    urgency::browsing, "listWaves",         list_waves},
    {verb::get,     "/v1/waves/current",                 access::anyone,    urgency::browsing, "readCurrentWave",   read_current_wave},
    {verb::get,     "/v1/waves/{n}",                     access::anyone,    urgency::browsing, "readWave",          read_wave},
    {verb::post,    "/v1/waves/{n}/join",                access::applicant, urgency::joining,  "joinWave",          join_wave},
    {verb::delete_, "/v1/waves/{n}/join",                access::applicant, urgency::joining,  "withdrawFromWave",  withdraw_from_wave},
    {verb::get,     "/v1/waves/{n}/draw",                access::anyone,    urgency::browsing, "readDraw",          read_draw},
    {verb::get,     "/v1/waves/{n}/draw/entries.csv",    access::anyone,    urgency::browsing, "readDrawEntries",   read_draw_entries},

    {verb::get,     "/v1/providers/{number}",            access::anyone,    urgency::browsing, "readProvider",      read_provider},

    {verb::post,    "/v1/operator/waves",                access::operator_, urgency::house,    "createWave",        create_wave},
    {verb::post,    "/v1/operator/waves/{n}/open",       access::operator_, urgency::house,    "openWave",          open_wave},
    {verb::post,    "/v1/operator/waves/{n}/close",      access::operator_, urgency::house,    "closeWave",         close_wave},
    {verb::post,    "/v1/operator/waves/{n}/commit",     access::operator_, urgency::house,    "commitWave",        commit_wave},
    {verb::post,    "/v1/operator/waves/{n}/draw",       access::operator_, urgency::house,    "drawWave",          draw_wave},
    {verb::post,    "/v1/operator/waves/{n}/announce",   access::operator_, urgency::house,    "announceWave",      announce_wave},
    {verb::post,    "/v1/operator/waves/{n}/cancel",     access::operator_, urgency::house,    "cancelWave",        cancel_wave},
    {verb::put,     "/v1/operator/providers/{number}",   access::operator_, urgency::house,    "enterProvider",     enter_provider},
    {verb::post,    "/v1/operator/providers/{number}/suspend",   access::operator_, urgency::house,    "suspendProvider",   suspend_provider},
    {verb::post,    "/v1/operator/providers/{number}/reinstate", access::operator_, urgency::house,    "reinstateProvider", reinstate_provider},
    {verb::post,    "/v1/operator/lists/{name}",         access::operator_, urgency::house,    "importList",        import_list, list_bytes_max},
    {verb::get,     "/v1/operator/funnel",               access::operator_, urgency::house,    "readFunnel",        read_funnel},
    {verb::post,    "/v1/operator/backups",              access::operator_, urgency::house,    "makeBackup",        make_backup},
    {verb::post,    "/v1/operator/clock",                access::operator_, urgency::house,    "putClockAhead",     put_clock_ahead},
    {verb::get,     "/v1/operator/waiting-room",         access::operator_, urgency::house,    "readWaitingRoom",   read_waiting_room},
    {verb::put,     "/v1/operator/waiting-room",         access::operator_, urgency::house,    "setWaitingRoom",    set_waiting_room},
};
// clang-format on

/// Whatever a route reads of it, a query that says something twice may mean either.
task<> refused(exchange& x, refusal why) {
  x.refuse(why);
  co_return;
}

}  // namespace

void add_programme_routes(router& routes, services& with) {
  for (const auto& one : table) {
    auto answer = [&with, handle = one.answer](exchange& x) {
      const auto query = x.query();
      return query ? handle(with, x) : refused(x, query.error());
    };
    routes.add({one.method, one.path, one.who, one.operation_id, handler{answer},
                one.body_bytes_max, one.when_busy});
  }
}

}  // namespace gelombang::net
