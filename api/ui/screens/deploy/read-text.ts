/** A file as the API takes it; undefined for one that is no text (UTF-8): JSON has no place for its bytes. */
export async function readText(blob: Blob): Promise<string | undefined> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await blob.arrayBuffer());
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

const encoder = new TextEncoder();

/** What a file costs of the body, in bytes: its name and its text in JSON. */
export function costOf(name: string, text: string): number {
  return encoder.encode(`${JSON.stringify(name)}:${JSON.stringify(text)},`).length;
}

const costs = new Map<string, { text: string; cost: number }>();
/** Names that are remembered: somewhat more than can be sent. */
const COSTS_MAX = 12_000;

/** The same, remembered: it is asked of all files with every key. */
export function knownCostOf(name: string, text: string): number {
  const known = costs.get(name);
  if (known?.text === text) return known.cost;
  if (costs.size > COSTS_MAX) costs.clear();
  const cost = costOf(name, text);
  costs.set(name, { text, cost });
  return cost;
}

/**
 * Whether a text that the host gave was no text: it is told as one all the same, with this sign for each byte that it
 * can not tell.
 */
export function isBroken(text: string): boolean {
  return text.includes('\ufffd');
}
