/** Clusters of a neighbour graph (Traag, Waltman and van Eck 2019): moves, refinement, aggregation. */
import { Random } from "@x/core/base";
import type { Neighbours } from "./neighbours.ts";

interface Graph {
  readonly count: number;
  readonly start: Int32Array;
  readonly to: Int32Array;
  readonly weight: Float64Array;
  /** Weight of the edges of each node, loops twice. */
  readonly degree: Float64Array;
}

/** Options of `leiden`. */
export interface LeidenOptions {
  /** Higher gives more clusters; 1. */
  resolution?: number;
  /** Of the order of moves; 0. */
  seed?: number;
}

const ROUNDS = 10;

/**
 * Cluster of each point, numbered by size from 0. Edges are weighted by the share of common neighbours, and modularity
 * with `resolution` is maximised.
 */
export function leiden(near: Neighbours, { resolution = 1, seed = 0 }: LeidenOptions = {}): Int32Array {
  let graph = sharedNeighbours(near);
  const random = new Random(seed, 17n << 58n);
  let node = Int32Array.from({ length: graph.count }, (_, i) => i);
  let community = Int32Array.from({ length: graph.count }, (_, i) => i);
  for (let round = 0; round < ROUNDS; round++) {
    const moved = moveNodes(graph, community, resolution, random);
    const refined = refine(graph, community, resolution, random);
    const count = renumber(refined);
    if (!moved && count === graph.count) break;
    // What was one community stays one, made of the refined parts.
    const above = new Int32Array(count);
    refined.forEach((part, i) => {
      above[part] = community[i]!;
    });
    graph = aggregate(graph, refined, count);
    node = node.map((at) => refined[at]!);
    community = above;
    renumber(community);
  }
  return bySize(node.map((at) => community[at]!));
}

function sharedNeighbours({ k, indices }: Neighbours): Graph {
  const n = indices.length / k;
  const sets = Array.from({ length: n }, (_, i) => new Set(indices.subarray(i * k, (i + 1) * k)).add(i));
  const edges = Array.from({ length: n }, () => new Map<number, number>());
  for (let i = 0; i < n; i++)
    for (let j = 0; j < k; j++) {
      const other = indices[i * k + j]!;
      let common = 0;
      for (const x of sets[i]!) if (sets[other]!.has(x)) common++;
      const weight = common / (2 * (k + 1) - common);
      edges[i]!.set(other, weight);
      edges[other]!.set(i, weight);
    }
  return graphOf(edges);
}

function graphOf(edges: readonly ReadonlyMap<number, number>[]): Graph {
  const start = new Int32Array(edges.length + 1);
  edges.forEach((list, i) => {
    start[i + 1] = start[i]! + list.size;
  });
  const to = new Int32Array(start[edges.length]!);
  const weight = new Float64Array(to.length);
  const degree = new Float64Array(edges.length);
  edges.forEach((list, i) => {
    let at = start[i]!;
    for (const [j, w] of list) {
      to[at] = j;
      weight[at++] = w;
      degree[i]! += i === j ? 2 * w : w;
    }
  });
  return { count: edges.length, start, to, weight, degree };
}

/** Moves nodes to the neighbouring community that gains most, until none gains. */
function moveNodes(graph: Graph, community: Int32Array, resolution: number, random: Random): boolean {
  const total = graph.degree.reduce((a, b) => a + b, 0) || 1;
  const mass = new Float64Array(graph.count);
  community.forEach((c, i) => {
    mass[c]! += graph.degree[i]!;
  });
  const queue = Array.from(random.shuffle(Int32Array.from({ length: graph.count }, (_, i) => i)));
  const waiting = new Uint8Array(graph.count).fill(1);
  let moved = false;
  for (let head = 0; head < queue.length; head++) {
    const i = queue[head]!;
    waiting[i] = 0;
    const own = community[i]!;
    const links = linksOf(graph, i, community);
    mass[own]! -= graph.degree[i]!;
    let best = own;
    let gain = (links.get(own) ?? 0) - (resolution * graph.degree[i]! * mass[own]!) / total;
    for (const [c, w] of links) {
      const g = w - (resolution * graph.degree[i]! * mass[c]!) / total;
      if (g > gain + 1e-12) {
        gain = g;
        best = c;
      }
    }
    mass[best]! += graph.degree[i]!;
    if (best === own) continue;
    community[i] = best;
    moved = true;
    for (let e = graph.start[i]!; e < graph.start[i + 1]!; e++) {
      const j = graph.to[e]!;
      if (waiting[j] || community[j] === best) continue;
      waiting[j] = 1;
      queue.push(j);
    }
  }
  return moved;
}

function linksOf(graph: Graph, i: number, community: Int32Array): Map<number, number> {
  const links = new Map<number, number>();
  for (let e = graph.start[i]!; e < graph.start[i + 1]!; e++) {
    const j = graph.to[e]!;
    if (j !== i) links.set(community[j]!, (links.get(community[j]!) ?? 0) + graph.weight[e]!);
  }
  return links;
}

/** Splits communities into well-connected parts: nodes alone join a part of their own community where that gains. */
function refine(graph: Graph, community: Int32Array, resolution: number, random: Random): Int32Array {
  const total = graph.degree.reduce((a, b) => a + b, 0) || 1;
  const part = Int32Array.from({ length: graph.count }, (_, i) => i);
  const mass = graph.degree.slice();
  const alone = new Uint8Array(graph.count).fill(1);
  for (const i of random.shuffle(Int32Array.from({ length: graph.count }, (_, j) => j))) {
    if (!alone[i]) continue;
    let best = i;
    let gain = 0;
    for (const [p, w] of linksOf(graph, i, part)) {
      if (p === i || community[p] !== community[i]) continue;
      const g = w - (resolution * graph.degree[i]! * mass[p]!) / total;
      if (g > gain + 1e-12) {
        gain = g;
        best = p;
      }
    }
    if (best === i) continue;
    part[i] = best;
    alone[i] = 0;
    alone[best] = 0;
    mass[best]! += graph.degree[i]!;
    mass[i]! = 0;
  }
  return part;
}

function renumber(groups: Int32Array): number {
  const place = new Map<number, number>();
  groups.forEach((g, i) => {
    if (!place.has(g)) place.set(g, place.size);
    groups[i] = place.get(g)!;
  });
  return place.size;
}

function aggregate(graph: Graph, part: Int32Array, count: number): Graph {
  const edges = Array.from({ length: count }, () => new Map<number, number>());
  for (let i = 0; i < graph.count; i++)
    for (let e = graph.start[i]!; e < graph.start[i + 1]!; e++) {
      const [a, b] = [part[i]!, part[graph.to[e]!]!];
      // An edge inside is met from both ends; a loop once.
      const w = a === b && graph.to[e] !== i ? graph.weight[e]! / 2 : graph.weight[e]!;
      edges[a]!.set(b, (edges[a]!.get(b) ?? 0) + w);
    }
  return graphOf(edges);
}

function bySize(groups: Int32Array): Int32Array {
  const sizes = new Map<number, number>();
  for (const g of groups) sizes.set(g, (sizes.get(g) ?? 0) + 1);
  const order = [...sizes].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([g]) => g);
  const place = new Map(order.map((g, i) => [g, i]));
  return groups.map((g) => place.get(g)!);
}
