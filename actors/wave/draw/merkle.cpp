#include "actors/wave/draw/merkle.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "actors/wave/draw/parallel.hpp"
#include "actors/wave/draw/row.hpp"

namespace gelombang::draw {
namespace {

std::size_t half(std::size_t nodes) {
  return (nodes + 1) / 2;
}

/// Joins each pair of `level` in place; a node without a neighbour moves up as it is.
void climb(std::span<digest> level) {
  for (std::size_t i = 0; i < level.size() / 2; ++i)
    level[i] = node_of(level[2 * i], level[2 * i + 1]);
  if (level.size() % 2 == 1) level[level.size() / 2] = level.back();
}

/// The leaves of one block, and how many of the 16 there are.
struct block {
  std::array<digest, tree::block_entries> nodes;
  std::size_t count;

  std::span<digest> level() { return {nodes.data(), count}; }
  void climb_one() {
    climb(level());
    count = half(count);
  }
};

block leaves_of(std::span<const roster_entry> roster, std::size_t number) {
  auto first = number * tree::block_entries;
  block leaves;
  leaves.count = std::min(tree::block_entries, roster.size() - first);
  for (std::size_t i = 0; i < leaves.count; ++i) leaves.nodes[i] = leaf_of(roster[first + i]);
  return leaves;
}

std::size_t blocks_of(std::size_t entries) {
  return (entries + tree::block_entries - 1) / tree::block_entries;
}

}  // namespace

digest leaf_of(const roster_entry& entry) {
  std::array<char, 1 + committed_bytes_max> message;
  message[0] = '\0';
  auto* end = write_committed(message.data() + 1, entry);
  return sha256(std::string_view{message.data(), static_cast<std::size_t>(end - message.data())});
}

digest node_of(const digest& left, const digest& right) {
  std::array<std::uint8_t, 1 + 2 * sizeof(digest)> message;
  message[0] = 1;
  std::copy(left.begin(), left.end(), message.begin() + 1);
  std::copy(right.begin(), right.end(), message.begin() + 1 + sizeof(digest));
  return sha256(message);
}

namespace tree {

std::size_t nodes_count(std::size_t entries) {
  auto level = blocks_of(entries);
  auto count = level;
  while (level > 1) {
    level = half(level);
    count += level;
  }
  return count;
}

std::vector<digest> build(std::span<const roster_entry> roster, unsigned threads) {
  std::vector<digest> nodes(nodes_count(roster.size()));
  constexpr std::size_t blocks_at_once = 1024;
  auto blocks = blocks_of(roster.size());
  parallel_for(threads, (blocks + blocks_at_once - 1) / blocks_at_once, [&](std::size_t batch) {
    auto end = std::min(blocks, (batch + 1) * blocks_at_once);
    for (auto number = batch * blocks_at_once; number < end; ++number) {
      auto leaves = leaves_of(roster, number);
      for (unsigned level = 0; level < levels_hashed_again; ++level) leaves.climb_one();
      nodes[number] = leaves.nodes[0];
    }
  });
  std::size_t below = 0;
  for (auto size = blocks; size > 1; size = half(size)) {
    auto above = below + size;
    for (std::size_t i = 0; i < size / 2; ++i) {
      nodes[above + i] = node_of(nodes[below + 2 * i], nodes[below + 2 * i + 1]);
    }
    if (size % 2 == 1) nodes[above + size / 2] = nodes[above - 1];
    below = above;
  }
  return nodes;
}

digest root(std::span<const digest> nodes) {
  return nodes.empty() ? sha256("") : nodes.back();
}

std::vector<digest> prove(std::span<const digest> nodes, std::span<const roster_entry> roster,
                          std::size_t index) {
  std::vector<digest> proof;
  auto leaves = leaves_of(roster, index / block_entries);
  auto position = index % block_entries;
  for (unsigned level = 0; level < levels_hashed_again; ++level) {
    if ((position ^ 1) < leaves.count) proof.push_back(leaves.nodes[position ^ 1]);
    leaves.climb_one();
    position /= 2;
  }
  position = index / block_entries;
  std::size_t start = 0;
  for (auto size = blocks_of(roster.size()); size > 1; size = half(size)) {
    if ((position ^ 1) < size) proof.push_back(nodes[start + (position ^ 1)]);
    position /= 2;
    start += size;
  }
  return proof;
}

}  // namespace tree

std::optional<digest> root_by_proof(const digest& leaf, std::uint64_t index, std::uint64_t entries,
                                    std::span<const digest> proof) {
  if (index >= entries) return std::nullopt;
  auto node = leaf;
  auto next = proof.begin();
  for (auto size = entries; size > 1; size = half(size), index /= 2) {
    if ((index ^ 1) >= size) continue;
    if (next == proof.end()) return std::nullopt;
    node = index % 2 == 0 ? node_of(node, *next) : node_of(*next, node);
    ++next;
  }
  if (next != proof.end()) return std::nullopt;
  return node;
}

}  // namespace gelombang::draw
