/** A spec as text that can be compared line by line: YAML for whoever reads it, always the same for the same spec. Pure. */

export function specText(spec: Readonly<Record<string, unknown>>): string {
  return `${linesOf(spec, '').join('\n')}\n`;
}

function linesOf(value: unknown, indent: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((item: unknown) => {
      if (!isNested(item)) return [`${indent}- ${scalar(item)}`];
      const [first = '', ...rest] = linesOf(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  return Object.entries(value as object).flatMap(([key, inner]) =>
    isNested(inner)
      ? [`${indent}${scalar(key)}:`, ...linesOf(inner, `${indent}  `)]
      : [`${indent}${scalar(key)}: ${scalar(inner)}`],
  );
}

/** Whether it takes lines of its own. */
function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/** Words that YAML reads as something else than a string. */
const RESERVED = /^(?:~|null|true|false|yes|no|on|off|[-+.]?[\d.][\d_.:eE+-]*[a-z]?|0[xo][\da-f]+)$/i;

function scalar(value: unknown): string {
  if (value === undefined) return 'null';
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = /^[\w./][\w./:@+=, -]*$/.test(value) && !/: |[: ]$/.test(value) && !RESERVED.test(value);
  return isPlain ? value : JSON.stringify(value);
}
