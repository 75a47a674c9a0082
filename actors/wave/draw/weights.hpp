#pragma once

#include <string>

#include "actors/programme/region.hpp"
#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/summary.hpp"

/// Which table of regions a draw was made by. All that a draw takes from it is in the summary, a
/// code and a weight each; these tell whether they are a certain table's.
namespace gelombang::draw {

/// SHA-256 of one line for each region, `code,weight` and a line feed, by code. For waves with no
/// weights of their own it is that of the populations in the table of regions.
digest weights_sha256(const summary& published);
/// The same of a table's populations.
digest weights_sha256(const region_table& table);

/// A line for a terminal, in English: the digest, and whether the weights are `standard`'s
/// populations.
std::string describe_weights(const summary& published, const region_table& standard);

}  // namespace gelombang::draw
