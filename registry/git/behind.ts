import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** As the kernel does, so that links in a circle end. */
const LINKS_MAX = 40;

/**
 * What git has of a path in a work tree: the links on the way, each as a file of its own, and last what is behind
 * them. Undefined where they lead out of the work tree, of which git knows nothing. What is not there counts as no link.
 * @param path relative to the top, with `/`
 */
export function pathsBehind(top: string, path: string): string[] | undefined {
  const links: string[] = [];
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let here = '';
  while (rest.length > 0) {
    const [part = '', ...after] = rest;
    const next = here === '' ? part : `${here}/${part}`;
    const target = targetOf(join(top, next));
    if (target === undefined) {
      here = next;
      rest = after;
      continue;
    }
    links.push(next);
    const inner = innerPath(top, resolve(join(top, dirname(next)), target));
    if (inner === undefined || links.length > LINKS_MAX) return undefined;
    here = '';
    rest = [...inner.split('/').filter((one) => one !== ''), ...after];
  }
  return [...links, here === '' ? '.' : here];
}

function targetOf(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function innerPath(top: string, path: string): string | undefined {
  for (const root of [top, realOf(top)]) {
    const inner = relative(root, path).split(sep).join('/');
    if (inner !== '..' && !inner.startsWith('../')) return inner;
  }
  return undefined;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
