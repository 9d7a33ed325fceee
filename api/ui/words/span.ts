/** Numbers and times in words. */

const SECOND = 1_000;

/** `41 s`, `12 min`, `3 h`, `2 d`, `5 wk`: one unit, so that it can be compared down a column. @param ms below 0 is 0 */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / SECOND));
  if (s < 100) return `${s} s`;
  if (s < 100 * 60) return `${Math.round(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
  if (s < 30 * 86_400) return `${Math.round(s / 86_400)} d`;
  return `${Math.round(s / 604_800)} wk`;
}

/** Two units, for a sentence: `3 d 4 h`; below ten seconds with a tenth. */
export function exactSpan(ms: number): string {
  const at = Math.max(0, ms);
  if (at < 10 * SECOND) return `${(at / SECOND).toFixed(1)} s`;
  const s = Math.round(at / SECOND);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

const two = (n: number) => String(n).padStart(2, '0');
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `03:12:44` in UTC, as every log of the host has it. */
export function clock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

/** `28 Nov 2026, 03:12:44.120 UTC` */
export function exactTime(ms: number): string {
  const at = new Date(ms);
  const day = `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''} ${at.getUTCFullYear()}`;
  return `${day}, ${clock(ms)}.${String(at.getUTCMilliseconds()).padStart(3, '0')} UTC`;
}

/** `03:12:44` of the last twenty hours and the next, else `28 Nov 03:12`. */
export function shortTime(ms: number, nowMs: number): string {
  if (Math.abs(nowMs - ms) < 20 * 3600 * SECOND) return clock(ms);
  const at = new Date(ms);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()] ?? ''} ${clock(ms).slice(0, 5)}`;
}

const ISO = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;

/** What the host says, its times as they are shown everywhere else. */
export function withClocks(text: string, nowMs: number): string {
  return text.replace(ISO, (time) => shortTime(Date.parse(time), nowMs));
}

/** Epoch milliseconds of an RFC 3339 time; undefined for `""` and what is none. */
export function msOf(time: string | null | undefined): number | undefined {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}

/** `12,345` */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 line`, `1,204 lines` */
export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}

const MEBI = 2 ** 20;

/** Mebibytes, as manifests have them: `512 Mi`, `1.5 Gi`. */
export function mebi(bytes: number): string {
  const mi = bytes / MEBI;
  if (mi >= 1024) return `${trimmed(mi / 1024)} Gi`;
  return mi >= 10 || mi === 0 ? `${Math.round(mi)} Mi` : `${trimmed(mi)} Mi`;
}

/** What a disk holds: `4 KiB`, `212 MiB`, `1.2 GiB`. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [at, n] = [0, bytes];
  while (n >= 1024 && at < units.length - 1) [at, n] = [at + 1, n / 1024];
  return `${n >= 10 || at === 0 ? Math.round(n) : trimmed(n)} ${units[at]}`;
}

const trimmed = (n: number) => n.toFixed(1).replace(/\.0$/, '');

/** @param part of 1 */
export function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** `ana-build-9f3c…0a1b2c3d`: what tells ids apart is at both ends. @param most characters */
export function middle(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor((most - 1) * 0.4);
  return `${text.slice(0, most - 1 - tail)}…${text.slice(-tail)}`;
}
