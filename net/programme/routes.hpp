#pragma once

#include "net/programme/services.hpp"
#include "net/router.hpp"

namespace gelombang::net {

/// Adds the programme's routes; net/openapi.json describes each. `with` outlives the serving.
void add_programme_routes(router& routes, services& with);

}  // namespace gelombang::net
