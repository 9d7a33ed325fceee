import { isRecord } from '../../schemas/is-record.ts';
import { frozen } from '../files/sharing.ts';

/** Stands for a part of its own, by its number: an object with this one key. */
const PART = '$part';

/**
 * Data in which what is shared, which is what is frozen, stands once.
 * @param tell told of each part when it is first met, in the order of their numbers
 * @returns what makes a thing data; undefined where it holds what would be taken for a part
 */
export function createPacking(tell: (part: object) => void): (value: object) => object | undefined {
  const numbers = new Map<object, number>();
  const numberOf = (part: object): number => {
    const known = numbers.get(part) ?? numbers.size;
    if (known === numbers.size) {
      numbers.set(part, known);
      tell(part);
    }
    return known;
  };
  const packed = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Object.isFrozen(value)) return { [PART]: numberOf(value) };
    if (Array.isArray(value)) return value.map(packed);
    if (PART in value) throw new Unpackable();
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, packed(inner)]));
  };
  return (value) => {
    try {
      return packed(value) as object;
    } catch (error) {
      if (error instanceof Unpackable) return undefined;
      throw error;
    }
  };
}

class Unpackable extends Error {}

/** The other way round, in the order in which parts and things were told: see `createPacking`. */
export interface Unpacking {
  part(value: object): void;
  /** Changes what it is given. */
  thing(value: unknown): unknown;
}

export function createUnpacking(): Unpacking {
  const parts: object[] = [];
  const thing = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (isRecord(value) && PART in value) return partOf(value[PART]);
    const fields = value as Record<string, unknown>;
    for (const key of Object.keys(fields)) {
      const inner = fields[key];
      if (typeof inner === 'object' && inner !== null) fields[key] = thing(inner);
    }
    return value;
  };
  const partOf = (number: unknown): object => {
    const part = parts[Number(number)];
    if (part === undefined) throw new Error(`there is no part ${String(number)}`);
    return part;
  };
  return { thing, part: (value) => void parts.push(frozen(value)) };
}
