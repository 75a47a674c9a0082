#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "actors/programme/sha256.hpp"
#include "actors/wave/draw/roster.hpp"

namespace gelombang::draw {

/// `SHA-256(0x00 || "entry_id,region,groups,family,family_room")`, the text as in the entries file.
digest leaf_of(const roster_entry& entry);

/// `SHA-256(0x01 || left || right)`.
digest node_of(const digest& left, const digest& right);

/// The Merkle tree of RFC 6962 section 2.1 over a sorted roster, kept from the fourth level up: the
/// nodes below it are hashed again when a proof needs them, from the 16 entries that stand side by
/// side. So a tree over 5 million entries takes 21 MB instead of 320 MB.
///
/// Nodes stand level by level, upwards, from left to right. A node without a right neighbour is its
/// parent, too (the RFC splits at the largest power of two, which comes to the same).
namespace tree {

inline constexpr unsigned levels_hashed_again = 4;
inline constexpr std::size_t block_entries = 1u << levels_hashed_again;

/// How many nodes the tree over `entries` has, as kept.
std::size_t nodes_count(std::size_t entries);

std::vector<digest> build(std::span<const roster_entry> roster, unsigned threads);

/// SHA-256 of the empty string for an empty roster.
digest root(std::span<const digest> nodes);

/// The audit path of entry `index`, from the leaf upwards (RFC 6962 section 2.1.1).
/// `nodes` must be the tree over `roster`, and `index` below its size.
std::vector<digest> prove(std::span<const digest> nodes, std::span<const roster_entry> roster,
                          std::size_t index);

}  // namespace tree

/// The root that `proof` leads to from `leaf` at `index` in a tree of `entries`; nothing when no
/// tree of that size has a path of that length there.
std::optional<digest> root_by_proof(const digest& leaf, std::uint64_t index, std::uint64_t entries,
                                    std::span<const digest> proof);

}  // namespace gelombang::draw
