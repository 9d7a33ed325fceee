/** What takes up disk, in words; `registry/`'s and the engine's things that nothing may refer to one day. */
const KINDS: Readonly<Record<string, readonly [label: string, note: string]>> = {
  image: ['Images of programs', ''],
  heldImage: ['Holds on images of others', 'tags, so that no prune takes them'],
  context: ['Contexts', 'what was built, for a rollback'],
  buildLog: ['Build logs', ''],
  sources: ['Sources', 'brought by deploys'],
  history: ['Events, revisions, figures', ''],
  trash: ['Trash', 'manifests and sources that went'],
  volume: ['/state of deleted programs', ''],
};

/** @param kind as the API has it; one that this page does not know is shown by its name */
export function kindWords(kind: string): { label: string; note: string } {
  const [label, note] = KINDS[kind] ?? [kind, ''];
  return { label, note };
}

export interface Kind {
  kind: string;
  count: number;
  bytes: number | null;
}

/** Why it has no size. */
export function whyNoSize(kind: string): string {
  return kind === 'volume'
    ? 'volumes are measured where the host has a --disk-limit'
    : 'the host counts these and does not measure them';
}

/** The largest first, those that are not measured last. Pure. */
export function sorted(kinds: readonly Kind[]): Kind[] {
  return [...kinds].sort(
    (one, other) => (other.bytes ?? -1) - (one.bytes ?? -1) || (one.kind < other.kind ? -1 : 1),
  );
}

/** What is known to be taken up, and whether that is all. */
export function total(kinds: readonly Kind[]): { bytes: number; isAll: boolean } {
  return {
    bytes: kinds.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    isAll: kinds.every(({ bytes }) => bytes !== null),
  };
}

/** The sum of what is known. Null where nothing is. */
export function known(values: readonly (number | null | undefined)[]): { sum: number; of: number } | null {
  const some = values.filter((value): value is number => typeof value === 'number');
  return some.length === 0 ? null : { sum: some.reduce((sum, one) => sum + one, 0), of: some.length };
}
