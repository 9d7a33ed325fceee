import { computed, signal } from '@preact/signals';

/** The URL is the view: where the page is, and its parameters. */
const here = signal(read());

export const path = computed(() => here.value.path);
export const params = computed(() => here.value.params);
export const hash = computed(() => here.value.hash);

function read() {
  const { pathname, search, hash } = location;
  return { path: pathname.replace(/(.)\/$/, '$1'), params: new URLSearchParams(search), hash: hash.slice(1) };
}

/** The address of a place of the page. Parameters that are undefined or `""` are left out. */
export function href(
  place: string,
  given: Readonly<Record<string, string | undefined>> = {},
  at = '',
): string {
  const all = Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const query = all.length === 0 ? '' : `?${new URLSearchParams(all)}`;
  return `/ui${place}${query}${at === '' ? '' : `#${at}`}`;
}

/** The address of a program's page. */
export function programHref(name: string, given: Readonly<Record<string, string | undefined>> = {}): string {
  return href(`/programs/${encodeURIComponent(name)}`, given);
}

/** Goes there, without a new page. */
export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  const before = here.value.path;
  here.value = read();
  if (here.value.path !== before && here.value.hash === '') scrollTo(0, 0);
}

/** Writes parameters into the URL; undefined or `""` removes one. */
export function setParams(
  changes: Readonly<Record<string, string | undefined>>,
  { push = false } = {},
): void {
  const next = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(key);
    else next.set(key, value);
  }
  const query = next.toString();
  go(`${location.pathname}${query === '' ? '' : `?${query}`}${location.hash}`, { replace: !push });
}

/** Follows the browser's own ways: back and forth, and links to places of the page. */
export function startRouting(): void {
  addEventListener('popstate', () => {
    here.value = read();
  });
  document.addEventListener('click', (event) => {
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!isPlain || event.defaultPrevented || link === null || link.target !== '') return;
    const to = new URL(link.href, location.href);
    const isOurs = to.origin === location.origin && /^\/ui(\/|$)/.test(to.pathname);
    if (!isOurs || link.hasAttribute('download')) return;
    if (to.pathname === location.pathname && to.search === location.search && to.hash !== '') return;
    event.preventDefault();
    go(`${to.pathname}${to.search}${to.hash}`);
  });
}
