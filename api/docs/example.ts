import { type ApiDocument, resolved, type Schema } from './document.ts';

/** No example is nested deeper than this: a schema may hold itself. */
const DEPTH_MAX = 6;
/** Of strings, by their format. */
const STRINGS: Readonly<Record<string, string>> = {
  'date-time': '2026-11-28T12:00:00.000Z',
  uri: 'http://localhost:19001',
};

/** A value that a schema describes: what it says itself, or the plainest there is. Pure. */
export function exampleOf(document: ApiDocument, schema: Schema, depth = 0): unknown {
  // `true`: whatever there is.
  if (typeof schema !== 'object') return null;
  const known = resolved(document, schema as Schema & { $ref: string });
  for (const key of ['example', 'const', 'default'] as const) if (known[key] !== undefined) return known[key];
  if (known.enum !== undefined) return known.enum[0];
  const [first] = known.oneOf ?? known.anyOf ?? [];
  if (first !== undefined) return exampleOf(document, first, depth);
  if (known.allOf !== undefined) {
    return Object.assign({}, ...known.allOf.map((part) => exampleOf(document, part, depth) as object));
  }
  const [type] = [known.type ?? 'object'].flat();
  if (type === 'object') return depth < DEPTH_MAX ? objectOf(document, known, depth) : {};
  if (type === 'array')
    return known.items === undefined || depth >= DEPTH_MAX
      ? []
      : [exampleOf(document, known.items, depth + 1)];
  return plainOf(type, known);
}

function objectOf(document: ApiDocument, schema: Schema, depth: number): unknown {
  const { properties = {}, additionalProperties: more } = schema;
  const entries = Object.entries(properties).map(([name, of]) => [name, exampleOf(document, of, depth + 1)]);
  if (entries.length === 0 && typeof more === 'object')
    entries.push(['name', exampleOf(document, more, depth + 1)]);
  return Object.fromEntries(entries);
}

function plainOf(type: string | undefined, { format, minimum = 0 }: Schema): unknown {
  switch (type) {
    case 'integer':
    case 'number':
      return minimum;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return STRINGS[format ?? ''] ?? '…';
  }
}
