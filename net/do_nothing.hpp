#pragma once

#include "net/exchange.hpp"
#include "net/router.hpp"

namespace gelombang::net {

/// Makes `routes` answer every POST to a wave's join, or to /, with a constant of the size of a
/// join receipt: what HTTP itself costs here, the yardstick that `./dev bench` measures joins by.
/// The requests go through the same connections, parser and limits as any other.
inline void add_do_nothing_routes(router& routes) {
  auto answer = [](exchange& x) {
    x.reply(201, R"({"wave":7,"entry_id":"00000000000000000000000000000000","region":"3174",)"
                 R"("joined_at":"2026-01-02T05:00:00Z","state":"joined"})");
  };
  routes.add({http::verb::post, "/v1/waves/{n}/join", access::anyone, "doNothing", answer});
  routes.add({http::verb::post, "/", access::anyone, "doNothingAtRoot", answer});
}

}  // namespace gelombang::net
