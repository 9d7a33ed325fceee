/** What of a program's answer to a probe is a success. */

/** The codes with which an answer ends; those below are said before it. */
const STATUS_MIN = 200;
const STATUS_MAX = 599;
/** What is expected where a probe does not say. */
const SUCCESS: readonly (number | string)[] = ['200-299'];

/** `204`, `"204"` or `"300-399"` as the first and the last code; undefined where it is none of these. */
export function statusRange(item: unknown): readonly [number, number] | undefined {
  if (typeof item !== 'number' && typeof item !== 'string') return undefined;
  const [, first, last = first] = /^(\d{3})(?:-(\d{3}))?$/.exec(String(item)) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= STATUS_MIN && to <= STATUS_MAX && from <= to ? [from, to] : undefined;
}

/** Why a status is not one of those expected, in words that go on behind "answered"; `""` where it is. */
export function unexpected(status: number, expect = SUCCESS): string {
  const isOne = expect.some((item) => {
    const [from, to] = statusRange(item) ?? [1, 0];
    return status >= from && status <= to;
  });
  if (isOne) return '';
  return expect === SUCCESS ? String(status) : `${status}, which is none of ${expect.join(', ')}`;
}
