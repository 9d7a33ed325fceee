import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml';
import { YamlRefused } from './yaml-refused.ts';

/**
 * Merge keys (`<<`, as YAML 1.1 has them) and aliases. The library evaluates what is merged anew at each place, and
 * with it all that is merged there: what a text says can be far more than what stands in it.
 */

/** Nodes that all aliases and merges together may come to. A text without any has fewer lexemes than that. */
const EXPANDED_MAX = 30_000;

/** What each alias stands for; undefined where nothing of that name stands before it. */
export type Targets = ReadonlyMap<Alias, Node | undefined>;

export function targetsOf(document: Document): Targets {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Node(_, node) {
      if (isAlias(node)) targets.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** The thing itself, where it is an alias of one. */
export function behind(node: unknown, targets: Targets): unknown {
  return isAlias(node) ? targets.get(node) : node;
}

/** A plain `<<`; in quotes it is a key like any other. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

/** The pairs of a mapping and, behind its own, those that are merged into it, in the order in which they count. */
export function pairsOf(map: YAMLMap, targets: Targets): Pair[] {
  const items = map.items as Pair[];
  const merged = items
    .filter(({ key }) => isMergeKey(key))
    .flatMap((pair) => sourcesOf(pair, targets))
    .flatMap((source) => (isMap(source) ? pairsOf(source, targets) : []));
  return [...items.filter(({ key }) => !isMergeKey(key)), ...merged];
}

/** What a merge key names, one or a list. */
function sourcesOf({ value }: Pair, targets: Targets): unknown[] {
  const source = behind(value, targets);
  return isSeq(source) ? source.items.map((item) => behind(item, targets)) : [source];
}

/**
 * @throws YamlRefused where a text comes to more than anyone means, an alias stands in what it stands for, or what is to
 * be merged is no mapping
 */
export function mustBeBounded(document: Document): void {
  const targets = targetsOf(document);
  const sizes = new Map<unknown, number>();
  const open = new Set<unknown>();
  const sizeOf = (node: unknown): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    if (isAlias(node)) {
      const target = targets.get(node);
      if (open.has(target)) throw refused(node, `*${node.source} stands inside of what it stands for`);
      return sizeOf(target);
    }
    open.add(node);
    const size = 1 + partsOf(node).reduce<number>((sum, part) => sum + sizeOf(part), 0);
    open.delete(node);
    if (size > EXPANDED_MAX)
      throw refused(node, 'the file says too much: its aliases and merges come to too many parts');
    sizes.set(node, size);
    return size;
  };
  const partsOf = (node: unknown): unknown[] => {
    if (isSeq(node)) return node.items;
    if (!isMap(node)) return [];
    for (const pair of node.items as Pair[]) mustBeMergeable(pair, targets);
    return (node.items as Pair[]).flatMap(({ key, value }) => [key, value]);
  };
  sizeOf(document.contents);
}

function mustBeMergeable(pair: Pair, targets: Targets): void {
  // An alias without its anchor is told as such.
  const isMergeable = (source: unknown) => source === undefined || isMap(source);
  if (!isMergeKey(pair.key) || sourcesOf(pair, targets).every(isMergeable)) return;
  throw refused(pair.key, 'what << merges must be a mapping, an alias of one, or a list of these');
}

function refused(node: unknown, message: string): YamlRefused {
  return new YamlRefused((node as Node).range?.[0] ?? 0, message);
}
