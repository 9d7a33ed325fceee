import { byAge, type Found, type Removal, reason } from './item.ts';

/** What can be made again goes before what can not. Those not named here do not count for the disk limit. */
const PRESSURE: Partial<Record<Found['kind'], number>> = {
  image: 0,
  context: 0,
  buildLog: 0,
  trash: 1,
  volume: 1,
};

/** Bytes of all that the disk limit is about, needed or not. */
export function countedBytes(found: readonly Found[]): number {
  return found.filter(isCounted).reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
}

function isCounted(item: Found): boolean {
  if (item.kind === 'image') return item.claimedBy === 'us';
  if (item.kind === 'trash') return item.isStamped;
  return PRESSURE[item.kind] !== undefined;
}

/** What of the younger has to go beside what goes anyway, until the limit is kept. */
export function underPressure(
  found: readonly Found[],
  removals: readonly Removal[],
  younger: readonly Found[],
  diskBytes: number | undefined,
): Removal[] {
  if (diskBytes === undefined) return [];
  // A record that goes alone takes its volume out of the sum too: another record counts it, or a program has it.
  const going = removals.map(({ item }) => item);
  let over = countedBytes(found) - countedBytes(going) - diskBytes;
  const rank = (item: Found) => PRESSURE[item.kind] ?? 0;
  const more: Removal[] = [];
  for (const item of younger.filter(isCounted).sort((a, b) => rank(a) - rank(b) || byAge(a, b))) {
    if (over <= 0) break;
    if (item.bytes === null || item.bytes === 0) continue;
    const why = `${reason(item)}, and the disk limit is exceeded by ${Math.ceil(over / 2 ** 20)} MiB`;
    more.push({ item, recordOnly: false, why });
    over -= item.bytes;
  }
  return more;
}
