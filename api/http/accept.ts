import type { Context } from 'hono';
import type { ApiEnv } from './env.ts';

/** How bytes are coded on their way, the best first where a client takes them alike. */
export const CODINGS = ['br', 'gzip', 'identity'] as const;
export type Coding = (typeof CODINGS)[number];

/**
 * The coding of these in which the answer goes out, by `Accept-Encoding`; undefined where the client takes none.
 * @param header undefined where there is none, which asks for nothing but the bytes as they are
 */
export function chooseCoding(
  header: string | undefined,
  there: (coding: Coding) => boolean,
): Coding | undefined {
  const weights = weightsOf(header ?? '');
  const weightOf = (coding: Coding): number => {
    const weight = weights.get(coding) ?? weights.get('*');
    // Not named it is taken, where nothing better is.
    return weight ?? (coding === 'identity' ? Number.MIN_VALUE : 0);
  };
  let best: Coding | undefined;
  for (const coding of CODINGS) {
    const isBetter = weightOf(coding) > (best === undefined ? 0 : weightOf(best));
    if (isBetter && there(coding)) best = coding;
  }
  return best;
}

/** Whether HTML is asked for by name, and rather than JSON: as browsers do where a person goes somewhere. */
export function prefersHtml(accept: string | undefined): boolean {
  const weights = weightsOf(accept ?? '');
  const html = weights.get('text/html') ?? 0;
  const json = weights.get('application/json');
  if (html === 0) return false;
  return json === undefined ? html >= (weights.get('application/*') ?? weights.get('*/*') ?? 0) : html > json;
}

/** The value of `Vary` with this name in it, beside what stands there by now (`cors.ts`). */
export function varyBy(c: Context<ApiEnv>, name: string): string {
  const before = c.env?.outgoing?.getHeader('Vary');
  return before === undefined ? name : `${before}, ${name}`;
}

/** What a header lists, in lower case, each with its `q`; one that can not be read counts as none. */
function weightsOf(header: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const item of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    const weight = q === undefined ? 1 : /^(?:0(?:\.\d*)?|1(?:\.0*)?)$/.test(q) ? Number(q) : 0;
    if (name !== '') weights.set(name, weight);
  }
  return weights;
}
