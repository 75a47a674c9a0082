#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/router.hpp"

namespace gelombang::net {

/// net/openapi.json, which is compiled in.
std::string_view openapi_document();

/// Its entity tag, quoted.
std::string_view openapi_etag();

/// Where the document and the table of routes disagree, one sentence each: an operation that only
/// one of them has, another operationId, or another security. Empty when they agree.
std::vector<std::string> openapi_differences(const router& routes);

/// Likewise, for another document.
/// @throws std::exception when it is no OpenAPI document.
std::vector<std::string> openapi_differences(const router& routes, std::string_view document);

}  // namespace gelombang::net
